"""Sidebands at the speed of rotation, f +- fr, against the machine's own baseline.

Nearly every healthy motor shows these lines, and the load alone moves them (by 2 dB of the current
for a quarter of load, motor model). So only a rise above the level learnt at the same load counts,
of the sideband that was steadier then. Noise of the supply drives a current through the leakage
inductance that is larger the lower its frequency. So f + fr scatters by 0.5-1.9 dB, f - fr by 1.2-5
(motor model, records of 2 s). Air-gap eccentricity makes them (Dorrell,
Thomson, Roach 1997), and so do unbalance, misalignment and loads that oscillate once a turn (Obaid,
Habetler, Tallam 2003): they are listed and not distinguished.
"""

from collections.abc import Sequence
from typing import Literal, TypedDict

import numpy as np

from vtox.motor.diagnosis.diagnosers.columns import Objects, objects, rounded
from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.current.slip import SlipAnalysis, analyse_slip
from vtox.motor.diagnosis.diagnosers.decision import (
    Evidence,
    Indicator,
    Verdicts,
    abstentions,
    alternative,
    verdicts,
)
from vtox.motor.diagnosis.diagnosers.eccentricity.evidence import (
    EccentricityEvidence,
    evidence,
    observe,
)
from vtox.motor.diagnosis.diagnosers.eccentricity.rules import CONDITIONS, RULES
from vtox.motor.diagnosis.diagnosers.eccentricity.sidebands import RotationSidebands
from vtox.motor.diagnosis.diagnosers.features import ROTATION_SIDEBANDS, SUPPLY
from vtox.motor.values.arrays import Bool, Float64, Int
from vtox.motor.values.baseline import Baseline

SEVERITIES = ((0.0, 6.0, 12.0, 24.0), (0.0, 0.3, 0.6, 1.0))
# Judgement: no standard gives a level (docs/calibration/eccentricity.md).
CONFIDENCE = 0.8


def diagnose(
    analysis: CurrentAnalysis,
    baselines: Sequence[Baseline | None],
    *,
    slip_analysis: SlipAnalysis | None = None,
) -> Verdicts:
    """Return the verdicts on the sidebands at the speed of rotation of a batch.

    Parameters
    ----------
    analysis : CurrentAnalysis
        A batch with one current or more, A.
    baselines : sequence of Baseline or None, length batch
        Healthy levels: `eccentricity.lower_dbc` and `eccentricity.upper_dbc`, dBc, and
        `eccentricity.supply_hz`, Hz. Without them the answer is `unknown`.
    slip_analysis : SlipAnalysis, optional
        The slip of the same recordings, if it was computed before.

    Returns
    -------
    Verdicts
        `statistic` is the rise and `threshold` that of a warning, dB. Indicators: `rotor_dbc` (both
        sidebands together), `rotor_hz`, `floor_dbc`, `slip`, `slip_source`, `load_a`, and
        `change_db` with a baseline; of a warning `weaker_change_db`, the rise of the sideband that
        rose less. Evidence: the line, and other causes.

    Notes
    -----
    Dorrell, Thomson, Roach 1997; Obaid, Habetler, Tallam 2003.
    """
    slip_analysis = slip_analysis or analyse_slip(analysis)
    if slip_analysis is None:
        return abstentions("eccentricity", analysis.problems)
    lines, c = observe(analysis, slip_analysis)
    decided = CONDITIONS.decide(c, len(baselines))
    asked = decided < 0
    x = evidence(analysis, slip_analysis, c, lines, baselines, asked)
    decided = RULES.decide(x, len(baselines), after=CONDITIONS, decided=decided)
    state = RULES.states[decided]
    rise = x.change_db / x.limit_db
    distance = np.where(state == "normal", 1 - rise / 2, rise / 2)
    return verdicts(
        "eccentricity",
        RULES,
        x,
        decided,
        severity=np.interp(x.change_db, *SEVERITIES),
        confidence=CONFIDENCE * np.clip(distance, 0.5, 1.0),
        statistic=rounded(x.change_db, 2),
        threshold=rounded(x.limit_db, 2),
        indicators=_indicators(analysis, slip_analysis, lines, x, asked, state == "warning"),
        evidence=_evidence(analysis, lines, x, decided),
    )


def features(
    analysis: CurrentAnalysis, *, slip_analysis: SlipAnalysis | None = None
) -> dict[str, Float64]:
    """Return the features of the sidebands at the speed of rotation that a baseline learns.

    Parameters
    ----------
    analysis : CurrentAnalysis
    slip_analysis : SlipAnalysis, optional
        The slip of the same recordings, if it was computed before.

    Returns
    -------
    dict of ndarray, shape (batch,)
        `eccentricity.lower_dbc` and `eccentricity.upper_dbc`, dBc, and `eccentricity.supply_hz`;
        NaN if a recording does not show them.
    """
    slip_analysis = slip_analysis or analyse_slip(analysis)
    names, count = (*ROTATION_SIDEBANDS, SUPPLY), len(analysis.recordings)
    if slip_analysis is None:
        return dict.fromkeys(names, np.full(count, np.nan))
    lines, c = observe(analysis, slip_analysis)
    usable = CONDITIONS.decide(c, count) < 0
    values = (*lines.levels_dbc, analysis.f0_hz)
    return {n: np.where(usable, x, np.nan) for n, x in zip(names, values, strict=True)}


def _indicators(
    analysis: CurrentAnalysis,
    slip_analysis: SlipAnalysis,
    lines: RotationSidebands,
    x: EccentricityEvidence,
    asked: Bool,
    warned: Bool,
) -> dict[str, Indicator]:
    slip = np.array([s.value for s in slip_analysis.slips])
    source = objects([s.source for s in slip_analysis.slips])
    return {
        "rotor_dbc": Indicator(rounded(lines.both_dbc, 2), asked),
        "floor_dbc": Indicator(rounded(lines.floors_dbc.min(axis=0), 2), asked),
        "rotor_hz": Indicator(rounded(lines.rotation_hz, 3), asked),
        "slip": Indicator(rounded(slip, 6), asked),
        "slip_source": Indicator(source, asked),
        "load_a": Indicator(rounded(analysis.current_rms_a, 4), asked),
        "change_db": Indicator(rounded(x.change_db, 2), np.isfinite(x.change_db)),
        "weaker_change_db": Indicator(rounded(x.weaker_change_db, 2), warned),
    }


class _Line(TypedDict):
    kind: Literal["line"]
    lower_hz: float
    upper_hz: float
    lower_dbc: float
    upper_dbc: float
    judged_hz: float
    baseline_dbc: float


def _evidence(
    analysis: CurrentAnalysis, lines: RotationSidebands, x: EccentricityEvidence, decided: Int
) -> Objects:
    """Return the evidence: the line, and other causes of a rise."""
    shown: list[Evidence] = [()] * len(decided)
    for i in np.flatnonzero(np.isfinite(x.change_db)).tolist():
        f0_hz, rotation_hz = float(analysis.f0_hz[i]), float(lines.rotation_hz[i])
        pair_hz = (f0_hz - rotation_hz, f0_hz + rotation_hz)
        line: _Line = {
            "kind": "line",
            "lower_hz": round(pair_hz[0], 3),
            "upper_hz": round(pair_hz[1], 3),
            "lower_dbc": round(float(lines.levels_dbc[0, i]), 2),
            "upper_dbc": round(float(lines.levels_dbc[1, i]), 2),
            "judged_hz": round(pair_hz[int(x.upper[i])], 3),
            "baseline_dbc": round(float(x.baseline_dbc[i]), 2),
        }
        causes = RULES.rules[decided[i]].causes
        shown[i] = (line, *map(alternative, causes))
    return objects(shown)
