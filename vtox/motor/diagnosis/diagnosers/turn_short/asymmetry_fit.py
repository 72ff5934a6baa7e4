"""Fits the model of a healthy machine (`asymmetry_model`) to its healthy recordings."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from vtox.motor.diagnosis.diagnosers.features import same_frequency
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_model import (
    PRIOR_COUNT,
    Sequences,
    prior,
    regressors,
    session_weight,
    susceptance,
    to_asymmetry,
)
from vtox.motor.diagnosis.dsp.supply_line import HOPS
from vtox.motor.values.arrays import Complex
from vtox.motor.values.baseline import Asymmetry
from vtox.motor.values.domain import Motor

# Least scatter of a frame, per part of I2/I1.
NOISE_FLOOR = 0.0003
# Frames of a block within which V2 is confirmed: docs/calibration/turn_short.md#learning.
BLOCK_FRAMES = 4


def concatenate_by_frequency(parts: Sequence[Sequences]) -> list[Sequences]:
    """Return the frames of the pieces of one recording, joined if the supply frequency agrees.

    A drive may change its frequency within a recording. Voltages only if all pieces have them.
    """
    groups: list[list[Sequences]] = []
    for part in parts:
        for group in groups:
            if same_frequency(part.hz, group[0].hz):
                group.append(part)
                break
        else:
            groups.append([part])
    return [_concatenate(group) for group in groups]


def fit(recordings: Sequence[Sequences], motor: Motor | None) -> Asymmetry | None:
    """Return the model of a healthy machine: the prior, updated by its healthy recordings.

    Bayesian complex linear regression (Bishop 2006, *Pattern Recognition and Machine Learning*,
    3.3) of the relation Lee, Tallam and Habetler 2003 (TPEL 18(3):865) use, I2 = Y22 V2 + Y21 V1,
    with a term proportional to I1 for clamps and a deviation of each recording (`_posterior`).
    Coefficients that the recordings do not show keep their prior uncertainty, which then widens the
    limit instead of raising alarms. Y22, for example, needs a supply whose unbalance moves.

    Parameters
    ----------
    recordings : sequence of Sequences of shape (frames,)
        Voltages are used only if every recording has them. If there are several supply
        frequencies, the one with the most frames is learnt.
    motor : Motor or None
        Sets the scale of the prior.

    Returns
    -------
    Asymmetry or None
        None if there is no frame to learn from.
    """
    used = _largest_frequency_group([r for r in recordings if len(r.i1)])
    if not used:
        return None
    loads = np.concatenate([np.abs(r.i1) for r in used]) / sqrt(2)
    start = prior(motor, float(loads.mean()), _mean_voltage_v(used))
    base_a = np.array(start.base_a)
    base_v = np.array(np.nan if start.base_v is None else start.base_v)
    x = [regressors(r, base_a, base_v)[::HOPS] for r in used]
    y = [(r.i2 / r.i1)[::HOPS] for r in used]
    recording_std, session = _session_prior(start, len(used))
    noise = start.noise
    mean, covariance = np.array(start.mean), np.array(start.covariance)
    confirmed = _confirmed_voltages(x)
    for _ in range(2):  # the second pass weighs the frames by the scatter of the first
        mean, covariance = _posterior(start, confirmed, y, noise, recording_std)
        noise = _scatter([v - r @ mean for r, v in zip(x, y, strict=True)], start.noise)
    misfits = np.array([(v - r @ mean).mean() for r, v in zip(x, y, strict=True)])
    return to_asymmetry(
        mean,
        covariance,
        noise=noise,
        session=_session(misfits, session),
        base=(start.base_a, start.base_v),
        span=(float(loads.min()), float(loads.max())),
        residual=complex(np.mean([(r.i0 / r.i1).mean() for r in used])),
        counts=(sum(map(len, y)), len(used)),
        supply_hz=_mean_hz(used),
        turned_deg=_turned_deg(used),
        susceptance_s=_susceptance_s(used, start),
    )


def _turned_deg(recordings: Sequence[Sequences]) -> int | None:
    """Return the angle by which the voltages of all recordings were turned, None if it differs."""
    turned = {r.turned_deg for r in recordings}
    return turned.pop() if len(turned) == 1 else None


def _susceptance_s(recordings: Sequence[Sequences], start: Asymmetry) -> float | None:
    if start.base_v is None:
        return None
    return float(np.mean([susceptance(r.i1, r.v1) for r in recordings if r.v1 is not None]))


def _mean_voltage_v(recordings: Sequence[Sequences]) -> float | None:
    """Return the mean |V1|, V rms, None unless all recordings have voltages."""
    v1 = [np.abs(r.v1) for r in recordings if r.v1 is not None]
    return float(np.concatenate(v1).mean() / sqrt(2)) if len(v1) == len(recordings) else None


def _session_prior(start: Asymmetry, count: int) -> tuple[float, float]:
    """Return the prior deviation of one recording, while learning and later.

    Recordings of a baseline lie minutes apart as a rule and share one state of the supply. A later
    one is as far from their mean as from one of them, half of the variance each. The part of their
    variance that the regression takes as averaged out is added again. With voltages, clamps that
    were put back set the recordings apart, as much while learning as later.
    """
    if start.base_v is not None:
        return start.session, start.session
    recording_std = start.session / sqrt(2)
    return recording_std, sqrt(start.session**2 - recording_std**2 / count)


def _concatenate(parts: Sequence[Sequences]) -> Sequences:
    names = ("i1", "i2", "i0", "v1", "v2")
    columns = [[getattr(p, name) for p in parts] for name in names]
    i1, i2, i0, v1, v2 = (None if any(x is None for x in c) else np.concatenate(c) for c in columns)
    return Sequences(i1, i2, i0, v1, v2, _mean_hz(parts), _turned_deg(parts))  # type: ignore[arg-type]


def _largest_frequency_group(recordings: Sequence[Sequences]) -> list[Sequences]:
    groups = [[r for r in recordings if same_frequency(r.hz, q.hz)] for q in recordings]
    return max(groups, key=lambda g: sum(len(r.i1) for r in g), default=[])


def _mean_hz(recordings: Sequence[Sequences]) -> float | None:
    hz = [r.hz for r in recordings if r.hz]
    return round(float(np.mean(hz)), 4) if hz else None


def _confirmed_voltages(x: Sequence[Complex]) -> list[Complex]:
    """Return the rows of the recordings with V2 where other frames confirm it.

    Noise in a regressor pulls its coefficient to zero, and many frames make that wrong value look
    certain. Between recordings the mean V2 is free of it. Within one, V2 is replaced by its
    regression on the mean of other frames nearby. A frame shares the moves of the supply with that
    mean, but no noise (two-stage least squares; Fuller 1987, *Measurement Error Models*, 1.4).
    Faster moves teach nothing. A correction by the estimated variance of the noise would take them
    for noise, and make the coefficient too large.
    """
    v2 = [r[:, 0] / r[:, 1] for r in x]
    moves = [v - v.mean() for v in v2]
    instruments = [z - z.mean() for z in map(_instrument, v2)]
    m, z = np.concatenate(moves), np.concatenate(instruments)
    square = float(np.vdot(z, z).real)
    share = float(np.clip(np.vdot(z, m).real / square, 0.0, 1.0)) if square else 0.0
    rows = [r.copy() for r in x]
    for r, v, moved in zip(rows, v2, instruments, strict=True):
        r[:, 0] = (v.mean() + share * moved) * r[:, 1]
    return rows


def _instrument(v2: Complex) -> Complex:
    """Return for each frame of a recording the mean V2 of the other half of its block."""
    z = v2.copy()
    for block in np.array_split(z, max(1, len(z) // BLOCK_FRAMES)):
        even, odd = block[::2].mean(), block[1::2].mean() if len(block) > 1 else block.mean()
        block[::2], block[1::2] = odd, even
    return z


def _posterior(
    start: Asymmetry, x: Sequence[Complex], y: Sequence[Complex], noise: float, recording_std: float
) -> tuple[Complex, Complex]:
    """Return mean and covariance from the frames of each recording, `x` (frames, 3), `y` (frames,).

    The frames of one recording share its deviation u of `recording_std` per part: noise^2 I +
    recording_std^2 u u' is their covariance, inverted by Sherman and Morrison 1950 (Ann. Math.
    Stat. 21:124). Taken for independent, they would trace every difference between the recordings
    to y21 and c, and be certain of it at loads where nothing was learnt.
    """
    precision = np.linalg.inv(np.array(start.covariance))
    total: Complex = precision
    pull: Complex = precision @ np.array(start.mean)
    for rows, values in zip(x, y, strict=True):
        weight = session_weight(rows, start.base_v)
        less = recording_std**2 / (noise**2 + recording_std**2 * float(weight @ weight))
        across = rows.conj().T @ weight
        total = total + (rows.conj().T @ rows - less * np.outer(across, across.conj())) / noise**2
        pull = pull + (rows.conj().T @ values - less * across * (weight @ values)) / noise**2
    covariance = np.linalg.inv(total)
    return covariance @ pull, covariance


def _scatter(residuals: Sequence[Complex], start: float) -> float:
    """Return the deviation of one frame about its recording's mean, per part, from all of them."""
    parts = [np.concatenate([d.real, d.imag]) for r in residuals for d in [r - r.mean()]]
    count = sum(len(p) for p in parts) - 2 * len(parts)
    square = sum(float(p @ p) for p in parts)
    n = 2 * PRIOR_COUNT  # a frame has two parts
    return max(NOISE_FLOOR, sqrt((square + n * start**2) / (max(count, 0) + n)))


def _session(misfits: Complex, start: float) -> float:
    """Return the deviation of one recording: prior and observed, weighted by their number."""
    square = float(np.sum(np.abs(misfits) ** 2)) / 2
    n = PRIOR_COUNT
    return sqrt((n * start**2 + square) / (n + len(misfits) - 1))
