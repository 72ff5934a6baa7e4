"""The sideband pair of the rotor cage, 2sf from the supply line: its place, strength and noise.

Computed for a batch; `rules` decide.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vtox.motor.diagnosis.diagnosers.broken_bar import (
    flicker,
    load_oscillation,
    speed_ripple,
    supply_lines,
)
from vtox.motor.diagnosis.diagnosers.broken_bar.supply_lines import BOUND_DEVIATIONS
from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.current.slip import SlipAnalysis
from vtox.motor.diagnosis.diagnosers.current.slip_prior import Slip
from vtox.motor.diagnosis.dsp import modulation_spectrum, sideband_test
from vtox.motor.diagnosis.dsp.modulation_spectrum import (
    MIN_OVER_FLOOR,
    MIN_OVER_FLOOR_AT_PLACE,
    MIN_OVER_FLOOR_CLEAR,
    MIN_OVER_FLOOR_WIDE,
    PLACE_BINS,
)
from vtox.motor.values.arrays import NEPER_DB, SILENCE, Bool, Float64, db, pick

# 2sf must be this many bins of 1/T, else the sidebands lie in the skirt of the supply line and on
# the removed trend. Up to `GOOD_BINS` the limit is higher.
NEEDED_BINS = 8.0
GOOD_BINS = 10.0
# Bins searched begin this much nearer to the supply line than the lines that must be refused.
SEARCH_MARGIN = 0.95
# A line whose mean is this much above the limit exceeds it in 95 % of records.
DETECTION_MARGIN = 12.0
# Sidebands of a sound rotor cage are below this level. A pair is beyond it if its squared distance
# in the adjacent noise reaches `MIN_EXCESS`, and its level `WEAKEST_DBC`.
# docs/calibration/broken_bar.md#sound-rotor-cages
SOUND_DBC = -59.0
MIN_EXCESS = 6.0
# The upper sideband of a rotor cage exceeds its lower one by no more, dB.
# docs/calibration/broken_bar.md#upper-sideband
MAX_UPPER_DB = 2.0
WEAKEST_DBC = -57.0


# Without slots, as evidence inherits it with the conditions.
@dataclass(frozen=True, kw_only=True)
class SidebandPairs:
    """The strongest pair of each recording near 2sf: arrays of shape (batch,), levels in dBc."""

    hz: Float64  # distance from the supply line
    peak_hz: Float64  # the same, between the bins of the spectrum
    over_floor: Float64  # power over the smooth floor, amplitude and phase together
    over_floor_limit: Float64
    bins: Float64  # distance at the slip measured, or the least one estimated, in bins of 1/T
    lower_dbc: Float64
    upper_dbc: Float64
    level_dbc: Float64  # decides: the lower one, or the mean of both if that is higher
    deviation_db: Float64  # of the level, from the noise
    apart_db: Float64  # the lower sideband over the upper one
    off_swing_deg: Float64  # of a strong line, the upper sideband off that of a heavy rotor
    upper_bound_dbc: Float64  # of the lower sideband, or of the mean if that is higher, at 99 %
    statistic: Float64  # above 1: over the noise, and beyond a sound rotor cage in the noise there
    detectable_dbc: Float64  # level from which a pair is found in 95 % of such records
    floor_dbc: Float64  # rms of the noise in a sideband
    strongest_dbc: Float64  # strongest sideband within the interval of the slip, line or noise
    distance_from_load: Float64  # squared, from all that a load can make; about Exp(1) if one did
    neighbour_hz: Float64  # stronger line just outside the slip's interval; NaN: there is none
    # The strongest line at any slip of a motor at its duty, unless a load makes it if a speed
    # was measured; NaN if none exceeds the floor or slot harmonics give the slip.
    alternative_hz: Float64
    alternative_dbc: Float64
    voltage_ratio: Float64  # line in the voltage over line in the current
    voltage_bound: Float64  # of that ratio, at 99 %
    answered: Bool  # the voltage carries the line as a drive that answers its rotor cage makes it
    of_bridge: Bool  # the same, as a bridge makes it whose direct voltage flickers
    half_dbc: Float64  # line at half the distance of a strong one; NaN if there is none
    is_as_of_flicker: Bool  # strong, as flicker of the supply makes it and no rotor cage does

    @property
    def is_line(self) -> Bool:
        """Whether there is a line at all."""
        return self.over_floor > self.over_floor_limit

    @property
    def is_strong(self) -> Bool:
        """Whether the line is beyond a sound rotor cage in the noise there is."""
        return self.statistic > 1


def sideband_pairs(
    analysis: CurrentAnalysis, slip_analysis: SlipAnalysis, *, least_over_floor: float = 0.0
) -> SidebandPairs:
    """Return the strongest pair of sidebands at 2sf within the slip interval of each recording.

    A line must exceed the floor by `least_over_floor`, and by the limit of its slip and place.
    """
    slips = slip_analysis.slips
    bin_hz = slip_analysis.modulation.bin_hz
    m, line = strongest_line(analysis, slip_analysis)
    drive = np.array([motor.supply == "inverter" for motor in analysis.motors])
    drive &= np.array([not p for p in analysis.voltage_problems])
    voltage_ratio, voltage_bound = supply_lines.voltage_ratios(
        slip_analysis, line, np.maximum(*m.sidebands(line.index))
    )
    answered, of_bridge = supply_lines.answers(slip_analysis, line, voltage_ratio, drive)
    am, pm = pick(m.am, line.index), pick(m.pm, line.index)
    if slip_analysis.voltage is not None:
        # At 2sf the amplitude of the voltage hardly moves that of the current, its phase all of it.
        am = np.where(answered, am + pick(slip_analysis.voltage.am, line.index), am)
    lower, upper = np.abs(am - 1j * pm), np.abs(am + 1j * pm)
    # The skirt of a supply that wanders is steeper than the smooth floor and swells, so that a
    # sound rotor cage exceeds it more often than the adjacent noise.
    am_floor, pm_floor = modulation_spectrum.floors_nearby(m, line)
    noise = np.sqrt(am_floor + pm_floor)
    over_noise = np.abs(am) ** 2 / am_floor + np.abs(pm) ** 2 / pm_floor
    excess = sideband_test.excess(am, pm, am_floor, pm_floor, 10 ** (SOUND_DBC / 20))
    lower_dbc, upper_dbc = db(lower), db(upper)
    level_dbc = _level_dbc(lower_dbc, upper_dbc)
    peak_hz = modulation_spectrum.refined_hz(m, line)
    measured = np.array([s.is_measured for s in slips])
    limit_anywhere = np.where(measured, MIN_OVER_FLOOR, MIN_OVER_FLOOR_WIDE)
    limit_anywhere = _over_floor_limit(limit_anywhere, line, bin_hz)
    limit_anywhere = np.maximum(limit_anywhere, least_over_floor)
    at_place = _at_place(slips, analysis.f0_hz, peak_hz, bin_hz)
    lower_limit = at_place & (limit_anywhere == MIN_OVER_FLOOR)
    limit = np.where(lower_limit, MIN_OVER_FLOOR_AT_PLACE, limit_anywhere)
    statistic = np.minimum.reduce(
        [over_noise / limit, excess / MIN_EXCESS, 10 ** ((level_dbc - WEAKEST_DBC) / 20)]
    )
    tangents = _tangents(analysis, statistic > 1)
    largest_ratio = load_oscillation.largest_phase_ratio(analysis)
    alternative_hz, alternative_dbc = _alternatives(analysis, slip_analysis, m, largest_ratio)
    return SidebandPairs(
        hz=line.hz,
        peak_hz=peak_hz,
        over_floor=line.statistic,
        over_floor_limit=limit,
        bins=np.array([least_slip(s) for s in slips]) * 2 * analysis.f0_hz / bin_hz,
        lower_dbc=lower_dbc,
        upper_dbc=upper_dbc,
        level_dbc=level_dbc,
        apart_db=speed_ripple.apart_db(am, pm),
        off_swing_deg=speed_ripple.off_swing_deg(am, pm, noise, tangents),
        # Half of the noise is in phase with the amplitude.
        deviation_db=NEPER_DB / np.sqrt(2) * noise / np.maximum(lower, SILENCE),
        upper_bound_dbc=db(
            np.maximum(lower, np.sqrt(lower * upper)) + BOUND_DEVIATIONS * noise / np.sqrt(2)
        ),
        statistic=statistic,
        detectable_dbc=db(
            2 * np.sqrt((limit_anywhere + DETECTION_MARGIN) / (1 / am_floor + 1 / pm_floor))
        ),
        floor_dbc=db(noise),
        strongest_dbc=_strongest_dbc(m, *searched_hz(analysis, slip_analysis)),
        distance_from_load=load_oscillation.distance(
            am, pm, am_floor, pm_floor, largest_ratio, line.hz
        ),
        neighbour_hz=line.neighbour_hz,
        alternative_hz=alternative_hz,
        alternative_dbc=alternative_dbc,
        voltage_ratio=voltage_ratio,
        voltage_bound=voltage_bound,
        answered=answered,
        of_bridge=of_bridge,
        half_dbc=_half_dbc(m, line, statistic > 1),
        is_as_of_flicker=np.array(
            flicker.looks_like_flicker(am, pm, am_floor, pm_floor, tangents), bool
        ),
    )


def least_slip(slip: Slip) -> float:
    """Return the slip that was measured, or the least of the estimated ones."""
    return slip.value if slip.is_measured else slip.low


def off_bins_allowed(slips: Sequence[Slip], f0_hz: Float64, bin_hz: float) -> Float64:
    """Return how far from 2sf a steady line of a rotor cage may be, bins of 1/T.

    NaN if the slip is not measured, or from lines of the current that may be others.
    """
    sensor = np.array([s.source == "speed sensor" for s in slips])
    slots = np.array([s.source == "slot harmonics" for s in slips])
    rounding = np.array([s.rounding for s in slips])
    rounded_hz = np.where(sensor, 2 * f0_hz * rounding, 0.0)
    return np.where(sensor | slots, PLACE_BINS + rounded_hz / bin_hz, np.nan)


def _at_place(slips: Sequence[Slip], f0_hz: Float64, hz: Float64, bin_hz: float) -> Bool:
    """Return whether lines are at 2sf of a measured slip, shape (batch,)."""
    limits_hz = bin_hz * off_bins_allowed(slips, f0_hz, bin_hz)
    return np.asarray(np.abs(hz - 2 * f0_hz * np.array([s.value for s in slips])) <= limits_hz)


def _over_floor_limit(
    limit: Float64, line: modulation_spectrum.StrongestLine, bin_hz: float
) -> Float64:
    return np.where(line.hz < GOOD_BINS * bin_hz, MIN_OVER_FLOOR_CLEAR, limit)


def _alternatives(
    analysis: CurrentAnalysis,
    slip_analysis: SlipAnalysis,
    m: modulation_spectrum.Modulation,
    largest_ratio: Float64,
) -> tuple[Float64, Float64]:
    """Return frequency and level of a line that may be 2sf after all, if the slip may be another.

    The slip may be another if it is estimated, or rests on a speed. A speed measured or entered
    wrongly does not make the line of a rotor cage harmless, unless a second source excludes its
    slip too, or the voltage explains it.
    """
    measured = np.array([s.is_measured for s in slip_analysis.slips])
    line_hz = modulation_spectrum.LINE_BINS * m.bin_hz
    nearest = np.fmax(
        2 * slip_analysis.other_low * analysis.f0_hz - line_hz,
        SEARCH_MARGIN * NEEDED_BINS * m.bin_hz,
    )
    farthest = 2 * slip_analysis.other_high * analysis.f0_hz + line_hz
    searched = farthest > nearest
    # A regulated drive answers the rotor cage with its voltage.
    grid = np.array([motor.supply == "grid" for motor in analysis.motors])
    m, line = supply_lines.strongest_non_supply_line(
        slip_analysis,
        m,
        np.where(searched, nearest, np.nan),
        np.where(searched, farthest, np.nan),
        grid & np.array([not p for p in analysis.voltage_problems]),
    )
    wide = np.full(len(measured), MIN_OVER_FLOOR_WIDE)
    is_line: Bool = line.statistic > _over_floor_limit(wide, line, m.bin_hz)
    if (is_line & measured).any():
        distance = load_oscillation.distance(
            pick(m.am, line.index),
            pick(m.pm, line.index),
            *modulation_spectrum.floors_nearby(m, line),
            largest_ratio,
            line.hz,
        )
        is_line &= ~measured | (distance > load_oscillation.MIN_DISTANCE)
    level_dbc = _level_dbc(*map(db, m.sidebands(line.index)))
    return np.where(is_line, line.hz, np.nan), np.where(is_line, level_dbc, np.nan)


def _half_dbc(
    m: modulation_spectrum.Modulation, line: modulation_spectrum.StrongestLine, strong: Bool
) -> Float64:
    """Return the level of a line at half the distance of a strong one, NaN if there is none."""
    # It must be half as far from the supply line as the pair.
    visible = strong & (line.hz >= NEEDED_BINS * m.bin_hz)
    if not visible.any():
        return np.full(len(line.hz), np.nan)
    low, high = ((line.hz + side * m.step_hz) / 2 for side in (-1, 1))
    half = modulation_spectrum.strongest(
        m, np.where(visible, low, np.nan), np.where(visible, high, np.nan)
    )
    stands = (half.statistic > MIN_OVER_FLOOR_CLEAR) & np.isnan(half.neighbour_hz)
    return np.where(stands, db(np.maximum(*m.sidebands(half.index))), np.nan)


def _tangents(analysis: CurrentAnalysis, strong: Bool) -> Float64:
    """Return those of the power factor angle for strong lines, NaN for others."""
    if not strong.any():
        return np.full(len(strong), np.nan)
    return np.where(strong, flicker.lag_tangents(analysis), np.nan)


def _level_dbc(lower_dbc: Float64, upper_dbc: Float64) -> Float64:
    """Return the lower level, or the mean of both if the upper one is higher as in a cage."""
    higher_db = np.clip(upper_dbc - lower_dbc, 0.0, MAX_UPPER_DB)
    return np.asarray(lower_dbc + higher_db / 2, np.float64)


def searched_hz(analysis: CurrentAnalysis, slip_analysis: SlipAnalysis) -> tuple[Float64, Float64]:
    """Return least and largest distance from the supply line that the slip allows, Hz.

    Half a bin to either side, but never nearer than the lines that would be refused.
    """
    bin_hz, slips = slip_analysis.modulation.bin_hz, slip_analysis.slips
    low = np.array([s.low for s in slips]) * 2 * analysis.f0_hz - bin_hz / 2
    high = np.array([s.high for s in slips]) * 2 * analysis.f0_hz + bin_hz / 2
    return np.maximum(low, SEARCH_MARGIN * NEEDED_BINS * bin_hz), high


def _strongest_dbc(m: modulation_spectrum.Modulation, low_hz: Float64, high_hz: Float64) -> Float64:
    """Return the strongest level of each recording between the two, NaN if it has none there."""
    found = np.full(len(low_hz), np.nan)
    (rows,) = (low_hz <= high_hz).nonzero()
    for i in rows.tolist():
        first, last = int(low_hz[i] / m.step_hz), int(np.ceil(high_hz[i] / m.step_hz))
        part = np.s_[i : i + 1, first : last + 1]
        lower, upper = replace(m, am=m.am[part], pm=m.pm[part]).sideband_spectra()
        found[i] = np.max(_level_dbc(db(lower), db(upper)), initial=-np.inf)
    return found


def strongest_line(
    analysis: CurrentAnalysis, slip_analysis: SlipAnalysis
) -> tuple[modulation_spectrum.Modulation, modulation_spectrum.StrongestLine]:
    """Return the modulation that is searched, and its strongest line within the slip interval.

    The wander of the supply is removed by the voltage if that helps.
    """
    m, v = slip_analysis.modulation, slip_analysis.voltage
    low, high = searched_hz(analysis, slip_analysis)
    line = modulation_spectrum.strongest(m, low, high)
    if v is None:
        return m, line
    # A regulated drive answers the rotor cage with its voltage; the rest is the admittance.
    drive = np.array([motor.supply == "inverter" for motor in analysis.motors])
    corrected = replace(m, am=m.am - np.where(drive[:, None], v.am, 0), pm=m.pm - v.pm)
    other = modulation_spectrum.strongest(corrected, low, high)
    quieter = other.pm_floor * other.am_floor < line.pm_floor * line.am_floor
    better = (quieter | drive) & np.array([not p for p in analysis.voltage_problems])
    mixed = replace(
        m,
        am=np.where(better[:, None], corrected.am, m.am),
        pm=np.where(better[:, None], corrected.pm, m.pm),
    )
    return mixed, modulation_spectrum.line_where(better, other, line)
