"""Insulation to earth: conductance and capacitance from the residual current and the voltages.

The residual current of the three phases is the sum of Y_x * V_x over the phases. Equal admittances
cancel against balanced voltages and show only through the zero-sequence voltage, mostly its third
harmonic; one degraded phase shows directly as Y * V of that phase. Both are solved for together.
Lee, Younsi, Kliman 2005 (TEC 20(4):737) for the differential current; IEEE 43-2013 for levels.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vtox.baseline import Baseline
from vtox.diagnosers.frontend import Front
from vtox.domain import VOLTAGES, Diagnosis, Recording, State, Value, unknown
from vtox.dsp import earth, quality, supply

Floats = npt.NDArray[np.float64]

FAULT = "insulation"
# IEEE 43-2013: least resistance at 40 C of random-wound machines below 1 kV; a fifth of it is what
# one phase of a wet or burnt winding shows.
MINIMUM_OHM = 5e6
SEVERE_OHM = 1e6
REFERENCE_C = 40.0
# Resistance halves for every 10 C (IEEE 43-2013, 6.3, thermoplastic and asphaltic windings).
HALVING_C = 10.0
# A verdict needs its level this many deviations away: they rest on few frames, and the best of three
# phases is taken (1,500 healthy records under noise of 1e-5 to 0.03 A rms: 4.2 at most).
SIGMAS = 5.0
# Capacitance moves by moisture and delamination, not within hours: beyond this is a change.
CAPACITANCE_CHANGE = 0.10
# 7 uA at 230 V and 50 Hz: the least a sensitive core-balance transformer resolves.
CAPACITANCE_FLOOR_F = 1e-10
# Baseline features: capacitance of the whole winding, or of the one phase that shows. Like is
# compared with like.
CAPACITANCE = {True: "insulation.capacitance_f", False: "insulation.phase_capacitance_f"}
SEVERITIES = ((-8.0, -6.7, -6.0, -5.0, -4.0), (0.0, 0.25, 0.6, 0.85, 1.0))


def diagnose(front: Front, baselines: Sequence[Baseline | None]) -> list[Diagnosis]:
    """Return one diagnosis of the insulation to earth per recording."""
    return [
        _diagnosis(front, i, recording, baselines[i])
        for i, recording in enumerate(front.recordings)
    ]


def features(front: Front) -> dict[str, Floats]:
    """Return what a baseline remembers of the insulation, NaN where it cannot be measured."""
    found = [
        None if _refusal(front, i, r) else _admittance(front, i, r)
        for i, r in enumerate(front.recordings)
    ]
    return {
        name: np.array([y.capacitance_f if y and y.whole is whole else np.nan for y in found])
        for whole, name in CAPACITANCE.items()
    }


def _diagnosis(front: Front, i: int, recording: Recording, baseline: Baseline | None) -> Diagnosis:
    refusal = _refusal(front, i, recording)
    if refusal:
        return unknown(FAULT, refusal)
    y = _admittance(front, i, recording)
    if y is None:
        return unknown(FAULT, "supply not found in the voltages")
    warmth = _warmth(recording)
    conductance_s = y.conductance_s / warmth
    std_s = y.conductance_std_s / warmth
    learnt, change_f, spread_f = _against(y, baseline)
    resistance_ohm = 1 / max(conductance_s, 1e-12)
    indicators: dict[str, Value] = {
        "conductance_s": y.conductance_s,
        "capacitance_f": y.capacitance_f,
        "conductance_std_s": y.conductance_std_s,
        "resistance_40c_ohm": round(min(resistance_ohm, 1e12)),
        "temperature_c": recording.temperature_c,
        "dissipation": round(y.dissipation, 5),
        "whole_winding": y.whole,
    }
    if change_f is not None:
        indicators["capacitance_change_f"] = change_f
    state, reason = _state(conductance_s, std_s, y, change_f, spread_f)
    phase = VOLTAGES[y.phase][-1]
    if state in ("warning", "fault"):
        indicators["phase"] = phase
        reason = f"{reason}, phase {phase}"
    known = "" if recording.temperature_c is not None else "; temperature unknown, none corrected"
    scope = "" if y.whole else "; equal loss in all three phases would not show"
    severity = float(np.interp(np.log10(max(conductance_s, 1e-12)), *SEVERITIES))
    return Diagnosis(
        fault=FAULT,
        state=state,
        severity=None if state == "unknown" else round(severity, 3),
        confidence=0.0 if state == "unknown" else _confidence(y, learnt, recording),
        statistic=conductance_s,
        threshold=1 / MINIMUM_OHM,
        reason=reason + known + scope,
        indicators=indicators,
        evidence=(
            {"kind": "level", "source": "IEEE 43-2013", "minimum_ohm": MINIMUM_OHM},
            {"kind": "trend", "baseline": learnt},
        ),
    )


def _refusal(front: Front, i: int, recording: Recording) -> str:
    """Return why a recording cannot be judged, or an empty text."""
    if "leakage" not in recording.channels:
        return "no leakage channel"
    if len(front.voltages) < 3:
        return "no voltage: the leakage current needs va, vb and vc to earth"
    if front.voltage_problems[i]:
        return "; ".join(front.voltage_problems[i])
    found = quality.check(recording.channels["leakage"][None], "leakage", front.fs_hz)[0]
    return "; ".join(found)


def _admittance(front: Front, i: int, recording: Recording) -> earth.Admittance | None:
    names = ("leakage", *VOLTAGES)
    x = np.stack([np.asarray(recording.channels[n], np.float64) for n in names])
    f0_hz = float(front.f0_hz[i])
    if not np.isfinite(f0_hz):
        f0_hz = supply_hz(x[1:], front.fs_hz)
    return earth.admittance(x[0], x[1:], front.fs_hz, f0_hz)


def supply_hz(x: Floats, fs_hz: float) -> float:
    """Return the supply frequency from voltages alone, shape (3, samples), Hz."""
    samples = x.shape[-1]
    spectrum = np.fft.rfft(x * np.hanning(samples))[None]
    peak, _ = supply.line_bin(spectrum, fs_hz / samples, min(fs_hz / 3, 450.0))
    coarse_hz = peak * fs_hz / samples
    t_s, frames = supply.frame_phasors(x[None, :1], fs_hz, coarse_hz)
    if len(t_s) < 2:
        return float(coarse_hz[0])
    slope = np.polyfit(t_s, np.unwrap(np.angle(frames[0, 0])), 1)[0]
    return float(coarse_hz[0] + slope / (2 * np.pi))


def _warmth(recording: Recording) -> float:
    """Return conductance at the winding's temperature over that at 40 C."""
    if recording.temperature_c is None:
        return 1.0
    return float(2 ** ((recording.temperature_c - REFERENCE_C) / HALVING_C))


def _against(y: earth.Admittance, baseline: Baseline | None) -> tuple[str, float | None, float]:
    """Return the state of the baseline, the change in capacitance and the spread to expect.

    Capacitance does not depend on the load: all bands answer together.
    """
    level = baseline.any_load(CAPACITANCE[y.whole]) if baseline else None
    if level is None:
        return "no baseline", None, 0.0
    return "ready", y.capacitance_f - level.mean, level.spread


def _state(
    conductance_s: float,
    std_s: float,
    y: earth.Admittance,
    change_f: float | None,
    spread_f: float,
) -> tuple[State, str]:
    margin_s = SIGMAS * std_s
    ohm = f"{_megohm(conductance_s)} to earth"
    if conductance_s - margin_s > 1 / SEVERE_OHM:
        return "fault", f"{ohm}, below {SEVERE_OHM / 1e6:g} Mohm"
    if conductance_s - margin_s > 1 / MINIMUM_OHM:
        return "warning", f"{ohm}, below the {MINIMUM_OHM / 1e6:g} Mohm of IEEE 43"
    if change_f is not None:
        base_f = y.capacitance_f - change_f
        bound_f = max(
            CAPACITANCE_FLOOR_F,
            CAPACITANCE_CHANGE * abs(base_f),
            SIGMAS * np.hypot(spread_f, y.capacitance_std_f),
        )
        if abs(change_f) > bound_f:
            return "warning", (
                f"capacitance to earth {y.capacitance_f * 1e9:.3g} nF, {change_f * 1e9:+.2g} nF "
                f"from the baseline"
            )
    if conductance_s + margin_s > 1 / SEVERE_OHM:
        return "unknown", (
            f"noise floor too high: conductance {conductance_s * 1e6:.2g} uS "
            f"+- {margin_s * 1e6:.2g} uS"
        )
    return "normal", f"{ohm} or more ({y.capacitance_f * 1e9:.3g} nF)"


def _confidence(y: earth.Admittance, learnt: str, recording: Recording) -> float:
    """Return the trust in the level: whole winding seen, trend known, temperature known."""
    return round(
        0.6
        + (0.15 if y.whole else 0.0)
        + (0.1 if learnt == "ready" else 0.0)
        + (0.05 if recording.temperature_c is not None else 0.0),
        3,
    )


def _megohm(conductance_s: float) -> str:
    if conductance_s < 1e-8:
        return "more than 100 Mohm"
    ohm = 1 / conductance_s
    return f"{ohm / 1e6:.2g} Mohm" if ohm >= 1e6 else f"{ohm / 1e3:.3g} kohm"
