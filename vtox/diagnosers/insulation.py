"""Insulation to earth: conductance and capacitance from the residual current and the voltages.

The residual current of the three phases is the sum of Y_x * V_x over the phases. Equal admittances
cancel against balanced voltages and show only through the zero-sequence voltage, mostly its third
harmonic; one degraded phase shows directly as Y * V of that phase. Both are solved for together.
Lee, Younsi, Kliman 2005 (TEC 20(4):737) for the differential current; IEEE 43-2013 for levels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vtox.baseline import Baseline
from vtox.diagnosers.frontend import Front
from vtox.domain import VOLTAGES, Array, Diagnosis, Recording, State, Value, unknown
from vtox.dsp import earth, quality, supply

Floats = npt.NDArray[np.float64]

FAULT = "insulation"
# IEEE 43-2013: least resistance at 40 C of random-wound machines below 1 kV; a fifth of it is what
# one phase of a wet or burnt winding shows.
MINIMUM_OHM = 5e6
SEVERE_OHM = 1e6
REFERENCE_C = 40.0
# Resistance halves for every 10 C (IEEE 43-2013 for thermoplastic windings).
HALVING_C = 10.0
# A verdict needs its level this many deviations away: they rest on few frames, and the best of
# three phases is taken (1,500 healthy records under noise of 1e-5 to 0.03 A rms: 4.2 at most).
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
    refusals = [_refusal(front, i, r) for i, r in enumerate(front.recordings)]
    usable = [i for i, refusal in enumerate(refusals) if not refusal]
    found = [unknown(FAULT, refusal) for refusal in refusals]
    y = _admittance(front, usable)
    for row, i in enumerate(usable):
        found[i] = (
            unknown(FAULT, f"too short: {front.duration_s:.3g} s, need {supply.FRAME_S} s")
            if y is None
            else _verdict(_reading(y, row), front.recordings[i].temperature_c, baselines[i])
        )
    return found


def features(front: Front) -> dict[str, Floats]:
    """Return what a baseline remembers of the insulation, NaN where it cannot be measured."""
    usable = [i for i, r in enumerate(front.recordings) if not _refusal(front, i, r)]
    found = {name: np.full(len(front.recordings), np.nan) for name in CAPACITANCE.values()}
    y = _admittance(front, usable)
    if y is not None:
        for whole, name in CAPACITANCE.items():
            found[name][usable] = np.where(y.whole == whole, y.capacitance_f, np.nan)
    return found


@dataclass(frozen=True, slots=True)
class _Reading:
    """The admittance to earth of one recording, as `earth.Admittance`."""

    conductance_s: float
    capacitance_f: float
    conductance_std_s: float
    capacitance_std_f: float
    dissipation: float
    phase: str
    whole: bool


def _reading(y: earth.Admittance, row: int) -> _Reading:
    return _Reading(
        conductance_s=float(y.conductance_s[row]),
        capacitance_f=float(y.capacitance_f[row]),
        conductance_std_s=float(y.conductance_std_s[row]),
        capacitance_std_f=float(y.capacitance_std_f[row]),
        dissipation=float(y.dissipation[row]),
        phase=VOLTAGES[y.phase[row]][-1],
        whole=bool(y.whole[row]),
    )


def _verdict(y: _Reading, temperature_c: float | None, baseline: Baseline | None) -> Diagnosis:
    warmth = _warmth(temperature_c)
    conductance_s, std_s = y.conductance_s / warmth, y.conductance_std_s / warmth
    learnt, change_f, spread_f = _against(y, baseline)
    indicators: dict[str, Value] = {
        "conductance_s": y.conductance_s,
        "capacitance_f": y.capacitance_f,
        "conductance_std_s": y.conductance_std_s,
        "resistance_40c_ohm": round(1 / max(conductance_s, 1e-12)),
        "temperature_c": temperature_c,
        "dissipation": round(y.dissipation, 5),
        "whole_winding": y.whole,
    }
    if change_f is not None:
        indicators["capacitance_change_f"] = change_f
    state, reason = _state(conductance_s, std_s, y, change_f, spread_f)
    if state in ("warning", "fault"):
        indicators["phase"] = y.phase
        reason = f"{reason}, phase {y.phase}"
    known = "" if temperature_c is not None else "; temperature unknown, none corrected"
    scope = "" if y.whole else "; equal loss in all three phases would not show"
    severity = float(np.interp(np.log10(max(conductance_s, 1e-12)), *SEVERITIES))
    confidence = (
        0.6
        + (0.15 if y.whole else 0.0)
        + (0.1 if learnt == "ready" else 0.0)
        + (0.05 if temperature_c is not None else 0.0)
    )
    return Diagnosis(
        fault=FAULT,
        state=state,
        severity=None if state == "unknown" else round(severity, 3),
        confidence=0.0 if state == "unknown" else round(confidence, 3),
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


def _admittance(front: Front, usable: Sequence[int]) -> earth.Admittance | None:
    """Return the admittances of the usable recordings, None if there are none or no frame fits."""
    if not usable:
        return None
    names = ("leakage", *VOLTAGES)
    x = np.array(
        [[front.recordings[i].channels[n] for n in names] for i in usable], dtype=np.float32
    )
    f0_hz = front.f0_hz[list(usable)].copy()
    for row in np.flatnonzero(~np.isfinite(f0_hz)):
        f0_hz[row] = supply_hz(x[row, 1:], front.fs_hz)
    return earth.admittance(x[:, 0], x[:, 1:], front.fs_hz, f0_hz)


def supply_hz(x: Array, fs_hz: float) -> float:
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


def _warmth(temperature_c: float | None) -> float:
    """Return conductance at the winding's temperature over that at 40 C."""
    if temperature_c is None:
        return 1.0
    return float(2 ** ((temperature_c - REFERENCE_C) / HALVING_C))


def _against(y: _Reading, baseline: Baseline | None) -> tuple[str, float | None, float]:
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
    y: _Reading,
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


def _megohm(conductance_s: float) -> str:
    if conductance_s < 1e-8:
        return "more than 100 Mohm"
    ohm = 1 / conductance_s
    return f"{ohm / 1e6:.2g} Mohm" if ohm >= 1e6 else f"{ohm / 1e3:.3g} kohm"
