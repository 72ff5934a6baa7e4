"""Sidebands at the speed of rotation, f +- fr, against the machine's own baseline.

Nearly every healthy motor shows these lines, and the load alone moves them (by 2 dB of the current
for a quarter of load, motor model). So only a rise above the level learnt at the same load counts,
of the sideband that was steadier then: noise of the supply drives a current through the leakage
inductance that is larger the lower its frequency, so that f + fr scatters by 0.5-1.9 dB where
f - fr does by 1.2-5 (motor model, records of 2 s). Air-gap eccentricity makes them (Dorrell,
Thomson, Roach 1997), and so do unbalance, misalignment and loads that oscillate once a turn (Obaid,
Habetler, Tallam 2003): they are listed and not distinguished.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, log, log1p, sqrt

import numpy as np

from vtox.arrays import SILENCE, Float64, power_db
from vtox.baseline import RISE_DB, Baseline, Level
from vtox.diagnosers.current.front_end import CurrentAnalysis
from vtox.diagnosers.current.slip import SlipAnalysis, observations_or_abstentions
from vtox.diagnosers.current.slip_prior import Slip
from vtox.diagnosers.features import ROTATION_SIDEBANDS, SUPPLY
from vtox.domain import Diagnosis, Reason, State, Value, abstain, reason
from vtox.dsp import demodulation, modulation_spectrum
from vtox.dsp.prediction import prediction_std

FAULT = "eccentricity"
# Power of both sidebands over their floors, about Gamma(2) distributed in noise: below this the
# noise may have made the rise, as 99.9 % of noise stays below at a place that is known.
# docs/calibration/eccentricity.md#noise
MIN_OVER_FLOOR = 14.0
# Power of a line of the voltage over its floor.
MIN_VOLTAGE_OVER_FLOOR = 15.0
# A rise must be more than `RISE_DB`, and more than noise makes it. Noise adds to the amplitude, not
# to its logarithm, so the scatter is taken as that of the amplitude; so many deviations are
# exceeded by one record in 1000.
SCATTER = 3.1
# What is known of that scatter before a machine has shown its own: so many dB, worth so many
# records. docs/calibration/eccentricity.md#scatter
USUAL_SCATTER_DB, USUAL_RECORDS = 1.45, 3
# Two records that follow each other may be of one condition.
LEAST_RECORDS = 3
NEPER_DB = 20 / log(10)
# A baseline whose scatter asks for more than this, four times the amplitude learnt, cannot decide.
MAX_LIMIT_DB = 12.0
# What a reason says of a baseline that leaves everything open, dB.
MOST_OPEN_DB = 99.0
SEVERITIES = ((0.0, 6.0, 12.0, 24.0), (0.0, 0.3, 0.6, 1.0))
CONFIDENCE = 0.8
MAX_CURRENT_RANGE = 0.25
# Reactance over that of the rated load from which a line of the voltage drives the current's: the
# leakage of machines is above, supplies are below (docs/calibration/eccentricity.md#supply).
MIN_LEAKAGE = 0.07
# Of two-pole motors the lines fall near 0 Hz and twice the supply: s*f must be this many bins.
TWO_POLE_BINS = 5.0
# The baseline applies to supply frequencies within this of that at which it was learnt.
FREQUENCY_TOLERANCE = 0.05
ALTERNATIVES = (
    "unbalance of the rotor or what it drives",
    "misalignment of the coupling",
    "load that swings once a turn",
)


@dataclass(frozen=True, slots=True)
class Observation:
    """The sidebands of one recording, and how steady it was; pairs are lower and upper sideband."""

    slip: Slip
    pole_pairs: int | None
    f0_hz: float
    duration_s: float
    bin_hz: float
    load_a: float
    # Least and largest mean of 0.5 s, A rms, and their difference over the mean.
    low_a: float
    high_a: float
    current_range: float
    rotation_hz: float  # distance of the sidebands from the supply line
    neighbour_hz: float  # of a stronger line beside what the slip allows; NaN where there is none
    levels_dbc: Float64
    floors_dbc: Float64
    both_dbc: float  # the two sidebands together
    # The line of the voltage over that of the current, as a reactance at the supply frequency over
    # that of the rated load; 0 where the voltage has none.
    reactances: Float64


@dataclass(frozen=True, slots=True)
class Comparison:
    """The steadier sideband of a recording against its level in the baseline."""

    side: int  # 0: below the supply line, 1: above it
    baseline: Level
    change_db: float
    limit_db: float


def diagnose(
    analysis: CurrentAnalysis,
    baselines: Sequence[Baseline | None],
    *,
    slip_analysis: SlipAnalysis | None = None,
) -> list[Diagnosis]:
    """Return one diagnosis of the sidebands at the speed of rotation per recording.

    Parameters
    ----------
    analysis : CurrentAnalysis
        A batch with one current or more, A.
    baselines : sequence of Baseline or None, length batch
        Healthy levels: `eccentricity.lower_dbc` and `eccentricity.upper_dbc`, dBc, and
        `eccentricity.supply_hz`, Hz. Without them the answer is `unknown`.
    slip_analysis : SlipAnalysis, optional
        Of the same recordings, if it was computed before.

    Returns
    -------
    list of Diagnosis
        `statistic` is the rise and `threshold` that of a warning, dB. Indicators: `rotor_dbc` (both
        sidebands together), `rotor_hz`, `floor_dbc`, `slip`, `slip_source`, `load_a`, and
        `change_db` with a baseline. Evidence: the line, and other causes.

    Notes
    -----
    Dorrell, Thomson, Roach 1997; Obaid, Habetler, Tallam 2003.
    """
    return [
        _diagnosis(o, baseline) if isinstance(o, Observation) else o
        for o, baseline in zip(_observations(analysis, slip_analysis), baselines, strict=True)
    ]


def features(
    analysis: CurrentAnalysis, *, slip_analysis: SlipAnalysis | None = None
) -> dict[str, Float64]:
    """Return what a baseline learns of the sidebands at the speed of rotation.

    Parameters
    ----------
    analysis : CurrentAnalysis
    slip_analysis : SlipAnalysis, optional
        Of the same recordings, if it was computed before.

    Returns
    -------
    dict of ndarray, shape (batch,)
        `eccentricity.lower_dbc` and `eccentricity.upper_dbc`, dBc, and `eccentricity.supply_hz`;
        NaN where a recording does not show them.
    """
    rows = [
        (*o.levels_dbc, o.f0_hz) if isinstance(o, Observation) else (np.nan,) * 3
        for o in _observations(analysis, slip_analysis)
    ]
    return dict(zip((*ROTATION_SIDEBANDS, SUPPLY), np.array(rows).reshape(-1, 3).T, strict=True))


def _observations(
    analysis: CurrentAnalysis, slip_analysis: SlipAnalysis | None
) -> list[Observation | Diagnosis]:
    return observations_or_abstentions(FAULT, analysis, slip_analysis, observe, _abstention)


def observe(analysis: CurrentAnalysis, slip_analysis: SlipAnalysis) -> list[Observation]:
    """Return the strongest line at fr within the slip interval of each recording."""
    m, slips = slip_analysis.modulation, slip_analysis.slips
    synchronous_hz = analysis.f0_hz / np.array([p or np.nan for p in slip_analysis.pole_pairs])
    line = modulation_spectrum.strongest(
        m,
        synchronous_hz * (1 - np.array([s.high for s in slips])) - m.bin_hz / 4,
        synchronous_hz * (1 - np.array([s.low for s in slips])) + m.bin_hz / 4,
    )
    levels_dbc = power_db(np.square(m.sidebands(line.index)))
    floors_dbc = power_db(modulation_spectrum.sideband_floors(m, line))
    both_dbc = power_db(np.sum(10 ** (levels_dbc / 10), axis=0))
    moves = demodulation.unsteadiness(analysis.envelope, analysis.rate_hz)
    rms_a = analysis.current_rms_a
    reactances = _reactances(analysis, slip_analysis, line)
    return [
        Observation(
            slip=slip,
            pole_pairs=slip_analysis.pole_pairs[i],
            f0_hz=float(analysis.f0_hz[i]),
            duration_s=analysis.duration_s,
            bin_hz=m.bin_hz,
            load_a=float(rms_a[i]),
            low_a=float(moves.lowest[i]) / sqrt(2),
            high_a=float(moves.highest[i]) / sqrt(2),
            current_range=float(moves.amplitude_range[i]),
            rotation_hz=float(line.hz[i]),
            neighbour_hz=float(line.neighbour_hz[i]),
            levels_dbc=levels_dbc[:, i],
            floors_dbc=floors_dbc[:, i],
            both_dbc=float(both_dbc[i]),
            reactances=reactances[:, i],
        )
        for i, slip in enumerate(slips)
    ]


def _reactances(
    analysis: CurrentAnalysis, slip_analysis: SlipAnalysis, line: modulation_spectrum.Line
) -> Float64:
    """Return the reactances of an `Observation`, shape (2, batch).

    A line of the voltage at f' drives a current through the leakage, in proportion to 1/f'. One
    that the rotor makes drops over the impedance of the supply instead, which is smaller. Without a
    rated current the load counts as the rated one, which makes the reactance too small.
    """
    m, v = slip_analysis.modulation, slip_analysis.voltage
    if v is None:
        return np.zeros((2, len(line.hz)))
    same = modulation_spectrum.strongest(v, line.hz, line.hz)
    power = np.square(v.sidebands(same.index))
    stands = power > MIN_VOLTAGE_OVER_FLOOR * np.array(modulation_spectrum.sideband_floors(v, same))
    usable = np.array([not p for p in analysis.voltage_problems])
    ratio = np.sqrt(power) / np.maximum(m.sidebands(line.index), SILENCE)
    orders = np.abs(1 + np.array([[-1], [1]]) * line.hz / analysis.f0_hz)
    rated_a = np.array([motor.rated_current_a or np.nan for motor in analysis.motors])
    load = np.fmin(analysis.current_rms_a / rated_a, 1.0)
    return np.where(stands & usable, ratio / np.maximum(orders * load, SILENCE), 0.0)


def _abstention(o: Observation) -> Diagnosis | None:
    why = next((r for rule in ABSTENTION_RULES if (r := rule(o))), None)
    return abstain(FAULT, why, *o.slip.doubts) if why else None


def _slip_unknown(o: Observation) -> Reason | None:
    if o.slip.is_guessed:
        return reason("rated_speed_unknown")
    return None if o.slip.is_known else o.slip.reason


def _two_pole_lines_merge(o: Observation) -> Reason | None:
    bins = o.slip.low * o.f0_hz / o.bin_hz
    if o.pole_pairs != 1 or bins >= TWO_POLE_BINS:
        return None
    needed_s = o.duration_s * TWO_POLE_BINS / max(bins, 1e-3)
    return reason("two_pole_lines_merge", slip=o.slip.low, needed_s=needed_s)


def _current_not_steady(o: Observation) -> Reason | None:
    if o.current_range <= MAX_CURRENT_RANGE:
        return None
    return reason("current_not_steady", low_a=o.low_a, high_a=o.high_a)


ABSTENTION_RULES: tuple[Callable[[Observation], Reason | None], ...] = (
    _slip_unknown,
    _two_pole_lines_merge,
    _current_not_steady,
)


def _diagnosis(o: Observation, baseline: Baseline | None) -> Diagnosis:
    comparison = _comparison(o, baseline)
    if isinstance(comparison, Reason):
        return abstain(FAULT, comparison, *o.slip.doubts, indicators=_indicators(o))
    state, why = _decision(o, comparison)
    change_db = comparison.change_db
    return Diagnosis(
        fault=FAULT,
        state=state,
        code=why.code,
        values=why.values,
        doubts=o.slip.doubts,
        severity=_severity(state, change_db),
        confidence=_confidence(state, change_db / comparison.limit_db),
        statistic=round(change_db, 2),
        threshold=round(comparison.limit_db, 2),
        indicators=_indicators(o) | {"change_db": round(change_db, 2)},
        evidence=(
            _line(o, comparison),
            *(
                {"kind": "alternative", "cause": cause}
                for cause in ALTERNATIVES
                if state == "warning"
            ),
        ),
    )


def _comparison(o: Observation, baseline: Baseline | None) -> Comparison | Reason:
    """Return the steadier sideband against the baseline, or why there is nothing to compare."""
    if baseline is None:
        return reason("no_baseline")
    levels = [x for name in ROTATION_SIDEBANDS if (x := baseline.level(name, o.load_a)) is not None]
    if len(levels) < len(ROTATION_SIDEBANDS):
        whys = (baseline.why_no_level(name, o.load_a) for name in ROTATION_SIDEBANDS)
        return next(why for why in whys if why)
    supply = baseline.level(SUPPLY, o.load_a)
    if supply is not None and abs(o.f0_hz / supply.mean - 1) > FREQUENCY_TOLERANCE:
        return reason("no_baseline_at_frequency", f0_hz=o.f0_hz, baseline_hz=supply.mean)
    scatters_db = [_scatter_db(x) for x in levels]
    side = min((0, 1), key=lambda k: scatters_db[k])
    level = levels[side]
    limit_db = max(RISE_DB, NEPER_DB * log1p(SCATTER * scatters_db[side] / NEPER_DB))
    if limit_db > MAX_LIMIT_DB:
        open_db = min(limit_db, MOST_OPEN_DB)
        limits = {"open_db": open_db, "limit_db": MAX_LIMIT_DB}
        return reason("baseline_too_scattered", records=level.n, **limits)
    return Comparison(side, level, float(o.levels_dbc[side]) - level.mean, limit_db)


def _scatter_db(learnt: Level) -> float:
    if learnt.n < LEAST_RECORDS:
        return inf
    return prediction_std(learnt.n, learnt.std, usual_std=USUAL_SCATTER_DB, usual_n=USUAL_RECORDS)


def _decision(o: Observation, c: Comparison) -> tuple[State, Reason]:
    if c.change_db < c.limit_db:
        return "normal", reason("rotation_sidebands_steady", change_db=c.change_db)
    level_dbc, floor_dbc = float(o.levels_dbc[c.side]), float(o.floors_dbc[c.side])
    if np.sum(10 ** ((o.levels_dbc - o.floors_dbc) / 10)) < MIN_OVER_FLOOR:
        levels = {"floor_dbc": floor_dbc, "baseline_dbc": c.baseline.mean}
        return "unknown", reason("rotation_sidebands_in_noise", **levels)
    if np.isfinite(o.neighbour_hz):
        return "unknown", reason(
            "line_beside_rotation_sidebands", line_hz=o.neighbour_hz, rotation_hz=o.rotation_hz
        )
    # A line of one side that moves the speed makes a weaker one on the other.
    if o.reactances[np.argmax(o.levels_dbc)] >= MIN_LEAKAGE:
        return "unknown", reason(
            "rotation_sidebands_in_voltage",
            change_db=c.change_db,
            level_dbc=level_dbc,
            rotation_hz=o.rotation_hz,
        )
    # Never `fault`: unbalance, a coupling or a load that swings once a turn look the same.
    return "warning", reason(
        "rotation_sidebands_risen",
        change_db=c.change_db,
        level_dbc=level_dbc,
        rotation_hz=o.rotation_hz,
    )


def _severity(state: State, change_db: float) -> float | None:
    if state in ("normal", "unknown"):
        return 0.0 if state == "normal" else None
    return round(float(np.interp(change_db, *SEVERITIES)), 3)


def _confidence(state: State, rise: float) -> float:
    """Return the confidence by the rise over its limit."""
    if state == "unknown":
        return 0.0
    distance = 1 - rise / 2 if state == "normal" else rise / 2
    return round(CONFIDENCE * min(max(distance, 0.5), 1.0), 3)


def _indicators(o: Observation) -> dict[str, Value]:
    return {
        "rotor_dbc": round(o.both_dbc, 2),
        "floor_dbc": round(min(o.floors_dbc.tolist()), 2),
        "rotor_hz": round(o.rotation_hz, 3),
        "slip": round(o.slip.value, 6),
        "slip_source": o.slip.source,
        "load_a": round(o.load_a, 4),
    }


def _line(o: Observation, c: Comparison) -> dict[str, str | float]:
    """Return the evidence of the line."""
    lower_hz, upper_hz = o.f0_hz - o.rotation_hz, o.f0_hz + o.rotation_hz
    return {
        "kind": "line",
        "lower_hz": round(lower_hz, 3),
        "upper_hz": round(upper_hz, 3),
        "lower_dbc": round(float(o.levels_dbc[0]), 2),
        "upper_dbc": round(float(o.levels_dbc[1]), 2),
        "judged_hz": round((lower_hz, upper_hz)[c.side], 3),
        "baseline_dbc": round(c.baseline.mean, 2),
    }
