"""Insulation to earth: conductance and capacitance from the residual current and the voltages.

The residual current of the three phases is the sum of Y_x * V_x over the phases. Equal admittances
cancel against balanced voltages and show only through the zero-sequence voltage, mostly its third
harmonic; one degraded phase shows directly as Y * V of that phase. Lee, Younsi, Kliman 2005
(TEC 20(4):737) for the differential current; IEEE 43-2013 for levels.
"""

from collections.abc import Sequence

import numpy as np

from vtox.baseline import Baseline
from vtox.diagnosers.current.front_end import CurrentAnalysis
from vtox.diagnosers.insulation import admittance
from vtox.diagnosers.insulation.reasons import MINIMUM_OHM, Finding, Insulation, decide
from vtox.diagnosers.insulation.winding_admittance import WindingAdmittance, winding_admittance
from vtox.domain import QUIET, VOLTAGES, Diagnosis, Value, abstain, reason

FAULT = "insulation"
# Temperature to which resistance is corrected.
REFERENCE_C = 40.0
# Resistance halves for every 10 C (IEEE 43-2013 for thermoplastic windings).
HALVING_C = 10.0
# Temperatures that a winding may have.
POSSIBLE_C = (-60.0, 250.0)
# log10 of the conductance at 40 C, S -> severity.
SEVERITIES = ((-8.0, -6.7, -6.0, -5.0, -4.0), (0.0, 0.25, 0.6, 0.85, 1.0))
# Least severity of a changed capacitance, at any conductance.
CAPACITANCE_SEVERITY = 0.25
# What is less than this conducts nothing, S.
LEAST_S = 1e-12


def diagnose(analysis: CurrentAnalysis, baselines: Sequence[Baseline | None]) -> list[Diagnosis]:
    """Return one diagnosis of the insulation to earth per recording.

    Parameters
    ----------
    analysis : CurrentAnalysis
        A batch with the leakage current of the three phases, A, and three voltages to earth, V.
    baselines : sequence of Baseline or None, length batch
        What the machines show when healthy: `insulation.capacitance_f` and the difference between
        phases, `insulation.unequal_s` and `insulation.unequal_f`.

    Returns
    -------
    list of Diagnosis
        `statistic` and `threshold` are the conductance at 40 C and that of `MINIMUM_OHM`, S; where
        the capacitance changed, that change and its bound, F. Indicators: `conductance_s` and
        `conductance_std_s` as measured, `resistance_40c_ohm`, `capacitance_f`,
        `capacitance_change_f` with a baseline, `dissipation`, `temperature_c`, `whole_winding`, and
        `phase` where it is one. Evidence: level, trend, and other phases that may have changed.

    Notes
    -----
    Lee, Younsi, Kliman 2005 (TEC 20(4):737); levels of IEEE 43-2013.
    """
    # Before the estimate, so that one answer and its sentence are made for the whole batch: most
    # machines lack these channels.
    if missing := admittance.missing_channels(analysis):
        return [abstain(FAULT, missing)] * len(analysis.recordings)
    estimate = admittance.estimate(analysis)
    diagnoses: dict[int, Diagnosis] = {}
    if estimate.y is not None:
        w = winding_admittance(estimate.y, [baselines[i] for i in estimate.rows])
        for row, i in enumerate(estimate.rows):
            diagnoses[i] = _diagnosis(w, row, analysis.recordings[i].temperature_c)
    return [
        abstain(FAULT, *reasons) if reasons else diagnoses[i]
        for i, reasons in enumerate(estimate.abstentions)
    ]


def _diagnosis(w: WindingAdmittance, row: int, temperature_c: float | None) -> Diagnosis:
    if temperature_c is not None and not POSSIBLE_C[0] <= temperature_c <= POSSIBLE_C[1]:
        temperature_c = None
    x = _at_reference_temperature(w, row, temperature_c)
    finding = decide(x)
    unmeasured = [] if x.whole else [reason("equal_loss_not_excluded")]
    uncorrected = [] if temperature_c is not None else [reason("temperature_unknown")]
    return Diagnosis(
        fault=FAULT,
        state=finding.state,
        code=finding.reason.code,
        values=finding.reason.values,
        doubts=(*uncorrected, *unmeasured),
        severity=_severity(x, finding),
        confidence=0.0 if finding.state == "unknown" else _confidence(x, temperature_c),
        statistic=abs(x.change_f or 0.0) if finding.by_capacitance else x.conductance_s,
        threshold=x.bound_f if finding.by_capacitance else 1 / MINIMUM_OHM,
        indicators=_indicators(w, row, x, finding, temperature_c),
        evidence=(
            {"kind": "level", "source": "IEEE 43-2013", "minimum_ohm": MINIMUM_OHM},
            {"kind": "trend", "baseline": "no baseline" if x.change_f is None else "ready"},
            *(_alternatives(w, row) if finding.phase else ()),
            *((QUIET,) if finding.quiet else ()),
        ),
    )


def _at_reference_temperature(
    w: WindingAdmittance, row: int, temperature_c: float | None
) -> Insulation:
    warmth = 1.0
    if temperature_c is not None:
        warmth = float(2 ** ((temperature_c - REFERENCE_C) / HALVING_C))
    change_f = float(w.change_f[row])
    return Insulation(
        conductance_s=float(w.conductance_s[row]) / warmth,
        least_s=float(w.least_s[row]) / warmth,
        most_s=float(w.most_s[row]) / warmth,
        capacitance_f=float(w.capacitance_f[row]),
        change_f=None if np.isnan(change_f) else change_f,
        bound_f=float(w.bound_f[row]),
        phase=VOLTAGES[w.attribution.phase[row]][-1],
        phase_leaks=bool(w.by_phase[row]),
        phase_changed=bool(w.change_by_phase[row]),
        whole=bool(w.whole[row]),
    )


def _severity(x: Insulation, finding: Finding) -> float | None:
    if finding.state in ("normal", "unknown"):
        return 0.0 if finding.state == "normal" else None
    severity = float(np.interp(np.log10(max(x.conductance_s, LEAST_S)), *SEVERITIES))
    return round(max(severity, CAPACITANCE_SEVERITY * finding.by_capacitance), 3)


def _confidence(x: Insulation, temperature_c: float | None) -> float:
    return round(
        0.6
        + (0.15 if x.whole else 0.0)
        + (0.0 if x.change_f is None else 0.1)
        + (0.0 if temperature_c is None else 0.05),
        3,
    )


def _indicators(
    w: WindingAdmittance, row: int, x: Insulation, finding: Finding, temperature_c: float | None
) -> dict[str, Value]:
    measured_s, susceptance_s = w.conductance_s[row], abs(x.capacitance_f * w.omega[row])
    # Phases that do not differ may leak alike.
    resistance = None if not x.whole and x.least_s <= 0 else 1 / max(x.conductance_s, LEAST_S)
    indicators: dict[str, Value] = {
        "conductance_s": float(measured_s),
        "capacitance_f": x.capacitance_f,
        "conductance_std_s": float(w.conductance_std_s[row]),
        "resistance_40c_ohm": None if resistance is None else round(resistance),
        "temperature_c": temperature_c,
        "dissipation": round(float(measured_s / max(susceptance_s, LEAST_S)), 5),
        "whole_winding": x.whole,
    }
    if x.change_f is not None:
        indicators["capacitance_change_f"] = x.change_f
    return indicators | ({"phase": finding.phase} if finding.phase else {})


def _alternatives(w: WindingAdmittance, row: int) -> list[dict[str, Value]]:
    """Return what else one complex number may mean: another phase, and its change."""
    return [
        {
            "kind": "alternative",
            "cause": "conductance and capacitance of another phase",
            "phase": VOLTAGES[k][-1],
            "conductance_change_s": float(w.attribution.each[row, k].real),
            "capacitance_change_f": float(w.attribution.each[row, k].imag / w.omega[row]),
        }
        for k in range(3)
        if k != w.attribution.phase[row] and w.attribution.possible[row, k]
    ]
