"""Rules of `broken_bar`, in order: from the observation of a recording to state and code."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from vtox.baseline import RISE_DB, Level
from vtox.diagnosers.broken_bar import load_oscillation
from vtox.diagnosers.broken_bar.observation import Conditions, Observation
from vtox.diagnosers.broken_bar.sidebands import NEEDED_BINS, least_slip, off_bins_allowed
from vtox.diagnosers.broken_bar.supply_lines import MAX_VOLTAGE_RATIO
from vtox.domain import Reason, State, reason
from vtox.dsp import demodulation, modulation_spectrum

# Level of the lower sideband. Sound above 54 dB below the supply line, a developing fault of the
# rotor cage from there, broken bars near 45 (Penrose 2006; Culbert & Letal 2015; the limits are
# empirical).
DEVELOPING_DBC = -54.0
FAULT_DBC = -45.0
MIN_LOAD = 0.35
MAX_FREQUENCY_RANGE_HZ = 0.4
# A rotor cage modulates the phase as much as the amplitude or more, in quadrature to it; a supply
# that flickers mostly the amplitude. docs/calibration/broken_bar.md#flicker
MIN_QUADRATURE = 0.8
MAX_IN_PHASE_SHARE = 0.75
# The noise that moves a level by 1 dB (deviation) moves the place of its line by so many bins (99
# %). docs/calibration/broken_bar.md#place-of-the-line
PLACE_BINS_PER_DB = 0.21
# A line at half the distance counts down to so far below. A rotor cage makes none.
# docs/calibration/broken_bar.md#lines-at-half-the-distance
MAX_BELOW_DB = 20.0
# A line is none of a supply that flickers where it is sharper over the angle of slip than over time
# by this ratio of power.
MIN_OVER_FLICKER = 2.0
# Over the angle of slip a line may be so much weaker than the rotor cage makes it, dB: how the slip
# moves is not known exactly. docs/calibration/broken_bar.md#slip-that-moves
TRACKING_LOSS_DB = 3.0
# A level is reported where its deviation in the noise is no more than this.
# docs/calibration/broken_bar.md#levels-in-noise
REPORTED_DEVIATION_DB = 1.0
# Longest record that a reason asks for, s.
LONGEST_RECORD_S = 300.0
# Other causes of the same lines, as evidence.
LOAD = "load oscillation at twice slip frequency"
SUPPLY = "supply that flickers, or an interharmonic of it, at twice slip frequency"
VOLTAGE = "the voltage carries a line there too, the supply or the drive modulates the motor"
CONTROL = "control of a drive that hunts at half that frequency"
SOUND_CAGE = "axial ducts or inter-bar currents of a sound rotor cage"


@dataclass(frozen=True, slots=True)
class Finding:
    """State and code of one recording, and what its diagnosis takes from the rule."""

    state: State
    why: Reason
    doubts: tuple[Reason, ...] = ()
    causes: tuple[str, ...] = ()  # others of the same lines
    asymmetric: bool = False  # lines as strong as those of a fault: their confidence counts
    statistic: float | None = None  # other than that of the pair
    change_db: float | None = None  # against the baseline
    by_level: bool = True  # whether the level decided, and so statistic and threshold


def abstention(o: Conditions) -> tuple[Reason, ...]:
    """Return why a recording does not decide, and what else stands against it; else nothing.

    Of conditions alone where they leave nothing to search for, of an observation for any reason.
    """
    why = next((r for rule in CONDITION_RULES if (r := rule(o))), None)
    if why is None and isinstance(o, Observation):
        why = _current_not_steady(o)
    return (why, *o.slip.doubts) if why else ()


def finding(o: Observation, baseline: Level | None) -> Finding:
    """Return what the sidebands of a recording say, given their healthy level at this load."""
    result = next(f for rule in FINDING_RULES if (f := rule(o)))
    if result.asymmetric and baseline:
        result = _against_baseline(o, result, baseline)
    if result.state == "normal" and o.slip.source == "rated power and load":
        return replace(result, state="unknown", why=o.slip.doubts[-1], doubts=o.slip.doubts[:-1])
    if result.state == "normal" and (why := _line_at_another_slip(o)):
        # Nameplates and speeds are wrong, supplies high: they do not make another line harmless.
        result = replace(result, state="unknown", why=why, doubts=())
    return replace(result, doubts=(*result.doubts, *o.slip.doubts))


def shows_cage(o: Observation) -> bool | None:
    """Return whether a recording shows the line of a rotor cage, of any strength; None: it is open.

    A line that a load or the supply may have made says nothing of the cage: learnt as its level, it
    would hide one that breaks. Nor does one beside it that covers a weak one of the cage.
    """
    result = next(f for rule in FINDING_RULES if (f := rule(o)))
    return None if result.state == "unknown" else o.pair.is_line and result.by_level


def is_level_certain(o: Observation) -> bool:
    """Return whether the noise leaves the level of the sidebands certain enough to report it."""
    return o.pair.deviation_db <= REPORTED_DEVIATION_DB


def _inverter_without_voltages(o: Conditions) -> Reason | None:
    if o.motor.supply != "inverter" or o.has_voltages:
        return None
    return reason("inverter_without_voltages")


def _load_too_low(o: Conditions) -> Reason | None:
    needed_a = MIN_LOAD * (o.motor.rated_current_a or 0.0)
    return (
        reason("load_too_low", load_a=o.load_a, needed_a=needed_a) if o.load_a < needed_a else None
    )


def _frequency_not_steady(o: Conditions) -> Reason | None:
    if o.frequency_range_hz <= MAX_FREQUENCY_RANGE_HZ:
        return None
    limit_hz = MAX_FREQUENCY_RANGE_HZ
    return reason("supply_not_steady", range_hz=o.frequency_range_hz, limit_hz=limit_hz)


def _slip_unknown(o: Conditions) -> Reason | None:
    return None if o.slip.is_known else o.slip.reason


def _too_short_for_any_slip(o: Conditions) -> Reason | None:
    # An estimated slip may be larger than its least: a fault can still be found, health not.
    largest = o.slip.value if o.slip.is_measured else o.slip.high
    return _too_short(o) if largest * 2 * o.f0_hz < NEEDED_BINS * o.bin_hz else None


def _current_not_steady(o: Observation) -> Reason | None:
    if o.tracking or not o.spreads_sidebands:
        return None
    return reason("current_not_steady", low_a=o.low_a, high_a=o.high_a)


CONDITION_RULES: tuple[Callable[[Conditions], Reason | None], ...] = (
    _inverter_without_voltages,
    _load_too_low,
    _frequency_not_steady,
    _slip_unknown,
    _too_short_for_any_slip,
)


def _too_short(o: Conditions) -> Reason:
    """Return how long a record must be at this slip, if any length would do."""
    slip = least_slip(o.slip)
    values = {"slip": slip, "slip_source": o.slip.source}
    measured = o.slip.is_measured
    if slip * 2 * o.f0_hz * LONGEST_RECORD_S < NEEDED_BINS:
        return Reason("slip_too_small" if measured else "slip_possibly_too_small", values)
    needed_s = float(np.ceil(NEEDED_BINS / (2 * slip * o.f0_hz) + 2 * demodulation.EDGE_S))
    return Reason(
        "record_too_short_for_slip" if measured else "record_too_short_for_least_slip",
        {**values, "duration_s": o.duration_s, "needed_s": needed_s},
    )


def _too_short_for_health(o: Observation) -> Finding | None:
    if o.pair.is_strong or o.pair.bins >= NEEDED_BINS:
        return None
    return Finding("unknown", _too_short(o))


def _fault_would_be_hidden(o: Observation) -> Finding | None:
    if o.pair.is_line or o.pair.detectable_dbc <= _sound_up_to_dbc(o):
        return None
    return Finding(
        "unknown",
        reason(
            "noise_hides_sidebands",
            detectable_dbc=o.pair.detectable_dbc,
            needed_dbc=_sound_up_to_dbc(o),
        ),
    )


def _sound_up_to_dbc(o: Observation) -> float:
    """Return up to which level a line that is measured may be of a sound rotor cage."""
    return DEVELOPING_DBC - (TRACKING_LOSS_DB if o.tracking else 0.0)


def _no_line(o: Observation) -> Finding | None:
    if o.pair.is_line:
        return None
    return Finding(
        "normal",
        reason(
            "no_sidebands",
            detectable_dbc=o.pair.detectable_dbc,
            slip=o.slip.value,
            slip_source=o.slip.source,
        ),
    )


def _line_of_load(o: Observation) -> Finding | None:
    # Not within what the slip allows: where the line stands decides, not its level.
    if not np.isfinite(o.pair.neighbour_hz):
        return None
    # Either sideband may be what the line leaves of a rotor cage's. Over the angle of slip a load's
    # line is broad, and may cover what stands beside it.
    strongest_dbc = max(o.pair.lower_dbc, o.pair.upper_dbc)
    covers = strongest_dbc >= DEVELOPING_DBC or o.tracking is not None
    why = reason(
        "load_oscillation_hides_sidebands" if covers else "load_oscillation",
        line_hz=o.pair.neighbour_hz,
        distance_hz=o.distance_hz,
        slip_source=o.slip.source,
    )
    return Finding("unknown", why) if covers else Finding("normal", why, by_level=False)


def _level_uncertain(o: Observation) -> Finding | None:
    if o.pair.is_strong or o.pair.upper_bound_dbc <= _sound_up_to_dbc(o):
        return None
    limits = {"floor_dbc": o.pair.floor_dbc, "upper_bound_dbc": o.pair.upper_bound_dbc}
    return _of_lines(o, "unknown", "sidebands_in_noise", **limits)


def _weak_lines(o: Observation) -> Finding | None:
    if o.pair.is_strong:
        return None
    return _of_lines(o, "normal", "sidebands_of_sound_rotor_cage", limit_dbc=DEVELOPING_DBC)


def _line_of_supply(o: Observation) -> Finding | None:
    if o.pair.voltage_ratio <= MAX_VOLTAGE_RATIO:
        return None
    return replace(_of_lines(o, "unknown", "sidebands_in_voltage"), causes=(VOLTAGE,))


def _harmonic_of_half(o: Observation) -> Finding | None:
    if not o.pair.half_dbc >= o.pair.level_dbc - MAX_BELOW_DB:
        return None
    lines = _of_lines(o, "unknown", "sidebands_are_harmonics", half_dbc=o.pair.half_dbc)
    return replace(lines, causes=(CONTROL, LOAD))


def _line_at_a_fixed_frequency(o: Observation) -> Finding | None:
    if o.tracking is None or o.tracking.line_follows:
        return None
    slips = {"lowest_slip": o.tracking.lowest_slip, "highest_slip": o.tracking.highest_slip}
    return replace(_of_lines(o, "unknown", "line_does_not_follow_slip", **slips), causes=(LOAD,))


def _beside_twice_the_slip(o: Observation) -> Finding | None:
    """Return that a line of a supply that is not excluded stands beside 2sf of a measured slip."""
    allowed = off_bins_allowed(o.slip, o.f0_hz, o.bin_hz)
    if o.supply_excluded or allowed is None or o.tracking is not None:
        return None
    near_bins = allowed + PLACE_BINS_PER_DB * o.pair.deviation_db
    off_bins = (o.pair.peak_hz - o.distance_hz) / o.bin_hz
    if o.place_shift[0] - near_bins <= off_bins <= o.place_shift[1] + near_bins:
        return None
    values = {
        "level_dbc": o.pair.level_dbc,
        "line_hz": o.pair.peak_hz,
        "distance_hz": o.distance_hz,
        "slip": o.slip.value,
        "slip_source": o.slip.source,
    }
    why = Reason("line_at_another_slip", values)
    return Finding("unknown", why, doubts=_level_doubts(o), causes=(SUPPLY, LOAD))


def _as_a_load(o: Observation) -> Finding | None:
    if o.pair.distance_from_load >= load_oscillation.MIN_DISTANCE:
        return None
    lines = _of_lines(o, "unknown", "load_oscillation_or_broken_bars")
    estimated = () if o.slip.is_measured else (reason("slip_not_measured"),)
    return replace(lines, causes=(LOAD,), doubts=(*lines.doubts, *estimated))


def _as_a_multiple_of_a_load(o: Observation) -> Finding | None:
    if o.over_square >= load_oscillation.MIN_OVER_SQUARE:
        return None
    return replace(_of_lines(o, "unknown", "load_multiple_or_broken_bars"), causes=(LOAD,))


def _as_a_flickering_supply(o: Observation) -> Finding | None:
    ratio = o.pair.phase_ratio
    of_rotor = ratio.imag >= max(MIN_QUADRATURE, abs(ratio.real) / MAX_IN_PHASE_SHARE)
    # A line taken for one of the rotor's speed may be another: it does not prove the slip.
    proven = o.slip.source in ("speed sensor", "slot harmonics") or _moves_with_the_slip(o)
    of_supply = o.pair.is_as_of_flicker and not _moves_with_the_slip(o)
    if o.supply_excluded or not (of_supply or not (of_rotor or proven)):
        return None
    lines = _of_lines(o, "unknown", "supply_flicker_or_broken_bars")
    estimated = () if o.slip.is_measured else (reason("slip_not_measured"),)
    return replace(lines, causes=(SUPPLY, LOAD), doubts=(*lines.doubts, *estimated))


def _moves_with_the_slip(o: Observation) -> bool:
    return o.tracking is not None and o.tracking.over_fixed > MIN_OVER_FLICKER


def _asymmetry(o: Observation) -> Finding:
    guessed = _is_slip_guessed(o)
    state: State = "fault" if o.pair.level_dbc >= FAULT_DBC and not guessed else "warning"
    slip = {"slip": o.slip.value, "slip_source": o.slip.source}
    lines = _of_lines(o, state, "rotor_asymmetry", **slip)
    doubts = (*lines.doubts, reason("slip_not_measured")) if guessed else lines.doubts
    if o.supply_excluded or _moves_with_the_slip(o):
        return replace(lines, causes=(LOAD, SOUND_CAGE), doubts=doubts, asymmetric=True)
    doubts = (*doubts, reason("flicker_not_excluded"))
    return replace(lines, causes=(LOAD, SOUND_CAGE, SUPPLY), doubts=doubts, asymmetric=True)


def _is_slip_guessed(o: Observation) -> bool:
    """Return whether nothing says that the line is at 2sf: not the slip, not the voltages."""
    return o.slip.is_guessed or not (o.slip.is_measured or o.supply_excluded)


# The last rule always answers.
FINDING_RULES: tuple[Callable[[Observation], Finding | None], ...] = (
    _too_short_for_health,
    _fault_would_be_hidden,
    _no_line,
    _line_of_load,
    _level_uncertain,
    _weak_lines,
    _line_of_supply,
    _harmonic_of_half,
    _line_at_a_fixed_frequency,
    _as_a_load,
    _as_a_multiple_of_a_load,
    _beside_twice_the_slip,
    _as_a_flickering_supply,
    _asymmetry,
)


def _against_baseline(o: Observation, result: Finding, baseline: Level) -> Finding:
    """Return the finding on lines that the machine may have had when its baseline was learnt.

    Their scatter does not widen the limit: where it is large the levels learnt were noise, and say
    nothing of a line.
    """
    change_db = o.pair.level_dbc - baseline.mean
    result = replace(result, change_db=change_db)
    if change_db > RISE_DB:
        return result
    learnt = {"baseline_dbc": baseline.mean}
    if result.state == "fault":
        why = _of_lines(o, "warning", "rotor_asymmetry_as_baseline", **learnt).why
        return replace(result, state="warning", why=why)
    why = _of_lines(o, "normal", "sidebands_as_baseline", **learnt).why
    return replace(result, state="normal", why=why, statistic=max(change_db, 0.0) / RISE_DB)


def _line_at_another_slip(o: Observation) -> Reason | None:
    """Return that a line may be the rotor cage's, at a slip that nameplate or speed do not give."""
    x = o.pair
    apart = abs(x.alternative_hz - x.hz) > modulation_spectrum.LINE_BINS * o.bin_hz
    another = apart or np.isfinite(x.neighbour_hz)
    if not (another and x.alternative_dbc >= DEVELOPING_DBC):
        return None
    line = {"level_dbc": x.alternative_dbc, "line_hz": x.alternative_hz}
    if o.slip.is_measured:
        slip = {"slip": o.slip.value, "slip_source": o.slip.source}
        return Reason("line_at_another_slip", {**line, "distance_hz": o.distance_hz, **slip})
    low_hz, high_hz = (2 * s * o.f0_hz for s in (o.slip.low, o.slip.high))
    return Reason("line_outside_estimated_slip", {**line, "low_hz": low_hz, "high_hz": high_hz})


def _of_lines(o: Observation, state: State, code: str, **values: float | str) -> Finding:
    """Return a finding on the lines, with their place and levels and the doubt about these."""
    lines = {
        "distance_hz": o.pair.hz,
        "lower_sideband_dbc": o.pair.lower_dbc,
        "upper_sideband_dbc": o.pair.upper_dbc,
    }
    return Finding(state, Reason(code, {**lines, **values}), _level_doubts(o))


def _level_doubts(o: Observation) -> tuple[Reason, ...]:
    uncertain = reason("level_in_noise", deviation_db=o.pair.deviation_db)
    return () if is_level_certain(o) else (uncertain,)
