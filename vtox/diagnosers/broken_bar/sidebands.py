"""The lines a rotor cage puts at 2sf from the supply line: where, how strong, in what noise.

Measured here for a batch, judged one by one in `broken_bar`.

A load that swings moves the tip of the current's phasor to and fro on the circle it describes over
load: both sidebands are nearly equal, amplitude and phase go together, the phase by no more than
the tangent of the power factor's angle. A cage cannot do that: of great inertia it makes one
sideband, of small inertia the speed holds the torque, and what is left of the motion is square to
the load's (Filippetti, Franceschini, Tassoni, Vas 1998, IEEE TIA 34(1):98; Bellini et al. 2001,
IEEE TIA 37(5):1248).
"""

from dataclasses import dataclass, replace

import numpy as np

from vtox.arrays import Bool, Complex, Float64, db
from vtox.diagnosers.current.front_end import CurrentAnalysis
from vtox.diagnosers.current.slip import SlipAnalysis
from vtox.dsp import modulation_spectrum, sideband_test

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
# A sound cage stays below this on both sides; what cannot be so in the noise beside the line is
# beyond it. Of 480 records of the motor model with sound cages of -60 dBc, slips of 1 and 2 % and a
# supply that wanders by up to 20 mHz three exceed 3, the noise of the load having made lines of
# -52 dBc; of 480 with -54 dBc and wander to 5 mHz three stay below 4.
SOUND_DBC = -59.0
EXCESS = 3.5
WEAKEST_DBC = -57.0
# Nearer than this to what a load can make, it may be a load (`CageLines.from_load`): of 765 loads
# that swing near 2sf, 2 to 370 kW, wander to 20 mHz, one lies beyond 1, at 3.0; of 478 cages of
# -54 dBc, wander to 5 mHz, slips of 1 and 2 %, none lies nearer, of 98 of -48 dBc at 0.5 % two.
FROM_LOAD = 2.5
# What a load can make of pm/am. Its real part: from just below 0 (beyond the best power factor the
# phase turns back) to tan of the power factor's angle, whose sine is kept
# within bounds: a small motor without load has a power factor of 0.1. Cages, of any inertia, never
# come near so large a real part: 10 or 2 makes no difference to what is found of them. Across, as
# (L^2 - U^2)/(L^2 + U^2) of the sidebands: the upper one 3 dB weaker to 1 dB stronger. Of 500 loads
# on variants of four machines of 2 to 370 kW none is beyond 0.73 of that tangent, none beyond 2.8
# and 0.3 dB. Cages of 0.5 to 20 rotors' inertia at slips of 0.5 to 5 % come nearest at |pm/am| of
# 2.8 with 3 dB, 370 kW between small and great inertia.
LOAD_ALONG = -0.1
LOAD_SINE = (0.3, 0.995)
LOAD_UNEQUAL_DB = (-1.0, 3.0)
# The upper one weakens by 0.35 to 0.6 dB a Hz on nine machines of 1 to 500 hp at rated load: 3.3 dB
# at 8.4 Hz, which 2sf of a small motor may be. Cages come no nearer there: 3.3 dB with a negative
# real part, 5.6 dB with a positive one.
LOAD_UNEQUAL_DB_PER_HZ = 0.5
# The measured angle, and what the stator's resistance turns the movement ahead of the voltage: by
# 2 Rs/Xs, 2 degrees at 2 kW, 7 at 0.4 kW.
LOAD_AHEAD = np.radians(8.0)
# Power factor times efficiency at rated load where the plate does not tell.
POWER_FACTOR = 0.65


@dataclass(frozen=True, slots=True)
class CageLines:
    """The strongest line of each recording near 2sf, arrays of shape (batch,), levels in dBc."""

    hz: Float64  # distance from the supply line
    statistic: Float64
    threshold: Float64
    bins: Float64  # distance at the slip measured, or the least one guessed, in bins of 1/T
    lower_dbc: Float64
    upper_dbc: Float64
    level_dbc: Float64  # what is judged: the lower one, or the mean of both where that is higher
    deviation_db: Float64  # of the level, from the floor
    highest_dbc: Float64  # the lower sideband may be so strong, at 99 %
    margin: Float64  # above 1: out of the noise, and beyond a sound cage in the noise there is
    sure_dbc: Float64  # level from which a line is found in 95 % of such records
    floor_dbc: Float64  # rms of the noise in a sideband
    from_load: Float64  # distance from all that a load can make, about Exp(1) where one makes it
    beside_hz: Float64  # stronger line just outside what the slip allows; NaN where there is none
    # The strongest line at any slip of a motor at its duty, if no load makes it where a speed was
    # measured; NaN where none stands out or slot harmonics tell the slip.
    elsewhere_hz: Float64
    elsewhere_dbc: Float64
    voltage_share: Float64  # line in the voltage over line in the current


def cage_lines(analysis: CurrentAnalysis, rotor: SlipAnalysis) -> CageLines:
    """Return the strongest line at 2sf within the slip interval of each recording."""
    bin_hz = rotor.modulation.bin_hz
    low = np.array([s.low for s in rotor.slips]) * 2 * analysis.f0_hz
    high = np.array([s.high for s in rotor.slips]) * 2 * analysis.f0_hz
    # Half a bin to either side, but never nearer than what would be refused.
    searched = np.maximum(low - bin_hz / 2, 0.95 * NEEDED_BINS * bin_hz)
    m, line = _strongest(analysis, rotor, searched, high + bin_hz / 2)
    a, p = (np.take_along_axis(z, line.index[:, None], axis=-1)[:, 0] for z in (m.am, m.pm))
    lower, upper = m.sidebands(line.index)
    am_near, pm_near = modulation_spectrum.floors_nearby(m, line)
    noise = np.sqrt(am_near + pm_near)
    lower_dbc, upper_dbc = db(lower), db(upper)
    level_dbc = _level(lower_dbc, upper_dbc)
    # The skirt of a supply that wanders is steeper than the smooth floor, and swells: of 240 sound
    # cages at a slip of 0.5 %, 20 s and 20 mHz five stood out of that, one of the noise beside it.
    beside = np.abs(a) ** 2 / am_near + np.abs(p) ** 2 / pm_near
    excess = sideband_test.excess(a, p, am_near, pm_near, 10 ** (SOUND_DBC / 20))
    sharp = np.array([s.sharp for s in rotor.slips])
    steepest = _steepest(analysis)
    elsewhere_hz, elsewhere_dbc = _elsewhere(analysis, rotor, m, sharp, steepest)
    least = np.where(sharp, [s.value for s in rotor.slips], [s.low for s in rotor.slips])
    threshold = np.where(sharp, THRESHOLD, THRESHOLD_WIDE)
    threshold = np.where(line.hz < GOOD_BINS * bin_hz, THRESHOLD_SHORT, threshold)
    return CageLines(
        hz=line.hz,
        statistic=line.statistic,
        threshold=threshold,
        bins=least * 2 * analysis.f0_hz / bin_hz,
        lower_dbc=lower_dbc,
        upper_dbc=upper_dbc,
        level_dbc=level_dbc,
        deviation_db=DEVIATION_DB * noise / np.maximum(lower, 1e-12),
        highest_dbc=db(lower + 2.5 * noise / np.sqrt(2)),
        margin=np.minimum.reduce(
            [beside / threshold, excess / EXCESS, 10 ** ((level_dbc - WEAKEST_DBC) / 20)]
        ),
        sure_dbc=db(2 * np.sqrt((threshold + MARGIN) / (1 / am_near + 1 / pm_near))),
        floor_dbc=db(noise),
        from_load=_from_load(a, p, am_near, pm_near, steepest, line.hz),
        beside_hz=line.beside_hz,
        elsewhere_hz=elsewhere_hz,
        elsewhere_dbc=elsewhere_dbc,
        voltage_share=_voltage_share(rotor, line, np.maximum(lower, upper)),
    )


def _elsewhere(
    analysis: CurrentAnalysis,
    rotor: SlipAnalysis,
    m: modulation_spectrum.Modulation,
    sharp: Bool,
    steepest: Float64,
) -> tuple[Float64, Float64]:
    """Return frequency and level of what may be 2sf after all where the slip is a guess.

    Or where it rests on a speed: one read or entered wrong does not make a cage's line harmless.
    """
    nearest = np.full(len(sharp), 0.95 * NEEDED_BINS * m.bin_hz)
    farthest = 2 * rotor.widest * analysis.f0_hz + modulation_spectrum.LINE_BINS * m.bin_hz
    doubtful = np.array([s.source != "slot harmonics" for s in rotor.slips])
    asked = doubtful & (farthest > nearest)
    line = modulation_spectrum.strongest(
        m, np.where(asked, nearest, np.nan), np.where(asked, farthest, np.nan)
    )
    short = line.hz < GOOD_BINS * m.bin_hz
    found = line.statistic > np.where(short, THRESHOLD_SHORT, THRESHOLD_WIDE)
    if (found & sharp).any():
        a, p = (np.take_along_axis(z, line.index[:, None], axis=-1)[:, 0] for z in (m.am, m.pm))
        from_load = _from_load(a, p, *modulation_spectrum.floors_nearby(m, line), steepest, line.hz)
        found &= ~sharp | (from_load > FROM_LOAD)
    level_dbc = _level(*map(db, m.sidebands(line.index)))
    return np.where(found, line.hz, np.nan), np.where(found, level_dbc, np.nan)


def _level(lower_dbc: Float64, upper_dbc: Float64) -> Float64:
    return np.asarray(np.maximum(lower_dbc, (lower_dbc + upper_dbc) / 2), np.float64)


def _steepest(analysis: CurrentAnalysis) -> Float64:
    """Return the largest pm/am of a load: tan of the power factor's angle, at most.

    Measured where there are voltages. Else: the reactive current hardly depends on load, so the
    sine grows as the current falls.
    """
    sines = []
    for motor, rms_a, lag in zip(
        analysis.motors, analysis.current_rms_a(), analysis.lag_rad, strict=True
    ):
        rated_a = motor.rated_current_a
        if np.isfinite(lag):
            sines.append(np.sin(np.clip(lag + LOAD_AHEAD, 0, np.pi / 2)))
            continue
        if not rated_a:
            sines.append(LOAD_SINE[1])
            continue
        known = motor.active_share or POWER_FACTOR
        sines.append(np.sqrt(max(1 - known**2, 0.0)) * rated_a / max(float(rms_a), 1e-6 * rated_a))
    return np.asarray(np.tan(np.arcsin(np.clip(sines, *LOAD_SINE))), np.float64)


def _from_load(
    am: Complex, pm: Complex, am_floor: Float64, pm_floor: Float64, steepest: Float64, hz: Float64
) -> Float64:
    """Return the squared distance, over its noise, from the nearest pm/am that a load can make."""
    least_db, most_db = LOAD_UNEQUAL_DB
    unequal_db = least_db, np.maximum(most_db, LOAD_UNEQUAL_DB_PER_HZ * hz)
    ratio = pm / np.where(am == 0, 1e-12, am)
    along = np.clip(ratio.real, LOAD_ALONG, steepest)
    # (L^2 - U^2)/(L^2 + U^2) of sidebands so many dB apart.
    low, high = (np.tanh(db * np.log(10) / 20) * (1 + along**2) / 2 for db in unequal_db)
    nearest = along + 1j * np.clip(ratio.imag, low, high)
    left = np.abs(pm - nearest * am) ** 2
    return np.asarray(left / (pm_floor + np.abs(nearest) ** 2 * am_floor), np.float64)


def _strongest(
    analysis: CurrentAnalysis, rotor: SlipAnalysis, low: Float64, high: Float64
) -> tuple[modulation_spectrum.Modulation, modulation_spectrum.Line]:
    """Return the line, with the wander of the supply taken off by the voltage where that helps."""
    m = rotor.modulation
    line = modulation_spectrum.strongest(m, low, high)
    v = rotor.voltage
    if v is None:
        return m, line
    # A regulated drive answers the cage with its voltage; what remains is the admittance.
    drive = np.array([motor.supply == "inverter" for motor in analysis.motors])
    freed = replace(m, am=m.am - np.where(drive[:, None], v.am, 0), pm=m.pm - v.pm)
    other = modulation_spectrum.strongest(freed, low, high)
    quieter = other.pm_floor * other.am_floor < line.pm_floor * line.am_floor
    better = (quieter | drive) & np.array([not p for p in analysis.voltage_problems])
    mixed = replace(
        m,
        am=np.where(better[:, None], freed.am, m.am),
        pm=np.where(better[:, None], freed.pm, m.pm),
    )
    return mixed, modulation_spectrum.chosen(better, other, line)


def _voltage_share(
    rotor: SlipAnalysis, line: modulation_spectrum.Line, current: Float64
) -> Float64:
    if rotor.voltage is None:
        return np.zeros(len(line.hz))
    at = modulation_spectrum.strongest(rotor.voltage, line.hz, line.hz)
    share = np.maximum(*rotor.voltage.sidebands(at.index)) / np.maximum(current, 1e-12)
    return np.asarray(np.where(at.statistic > THRESHOLD, share, 0.0), np.float64)
