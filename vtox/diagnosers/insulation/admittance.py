"""What a batch shows of its insulation to earth, beside what the baselines knew: numbers only.

`insulation` turns them into verdicts. Here is decided whether the winding as a whole or one phase
is the better evidence, and what of a change one phase explains.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vtox.arrays import Bool, Float64
from vtox.baseline import Baseline, Level
from vtox.diagnosers.current.front_end import CurrentAnalysis
from vtox.diagnosers.current.phase_pairing import between_lines
from vtox.diagnosers.current.reduction import HIGHEST_SUPPLY_HZ
from vtox.domain import VOLTAGES, Array, Motor
from vtox.dsp import earth_admittance, quality, supply_line

# A verdict needs its level this many deviations away: they rest on few frames, and the best of
# three phases is taken.
SIGMAS = 5.0
# Phases of one winding differ in capacitance by about this much, which looks like conductance of
# up to sin(60 degrees) of it.
UNEQUAL_SHARE = 0.01
# The same where the capacitance is not seen: 1 % of 30 nF at 50 Hz.
UNEQUAL_UNSEEN_S = 1e-7
# The conductance of the whole winding counts as known if 1 Mohm would show beyond doubt.
CERTAIN_S = 0.5e-6
# Capacitance moves by moisture and delamination, not within hours: beyond this is a change.
CAPACITANCE_CHANGE = 0.10
# 7 uA at 230 V and 50 Hz: the least a sensitive core-balance transformer resolves.
CAPACITANCE_FLOOR_F = 1e-10
# Baseline features: capacitance of the whole winding, and both parts of the difference between
# phases, as a conductance and a capacitance of phase a.
WHOLE = "insulation.capacitance_f"
UNEQUAL = ("insulation.unequal_s", "insulation.unequal_f")


@dataclass(frozen=True, slots=True)
class Readings:
    """Admittances to earth of a batch, arrays of shape (batch,).

    Those of the winding where its voltages show it, or of the phase that differs; `whole` tells
    whether loss in all phases would show. Conductance lies between `least_s` and `most_s`;
    `by_phase` tells whether one phase is the better evidence of it, `alone` whether one phase
    explains the change of capacitance. `change_f` is that change, NaN where nothing was learnt; it
    counts beyond `bound_f`. `found` is what explains it, phase by phase.
    """

    conductance_s: Float64
    conductance_std_s: Float64
    least_s: Float64
    most_s: Float64
    by_phase: Bool
    capacitance_f: Float64
    change_f: Float64
    bound_f: Float64
    alone: Bool
    whole: Bool
    found: earth_admittance.Explained
    omega: Float64


def residual(
    analysis: CurrentAnalysis,
) -> tuple[list[str], list[int], earth_admittance.Residual | None]:
    """Return why each recording cannot be judged, which can, and what those show.

    The reason is an empty text, and the recording among those that can, where nothing is wrong.
    """
    count, lack = len(analysis.recordings), ""
    if "leakage" not in analysis.recordings[0].channels:
        lack = "no leakage channel"
    elif len(analysis.voltages) < 3:
        lack = "no voltage: the leakage current needs va, vb and vc to earth"
    elif analysis.samples < supply_line.FRAME_S * analysis.fs_hz:
        lack = f"too short: {analysis.duration_s:.3g} s, need {supply_line.FRAME_S} s"
    if lack:
        return [lack] * count, [], None
    x = np.empty((count, 4, analysis.samples), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused as infinite
        for b, recording in enumerate(analysis.recordings):
            for c, name in enumerate(("leakage", *VOLTAGES)):
                x[b, c] = recording.channels[name]
    checked = quality.check(x[:, 0], "leakage", analysis.fs_hz)
    reasons = [
        "; ".join(r.sentence for r in v or i)
        for v, i in zip(analysis.voltage_problems, checked, strict=True)
    ]
    usable = [i for i, reason in enumerate(reasons) if not reason]
    if not usable:
        return reasons, usable, None
    x = x if len(usable) == count else x[usable]
    f0_hz = analysis.f0_hz[usable]
    for row in np.flatnonzero(~np.isfinite(f0_hz)):
        f0_hz[row] = supply_hz(x[row, 1:], analysis.fs_hz)
    return reasons, usable, earth_admittance.measured(x, analysis.fs_hz, f0_hz)


def miswired(y: earth_admittance.Residual, row: int, motor: Motor) -> str:
    """Return why current and voltages of a recording are not those to earth, or an empty text."""
    if np.isfinite(y.whole[row]):
        # What has a zero sequence is not measured between lines.
        capacitance_f = float(y.whole[row].imag / y.omega[row])
        if y.whole[row].imag > -SIGMAS * y.whole_std[row] / 3:
            return ""
        return (
            f"capacitance to earth of {capacitance_f * 1e9:.3g} nF: the leakage transformer or the "
            f"voltages are reversed"
        )
    if not motor.rated_voltage_v:
        return ""
    _, phasors = supply_line.frame_phasors(y.x[row : row + 1, 1:], y.fs_hz, y.f0_hz[row : row + 1])
    volts = float(np.median(np.abs(phasors.mean(axis=-1))) / np.sqrt(2))
    between = between_lines(volts, float(y.f0_hz[row]), motor)
    return (
        f"{between.sentence}; the leakage current needs va, vb and vc to earth" if between else ""
    )


def supply_hz(x: Array, fs_hz: float) -> float:
    """Return the supply frequency from voltages alone, shape (3, samples), Hz."""
    samples = x.shape[-1]
    spectrum = np.fft.rfft(x * np.hanning(samples))[None]
    peak, _ = supply_line.line_bin(spectrum, fs_hz / samples, min(fs_hz / 3, HIGHEST_SUPPLY_HZ))
    coarse_hz = peak * fs_hz / samples
    t_s, frames = supply_line.frame_phasors(x[None, :1], fs_hz, coarse_hz)
    if len(t_s) < 2:
        return float(coarse_hz[0])
    slope = np.polyfit(t_s, np.unwrap(np.angle(frames[0, 0])), 1)[0]
    return float(coarse_hz[0] + slope / (2 * np.pi))


def features(analysis: CurrentAnalysis) -> dict[str, Float64]:
    """Return what a baseline remembers of the insulation, NaN where it cannot be measured."""
    found = {name: np.full(len(analysis.recordings), np.nan) for name in (WHOLE, *UNEQUAL)}
    _, usable, y = residual(analysis)
    if y is not None:
        sound = [not miswired(y, row, analysis.motors[i]) for row, i in enumerate(usable)]
        found[WHOLE][usable] = np.where(sound, y.whole.imag / y.omega, np.nan)
        found[UNEQUAL[0]][usable] = np.where(sound, y.difference.real, np.nan)
        found[UNEQUAL[1]][usable] = np.where(sound, y.difference.imag / y.omega, np.nan)
    return found


def readings(y: earth_admittance.Residual, baselines: Sequence[Baseline | None]) -> Readings:
    """Return the admittances and their changes since the baselines (which know no load here)."""
    levels = [
        [None if b is None else b.any_load(name) for name in (WHOLE, *UNEQUAL)] for b in baselines
    ]
    mean, spread = (
        np.array([[part(x) for x in row] for row in levels]).T for part in (_mean, _spread)
    )
    seen = np.isfinite(y.whole)
    unequal = np.where(seen, UNEQUAL_SHARE * np.abs(y.whole.imag) / 3, UNEQUAL_UNSEEN_S)
    known_std = np.hypot(spread[1], y.omega * spread[2])
    # A baseline that scatters more than windings differ tells nothing.
    known = known_std < np.maximum(unequal, UNEQUAL_UNSEEN_S)
    before = np.where(known, mean[1] + 1j * y.omega * mean[2], 0)
    std = np.hypot(y.difference_std, np.where(known, known_std, unequal))
    change = y.difference - before
    found = earth_admittance.explained(change, std, y.turns, known)
    doubtful = known & (np.abs(change) > SIGMAS * std) & (found.possible.sum(axis=1) > 1)
    if doubtful.any():
        rows = np.flatnonzero(doubtful)
        told = np.zeros(y.turns.shape)
        told[rows] = earth_admittance.told(y, rows, found.each[rows], np.abs(before[rows]))
        found = earth_admittance.explained(change, std, y.turns, known, told)
    # A phase that leaked already when the baseline was learnt is not sound for that.
    old = earth_admittance.explained(before, unequal, y.turns, np.zeros_like(known)).conductance

    phase_s = found.conductance + np.where(old > SIGMAS * unequal, old, 0)
    margin = SIGMAS * np.stack([std, y.whole_std])
    phase_least = phase_s - margin[0]
    whole_least = np.where(seen, y.whole.real - margin[1], -np.inf)
    # Too noisy to exclude a bad winding, the whole can still prove one.
    sure = seen & (margin[1] < CERTAIN_S)
    by_phase = (phase_least > np.maximum(whole_least, 0)) | ~(sure | (whole_least > 0))

    whole_f, phase_f = y.whole.imag / y.omega, found.susceptance / y.omega
    change_f = whole_f - mean[0]
    bound_f = _bound(np.hypot(spread[0], y.whole_std / 3 / y.omega), mean[0])
    phase_bound_f = _bound(std / y.omega, np.where(seen, whole_f / 3, 0))
    # What one phase explains is its own change; what is left over is common to all three.
    one = known & (np.abs(phase_f) > phase_bound_f)
    left = np.abs(change_f - np.where(one, phase_f, 0)) > bound_f
    alone = known & ~left & (one | np.isnan(change_f))
    return Readings(
        conductance_s=np.maximum(np.where(by_phase, phase_s, y.whole.real), 0),
        conductance_std_s=np.where(by_phase, std, y.whole_std),
        least_s=np.maximum(phase_least, whole_least),
        most_s=np.maximum(phase_s + margin[0], np.where(sure, y.whole.real + margin[1], 0)),
        by_phase=by_phase,
        capacitance_f=np.where(seen, whole_f, phase_f),
        change_f=np.where(alone, phase_f, change_f),
        bound_f=np.where(alone, phase_bound_f, bound_f),
        alone=alone,
        whole=sure,
        found=found,
        omega=y.omega,
    )


def _bound(std_f: Float64, base_f: Float64) -> Float64:
    """Return the change of capacitance that counts."""
    share_f = CAPACITANCE_CHANGE * np.abs(base_f)
    return np.maximum(np.maximum(SIGMAS * std_f, share_f), CAPACITANCE_FLOOR_F)


def _mean(level: Level | None) -> float:
    return np.nan if level is None else level.mean


def _spread(level: Level | None) -> float:
    return np.nan if level is None else level.spread
