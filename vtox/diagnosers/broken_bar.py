"""Broken rotor bars and end rings, from the lines they put at 2sf from the supply line.

Amplitude and phase modulation of the current are searched at 2sf within what is known of the slip;
a line must stand out of the floor around it and is then judged by its level below the supply line.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from vtox.baseline import Baseline
from vtox.diagnosers.cage import NEEDED_BINS, CageLines, cage_lines
from vtox.diagnosers.frontend import Front
from vtox.diagnosers.rotor import Rotor, Slip, rotor_view
from vtox.domain import Diagnosis, Value, unknown
from vtox.dsp import baseband

Floats = npt.NDArray[np.float64]

FAULT = "broken_bar"
FEATURE = "broken_bar.lower_dbc"
# Level of the lower sideband below the supply line. Good above 54 dB, a developing cage fault from
# there, broken bars near 45 (Penrose 2006; Culbert & Letal 2015; limits are empirical).
DEVELOPING_DBC = -54.0
FAULT_DBC = -45.0
SEVERITIES = ((-60.0, -54.0, -48.0, -42.0, -36.0, -30.0), (0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
LOW_LOAD = 0.35
# The sidebands spread when the slip moves; a change of current of x moves it by about 1.5 x.
SPREAD_BINS = 4.0
SPREAD_SHARE = 0.1
SLIP_PER_CURRENT = 1.5
UNSTEADY_HZ = 0.4
# A load that swings moves amplitude and phase together (0 to 0.3 rad apart); rotor bars move them
# a quarter to half a turn apart. Measured on the equations of four machines of 2 to 370 kW, slips
# of 1 to 4.5 % and inertias of 1 to 20 rotors: 0.02-0.32 rad against 1.2-3.1 rad, a 370 kW machine
# of four inertias near its resonance excepted (0.6). Where the slip is measured, a load that swings
# at just 2sf is unlikely: only a clear case is taken for one, a likely one is named.
TOGETHER_RAD = 1.2
TOGETHER_SHARP_RAD = 0.2
TOGETHER_LIKELY_RAD = 0.8  # and equal sidebands
TOGETHER_EQUAL_RAD = 2.0  # and equal sidebands, as every load makes them
EQUAL_DB = 3.0
APART_RAD = -2.5
RESOLVED = 12.0
# A voltage line of this share of the current's is taken for the cause; a cage that modulates the
# current moves the voltage by the supply's impedance, a few per cent.
VOLTAGE_SHARE = 0.25
KNOWN_CHANGE_DB = 4.0
LONGEST_S = 300.0
ALTERNATIVES = (
    "load oscillation at twice slip frequency",
    "axial ducts or inter-bar currents of a sound cage",
)


@dataclass(frozen=True, slots=True)
class _Batch:
    """What is known of a batch: lines, slips, current, and how steady it was."""

    front: Front
    rotor: Rotor
    lines: CageLines
    rms_a: Floats
    drift: Floats  # relative range of the current's amplitude
    frequency_range_hz: Floats


def diagnose(
    front: Front, baselines: Sequence[Baseline | None], *, rotor: Rotor | None = None
) -> list[Diagnosis]:
    """Return one diagnosis of the rotor cage per recording."""
    rotor = rotor or rotor_view(front)
    if rotor is None:
        return [unknown(FAULT, "; ".join(p) or "too short") for p in front.problems]
    batch = _batch(front, rotor)
    return [
        unknown(FAULT, reason, **_slip_indicators(rotor.slips[i]))
        if (reason := _refusal(batch, i))
        else _verdict(batch, i, baselines[i])
        for i in range(len(front.recordings))
    ]


def features(front: Front, *, rotor: Rotor | None = None) -> dict[str, Floats]:
    """Return the level of the sidebands in dBc per recording, NaN where it is not shown."""
    rotor = rotor or rotor_view(front)
    if rotor is None:
        return {FEATURE: np.full(len(front.recordings), np.nan)}
    batch = _batch(front, rotor)
    shown = [
        not _refusal(batch, i) and batch.lines.bins[i] >= NEEDED_BINS
        for i in range(len(front.recordings))
    ]
    return {FEATURE: np.where(shown, batch.lines.level_dbc, np.nan)}


def _batch(front: Front, rotor: Rotor) -> _Batch:
    drift, frequency_range_hz = baseband.unsteadiness(front.envelope, front.rate_hz)
    return _Batch(
        front=front,
        rotor=rotor,
        lines=cage_lines(front, rotor),
        rms_a=front.current_rms_a(),
        drift=drift,
        frequency_range_hz=frequency_range_hz,
    )


def _refusal(b: _Batch, i: int) -> str:
    """Return why a recording cannot be judged, or an empty text."""
    front, motor, slip = b.front, b.front.motors[i], b.rotor.slips[i]
    rms_a, bins = float(b.rms_a[i]), float(b.lines.bins[i])
    if front.problems[i]:
        return "; ".join(front.problems[i])
    measured = front.envelope_v.shape[-1] and not front.voltage_problems[i]
    if motor.supply == "inverter" and not measured:
        return "inverter supply without voltage channels"
    rated_a = motor.rated_current_a
    if rated_a and rms_a < LOW_LOAD * rated_a:
        return f"load too low: {rms_a:.3g} A of {rated_a:g} A rated, need {LOW_LOAD:.0%}"
    if b.frequency_range_hz[i] > UNSTEADY_HZ:
        return f"not stationary: the supply moves by {b.frequency_range_hz[i]:.2f} Hz"
    if not np.isfinite(slip.value) or slip.source == "none":
        return f"slip unknown: {slip.reason}" if slip.reason else "slip unknown"
    # A guessed slip may be larger than its least: a fault can still be found, health not.
    reach = slip.value if slip.sharp else slip.high
    if reach * 2 * front.f0_hz[i] < NEEDED_BINS * b.rotor.modulation.bin_hz:
        return _too_short(b, i)
    spread = b.drift[i] * SLIP_PER_CURRENT * bins
    if spread > max(SPREAD_BINS, SPREAD_SHARE * bins):
        return f"not stationary: the current moves by {b.drift[i]:.0%} within the record"
    return ""


def _too_short(b: _Batch, i: int) -> str:
    slip, f0_hz = b.rotor.slips[i], float(b.front.f0_hz[i])
    least = slip.value if slip.sharp else slip.low
    is_ = "is" if slip.sharp else "may be as low as"
    if least * 2 * f0_hz * LONGEST_S < NEEDED_BINS:
        return (
            f"slip too small: it {is_} {least:.2%} ({slip.source}); a broken bar shows only under "
            f"load, or with a measured speed"
        )
    needed_s = NEEDED_BINS / (2 * least * f0_hz) + 2 * baseband.EDGE_S
    return (
        f"record too short: {b.front.duration_s:.3g} s; the slip {is_} {least:.2%} "
        f"({slip.source}) and needs {np.ceil(needed_s):.0f} s or more"
    )


def _verdict(b: _Batch, i: int, baseline: Baseline | None) -> Diagnosis:
    slip, x = b.rotor.slips[i], b.lines
    statistic, threshold = float(x.statistic[i]), float(x.threshold[i])
    sure = float(x.sure_dbc[i])
    at = (
        f"lines at {x.hz[i]:.2f} Hz from the supply, {x.lower_dbc[i]:.1f} dBc below and "
        f"{x.upper_dbc[i]:.1f} dBc above"
    )
    verdict = Diagnosis(
        fault=FAULT,
        state="normal",
        severity=0.0,
        confidence=_confidence_normal(slip, sure),
        statistic=round(statistic, 2),
        threshold=threshold,
        reason=(
            f"no line at 2sf above the noise; one of {sure:.0f} dBc would have been seen "
            f"(slip {slip.value:.2%}, {slip.source})"
        ),
        indicators=_indicators(b, i),
        evidence=_evidence(b, i, found=statistic > threshold),
    )
    strong = statistic > threshold and bool(x.strong[i])
    if not strong and x.bins[i] < NEEDED_BINS:
        return _abstaining(verdict, _too_short(b, i))
    if statistic <= threshold:
        return _blind(verdict, sure) if sure > DEVELOPING_DBC else verdict
    if np.isfinite(x.beside_hz[i]):
        return _covered(b, i, verdict)
    if not strong:
        if x.highest_dbc[i] > DEVELOPING_DBC:
            reason = (
                f"noise floor too high to judge {at}: in noise of {x.floor_dbc[i]:.0f} dBc they "
                f"may be a sound cage's or as strong as {x.highest_dbc[i]:.1f} dBc"
            )
            return _abstaining(verdict, reason)
        return replace(
            verdict,
            reason=f"{at}: weaker than {DEVELOPING_DBC:.0f} dBc, as of a sound cage",
            severity=_severity(float(x.level_dbc[i])),
        )
    if cause := _other_cause(b, i):
        named = ({"kind": "alternative", "cause": cause},)
        verdict = replace(verdict, evidence=verdict.evidence + named)
        return _abstaining(verdict, f"{at}: {cause}")
    return _asymmetric(b, i, baseline, verdict, at)


def _asymmetric(
    b: _Batch, i: int, baseline: Baseline | None, verdict: Diagnosis, at: str
) -> Diagnosis:
    """Return the verdict on a line as strong as that of a cage fault."""
    slip, level = b.rotor.slips[i], float(b.lines.level_dbc[i])
    margin = float(b.lines.statistic[i] / b.lines.threshold[i])
    certainty = (0.9 if slip.sharp else 0.6) * float(np.clip(margin / 2, 0.5, 1))
    others = tuple({"kind": "alternative", "cause": cause} for cause in ALTERNATIVES)
    verdict = replace(
        verdict,
        state="fault" if level >= FAULT_DBC else "warning",
        severity=_severity(level),
        confidence=round(certainty, 3),
        reason=f"rotor asymmetry: {at} (slip {slip.value:.2%}, {slip.source})",
        evidence=verdict.evidence + others,
    )
    equal = abs(b.lines.upper_dbc[i] - b.lines.lower_dbc[i]) < EQUAL_DB
    if slip.sharp and equal and _together(b, i, TOGETHER_LIKELY_RAD):
        verdict = replace(
            verdict,
            state="warning",
            confidence=round(certainty / 2, 3),
            reason=f"{verdict.reason}, or a load that oscillates there: amplitude and phase move "
            f"nearly together",
        )
    known = baseline.level(FEATURE, float(b.rms_a[i])) if baseline else None
    if known is None:
        return verdict
    change = level - known.mean
    verdict = replace(verdict, indicators={**verdict.indicators, "change_db": round(change, 2)})
    if change > max(KNOWN_CHANGE_DB, known.spread if np.isfinite(known.spread) else 0.0):
        return verdict
    was = f"{at}: as when the baseline was learnt ({known.mean:.1f} dBc)"
    if level < FAULT_DBC:
        return replace(verdict, state="normal", reason=was)
    return replace(verdict, state="warning", reason=f"rotor asymmetry: {was}")


def _other_cause(b: _Batch, i: int) -> str:
    """Return what else than the cage may make the line; empty where nothing speaks for it."""
    if b.lines.voltage_share[i] > VOLTAGE_SHARE:
        return "the voltage carries a line there too, the supply or the drive modulates the motor"
    together = "amplitude and phase move together, as a load that oscillates moves them"
    if b.rotor.slips[i].sharp:
        return together if _together(b, i, TOGETHER_SHARP_RAD) else ""
    angle = float(b.lines.together_rad[i])
    equal = b.lines.upper_dbc[i] > b.lines.lower_dbc[i] - EQUAL_DB
    if APART_RAD < angle < (TOGETHER_EQUAL_RAD if equal else TOGETHER_RAD):
        return (
            f"{together}; the slip is known from the nameplate only (a speed or the number of "
            f"rotor bars would decide)"
        )
    return ""


def _together(b: _Batch, i: int, limit_rad: float) -> bool:
    return bool(abs(b.lines.together_rad[i]) < limit_rad and b.lines.resolved[i] > RESOLVED)


def _abstaining(verdict: Diagnosis, reason: str) -> Diagnosis:
    return replace(verdict, state="unknown", severity=None, confidence=0.0, reason=reason)


def _covered(b: _Batch, i: int, verdict: Diagnosis) -> Diagnosis:
    """Return the verdict on a line that stands beside 2sf, too near to see past it."""
    level, hz = float(b.lines.level_dbc[i]), float(b.lines.beside_hz[i])
    slip = b.rotor.slips[i]
    reason = (
        f"a line at {hz:.2f} Hz from the supply, not at twice slip frequency "
        f"({2 * slip.value * b.front.f0_hz[i]:.2f} Hz by {slip.source}): the load oscillates"
    )
    if level < DEVELOPING_DBC:
        return replace(verdict, reason=reason, severity=_severity(level))
    return _abstaining(verdict, f"{reason} and covers what a fault would show")


def _blind(verdict: Diagnosis, sure_dbc: float) -> Diagnosis:
    reason = (
        f"noise floor above the level a fault would have: only a line of {sure_dbc:.0f} dBc would "
        f"have been seen, a fault begins at {DEVELOPING_DBC:.0f} dBc"
    )
    return _abstaining(verdict, reason)


def _severity(level_dbc: float) -> float:
    return round(float(np.interp(level_dbc, *SEVERITIES)), 3)


def _confidence_normal(slip: Slip, sure_dbc: float) -> float:
    room = float(np.clip((DEVELOPING_DBC - sure_dbc) / 10, 0, 1))
    return round((0.9 if slip.sharp else 0.7) * (0.5 + 0.5 * room), 3)


def _indicators(b: _Batch, i: int) -> dict[str, Value]:
    x = b.lines
    return {
        **_slip_indicators(b.rotor.slips[i]),
        "lower_sideband_dbc": round(float(x.lower_dbc[i]), 2),
        "upper_sideband_dbc": round(float(x.upper_dbc[i]), 2),
        "level_deviation_db": round(float(x.deviation_db[i]), 2),
        "floor_dbc": round(float(x.floor_dbc[i]), 2),
        "detectable_dbc": round(float(x.sure_dbc[i]), 2),
        "load_a": round(float(b.rms_a[i]), 4),
    }


def _slip_indicators(slip: Slip) -> dict[str, Value]:
    if not np.isfinite(slip.value):
        return {}
    return {
        "slip": round(slip.value, 6),
        "slip_half_width": round(slip.half, 6),
        "slip_source": slip.source,
    }


def _evidence(b: _Batch, i: int, *, found: bool) -> tuple[dict[str, Any], ...]:
    slip, f0_hz, hz = b.rotor.slips[i], float(b.front.f0_hz[i]), float(b.lines.hz[i])
    searched = {
        "kind": "searched",
        "low_hz": round(2 * slip.low * f0_hz, 3),
        "high_hz": round(2 * slip.high * f0_hz, 3),
        "from_supply_hz": round(f0_hz, 3),
        "bins": round(float(b.lines.bins[i]), 1),
    }
    line = {
        "kind": "line",
        "lower_hz": round(f0_hz - hz, 3),
        "upper_hz": round(f0_hz + hz, 3),
        "lower_dbc": round(float(b.lines.lower_dbc[i]), 2),
        "upper_dbc": round(float(b.lines.upper_dbc[i]), 2),
    }
    return (searched, line) if found else (searched,)
