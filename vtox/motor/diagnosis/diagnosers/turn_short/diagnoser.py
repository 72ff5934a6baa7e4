"""Shorted turns of the stator winding, from the negative-sequence current a healthy machine lacks.

I2 is corrected by the measured voltage and by the machine's baseline (`asymmetry_model`). The rest
is tested frame by frame, so that a short that comes and goes within a record shows as an
episode. Kliman, Premerlani, Koegl, Hoeweler 1996 (IAS:687); Lee, Tallam, Habetler 2003 (TPEL
18(3):865).
"""

from collections.abc import Sequence

import numpy as np

from vtox.motor.diagnosis.diagnosers.columns import rounded
from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.decision import Indicator, Verdicts, verdicts
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_excess import (
    AsymmetryExcess,
    asymmetry_excess,
)
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_model import Sequences
from vtox.motor.diagnosis.diagnosers.turn_short.conditions import conditions, sequences
from vtox.motor.diagnosis.diagnosers.turn_short.evidence import TurnShortEvidence, evidence
from vtox.motor.diagnosis.diagnosers.turn_short.explanation import explanations
from vtox.motor.diagnosis.diagnosers.turn_short.healthy_model import healthy_models
from vtox.motor.diagnosis.diagnosers.turn_short.measurement import (
    renaming,
    restore_phase_names,
    susceptance_ratios,
)
from vtox.motor.diagnosis.diagnosers.turn_short.rules import CONDITIONS, RULES, unbalanced
from vtox.motor.values.arrays import Bool
from vtox.motor.values.baseline import Baseline

# Confidence before the distance from the limit is taken into account, by `HealthyModels.basis`.
CONFIDENCE = np.array([0.3, 0.6, 0.7, 0.95])
# Corrected |I2|/I1 -> severity.
SEVERITIES = ((0.0, 0.01, 0.03, 0.08, 0.25), (0.0, 0.15, 0.35, 0.65, 1.0))


def diagnose(analysis: CurrentAnalysis, baselines: Sequence[Baseline | None]) -> Verdicts:
    """Return the verdicts on the turn insulation of a batch.

    Parameters
    ----------
    analysis : CurrentAnalysis
        A batch with frames: sequence phasors of three currents, A peak, shape (batch, 3, frames),
        and if measured of three voltages, V peak.
    baselines : sequence of Baseline or None, length batch
        Features of the healthy machines; used for `asymmetry` only.

    Returns
    -------
    Verdicts
        `statistic` and `threshold` are the squared corrected ratio and its squared limit in
        squared deviations. Indicators: `negative_sequence_ratio`, `corrected_ratio` and
        `limit_ratio` (over I1), `corrected_deg` (before I1), `load_a` (A rms), `basis`, `phase` if
        found, and
        `voltages_turned_deg` if they were. Evidence: episodes and alternative causes.

    Notes
    -----
    Kliman, Premerlani, Koegl, Hoeweler 1996 (IAS:687); Lee, Tallam, Habetler 2003 (TPEL
    18(3):865).
    """
    s, c = sequences(analysis), conditions(analysis)
    decided = CONDITIONS.decide(c, len(baselines))
    asked = decided < 0
    if not asked.any():
        return verdicts("turn_short", CONDITIONS, c, decided)
    models = healthy_models(analysis, c, s, baselines)
    unpaired = np.array([p is not None for p in analysis.pairing_problems])

    def over_healthy(x: Sequences) -> AsymmetryExcess:
        return asymmetry_excess(x, models.columns, models.basis, unpaired)

    now = renaming(analysis, models)
    if now.renamed.any():
        s = restore_phase_names(s, now.renamed, over_healthy)
    excess = over_healthy(s)
    rows = np.flatnonzero(asked & (excess.worst_over > 1) & ~now.renamed)
    susceptance_ratio = susceptance_ratios(excess, models, rows)
    explained = explanations(analysis, excess, models, rows[np.isnan(susceptance_ratio[rows])])
    x = evidence(c, excess, models, now, susceptance_ratio, explained, asked)
    decided = RULES.decide(x, len(asked), after=CONDITIONS, decided=decided)
    found = x.over & ~np.isnan(x.excess_ratio)
    over = np.minimum(1.0, excess.worst_over)
    std = np.where(asked, excess.worst_std, np.nan)
    certain = np.where(found, np.clip(x.margin / 2, 0.5, 1), 1 - 0.5 * over**2)
    return verdicts(
        "turn_short",
        RULES,
        x,
        decided,
        severity=np.interp(x.excess_ratio, *SEVERITIES),
        confidence=CONFIDENCE[models.basis] * certain,
        statistic=rounded((excess.worst_ratio / std) ** 2, 3),
        threshold=rounded((excess.worst_limit / std) ** 2, 3),
        indicators=_indicators(x, asked, found),
        evidence=x.shown,
    )


def _indicators(x: TurnShortEvidence, asked: Bool, found: Bool) -> dict[str, Indicator]:
    turned = asked & (x.turned_deg != 0)
    raw = np.where(found, x.raw_ratio_over, x.raw_ratio)
    return {
        "negative_sequence_ratio": Indicator(rounded(raw, 5), asked),
        "corrected_ratio": Indicator(rounded(x.corrected_ratio, 5), asked),
        "corrected_deg": Indicator(rounded(x.corrected_deg, 1), asked),
        "limit_ratio": Indicator(rounded(x.limit_ratio, 5), asked),
        "load_a": Indicator(rounded(x.load_a, 4), asked),
        "basis": Indicator(x.basis, asked),
        "periods": Indicator(x.periods, asked & x.learnt & ~x.by_voltage & ~x.inverter),
        "voltages_turned_deg": Indicator(x.turned_deg, turned),
        "phase": Indicator(x.phase, found),
    }


def healthy_sequences(analysis: CurrentAnalysis) -> list[Sequences | None]:
    """Return the phasors that a baseline is fitted to, one per recording; None if of no use."""
    count = len(analysis.recordings)
    if not analysis.three_currents or not len(analysis.frame_t_s):
        return [None] * count
    s, c = sequences(analysis), conditions(analysis)
    usable: list[Sequences | None] = []
    asked = (CONDITIONS.decide(c, count) < 0) & ~unbalanced(c)
    for i in range(count):
        v = (s.v1, s.v2) if c.voltages[i] else (None, None)
        v1, v2 = (None if x is None else x[i] for x in v)
        hz = float(analysis.f0_hz[i])
        turned = None if v1 is None else int(analysis.voltage_rotation_deg[i])
        phasors = Sequences(s.i1[i], s.i2[i], s.i0[i], v1, v2, hz, turned)
        usable.append(phasors if asked[i] else None)
    return usable
