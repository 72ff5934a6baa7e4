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
from vtox.diagnosers.insulation.admittance import Readings
from vtox.domain import QUIET, VOLTAGES, Diagnosis, State, Value, unknown

FAULT = "insulation"
# IEEE 43-2013: least resistance at 40 C of random-wound machines below 1 kV; a fifth of it is what
# one phase of a wet or burnt winding shows.
MINIMUM_OHM = 5e6
SEVERE_OHM = 1e6
REFERENCE_C = 40.0
# Resistance halves for every 10 C (IEEE 43-2013 for thermoplastic windings).
HALVING_C = 10.0
POSSIBLE_C = (-60.0, 250.0)
SEVERITIES = ((-8.0, -6.7, -6.0, -5.0, -4.0), (0.0, 0.25, 0.6, 0.85, 1.0))
# A capacitance that moved is a warning whatever the conductance: the least that one has.
MOVED_SEVERITY = 0.25


def diagnose(analysis: CurrentAnalysis, baselines: Sequence[Baseline | None]) -> list[Diagnosis]:
    """Return one diagnosis of the insulation to earth per recording."""
    refusals, usable, y = admittance.residual(analysis)
    found = [unknown(FAULT, refusal) for refusal in refusals]
    if y is not None:
        r = admittance.readings(y, [baselines[i] for i in usable])
        for row, i in enumerate(usable):
            wrong = admittance.miswired(y, row, analysis.motors[i])
            temperature_c = _believed(analysis.recordings[i].temperature_c)
            found[i] = unknown(FAULT, wrong) if wrong else _verdict(r, row, temperature_c)
    return found


def _believed(temperature_c: float | None) -> float | None:
    """Return the temperature, None where no winding that runs can have it."""
    possible = temperature_c is not None and POSSIBLE_C[0] <= temperature_c <= POSSIBLE_C[1]
    return temperature_c if possible else None


def _verdict(r: Readings, i: int, temperature_c: float | None) -> Diagnosis:
    warmth = _warmth(temperature_c)
    conductance_s = float(r.conductance_s[i]) / warmth
    change_f = None if np.isnan(r.change_f[i]) else float(r.change_f[i])
    capacitance_f = float(r.capacitance_f[i])
    state, reason, phase = _state(r, i, warmth)
    moved = state == "warning" and float(r.least_s[i]) / warmth <= 1 / MINIMUM_OHM
    severity = float(np.interp(np.log10(max(conductance_s, 1e-12)), *SEVERITIES))
    indicators: dict[str, Value] = {
        "conductance_s": float(r.conductance_s[i]),
        "capacitance_f": capacitance_f,
        "conductance_std_s": float(r.conductance_std_s[i]),
        "resistance_40c_ohm": round(1 / max(conductance_s, 1e-12)),
        "temperature_c": temperature_c,
        "dissipation": round(
            float(r.conductance_s[i] / max(abs(capacitance_f * r.omega[i]), 1e-12)), 5
        ),
        "whole_winding": bool(r.whole[i]),
    }
    if change_f is not None:
        indicators["capacitance_change_f"] = change_f
    if phase:
        indicators["phase"] = phase
        reason = f"{reason}, phase {phase}"
    if not r.whole[i] and r.least_s[i] <= 0:
        indicators["resistance_40c_ohm"] = None  # phases that do not differ may leak alike
    known = "" if temperature_c is not None else "; temperature unknown, none corrected"
    scope = "" if r.whole[i] else "; equal loss in all three phases would not show"
    confidence = (
        0.6
        + (0.15 if r.whole[i] else 0.0)
        + (0.0 if change_f is None else 0.1)
        + (0.0 if temperature_c is None else 0.05)
    )
    # A phase that leaks more than the others would show, a winding wet all over would not: no
    # health, but a leak mended is to be seen as mended.
    quiet = state == "normal" and not r.whole[i]
    state = "unknown" if quiet else state
    nothing = {"normal": 0.0, "unknown": None}
    return Diagnosis(
        fault=FAULT,
        state=state,
        severity=nothing.get(state, round(max(severity, MOVED_SEVERITY * moved), 3)),
        confidence=0.0 if state == "unknown" else round(confidence, 3),
        statistic=abs(change_f) if moved and change_f is not None else conductance_s,
        threshold=float(r.bound_f[i]) if moved else 1 / MINIMUM_OHM,
        reason=reason + known + scope,
        indicators=indicators,
        evidence=(
            {"kind": "level", "source": "IEEE 43-2013", "minimum_ohm": MINIMUM_OHM},
            {"kind": "trend", "baseline": "no baseline" if change_f is None else "ready"},
            *(_alternatives(r, i) if phase else ()),
            *((QUIET,) if quiet else ()),
        ),
    )


def _warmth(temperature_c: float | None) -> float:
    """Return conductance at the winding's temperature over that at 40 C."""
    if temperature_c is None:
        return 1.0
    return float(2 ** ((temperature_c - REFERENCE_C) / HALVING_C))


def _state(r: Readings, i: int, warmth: float) -> tuple[State, str, str]:
    """Return state and reason, and the phase where it is one phase that shows."""
    least_s, most_s = float(r.least_s[i]) / warmth, float(r.most_s[i]) / warmth
    conductance_s, capacitance_f = float(r.conductance_s[i]) / warmth, float(r.capacitance_f[i])
    ohm = f"{_megohm(conductance_s)} to earth"
    phase = VOLTAGES[r.found.phase[i]][-1]
    leaking = phase if r.by_phase[i] else ""
    if least_s > 1 / SEVERE_OHM:
        return "fault", f"{ohm}, below {SEVERE_OHM / 1e6:g} Mohm", leaking
    if least_s > 1 / MINIMUM_OHM:
        return "warning", f"{ohm}, below the {MINIMUM_OHM / 1e6:g} Mohm of IEEE 43", leaking
    change_f = float(r.change_f[i])
    if abs(change_f) > r.bound_f[i]:
        what = (
            f"capacitance to earth {capacitance_f * 1e9:.3g} nF, {change_f * 1e9:+.2g} nF "
            "from the baseline"
        )
        return "warning", what, phase if r.alone[i] else ""
    if most_s > 1 / SEVERE_OHM:
        noise = (
            f"noise floor too high: conductance {conductance_s * 1e6:.2g} uS, "
            f"may be {most_s * 1e6:.2g} uS"
        )
        return "unknown", noise, ""
    if not r.whole[i]:
        return "normal", f"no phase leaks {most_s * 1e6:.2g} uS more than the others", ""
    least = ohm if ohm.startswith("more") else f"{ohm} or more"
    return "normal", f"{least} ({capacitance_f * 1e9:.3g} nF)", ""


def _alternatives(r: Readings, i: int) -> list[dict[str, Value]]:
    """Return what else one complex number may mean: another phase, and its change."""
    return [
        {
            "kind": "alternative",
            "cause": "conductance and capacitance of another phase",
            "phase": VOLTAGES[k][-1],
            "conductance_change_s": float(r.found.each[i, k].real),
            "capacitance_change_f": float(r.found.each[i, k].imag / r.omega[i]),
        }
        for k in range(3)
        if k != r.found.phase[i] and r.found.possible[i, k]
    ]


def _megohm(conductance_s: float) -> str:
    if conductance_s < 1e-8:
        return "more than 100 Mohm"
    ohm = 1 / conductance_s
    return f"{ohm / 1e6:.2g} Mohm" if ohm >= 1e6 else f"{ohm / 1e3:.3g} kohm"
