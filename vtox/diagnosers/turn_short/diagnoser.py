"""Shorted turns of the stator winding, from the negative-sequence current a healthy machine lacks.

I2 is corrected by the measured voltage and by the machine's baseline (`asymmetry`); what remains is
tested frame by frame, so a short that comes and goes within a record is seen as an episode.
Kliman, Premerlani, Koegl, Hoeweler 1996 (IAS:687); Lee, Tallam, Habetler 2003 (TPEL 18(3):865).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
import numpy.typing as npt

from vtox.arrays import Complex, Float64
from vtox.baseline import Asymmetry, Baseline
from vtox.diagnosers.current.front_end import CurrentAnalysis
from vtox.diagnosers.turn_short import applicability
from vtox.diagnosers.turn_short import causes as suspects
from vtox.diagnosers.turn_short import reasons as words
from vtox.diagnosers.turn_short.asymmetry_model import (
    SUPPLY_LIMIT,
    SUPPLY_WORST,
    Sequences,
    expected,
)
from vtox.diagnosers.turn_short.episodes import episodes, span
from vtox.domain import Diagnosis, Value, unknown

FAULT = "turn_short"
# Chi-square with two degrees of freedom at 1e-4 a frame: a record of 1 s holds five independent
# ones, so at most 1e-3 of healthy records reach it.
T2_LIMIT = 18.4
# Least corrected |I2|/I1 worth a word, by what is known of the machine: 3 % for a developing short,
# 8 % for a severe one (a scale of our own, no standard has one), less where little else makes it.
LEAST = {
    "voltage and baseline": 0.0075,
    "currents and baseline": 0.03,
    "voltage, no baseline": 0.03,
    "currents, no baseline": 0.08,
}
CONFIDENCE = {
    "voltage and baseline": 0.95,
    "currents and baseline": 0.6,
    "voltage, no baseline": 0.7,
    "currents, no baseline": 0.3,
}
SEVERE = 0.08
# `normal` must exclude what would be called developing; a limit above this cannot.
BLIND_ABOVE = 0.05
# A change must hold for most of 5 frames (0.2 s each, 0.05 s apart) to count.
SUSTAINED = 5
SEVERITIES = ((0.0, 0.01, 0.03, 0.08, 0.25), (0.0, 0.15, 0.35, 0.65, 1.0))


@dataclass(frozen=True, slots=True)
class _Judged:
    """The whole batch, frame by frame: I2/I1 beyond a healthy machine's, and its limit.

    Arrays of shape (batch, frames).
    """

    sequences: Sequences
    residual: Complex
    smooth: Complex
    limit: Float64  # of |smooth|
    raw: Float64  # |I2|/I1
    # Per recording: medians of `raw` and `limit`, the limit if it were as steady as the model says,
    # the load in A rms, what a supply within the standard draws where voltage was not used, and of
    # the frame farthest over its limit |smooth|, limit, deviation and the first over the second,
    # shape (batch, 4).
    raw_median: Float64
    limit_median: Float64
    limit_steady: Float64
    load_a: Float64
    supply: Float64
    worst: Float64


def diagnose(analysis: CurrentAnalysis, baselines: Sequence[Baseline | None]) -> list[Diagnosis]:
    """Return one diagnosis of the turn insulation per recording."""
    refusals = applicability.refusals(analysis)
    if all(refusals):
        return [unknown(FAULT, reason) for reason in refusals]
    s = applicability.sequences(analysis)
    models, known = applicability.models(analysis, s, baselines)
    judged = _judge(s, models, known, np.array([bool(p) for p in analysis.pairing_problems]))
    return [
        unknown(FAULT, refusal)
        if refusal
        else _verdict(analysis, judged, i, models[i], known[i], baselines[i])
        for i, refusal in enumerate(refusals)
    ]


def _judge(
    s: Sequences,
    models: Sequence[Asymmetry],
    known: Sequence[str],
    unpaired: npt.NDArray[np.bool_],
) -> _Judged:
    mean, std = expected(models, s)
    residual = s.i2 / s.i1 - mean
    noise = np.maximum(_scatter(residual), [m.noise for m in models])
    # A median of five overlapping frames averages about 1.5 independent ones.
    frames = residual.shape[-1]
    gain = 1.5 if frames >= SUSTAINED else 1.0
    believed = np.array([[m.noise] for m in models])
    steady = sqrt(T2_LIMIT) * np.median(np.sqrt(std**2 + believed**2 / gain), axis=-1)
    std = np.sqrt(std**2 + noise[:, None] ** 2 / gain)
    least = np.array([[LEAST[k]] for k in known])
    limit = np.maximum(sqrt(T2_LIMIT) * std, least)
    load_a = np.abs(s.i1).mean(axis=-1) / sqrt(2)
    supply = np.array([0.0 if k.startswith("voltage") else SUPPLY_WORST for k in known])
    supply *= np.array([m.base_a for m in models]) / load_a
    # A baseline that leaves so much open has seen the supply move: it may move farther.
    blind = np.median(limit, axis=-1) > BLIND_ABOVE
    limit = np.maximum(limit, np.where(blind, supply, 0)[:, None])
    if s.v1 is not None and s.v2 is not None and unpaired.any():
        # Whatever its phases are called, no supply draws more than its own unbalance does, nor
        # is more of what was learnt gone than all of it.
        share = np.median(np.abs(s.v2) / np.abs(s.v1), axis=-1) / SUPPLY_LIMIT
        moved = (supply * share)[:, None] + np.abs(mean)
        limit = np.maximum(limit, np.where(unpaired[:, None], moved, 0))
    smooth = _running_median(residual)
    i1, size = np.abs(s.i1), np.abs(smooth)
    raw, over = np.abs(s.i2) / i1, size / limit
    worst = np.argmax(over, axis=-1)[:, None]
    return _Judged(
        sequences=s,
        residual=residual,
        smooth=smooth,
        limit=limit,
        raw=raw,
        raw_median=np.median(raw, axis=-1),
        limit_median=np.median(limit, axis=-1),
        limit_steady=steady,
        load_a=load_a,
        supply=supply,
        worst=np.concatenate(
            [np.take_along_axis(x, worst, axis=-1) for x in (size, limit, std, over)], axis=-1
        ),
    )


def _scatter(residual: Complex) -> Float64:
    """Return the deviation of one frame, per part, from frames that share no samples.

    The median of |difference| is immune to the few that straddle a switching; Rayleigh: 1.177 s.
    """
    if residual.shape[-1] < 12:
        return np.zeros(len(residual))
    steps = np.abs(residual[:, 4:] - residual[:, :-4])
    return np.asarray(np.median(steps, axis=-1) / (1.1774 * sqrt(2)), np.float64)


def _running_median(x: Complex) -> Complex:
    """Return the median of real and imaginary part over `SUSTAINED` frames; it keeps edges."""
    frames = x.shape[-1]
    if frames < SUSTAINED:
        return np.broadcast_to(_median(x)[:, None], x.shape)
    half = SUSTAINED // 2
    padded = np.pad(x, ((0, 0), (half, half)), mode="reflect")
    near = np.lib.stride_tricks.sliding_window_view(padded, SUSTAINED, axis=-1)
    # The middle of a sorted handful: a third of the time of np.median.
    middle = [np.sort(part, axis=-1)[..., half] for part in (near.real, near.imag)]
    return np.asarray(middle[0] + 1j * middle[1])


def _median(x: Complex) -> Complex:
    return np.asarray(np.median(x.real, axis=-1) + 1j * np.median(x.imag, axis=-1))


def _verdict(
    analysis: CurrentAnalysis,
    judged: _Judged,
    i: int,
    model: Asymmetry,
    basis: str,
    baseline: Baseline | None,
) -> Diagnosis:
    corrected, limit, std, over = judged.worst[i].tolist()
    indicators: dict[str, Value] = {
        "negative_sequence_ratio": round(float(judged.raw_median[i]), 5),
        "corrected_ratio": round(corrected, 5),
        "limit_ratio": round(limit, 5),
        "load_a": round(float(judged.load_a[i]), 4),
        "basis": basis,
    }
    if analysis.turned_deg[i]:
        indicators["voltages_turned_deg"] = int(analysis.turned_deg[i])
    verdict = Diagnosis(
        fault=FAULT,
        state="normal",
        severity=0.0,
        confidence=round(CONFIDENCE[basis] * (1 - 0.5 * min(1.0, over) ** 2), 3),
        statistic=round((corrected / std) ** 2, 3),
        threshold=round((limit / std) ** 2, 3),
        reason=(
            f"negative-sequence current within {corrected:.1%} of I1 of a healthy machine's "
            f"(limit {limit:.1%}; {basis})" + words.unpaired(analysis, i)
        ),
        indicators=indicators,
    )
    if over > 1:
        return _asymmetric(analysis, judged, i, model, basis, verdict)
    if judged.limit_median[i] > BLIND_ABOVE:
        motor = analysis.motors[i]
        rated = bool(motor.rated_current_a or (motor.rated_power_w and motor.rated_voltage_v))
        apart = analysis.pairing_problems[i]
        reason = (
            apart.sentence
            if apart
            else words.blind(
                basis,
                words.lacking(analysis, i, baseline),
                float(judged.raw_median[i]),
                limit,
                rated=rated,
            )
        )
        if judged.limit_steady[i] <= BLIND_ABOVE and not analysis.pairing_problems[i]:
            reason = (
                f"not stationary: the negative-sequence current moves within the record, which "
                f"leaves {limit:.0%} of I1 open ({basis})"
            )
        return replace(verdict, state="unknown", reason=reason, severity=None, confidence=0.0)
    return verdict


def _asymmetric(
    analysis: CurrentAnalysis,
    judged: _Judged,
    i: int,
    model: Asymmetry,
    basis: str,
    verdict: Diagnosis,
) -> Diagnosis:
    """Return the verdict on a recording in which some frames are over the limit."""
    smooth = np.abs(judged.smooth[i])
    found = smooth > judged.limit[i]
    severe = found & (smooth >= 0.7 * smooth[found].max())
    quiet = ~found if np.count_nonzero(~found) >= SUSTAINED else np.zeros_like(found)
    runs = episodes(
        analysis.frame_t_s,
        smooth,
        found,
        _fault_above(basis),
        analysis.duration_s,
    )
    during = "" if found.all() else f", {span(runs)}"
    clue = suspects.Clue.of(judged.sequences, judged.residual, i, severe, quiet, model)
    clamp = suspects.clamp(clue)
    if clamp is not None:
        name = analysis.phase_name(i, clamp.phase)
        reason = (
            f"the three currents no longer add up{during}: the clamp of phase {name} reads "
            f"{clamp.gain:+.1%}, or current flows to earth"
        )
        evidence = ({"kind": "alternative", "cause": "clamp or earth current", "phase": name},)
        return replace(
            verdict,
            state="unknown",
            reason=reason,
            severity=None,
            confidence=0.0,
            evidence=evidence,
        )
    phase = analysis.phase_name(i, suspects.phase(clue, analysis.motors[i]))
    size = float(np.median(smooth[severe]))
    margin = size / float(judged.limit[i][severe].mean())
    measured = basis.startswith("voltage")
    named = "turn short" if measured else "asymmetry (turn short, supply or joint)"
    causes = [
        (c.cause, "" if c.phase is None else analysis.phase_name(i, c.phase))
        for c in suspects.alternatives(clue, model, measured=measured)
    ]
    # What voltage and baseline leave open is said with the verdict, not only in the evidence.
    other = "".join(f", or {cause}, phase {at}" for cause, at in causes if measured and at)
    return replace(
        verdict,
        state="fault" if any(e["state"] == "fault" for e in runs) else "warning",
        severity=round(float(np.interp(size, *SEVERITIES)), 3),
        confidence=round(CONFIDENCE[basis] * float(np.clip(margin / 2, 0.5, 1)), 3),
        reason=(
            f"{named}, phase {phase}{other}: negative-sequence current {size:.1%} of I1 beyond a "
            f"healthy machine's{during} ({basis})" + words.unpaired(analysis, i)
        ),
        indicators={
            **verdict.indicators,
            "negative_sequence_ratio": round(float(np.median(judged.raw[i][found])), 5),
            "phase": phase,
        },
        evidence=(
            *runs,
            *(
                {"kind": "alternative", "cause": cause} | ({"phase": at} if at else {})
                for cause, at in causes
            ),
        ),
    )


def _fault_above(basis: str) -> float:
    """Return the corrected ratio from which the state is `fault`.

    Without voltage a supply beyond the standard, a loose fuse or a joint looks the same, however
    strong: a warning, and its severity says how strong.
    """
    return SEVERE if basis.startswith("voltage") else np.inf
