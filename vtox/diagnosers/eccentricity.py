"""Once-per-turn modulation of the current, f +- fr, against the machine's own baseline.

Nearly every healthy motor shows these lines and the load alone moves them (Faiz & Ojaghi 2009), so
only a rise above the level learnt at the same load counts. Air-gap eccentricity makes them
(Dorrell, Thomson, Roach 1997, IEEE TIA 33(1):24), and so do unbalance, misalignment and loads that
swing once a turn (Obaid 2003): they are named, not told apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from vtox.baseline import Baseline, Level
from vtox.diagnosers.frontend import Front
from vtox.diagnosers.rotor import Rotor, rotor_view
from vtox.domain import Diagnosis, Value, unknown
from vtox.dsp import baseband, lines

Floats = npt.NDArray[np.float64]

FAULT = "eccentricity"
FEATURE = "eccentricity.rotor_dbc"
SUPPLY_FEATURE = "eccentricity.supply_hz"
# Power over floor of a line; on noise alone 99.9 % of records of 1 s stay below 15 to 25.
THRESHOLD = 22.0
# Twice and four times the amplitude learnt; never less than the baseline's own scatter allows.
WARNING_DB = 6.0
FAULT_DB = 12.0
SCATTER = 3.1
# A baseline whose scatter asks for more than this cannot decide.
BLIND_DB = 12.0
SEVERITIES = ((0.0, 6.0, 12.0, 24.0), (0.0, 0.3, 0.6, 1.0))
UNSTEADY = 0.25
# Of two-pole motors the lines fall near 0 Hz and twice the supply: s*f must be this many bins.
TWO_POLE_BINS = 5.0
SAME_SPEED = 0.05
ALTERNATIVES = (
    "unbalance of the rotor or what it drives",
    "misalignment of the coupling",
    "load that swings once a turn",
)


@dataclass(frozen=True, slots=True)
class _Found:
    line: lines.Line
    level_dbc: Floats  # power of both sidebands over the supply line
    floor_dbc: Floats
    lower_dbc: Floats
    upper_dbc: Floats
    drift: Floats


def diagnose(
    front: Front, baselines: Sequence[Baseline | None], *, rotor: Rotor | None = None
) -> list[Diagnosis]:
    """Return one diagnosis of the once-per-turn modulation per recording."""
    rotor = rotor or rotor_view(front)
    if rotor is None:
        return [unknown(FAULT, "; ".join(p) or "too short") for p in front.problems]
    found = _find(front, rotor)
    rms_a = front.current_rms_a()
    return [
        unknown(FAULT, reason)
        if (reason := _refusal(front, rotor, found, i))
        else _verdict(front, rotor, found, i, float(rms_a[i]), baselines[i])
        for i in range(len(front.recordings))
    ]


def features(front: Front, *, rotor: Rotor | None = None) -> dict[str, Floats]:
    """Return level of the lines (dBc) and supply frequency per recording, NaN where not shown."""
    rotor = rotor or rotor_view(front)
    if rotor is None:
        none = np.full(len(front.recordings), np.nan)
        return {FEATURE: none, SUPPLY_FEATURE: none}
    found = _find(front, rotor)
    refused = [bool(_refusal(front, rotor, found, i)) for i in range(len(front.recordings))]
    return {
        FEATURE: np.where(refused, np.nan, found.level_dbc),
        SUPPLY_FEATURE: np.where(refused, np.nan, front.f0_hz),
    }


def _find(front: Front, rotor: Rotor) -> _Found:
    """Return the strongest line at fr within the slip interval of each recording."""
    m = rotor.modulation
    pairs = np.array([p or np.nan for p in rotor.pole_pairs])
    slow = np.array([s.high for s in rotor.slips])
    fast = np.array([s.low for s in rotor.slips])
    rotation = front.f0_hz / pairs
    line = lines.strongest(
        m, rotation * (1 - slow) - m.bin_hz / 4, rotation * (1 - fast) + m.bin_hz / 4
    )
    lower, upper = m.sidebands(line.index)
    drift, _ = baseband.unsteadiness(front.envelope, front.rate_hz)
    return _Found(
        line=line,
        level_dbc=_db(lower**2 + upper**2),
        floor_dbc=_db(2 * (line.am_floor + line.pm_floor)),
        lower_dbc=_db(lower**2),
        upper_dbc=_db(upper**2),
        drift=drift,
    )


def _refusal(front: Front, rotor: Rotor, found: _Found, i: int) -> str:
    """Return why a recording does not show the lines, or an empty text."""
    slip = rotor.slips[i]
    if front.problems[i]:
        return "; ".join(front.problems[i])
    if not np.isfinite(slip.value) or slip.source == "none":
        return f"slip unknown: {slip.reason}" if slip.reason else "slip unknown"
    if rotor.pole_pairs[i] == 1:
        bins = slip.low * front.f0_hz[i] / rotor.modulation.bin_hz
        if bins < TWO_POLE_BINS:
            needed_s = front.duration_s * TWO_POLE_BINS / max(bins, 1e-3)
            return (
                "two-pole motor: at this slip the lines fall on 0 Hz and twice the supply; a "
                f"record of {needed_s:.0f} s would part them"
            )
    if found.drift[i] > UNSTEADY:
        return f"not stationary: the current moves by {found.drift[i]:.0%} within the record"
    return ""


def _verdict(
    front: Front, rotor: Rotor, found: _Found, i: int, rms_a: float, baseline: Baseline | None
) -> Diagnosis:
    slip, hz = rotor.slips[i], float(found.line.hz[i])
    f0_hz, level = float(front.f0_hz[i]), float(found.level_dbc[i])
    indicators: dict[str, Value] = {
        "rotor_dbc": round(level, 2),
        "floor_dbc": round(float(found.floor_dbc[i]), 2),
        "rotor_hz": round(hz, 3),
        "slip": round(slip.value, 6),
        "slip_source": slip.source,
        "load_a": round(rms_a, 4),
    }
    known, why = _known(baseline, rms_a, f0_hz)
    if known is None:
        reason = f"{why}: most sound motors show lines at f+-fr, only a rise tells"
        return unknown(FAULT, reason, **indicators)
    change = level - known.mean
    spread = SCATTER * known.spread
    if spread > BLIND_DB:
        return unknown(
            FAULT,
            f"baseline too small or too scattered: {known.n} records at this load leave "
            f"{min(spread, 99.0):.0f} dB open",
            **indicators,
        )
    evidence: tuple[dict[str, Any], ...] = (
        {
            "kind": "line",
            "lower_hz": round(f0_hz - hz, 3),
            "upper_hz": round(f0_hz + hz, 3),
            "lower_dbc": round(float(found.lower_dbc[i]), 2),
            "upper_dbc": round(float(found.upper_dbc[i]), 2),
            "baseline_dbc": round(known.mean, 2),
        },
    )
    limit = max(WARNING_DB, spread)
    verdict = Diagnosis(
        fault=FAULT,
        state="normal",
        severity=round(float(np.interp(change, *SEVERITIES)), 3),
        confidence=round(0.8 * float(np.clip(1 - change / limit / 2, 0.5, 1)), 3),
        statistic=round(change, 2),
        threshold=round(limit, 2),
        reason=f"once-per-turn modulation {change:+.1f} dB against the baseline at this load",
        indicators={**indicators, "change_db": round(change, 2)},
        evidence=evidence,
    )
    if change < limit:
        return verdict
    if found.line.statistic[i] < THRESHOLD:
        return replace(
            verdict,
            state="unknown",
            severity=None,
            confidence=0.0,
            reason=(
                f"noise floor above the level to be compared: {found.floor_dbc[i]:.0f} dBc against "
                f"{known.mean:.0f} dBc in the baseline"
            ),
        )
    causes = tuple({"kind": "alternative", "cause": c} for c in ALTERNATIVES)
    return replace(
        verdict,
        state="fault" if change >= limit + FAULT_DB - WARNING_DB else "warning",
        confidence=round(0.8 * float(np.clip(change / limit / 2, 0.5, 1)), 3),
        reason=(
            f"once-per-turn modulation {change:+.1f} dB against the baseline at this load "
            f"({level:.1f} dBc at {hz:.2f} Hz): eccentricity, unbalance, misalignment or a load "
            f"that swings once a turn"
        ),
        evidence=evidence + causes,
    )


def _known(baseline: Baseline | None, rms_a: float, f0_hz: float) -> tuple[Level | None, str]:
    """Return the healthy level at this load and speed, or None and why there is none."""
    if baseline is None:
        return None, "no baseline"
    level = baseline.level(FEATURE, rms_a)
    if level is None:
        return None, baseline.state(FEATURE, rms_a)
    supply = baseline.level(SUPPLY_FEATURE, rms_a)
    if supply is not None and abs(f0_hz / supply.mean - 1) > SAME_SPEED:
        return None, f"no baseline at this speed: learnt at {supply.mean:.1f} Hz"
    return level, ""


def _db(power: Any) -> Floats:
    return np.asarray(10 * np.log10(np.maximum(power, 1e-24)), np.float64)
