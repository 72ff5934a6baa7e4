"""What healthy recordings teach of a machine's negative-sequence current (`asymmetry`)."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from vtox.arrays import Complex
from vtox.baseline import Asymmetry
from vtox.diagnosers.turn_short.asymmetry_model import (
    Sequences,
    model_of,
    prior,
    regressors,
    same_frequency,
    shared,
)
from vtox.domain import Motor

# What was believed before counts for as many recordings, and the least scatter of a frame believed.
SESSION_PRIOR_N = 4
NOISE_FLOOR = 0.0003
# Frames overlap by three quarters of their length; every second one is nearly independent.
STRIDE = 2
# V2 of one frame is noisier than it moves from frame to frame: it enters as means over so many.
BLOCK = 50


def joined(parts: Sequence[Sequences]) -> list[Sequences]:
    """Return the frames of several pieces of one recording, by supply frequency.

    A drive may change its own within a recording. Voltage only if all pieces of one have it.
    """
    groups: list[list[Sequences]] = []
    for part in parts:
        for group in groups:
            if same_frequency(part.hz, group[0].hz):
                group.append(part)
                break
        else:
            groups.append([part])
    return [_end_to_end(group) for group in groups]


def fit(recordings: Sequence[Sequences], motor: Motor | None) -> Asymmetry | None:
    """Return the healthy asymmetry of a machine, the prior sharpened by its healthy recordings.

    Bayesian complex linear regression (Bishop 2006, *Pattern Recognition and Machine Learning*,
    3.3) of the relation Lee, Tallam and Habetler 2003 (TPEL 18(3):865) use, I2 = Y22 V2 + Y21 V1,
    with a term proportional to I1 for clamps and one of each recording's own (`_posterior`). What
    the recordings do not show (a supply whose unbalance never moved says nothing of Y22) keeps its
    prior uncertainty, which then widens the threshold instead of raising alarms.

    Voltage is used only if every recording has it. Of several supply frequencies the one of most
    frames is learnt. None where there is no frame to learn from.
    """
    used = _of_one_frequency([r for r in recordings if len(r.i1)])
    if not used:
        return None
    measured = all(r.v1 is not None for r in used)
    loads = np.concatenate([np.abs(r.i1) for r in used]) / sqrt(2)
    volts = (
        float(np.concatenate([np.abs(r.v1) for r in used if r.v1 is not None]).mean() / sqrt(2))
        if measured
        else None
    )
    start = prior(motor, float(loads.mean()), volts)
    base = start.base_a, start.base_v
    scale = np.array(base[0]), np.array(np.nan if base[1] is None else base[1])
    x = [regressors(r, *scale)[::STRIDE] for r in used]
    y = [(r.i2 / r.i1)[::STRIDE] for r in used]
    noise = start.noise
    # Recordings of a baseline lie minutes apart as a rule and share one state of the supply: what
    # is judged later is as far from their mean as from one of them, half of the variance each.
    # What of theirs the regression takes as averaged out is added again.
    # Where voltage is measured clamps hung anew set them apart, as much while learning as later.
    apart = start.session if measured else start.session / sqrt(2)
    session = start.session if measured else sqrt(start.session**2 - apart**2 / len(used))
    mean, covariance = np.array(start.mean), np.array(start.covariance)
    for _ in range(2):  # the second pass weighs the frames by the scatter the first one found
        mean, covariance = _posterior(start, x, y, noise, apart)
        noise = _scatter([v - r @ mean for r, v in zip(x, y, strict=True)], start.noise)
    misfits = np.array([(v - r @ mean).mean() for r, v in zip(x, y, strict=True)])
    return model_of(
        mean,
        covariance,
        noise=noise,
        session=_session(misfits, session),
        base=base,
        span=(float(loads.min()), float(loads.max())),
        residual=complex(np.mean([(r.i0 / r.i1).mean() for r in used])),
        counts=(sum(map(len, y)), len(used)),
        supply_hz=_mean_hz(used),
    )


def _end_to_end(parts: Sequence[Sequences]) -> Sequences:
    names = ("i1", "i2", "i0", "v1", "v2")
    columns = [[getattr(p, name) for p in parts] for name in names]
    i1, i2, i0, v1, v2 = (None if any(x is None for x in c) else np.concatenate(c) for c in columns)
    return Sequences(i1, i2, i0, v1, v2, _mean_hz(parts))  # type: ignore[arg-type]


def _of_one_frequency(recordings: Sequence[Sequences]) -> list[Sequences]:
    groups = [[r for r in recordings if same_frequency(r.hz, q.hz)] for q in recordings]
    return max(groups, key=lambda g: sum(len(r.i1) for r in g), default=[])


def _mean_hz(recordings: Sequence[Sequences]) -> float | None:
    hz = [r.hz for r in recordings if r.hz]
    return round(float(np.mean(hz)), 4) if hz else None


def _averaged(x: Complex) -> tuple[Complex, float]:
    """Return the rows of a recording, V2 averaged over blocks, and what its noise still adds.

    Noise in a regressor pulls its coefficient to zero, and many frames make that wrong value look
    certain: a supply whose unbalance stood still while the baseline was learnt then alarms when it
    moves by 0.1 %. What noise adds to the sum of squares is known from the scatter and taken off
    again (Fuller 1987, *Measurement Error Models*, 1.2).
    """
    blocks = [b.copy() for b in np.array_split(x, max(1, len(x) // BLOCK))]
    error = 0.0
    for b in blocks:
        steady = (b[:, 0] / b[:, 1]).mean() * b[:, 1]
        if len(b) > 1:
            error += float((b[:, 0] - steady).var(ddof=1))
        b[:, 0] = steady
    return np.concatenate(blocks), error


def _posterior(
    start: Asymmetry, x: Sequence[Complex], y: Sequence[Complex], noise: float, apart: float
) -> tuple[Complex, Complex]:
    """Return mean and covariance from the frames of each recording, `x` (frames, 3), `y` (frames,).

    The frames of one recording share what sets it `apart` (one deviation, per part): noise^2 I +
    apart^2 u u' is their covariance, inverted by Sherman and Morrison 1950 (Ann. Math. Stat.
    21:124). Taken for independent, they would trace every difference between the recordings to
    y21 and c, and be certain of it at loads where nothing was learnt.
    """
    precision = np.linalg.inv(np.array(start.covariance))
    total: Complex = precision
    pull: Complex = precision @ np.array(start.mean)
    error = 0.0
    for frames, values in zip(x, y, strict=True):
        rows, noisy = _averaged(frames)
        own = shared(rows, start.base_v)
        less = apart**2 / (noise**2 + apart**2 * float(own @ own))
        across = rows.conj().T @ own
        total = total + (rows.conj().T @ rows - less * np.outer(across, across.conj())) / noise**2
        pull = pull + (rows.conj().T @ values - less * across * (own @ values)) / noise**2
        error += noisy
    # What the rows tell of y22 beside the other two, less what is noise; never less than nothing.
    told = total[0, 0] - total[0, 1:] @ np.linalg.solve(total[1:, 1:], total[1:, 0])
    told = float(told.real - precision[0, 0].real)
    total[0, 0] -= min(error / noise**2, max(told, 0.0))
    covariance = np.linalg.inv(total)
    return covariance @ pull, covariance


def _scatter(residuals: Sequence[Complex], start: float) -> float:
    """Return the deviation of one frame about its recording's mean, per part, from all of them."""
    parts = [np.concatenate([d.real, d.imag]) for r in residuals for d in [r - r.mean()]]
    count = sum(len(p) for p in parts) - 2 * len(parts)
    square = sum(float(p @ p) for p in parts)
    # Four frames' worth of the prior, so that a short record does not claim to know.
    return max(NOISE_FLOOR, sqrt((square + 8 * start**2) / (max(count, 0) + 8)))


def _session(misfits: Complex, start: float) -> float:
    """Return the deviation of one recording: prior and found, weighed by their number."""
    square = float(np.sum(np.abs(misfits) ** 2)) / 2
    n = SESSION_PRIOR_N
    return sqrt((n * start**2 + square) / (n + len(misfits) - 1))
