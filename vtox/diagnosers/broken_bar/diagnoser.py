"""Broken rotor bars and end rings, from the lines they put at 2sf from the supply line.

Amplitude and phase modulation of the current are searched at 2sf within what is known of the slip
(`cage`); a line must stand out of the floor around it, must not be what a load can make, and is
then judged by its level below the supply line.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vtox.arrays import Float64
from vtox.baseline import RISE_DB, Baseline
from vtox.diagnosers.broken_bar import reasons as words
from vtox.diagnosers.broken_bar.sidebands import FROM_LOAD, NEEDED_BINS, CageLines, cage_lines
from vtox.diagnosers.current.front_end import CurrentAnalysis
from vtox.diagnosers.current.slip import Slip, SlipAnalysis, analyse_slip, unseen
from vtox.domain import Diagnosis, unknown
from vtox.dsp import demodulation, modulation_spectrum

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
# A voltage line of this share of the current's is taken for the cause; a cage that modulates the
# current moves the voltage by the supply's impedance, a few per cent.
VOLTAGE_SHARE = 0.25
LOAD = "load oscillation at twice slip frequency"
SUPPLY = "supply that flickers, or an interharmonic of it, at twice slip frequency"
ALTERNATIVES = (LOAD, "axial ducts or inter-bar currents of a sound cage")


@dataclass(frozen=True, slots=True)
class _Batch:
    """What is known of a batch: lines, slips, current, and how steady it was."""

    analysis: CurrentAnalysis
    rotor: SlipAnalysis
    lines: CageLines
    rms_a: Float64
    drift: Float64  # relative range of the current's amplitude
    frequency_range_hz: Float64


def diagnose(
    analysis: CurrentAnalysis,
    baselines: Sequence[Baseline | None],
    *,
    rotor: SlipAnalysis | None = None,
) -> list[Diagnosis]:
    """Return one diagnosis of the rotor cage per recording."""
    rotor = rotor or analyse_slip(analysis)
    if rotor is None:
        return unseen(analysis, FAULT)
    batch = _batch(analysis, rotor)
    return [
        unknown(FAULT, reason, **words.slip_indicators(rotor.slips[i]))
        if (reason := _refusal(batch, i))
        else _verdict(batch, i, baselines[i])
        for i in range(len(analysis.recordings))
    ]


def features(analysis: CurrentAnalysis, *, rotor: SlipAnalysis | None = None) -> dict[str, Float64]:
    """Return the level of the sidebands in dBc per recording, NaN where it is not shown."""
    rotor = rotor or analyse_slip(analysis)
    if rotor is None:
        return {FEATURE: np.full(len(analysis.recordings), np.nan)}
    batch = _batch(analysis, rotor)
    shown = [
        not _refusal(batch, i) and batch.lines.bins[i] >= NEEDED_BINS
        for i in range(len(analysis.recordings))
    ]
    return {FEATURE: np.where(shown, batch.lines.level_dbc, np.nan)}


def _batch(analysis: CurrentAnalysis, rotor: SlipAnalysis) -> _Batch:
    drift, frequency_range_hz = demodulation.unsteadiness(analysis.envelope, analysis.rate_hz)
    return _Batch(
        analysis=analysis,
        rotor=rotor,
        lines=cage_lines(analysis, rotor),
        rms_a=analysis.current_rms_a(),
        drift=drift,
        frequency_range_hz=frequency_range_hz,
    )


def _refusal(b: _Batch, i: int) -> str:
    """Return why a recording cannot be judged, or an empty text."""
    analysis, motor, slip = b.analysis, b.analysis.motors[i], b.rotor.slips[i]
    rms_a, bins = float(b.rms_a[i]), float(b.lines.bins[i])
    if analysis.problems[i]:
        return "; ".join(p.sentence for p in analysis.problems[i])
    if motor.supply == "inverter" and not _measured(analysis, i):
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
    if reach * 2 * analysis.f0_hz[i] < NEEDED_BINS * b.rotor.modulation.bin_hz:
        return words.too_short(slip, float(analysis.f0_hz[i]), analysis.duration_s)
    spread = b.drift[i] * SLIP_PER_CURRENT * bins
    if spread > max(SPREAD_BINS, SPREAD_SHARE * bins):
        return f"not stationary: the current moves by {b.drift[i]:.0%} within the record"
    return ""


def _measured(analysis: CurrentAnalysis, i: int) -> bool:
    return bool(analysis.envelope_v.shape[-1]) and not analysis.voltage_problems[i]


def _verdict(b: _Batch, i: int, baseline: Baseline | None) -> Diagnosis:
    verdict, x = _by_slip(b, i, baseline), b.lines
    apart = (
        abs(x.elsewhere_hz[i] - x.hz[i]) > modulation_spectrum.LINE_BINS * b.rotor.modulation.bin_hz
    )
    other = apart or np.isfinite(x.beside_hz[i])
    if verdict.state == "normal" and other and x.elsewhere_dbc[i] >= DEVELOPING_DBC:
        # Nameplates and speeds are wrong, supplies high: they do not make another line harmless.
        return _abstaining(verdict, words.elsewhere(x, i, b.rotor.slips[i], b.analysis.f0_hz[i]))
    return verdict


def _by_slip(b: _Batch, i: int, baseline: Baseline | None) -> Diagnosis:
    """Return the verdict if the slip is what it is believed to be."""
    slip, f0_hz, x = b.rotor.slips[i], float(b.analysis.f0_hz[i]), b.lines
    sure, level, found = float(x.sure_dbc[i]), float(x.level_dbc[i]), words.lines_at(x, i)
    normal = Diagnosis(
        fault=FAULT,
        state="normal",
        severity=0.0,
        confidence=_confidence_normal(slip, sure),
        statistic=round(float(x.margin[i]), 4),
        threshold=1.0,
        reason=(
            f"no line at 2sf above the noise; one of {sure:.0f} dBc would have been seen "
            f"(slip {slip.value:.2%}, {slip.source})"
        ),
        indicators=words.indicators(x, i, slip, float(b.rms_a[i])),
        evidence=words.evidence(x, i, slip, f0_hz),
    )
    line = x.statistic[i] > x.threshold[i]
    strong = x.margin[i] > 1
    if not strong and x.bins[i] < NEEDED_BINS:
        return _abstaining(normal, words.too_short(slip, f0_hz, b.analysis.duration_s))
    if not line and sure > DEVELOPING_DBC:
        return _abstaining(
            normal,
            f"noise floor above the level a fault would have: only a line of {sure:.0f} dBc "
            f"would have been seen, a fault begins at {DEVELOPING_DBC:.0f} dBc",
        )
    if not line:
        return normal
    if np.isfinite(x.beside_hz[i]):
        reason = words.beside(x, i, slip, f0_hz)
        if level >= DEVELOPING_DBC:
            return _abstaining(normal, f"{reason} and covers what a fault would show")
        # Decided by where the line stands, not by how strong it is.
        return replace(normal, reason=reason, statistic=None, threshold=None)
    if not strong and x.highest_dbc[i] > DEVELOPING_DBC:
        return _abstaining(
            normal,
            f"noise floor too high to judge {found}: in noise of {x.floor_dbc[i]:.0f} dBc they may "
            f"be a sound cage's or as strong as {x.highest_dbc[i]:.1f} dBc",
        )
    if not strong:
        reason = f"{found}: weaker than {DEVELOPING_DBC:.0f} dBc, as of a sound cage"
        return replace(normal, reason=reason)
    if x.voltage_share[i] > VOLTAGE_SHARE:
        cause = "the voltage carries a line there too, the supply or the drive modulates the motor"
        return _abstaining(normal, f"{found}: {cause}", cause)
    if x.from_load[i] < FROM_LOAD:
        return _abstaining(normal, words.as_a_load(x, i, slip), LOAD)
    return _asymmetric(b, i, baseline, normal, found)


def _asymmetric(
    b: _Batch, i: int, baseline: Baseline | None, normal: Diagnosis, found: str
) -> Diagnosis:
    """Return the verdict on a line as strong as that of a cage fault."""
    slip, level = b.rotor.slips[i], float(b.lines.level_dbc[i])
    margin = float(b.lines.statistic[i] / b.lines.threshold[i])
    causes = ALTERNATIVES if _measured(b.analysis, i) else (*ALTERNATIVES, SUPPLY)
    verdict = replace(
        normal,
        state="fault" if level >= FAULT_DBC else "warning",
        severity=_severity(level),
        confidence=round((0.9 if slip.sharp else 0.6) * float(np.clip(margin / 2, 0.5, 1)), 3),
        reason=f"rotor asymmetry: {found} (slip {slip.value:.2%}, {slip.source})",
        evidence=normal.evidence + tuple(map(_alternative, causes)),
    )
    known = baseline.level(FEATURE, float(b.rms_a[i])) if baseline else None
    if known is None:
        return verdict
    change = level - known.mean
    verdict = replace(verdict, indicators={**verdict.indicators, "change_db": round(change, 2)})
    limit = max(RISE_DB, known.spread if np.isfinite(known.spread) else 0.0)
    if change > limit:
        return verdict
    was = f"{found}: as when the baseline was learnt ({known.mean:.1f} dBc)"
    if level < FAULT_DBC:
        margin = round(max(change, 0.0) / limit, 4)
        return replace(verdict, state="normal", severity=0.0, reason=was, statistic=margin)
    return replace(verdict, state="warning", reason=f"rotor asymmetry: {was}")


def _abstaining(verdict: Diagnosis, reason: str, *causes: str) -> Diagnosis:
    return replace(
        verdict,
        state="unknown",
        severity=None,
        confidence=0.0,
        reason=reason,
        evidence=verdict.evidence + tuple(_alternative(cause) for cause in causes),
    )


def _alternative(cause: str) -> dict[str, str]:
    return {"kind": "alternative", "cause": cause}


def _severity(level_dbc: float) -> float:
    return round(float(np.interp(level_dbc, *SEVERITIES)), 3)


def _confidence_normal(slip: Slip, sure_dbc: float) -> float:
    room = float(np.clip((DEVELOPING_DBC - sure_dbc) / 10, 0, 1))
    return round((0.9 if slip.sharp else 0.7) * (0.5 + 0.5 * room), 3)
