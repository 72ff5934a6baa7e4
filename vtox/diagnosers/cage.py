"""The lines a rotor cage puts at 2sf from the supply line: where, how strong, in what noise.

Measured here for a batch, judged one by one in `broken_bar`.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vtox.diagnosers.frontend import Front
from vtox.diagnosers.rotor import Rotor
from vtox.dsp import lines, sidebands

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# 2sf must lie this many bins of 1/T from the supply line, else the line stands in its skirt and on
# the removed trend; up to GOOD_BINS the threshold is higher.
NEEDED_BINS = 8.0
GOOD_BINS = 10.0
# Power over floor of amplitude and phase together, about Gamma(2) on noise. Of 2000 records of
# white, 1/f and 1/f^2 noise 99.9 % stay below 14 to 23, the more the wider the search.
THRESHOLD = 18.0
THRESHOLD_WIDE = 22.0
THRESHOLD_SHORT = 30.0
# A line whose mean is this much above the threshold crosses it in 95 % of records.
MARGIN = 12.0
# Deviation in dB of an amplitude in noise of relative rms 1, of which half is in phase with it.
DEVIATION_DB = 20 / np.log(10) / np.sqrt(2)
# Below this ratio of amplitude to noise the quieter modulation alone gives the level.
CLEAR = 4.5
# A sound cage stays below this on both sides; what cannot be so in the noise of the record is
# beyond it. Of 1440 records of the motor model with sound cages of -62 to -60 dBc and a supply that
# wanders by 2 to 20 mHz three exceed 4 and none 6; with lines of -54 dBc at 5 mHz and slips of 1,
# 1.5 and 2 % 99 % exceed 4.5, of those at just 1 % 97 %.
SOUND_DBC = -59.0
EXCESS = 4.5
WEAKEST_DBC = -57.0


@dataclass(frozen=True, slots=True)
class CageLines:
    """The strongest line of each recording near 2sf, arrays of shape (batch,), levels in dBc."""

    hz: Floats  # distance from the supply line
    statistic: Floats
    threshold: Floats
    bins: Floats  # distance at the slip measured, or the least one guessed, in bins of 1/T
    lower_dbc: Floats
    upper_dbc: Floats
    level_dbc: Floats  # what is judged: the lower one, or the mean of both where that is higher
    deviation_db: Floats  # of the level, from the floor
    highest_dbc: Floats  # the lower sideband may be so strong, at 99 %
    strong: Bools  # beyond a sound cage, in the noise there is
    sure_dbc: Floats  # level from which a line is found in 95 % of such records
    floor_dbc: Floats  # rms of the noise in a sideband
    together_rad: Floats  # angle from amplitude to phase modulation
    beside_hz: Floats  # stronger line just outside what the slip allows; NaN where there is none
    resolved: Floats  # the smaller of their powers over floor
    voltage_share: Floats  # line in the voltage over line in the current


def cage_lines(front: Front, rotor: Rotor) -> CageLines:
    """Return the strongest line at 2sf within the slip interval of each recording."""
    bin_hz = rotor.modulation.bin_hz
    low = np.array([s.low for s in rotor.slips]) * 2 * front.f0_hz
    high = np.array([s.high for s in rotor.slips]) * 2 * front.f0_hz
    # Half a bin to either side, but never nearer than what would be refused.
    searched = np.maximum(low - bin_hz / 2, 0.95 * NEEDED_BINS * bin_hz)
    m, line = _strongest(front, rotor, searched, high + bin_hz / 2)
    a, p = (np.take_along_axis(z, line.index[:, None], axis=-1)[:, 0] for z in (m.am, m.pm))
    lower, upper = m.sidebands(line.index)
    am_near, pm_near = lines.floors_nearby(m, line)
    noise = np.sqrt(am_near + pm_near)
    # Where wander hides one modulation the other tells the level, as if there were no upper
    # sideband (am = conj(lower)/2, pm = j*am), each weighed by its floor.
    weight = line.pm_floor / (line.am_floor + line.pm_floor)
    weighed = 2 * np.abs(weight * a - 1j * (1 - weight) * p)
    clear = np.maximum(lower, upper) > CLEAR * noise
    lower_dbc, upper_dbc = _db(np.where(clear, lower, weighed)), _db(upper)
    level_dbc = np.maximum(lower_dbc, (lower_dbc + upper_dbc) / 2)
    excess = sidebands.excess(a, p, line.am_floor, line.pm_floor, 10 ** (SOUND_DBC / 20))
    sharp = np.array([s.sharp for s in rotor.slips])
    least = np.where(sharp, [s.value for s in rotor.slips], [s.low for s in rotor.slips])
    threshold = np.where(sharp, THRESHOLD, THRESHOLD_WIDE)
    threshold = np.where(line.hz < GOOD_BINS * bin_hz, THRESHOLD_SHORT, threshold)
    return CageLines(
        hz=line.hz,
        statistic=line.statistic,
        threshold=threshold,
        bins=least * 2 * front.f0_hz / bin_hz,
        lower_dbc=lower_dbc,
        upper_dbc=upper_dbc,
        level_dbc=level_dbc,
        deviation_db=DEVIATION_DB * noise / 10 ** (level_dbc / 20),
        highest_dbc=_db(np.maximum(lower, 10 ** (lower_dbc / 20)) + 2.5 * noise / np.sqrt(2)),
        strong=(excess > EXCESS) & (np.maximum(level_dbc, _db(lower)) > WEAKEST_DBC),
        sure_dbc=_db(2 * np.sqrt((threshold + MARGIN) / (1 / am_near + 1 / pm_near))),
        floor_dbc=_db(noise),
        together_rad=np.asarray(np.angle(p * np.conj(a)), np.float64),
        beside_hz=line.beside_hz,
        resolved=np.minimum(np.abs(a) ** 2 / line.am_floor, np.abs(p) ** 2 / line.pm_floor),
        voltage_share=_voltage_share(rotor, line, np.maximum(lower, upper)),
    )


def _strongest(
    front: Front, rotor: Rotor, low: Floats, high: Floats
) -> tuple[lines.Modulation, lines.Line]:
    """Return the line, with the wander of the supply taken off by the voltage where that helps."""
    m = rotor.modulation
    line = lines.strongest(m, low, high)
    v = rotor.voltage
    if v is None:
        return m, line
    # A regulated drive answers the cage with its voltage; what remains is the admittance.
    drive = np.array([motor.supply == "inverter" for motor in front.motors])
    freed = replace(m, am=m.am - np.where(drive[:, None], v.am, 0), pm=m.pm - v.pm)
    other = lines.strongest(freed, low, high)
    quieter = other.pm_floor * other.am_floor < line.pm_floor * line.am_floor
    better = (quieter | drive) & np.array([not p for p in front.voltage_problems])
    mixed = replace(
        m,
        am=np.where(better[:, None], freed.am, m.am),
        pm=np.where(better[:, None], freed.pm, m.pm),
    )
    return mixed, lines.chosen(better, other, line)


def _voltage_share(rotor: Rotor, line: lines.Line, current: Floats) -> Floats:
    if rotor.voltage is None:
        return np.zeros(len(line.hz))
    at = lines.strongest(rotor.voltage, line.hz, line.hz)
    share = np.maximum(*rotor.voltage.sidebands(at.index)) / np.maximum(current, 1e-12)
    return np.asarray(np.where(at.statistic > THRESHOLD, share, 0.0), np.float64)


def _db(amplitude: Floats) -> Floats:
    return np.asarray(20 * np.log10(np.maximum(amplitude, 1e-12)), np.float64)
