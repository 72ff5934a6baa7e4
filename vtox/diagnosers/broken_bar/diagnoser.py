"""Broken rotor bars and end rings, from the sidebands at 2sf from the supply line.

Amplitude and phase modulation of the current are searched at 2sf within what is known of the slip
(`sidebands`). A line must exceed the floor around it and must not be one that a load can make; then
its level below the supply line decides (`reasons`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vtox.arrays import Float64
from vtox.baseline import Baseline, Level
from vtox.diagnosers.broken_bar.observation import (
    Conditions,
    Observation,
    conditions,
    observe,
)
from vtox.diagnosers.broken_bar.reasons import (
    DEVELOPING_DBC,
    Finding,
    abstention,
    finding,
    is_level_certain,
    shows_cage,
)
from vtox.diagnosers.broken_bar.sidebands import NEEDED_BINS
from vtox.diagnosers.broken_bar.starting import start_diagnosis
from vtox.diagnosers.current.front_end import CurrentAnalysis, select
from vtox.diagnosers.current.slip import SlipAnalysis, observations_or_abstentions
from vtox.diagnosers.current.slip_prior import Slip
from vtox.diagnosers.features import SLIP_LINE_SHARE, SLIP_SIDEBANDS
from vtox.domain import Diagnosis, Value, abstain

FAULT = "broken_bar"
# Level, dBc -> severity.
SEVERITIES = ((-60.0, -54.0, -48.0, -42.0, -36.0, -30.0), (0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
# Confidence with a measured slip and with an estimated one: of a fault, and of health.
FOUND_CONFIDENCE = (0.9, 0.6)
NORMAL_CONFIDENCE = (0.9, 0.7)
# Health is as certain as can be where lines so far below a fault would have been found, dB.
FULL_CONFIDENCE_DB = 10.0
# Records that must have shown the line when the baseline was learnt, and their least share of those
# that would have. docs/calibration/broken_bar.md#lines-that-are-learnt
LEAST_LEARNT = 3
LEAST_SHARE = 0.75


def diagnose(
    analysis: CurrentAnalysis,
    baselines: Sequence[Baseline | None],
    *,
    slip_analysis: SlipAnalysis | None = None,
) -> list[Diagnosis]:
    """Return one diagnosis of the rotor cage per recording.

    Parameters
    ----------
    analysis : CurrentAnalysis
        A batch with one current or more, A; voltages, V, help where the supply wanders.
    baselines : sequence of Baseline or None, length batch
        Healthy levels: `broken_bar.lower_dbc`, dBc, and `broken_bar.line_share`. Lines that were
        there when learnt and have not risen are no fault, unless they are as strong as those of
        broken bars.
    slip_analysis : SlipAnalysis, optional
        Of the same recordings, if it was computed before.

    Returns
    -------
    list of Diagnosis
        `statistic` above 1, the `threshold`, is a line over the noise and beyond a sound rotor
        cage; with a baseline that clears it, the rise over its limit. Indicators: `slip`,
        `slip_half_width` and `slip_source`, `lower_sideband_dbc` and `upper_sideband_dbc` (None
        where noise leaves them open), `level_deviation_db`, `floor_dbc`, `detectable_dbc`,
        `load_a`, and `change_db` with a baseline. Evidence: the interval searched, the line, and
        other causes.

    Notes
    -----
    Filippetti, Franceschini, Tassoni, Vas 1998 (IEEE TIA 34(1):98); Bellini et al. 2001 (IEEE TIA
    37(5):1248); levels of Penrose 2006 and Culbert & Letal 2015.
    """
    found = [
        _diagnosis(o, baseline) if isinstance(o, Observation) else o
        for o, baseline in zip(_observations(analysis, slip_analysis), baselines, strict=True)
    ]
    for i, operation in enumerate(analysis.operations):
        if operation is not None and operation.state == "start":
            found[i] = start_diagnosis(FAULT, analysis, i, _severity_of_level)
    return found


def features(
    analysis: CurrentAnalysis, *, slip_analysis: SlipAnalysis | None = None
) -> dict[str, Float64]:
    """Return what a baseline learns of the rotor cage.

    Parameters
    ----------
    analysis : CurrentAnalysis
    slip_analysis : SlipAnalysis, optional
        Of the same recordings, if it was computed before.

    Returns
    -------
    dict of ndarray, shape (batch,)
        `broken_bar.lower_dbc`, the level of the sidebands, dBc; NaN where a recording shows none.
        Neither noise nor a load's line must be learnt: one that comes later would be as strong.
        `broken_bar.line_share`, 1 where it shows them and 0 where a rotor cage would have shown
        them and does not; NaN where that is open.
    """
    observed = _observations(analysis, slip_analysis)
    shown = [_shows_line(o) if isinstance(o, Observation) else None for o in observed]
    levels = [
        o.pair.level_dbc if isinstance(o, Observation) and x else np.nan
        for o, x in zip(observed, shown, strict=True)
    ]
    shares = [np.nan if x is None else float(x) for x in shown]
    return {SLIP_SIDEBANDS: np.array(levels), SLIP_LINE_SHARE: np.array(shares)}


def _shows_line(o: Observation) -> bool | None:
    return shows_cage(o) if o.pair.bins >= NEEDED_BINS else None


def _learnt(baseline: Baseline, load_a: float) -> Level | None:
    """Return the healthy level of the sidebands at a load; None where the cage did not make it.

    What the cage makes stands in nearly all records that would show it, at all loads. A supply that
    flickers at twice slip frequency of one record, and a load, make a line in some.
    """
    level, over_all = baseline.level(SLIP_SIDEBANDS, load_a), baseline.any_load(SLIP_SIDEBANDS)
    share = baseline.any_load(SLIP_LINE_SHARE)
    if level is None or over_all is None or over_all.n < LEAST_LEARNT:
        return None
    if share is not None and share.mean < LEAST_SHARE:
        return None
    return min(level, over_all, key=lambda x: x.mean)


def _observations(
    analysis: CurrentAnalysis, slip_analysis: SlipAnalysis | None
) -> list[Observation | Diagnosis]:
    return observations_or_abstentions(FAULT, analysis, slip_analysis, _observe, _abstention)


def _observe(
    analysis: CurrentAnalysis, slip_analysis: SlipAnalysis
) -> list[Observation | Diagnosis]:
    """Return the observation of each recording, or the abstention where conditions exclude one.

    Nearly all records that are too short end here, before lines are searched.
    """
    under = conditions(analysis, slip_analysis)
    found: list[Observation | Diagnosis | None] = [
        abstain(FAULT, *problems) if problems else _abstention(c)
        for problems, c in zip(analysis.problems, under, strict=True)
    ]
    rows = [i for i, abstained in enumerate(found) if abstained is None]
    if 0 < len(rows) < len(found):
        index = np.array(rows)
        analysis, slip_analysis = select(analysis, index), slip_analysis.select_spectra(index)
    observed = iter(observe(analysis, slip_analysis, [under[i] for i in rows]) if rows else ())
    return [next(observed) if x is None else x for x in found]


def _abstention(o: Conditions | Diagnosis) -> Diagnosis | None:
    if isinstance(o, Diagnosis):
        return o
    reasons = abstention(o)
    return abstain(FAULT, *reasons, indicators=_slip_indicators(o.slip)) if reasons else None


def _diagnosis(o: Observation, baseline: Baseline | None) -> Diagnosis:
    result = finding(o, _learnt(baseline, o.load_a) if baseline else None)
    statistic = o.pair.statistic if result.statistic is None else result.statistic
    change = {} if result.change_db is None else {"change_db": round(result.change_db, 2)}
    return Diagnosis(
        fault=FAULT,
        state=result.state,
        code=result.why.code,
        values=result.why.values,
        doubts=result.doubts,
        severity=_severity(o, result),
        confidence=_confidence(o, result),
        statistic=round(statistic, 4) if result.by_level else None,
        threshold=1.0 if result.by_level else None,
        indicators=_indicators(o) | change,
        evidence=_evidence(o, result),
    )


def _severity(o: Observation, result: Finding) -> float | None:
    if result.state in ("normal", "unknown"):
        return 0.0 if result.state == "normal" else None
    return _severity_of_level(o.pair.level_dbc)


def _severity_of_level(level_dbc: float) -> float:
    return round(float(np.interp(level_dbc, *SEVERITIES)), 3)


def _confidence(o: Observation, result: Finding) -> float:
    estimated = not o.slip.is_measured
    if result.state == "unknown":
        return 0.0
    if result.asymmetric:
        over_limit = o.pair.over_floor / o.pair.over_floor_limit
        return round(FOUND_CONFIDENCE[estimated] * float(np.clip(over_limit / 2, 0.5, 1)), 3)
    room_db = DEVELOPING_DBC - o.pair.detectable_dbc
    room = float(np.clip(room_db / FULL_CONFIDENCE_DB, 0, 1))
    return round(NORMAL_CONFIDENCE[estimated] * (0.5 + 0.5 * room), 3)


def _slip_indicators(slip: Slip) -> dict[str, Value]:
    if not slip.is_known:
        return {}
    return {
        "slip": round(slip.value, 6),
        "slip_half_width": round(slip.half, 6),
        "slip_source": slip.source,
    }


def _indicators(o: Observation) -> dict[str, Value]:
    certain = is_level_certain(o)
    return {
        **_slip_indicators(o.slip),
        "lower_sideband_dbc": round(o.pair.lower_dbc, 2) if certain else None,
        "upper_sideband_dbc": round(o.pair.upper_dbc, 2) if certain else None,
        "level_deviation_db": round(o.pair.deviation_db, 2),
        "floor_dbc": round(o.pair.floor_dbc, 2),
        "detectable_dbc": round(o.pair.detectable_dbc, 2),
        "load_a": round(o.load_a, 4),
    }


def _evidence(o: Observation, result: Finding) -> tuple[Mapping[str, Any], ...]:
    """Return the frequencies searched, the line where there is one, and its other causes."""
    searched = {
        "kind": "searched",
        "low_hz": round(2 * o.slip.low * o.f0_hz, 3),
        "high_hz": round(2 * o.slip.high * o.f0_hz, 3),
        "from_supply_hz": round(o.f0_hz, 3),
        "bins": round(o.pair.bins, 1),
        "over_floor": round(o.pair.over_floor, 2),
        "over_floor_limit": o.pair.over_floor_limit,
    }
    line = {
        "kind": "line",
        "lower_hz": round(o.f0_hz - o.pair.hz, 3),
        "upper_hz": round(o.f0_hz + o.pair.hz, 3),
        "lower_dbc": round(o.pair.lower_dbc, 2),
        "upper_dbc": round(o.pair.upper_dbc, 2),
    }
    causes = ({"kind": "alternative", "cause": cause} for cause in result.causes)
    return (searched, *((line,) if o.pair.is_line else ()), *_moving_slip(o), *causes)


def _moving_slip(o: Observation) -> tuple[Mapping[str, Any], ...]:
    """Return how far the slip moved, where the lines were searched over its angle."""
    if o.tracking is None:
        return ()
    moving_slip = {
        "kind": "moving_slip",
        "lowest_slip": round(o.tracking.lowest_slip, 6),
        "highest_slip": round(o.tracking.highest_slip, 6),
        "over_fixed": round(o.tracking.over_fixed, 2),
    }
    return (moving_slip,)
