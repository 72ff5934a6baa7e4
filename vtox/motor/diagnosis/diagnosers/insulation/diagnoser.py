"""Insulation to earth: conductance and capacitance from the residual current and the voltages.

The residual current of the three phases is the sum of Y_x * V_x over the phases. Equal admittances
cancel against balanced voltages and show only through the zero-sequence voltage, mostly its third
harmonic; one degraded phase shows directly as Y * V of that phase. Lee, Younsi, Kliman 2005
(TEC 20(4):737) for the differential current; IEEE 43-2013 for levels.
"""

from collections.abc import Sequence
from typing import Literal, TypedDict

import numpy as np

from vtox.motor.diagnosis.diagnosers.columns import Objects, objects, rounded
from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.current.operating_problems import whole_record_problems
from vtox.motor.diagnosis.diagnosers.decision import Indicator, Verdicts, abstentions, verdicts
from vtox.motor.diagnosis.diagnosers.insulation import admittance
from vtox.motor.diagnosis.diagnosers.insulation.evidence import (
    LARGEST_OHM,
    MINIMUM_OHM,
    InsulationEvidence,
    evidence,
)
from vtox.motor.diagnosis.diagnosers.insulation.rules import RULES
from vtox.motor.values.arrays import Bool
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import QUIET

# log10 of the conductance at 40 C, S -> severity.
SEVERITIES = ((-8.0, -6.7, -6.0, -5.0, -4.0), (0.0, 0.25, 0.6, 0.85, 1.0))
# Least severity of a changed capacitance, at any conductance.
CAPACITANCE_SEVERITY = 0.25


def diagnose(analysis: CurrentAnalysis, baselines: Sequence[Baseline | None]) -> Verdicts:
    """Return the verdicts on the insulation to earth of a batch.

    Parameters
    ----------
    analysis : CurrentAnalysis
        A batch with the leakage current of the three phases, A, and three voltages to earth, V.
    baselines : sequence of Baseline or None, length batch
        Features of the healthy machines: `insulation.capacitance_f` and the difference between
        phases, `insulation.unequal_s` and `insulation.unequal_f`.

    Returns
    -------
    Verdicts
        `statistic` and `threshold` are the conductance at 40 C and that of `MINIMUM_OHM`, S; if
        the capacitance changed, that change and its bound, F. Indicators: `conductance_s` and
        `conductance_std_s` as measured, `resistance_40c_ohm`, `capacitance_f`,
        `capacitance_change_f` with a baseline, `dissipation`, `temperature_c`, `whole_winding`, and
        `phase` if it is one. Evidence: level, trend, and other phases that may have changed.

    Notes
    -----
    Lee, Younsi, Kliman 2005 (TEC 20(4):737); levels of IEEE 43-2013.
    """
    count = len(analysis.recordings)
    if missing := admittance.missing_channels(analysis):
        return abstentions("insulation", [missing] * count)
    estimate = admittance.estimate(analysis)
    stopped = whole_record_problems(analysis.recordings, analysis.operations, analysis.problems)
    problems = [why or own for why, own in zip(stopped, estimate.abstentions, strict=True)]
    if estimate.y is None:
        return abstentions("insulation", problems)
    x = evidence(analysis, estimate, problems, baselines)
    decided = RULES.decide(x, count)
    code = RULES.codes[decided]
    phase = np.isin(code, ("phase_leaks", "phase_capacitance_changed"))
    changed = np.isin(code, ("phase_capacitance_changed", "winding_capacitance_changed"))
    level = np.interp(np.log10(np.maximum(x.conductance_s, 1 / LARGEST_OHM)), *SEVERITIES)
    known = 0.1 * np.isfinite(x.change_f) + 0.05 * np.isfinite(x.temperature_c)
    asked = np.isfinite(x.measured_s) & (code != "")
    unasked = np.where(asked, 0.0, np.nan)
    return verdicts(
        "insulation",
        RULES,
        x,
        decided,
        severity=np.maximum(level, CAPACITANCE_SEVERITY * changed),
        confidence=0.6 + 0.15 * x.whole + known,
        statistic=np.where(changed, np.abs(x.change_f), x.conductance_s) + unasked,
        threshold=np.where(changed, x.bound_f, 1 / MINIMUM_OHM) + unasked,
        indicators=_indicators(x, asked, phase),
        evidence=_evidence(x, asked, phase, quiet=code == "no_phase_leaks"),
    )


def _indicators(x: InsulationEvidence, asked: Bool, phase: Bool) -> dict[str, Indicator]:
    # Phases that do not differ may leak alike.
    open_ = ~x.whole & (x.least_s <= 0)
    resistance = 1 / np.maximum(x.conductance_s, 1 / LARGEST_OHM)
    ohm = [
        round(r) if a and not o else None for r, a, o in zip(resistance, asked, open_, strict=True)
    ]
    temperature = [None if np.isnan(t) else t for t in x.temperature_c.tolist()]
    return {
        "conductance_s": Indicator(x.measured_s, asked),
        "capacitance_f": Indicator(x.capacitance_f, asked),
        "conductance_std_s": Indicator(x.measured_std_s, asked),
        "resistance_40c_ohm": Indicator(objects(ohm), asked),
        "temperature_c": Indicator(objects(temperature), asked),
        "dissipation": Indicator(rounded(x.dissipation, 5), asked),
        "whole_winding": Indicator(x.whole, asked),
        "capacitance_change_f": Indicator(x.change_f, asked & np.isfinite(x.change_f)),
        "phase": Indicator(x.phase, phase),
    }


class _Level(TypedDict):
    kind: Literal["level"]
    source: str
    minimum_ohm: float


class _Trend(TypedDict):
    kind: Literal["trend"]
    baseline: str


def _trend(baseline: str) -> _Trend:
    return {"kind": "trend", "baseline": baseline}


def _evidence(x: InsulationEvidence, asked: Bool, phase: Bool, *, quiet: Bool) -> Objects:
    """Return the evidence: level, trend, and other phases that may have changed."""
    trends = np.where(np.isfinite(x.change_f), "ready", "no baseline").tolist()
    level: _Level = {"kind": "level", "source": "IEEE 43-2013", "minimum_ohm": MINIMUM_OHM}
    return objects(
        [
            (
                level,
                _trend(trends[i]),
                *(x.other_phases[i] if phase[i] else ()),
                *((QUIET,) if quiet[i] else ()),
            )
            if asked[i]
            else ()
            for i in range(len(asked))
        ]
    )
