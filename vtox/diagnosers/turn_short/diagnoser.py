"""Shorted turns of the stator winding, from the negative-sequence current a healthy machine lacks.

I2 is corrected by the measured voltage and by the machine's baseline (`asymmetry_model`); what
remains is tested frame by frame, so that a short that comes and goes within a record shows as an
episode. Kliman, Premerlani, Koegl, Hoeweler 1996 (IAS:687); Lee, Tallam, Habetler 2003 (TPEL
18(3):865).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vtox.arrays import Bool
from vtox.baseline import Baseline
from vtox.diagnosers.current.front_end import CurrentAnalysis
from vtox.diagnosers.turn_short import applicability, causes, measurement
from vtox.diagnosers.turn_short.asymmetry_excess import (
    SUSTAINED_FRAMES,
    AsymmetryExcess,
    asymmetry_excess,
)
from vtox.diagnosers.turn_short.asymmetry_model import Sequences
from vtox.diagnosers.turn_short.basis import CONFIDENCE, Basis
from vtox.diagnosers.turn_short.episodes import episodes
from vtox.diagnosers.turn_short.healthy_model import HealthyModel, healthy_models
from vtox.diagnosers.turn_short.reasons import Grounds, indecision
from vtox.domain import Diagnosis, Reason, Value, abstain, reason

FAULT = "turn_short"
# Corrected |I2|/I1 from which a turn short is a `fault`: severe (a scale of our own).
FAULT_RATIO = 0.08
# Corrected |I2|/I1 -> severity.
# An alternative, as evidence.
CLAMP_CAUSE = "clamp or earth current"
SEVERITIES = ((0.0, 0.01, 0.03, 0.08, 0.25), (0.0, 0.15, 0.35, 0.65, 1.0))
# Share of the largest |I2|/I1 above its limit from which a frame shows the full asymmetry.
FULL_SHARE = 0.7


def diagnose(analysis: CurrentAnalysis, baselines: Sequence[Baseline | None]) -> list[Diagnosis]:
    """Return one diagnosis of the turn insulation per recording.

    Parameters
    ----------
    analysis : CurrentAnalysis
        A batch with frames: sequence phasors of three currents, A peak, shape (batch, 3, frames),
        and where measured of three voltages, V peak.
    baselines : sequence of Baseline or None, length batch
        What the machines show when healthy; used for `asymmetry` only.

    Returns
    -------
    list of Diagnosis
        `statistic` and `threshold` are the squared corrected ratio and its squared limit in
        squared deviations. Indicators: `negative_sequence_ratio`, `corrected_ratio` and
        `limit_ratio` (over I1), `load_a` (A rms), `basis`, `phase` if found, and
        `voltages_turned_deg` if they were. Evidence: episodes and alternative causes.

    Notes
    -----
    Kliman, Premerlani, Koegl, Hoeweler 1996 (IAS:687); Lee, Tallam, Habetler 2003 (TPEL
    18(3):865).
    """
    abstentions = applicability.abstentions(analysis)
    if all(abstentions):
        return [abstain(FAULT, *reasons) for reasons in abstentions]
    s = applicability.sequences(analysis)
    models = healthy_models(analysis, s, baselines)
    renamed = [i for i, m in enumerate(models) if measurement.phases_renamed(analysis, i, m)]
    if renamed:
        s = measurement.as_named_when_learnt(s, renamed, lambda x: _excess(analysis, x, models))
    excess = _excess(analysis, s, models)
    return [
        abstain(FAULT, *reasons) if reasons else _diagnosis(analysis, excess, i, models[i])
        for i, reasons in enumerate(abstentions)
    ]


def _excess(
    analysis: CurrentAnalysis, s: Sequences, models: Sequence[HealthyModel]
) -> AsymmetryExcess:
    return asymmetry_excess(
        s,
        [m.asymmetry for m in models],
        [m.basis for m in models],
        np.array([p is not None for p in analysis.pairing_problems]),
    )


def _diagnosis(
    analysis: CurrentAnalysis, excess: AsymmetryExcess, i: int, model: HealthyModel
) -> Diagnosis:
    if excess.worst_over[i] > 1:
        within = _within_limit(analysis, excess, i, model)
        if changed := _measurement_changed(analysis, excess, i, model):
            return _abstention(within, (changed, *within.doubts))
        return _over_limit(analysis, excess, i, model, within)
    undecided = indecision(_grounds(analysis, excess, i, model))
    if undecided and (renamed := measurement.phases_renamed(analysis, i, model)):
        undecided = (renamed, *undecided)
    if not undecided:
        return _within_limit(analysis, excess, i, model)
    why, *doubts = undecided
    return Diagnosis(
        fault=FAULT,
        state="unknown",
        code=why.code,
        values=why.values,
        doubts=tuple(doubts),
        **_figures(analysis, excess, i, model),
    )


def _measurement_changed(
    analysis: CurrentAnalysis, excess: AsymmetryExcess, i: int, model: HealthyModel
) -> Reason | None:
    """Return what changed of the measurement since the baseline, which explains an excess."""
    if not model.basis.baseline:
        return None
    return measurement.phases_renamed(analysis, i, model) or measurement.scale_changed(
        excess.sequences, i, model.asymmetry, float(excess.worst_ratio[i])
    )


def _within_limit(
    analysis: CurrentAnalysis, excess: AsymmetryExcess, i: int, model: HealthyModel
) -> Diagnosis:
    """Return the diagnosis `normal`, from which those of records over the limit are made."""
    basis = str(model.basis)
    corrected, limit = float(excess.worst_ratio[i]), float(excess.worst_limit[i])
    over = float(excess.worst_over[i])
    voltage_problem = applicability.voltage_problem(analysis, i)
    return Diagnosis(
        fault=FAULT,
        state="normal",
        code="asymmetry_within_limit",
        values={"corrected_ratio": corrected, "limit_ratio": limit, "basis": basis},
        doubts=(voltage_problem,) if voltage_problem else (),
        severity=0.0,
        confidence=round(CONFIDENCE[model.basis] * (1 - 0.5 * min(1.0, over) ** 2), 3),
        **_figures(analysis, excess, i, model),
    )


def _figures(
    analysis: CurrentAnalysis, excess: AsymmetryExcess, i: int, model: HealthyModel
) -> dict[str, Any]:
    """Return statistic, threshold and indicators of a diagnosis."""
    corrected, limit = float(excess.worst_ratio[i]), float(excess.worst_limit[i])
    std = float(excess.worst_std[i])
    indicators: dict[str, Value] = {
        "negative_sequence_ratio": round(float(excess.raw_median[i]), 5),
        "corrected_ratio": round(corrected, 5),
        "limit_ratio": round(limit, 5),
        "load_a": round(float(excess.load_a[i]), 4),
        "basis": str(model.basis),
    }
    if analysis.voltage_rotation_deg[i]:
        indicators["voltages_turned_deg"] = int(analysis.voltage_rotation_deg[i])
    return {
        "statistic": round((corrected / std) ** 2, 3),
        "threshold": round((limit / std) ** 2, 3),
        "indicators": indicators,
    }


def _grounds(
    analysis: CurrentAnalysis, excess: AsymmetryExcess, i: int, model: HealthyModel
) -> Grounds:
    return Grounds(
        motor=analysis.motors[i],
        baseline_problem=model.baseline_problem,
        voltage_problem=applicability.voltage_problem(analysis, i),
        raw_ratio=float(excess.raw_median[i]),
        limit_ratio=float(excess.worst_limit[i]),
        median_limit=float(excess.limit_median[i]),
        steady_limit=float(excess.steady_limit[i]),
        limited_by=excess.limited_by[i],
    )


def _abstention(
    within: Diagnosis, reasons: Sequence[Reason], evidence: tuple[Mapping[str, Any], ...] = ()
) -> Diagnosis:
    why, *doubts = reasons
    return replace(
        within,
        state="unknown",
        code=why.code,
        values=why.values,
        doubts=tuple(doubts),
        severity=None,
        confidence=0.0,
        evidence=evidence,
    )


def _over_limit(
    analysis: CurrentAnalysis,
    excess: AsymmetryExcess,
    i: int,
    model: HealthyModel,
    within: Diagnosis,
) -> Diagnosis:
    """Return the diagnosis of a recording in which some frames are over the limit."""
    ratio = np.abs(excess.corrected[i])
    over = ratio > excess.limit[i]
    full = over & (ratio >= FULL_SHARE * ratio[over].max())
    quiet = ~over if np.count_nonzero(~over) >= SUSTAINED_FRAMES else np.zeros_like(over)
    change = causes.asymmetry_change(
        excess.sequences, excess.excess, i, full, quiet, model.asymmetry
    )
    runs = episodes(analysis.frame_t_s, ratio, over, _fault_ratio(model.basis), analysis.duration_s)
    doubts = within.doubts if over.all() else (_part_of_record(runs, over), *within.doubts)
    clamp = causes.clamp_change(change)
    if clamp is not None:
        return _clamp_changed(within, analysis.phase_name(i, clamp.phase), clamp.gain, doubts)
    limit = float(excess.limit[i][full].mean())
    gain = causes.gain_of_two_clamps(change, limit)
    if gain is not None:
        why = reason("clamp_of_two_not_excluded", gain_change_ratio=gain)
        return _abstention(within, (why, *doubts), (_alternative(CLAMP_CAUSE, ""),))
    size = float(np.median(ratio[full]))
    margin = size / limit
    phase = analysis.phase_name(i, causes.shorted_phase(change, analysis.motors[i]))
    others = [
        (c.cause, "" if c.phase is None else analysis.phase_name(i, c.phase))
        for c in causes.other_causes(change, model.asymmetry, voltage=model.basis.voltage)
    ]
    # Without voltages the code itself leaves joints open.
    joints = [at for _, at in others if at and model.basis.voltage]
    return replace(
        within,
        state="fault" if any(e["state"] == "fault" for e in runs) else "warning",
        code="turn_short_found" if model.basis.voltage else "asymmetry_found",
        values={"phase": phase, "excess_ratio": size, "basis": str(model.basis)},
        doubts=(*(reason("joint_not_excluded", phase=at) for at in joints), *doubts),
        severity=round(float(np.interp(size, *SEVERITIES)), 3),
        confidence=round(CONFIDENCE[model.basis] * float(np.clip(margin / 2, 0.5, 1)), 3),
        indicators={
            **within.indicators,
            "negative_sequence_ratio": round(float(np.median(excess.raw[i][over])), 5),
            "phase": phase,
        },
        evidence=(*runs, *(_alternative(cause, at) for cause, at in others)),
    )


def _clamp_changed(
    within: Diagnosis, phase: str, gain: float, doubts: tuple[Reason, ...]
) -> Diagnosis:
    why = reason("clamp_changed", phase=phase, gain_change_ratio=gain)
    return _abstention(within, (why, *doubts), (_alternative(CLAMP_CAUSE, phase),))


def _alternative(cause: str, phase: str) -> dict[str, Any]:
    return {"kind": "alternative", "cause": cause} | ({"phase": phase} if phase else {})


def _part_of_record(runs: Sequence[Mapping[str, Any]], over: Bool) -> Reason:
    return reason(
        "part_of_record",
        record_share=float(over.mean()),
        start_s=runs[0]["t_start_s"],
        end_s=runs[-1]["t_end_s"],
    )


def _fault_ratio(basis: Basis) -> float:
    """Return the corrected ratio from which the state is `fault`.

    Without voltages a supply beyond the standard, a loose fuse or a joint looks the same at any
    strength: a warning, whose severity says how strong.
    """
    return FAULT_RATIO if basis.voltage else np.inf
