"""I2/I1 beyond that of a healthy machine, frame by frame, and its limit. Numbers only.

The limit is the largest of several, each for its own reason; the largest shows how the diagnosis
could be improved.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np

from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_model import (
    SUPPLY_I2_LIMIT,
    SUPPLY_V2_LIMIT,
    Asymmetries,
    Sequences,
    expected_ratio,
)
from vtox.motor.values.arrays import Bool, Complex, Float64, Int, median, pick

# Least limit on the corrected |I2|/I1, by `HealthyModels.basis`:
# docs/calibration/turn_short.md#scale.
LEAST_LIMIT = np.array([0.08, 0.03, 0.03, 0.0075])
# Limit of the squared corrected ratio in squared deviations, 1e-4 a frame:
# docs/calibration/turn_short.md#frames.
T2_LIMIT = 18.4
# Largest limit on |I2|/I1 that excludes a developing short: docs/calibration/turn_short.md#scale.
DECISIVE_LIMIT = 0.05
# The same if the supply was learnt on enough days: docs/calibration/turn_short.md#periods.
LEARNT_LIMIT = 0.1
# Frames in the running median: an excess must hold for most of them to count.
SUSTAINED_FRAMES = 5
# Independent frames in a median of that many overlapping ones.
FRAMES_IN_MEDIAN = 1.5
# Least number of frames from which their scatter is estimated.
SCATTER_FRAMES = 12


@dataclass(frozen=True, slots=True)
class AsymmetryExcess:
    """I2/I1 of a batch beyond that of healthy machines, and its limit.

    Arrays of shape (batch, frames), ratios: `excess` is I2/I1 less the expected one, `corrected`
    its running median, `limit` that of |corrected|, `raw` |I2|/I1.

    Arrays of shape (batch,): medians of `raw` and `limit`, and `load_a` in A rms. `steady_limit` is
    the median limit if frames scattered as little as the model says.

    `worst_ratio`, `worst_limit` and `worst_std` are |corrected|, its limit and its deviation at the
    frame farthest over its limit. `worst_over` is `worst_ratio` over `worst_limit`, `worst_deg` the
    angle of `corrected` before I1, degrees. `limited_by` names the limit at that frame.
    `supply_ratio` is the I2/I1 that a supply within the standard draws if no voltage corrects for
    it.
    """

    sequences: Sequences
    excess: Complex
    corrected: Complex
    limit: Float64
    raw: Float64
    raw_median: Float64
    limit_median: Float64
    steady_limit: Float64
    load_a: Float64
    worst_ratio: Float64
    worst_limit: Float64
    worst_std: Float64
    worst_over: Float64
    worst_deg: Float64
    supply_ratio: Float64
    limited_by: tuple[str, ...]


def asymmetry_excess(
    s: Sequences, models: Asymmetries, bases: Int, unpaired: Bool
) -> AsymmetryExcess:
    """Return I2/I1 beyond that of healthy machines and the limit on it.

    Parameters
    ----------
    s : Sequences of shape (batch, frames)
    models : Asymmetries, length batch
        Models of the healthy machines.
    bases : ndarray of int, shape (batch,)
    unpaired : ndarray of bool, shape (batch,)
        Whether voltages were measured that do not belong to the currents.
    """
    mean, model_std = expected_ratio(models, s)
    excess = s.i2 / s.i1 - mean
    gain = FRAMES_IN_MEDIAN if excess.shape[-1] >= SUSTAINED_FRAMES else 1.0
    least_noise = models.noise[:, None]
    noise = np.maximum(_scatter(excess)[:, None], least_noise)
    std = np.sqrt(model_std**2 + noise**2 / gain)
    load_a = np.abs(s.i1).mean(axis=-1) / sqrt(2)
    supply = _supply_share(models, load_a)
    limits = _limits(s, mean, std, bases, supply, unpaired, models.known_days)
    stack = np.stack(list(limits.values()))
    limit = stack.max(axis=0)
    corrected, raw = _running_median(excess), np.abs(s.i2) / np.abs(s.i1)
    size = np.abs(corrected)
    over = size / limit
    worst = np.argmax(over, axis=-1)
    largest = np.argmax(stack, axis=0)
    return AsymmetryExcess(
        sequences=s,
        excess=excess,
        corrected=corrected,
        limit=limit,
        raw=raw,
        raw_median=median(raw),
        limit_median=median(limit),
        steady_limit=sqrt(T2_LIMIT) * median(np.sqrt(model_std**2 + least_noise**2 / gain)),
        load_a=load_a,
        worst_ratio=pick(size, worst),
        worst_limit=pick(limit, worst),
        worst_std=pick(std, worst),
        worst_over=pick(over, worst),
        worst_deg=np.degrees(np.angle(pick(corrected, worst))),
        supply_ratio=supply,
        limited_by=tuple(list(limits)[k] for k in pick(largest, worst)),
    )


def _limits(
    s: Sequences,
    mean: Complex,
    std: Float64,
    bases: Int,
    supply: Float64,
    unpaired: Bool,
    known_days: Bool,
) -> Mapping[str, Float64]:
    """Return the limits on the corrected |I2|/I1 by name, each of shape (batch, frames).

    `uncertainty` is that of the model and of the frames, `least` the smallest that is reported.
    `supply` applies if these two leave a developing short open. A baseline that saw the supply
    move so much expects it to move by all that the standard allows. If the baseline knows the
    supply on enough days, `supply` applies only if they leave a severe short open.

    `pairing` applies if voltages are measured but not paired. With any names of the voltages, the
    supply draws no more than its own unbalance does, and at most all of the expected I2 is gone.
    """
    uncertainty = sqrt(T2_LIMIT) * std
    least = np.broadcast_to(LEAST_LIMIT[bases][:, None], std.shape)
    limits = {"uncertainty": uncertainty, "least": least}
    most = np.where(known_days, LEARNT_LIMIT, DECISIVE_LIMIT)
    indecisive = median(np.maximum(uncertainty, least)) > most
    limits["supply"] = np.broadcast_to(np.where(indecisive, supply, 0)[:, None], std.shape)
    if s.v1 is not None and s.v2 is not None and unpaired.any():
        unbalance = median(np.abs(s.v2) / np.abs(s.v1)) / SUPPLY_V2_LIMIT
        moved = (supply * unbalance)[:, None] + np.abs(mean)
        limits["pairing"] = np.where(unpaired[:, None], moved, 0)
    return limits


def _supply_share(models: Asymmetries, load_a: Float64) -> Float64:
    """Return the I2/I1 that a supply within the standard draws, 0 if voltage corrects for it."""
    share = np.where(np.isfinite(models.base_v), 0.0, SUPPLY_I2_LIMIT)
    return np.asarray(share * models.base_a / load_a, np.float64)


def _scatter(excess: Complex) -> Float64:
    """Return the deviation of one frame, per part, from frames that share no samples.

    The median of |difference| is immune to the few that straddle a switching; Rayleigh: 1.177 s.
    """
    if excess.shape[-1] < SCATTER_FRAMES:
        return np.zeros(len(excess))
    steps = np.abs(excess[:, 4:] - excess[:, :-4])
    return np.asarray(median(steps) / (1.1774 * sqrt(2)), np.float64)


def _running_median(x: Complex) -> Complex:
    """Return the median of both parts over `SUSTAINED_FRAMES` frames; it keeps edges."""
    near = x.take(_frames_nearby(x.shape[-1]), axis=-1)
    return np.asarray(median(near.real) + 1j * median(near.imag))


@lru_cache(maxsize=64)
def _frames_nearby(frames: int) -> Int:
    """Return the frames around each, mirrored at the ends, shape (frames, `SUSTAINED_FRAMES`).

    All of them if there are fewer.
    """
    if frames < SUSTAINED_FRAMES:
        return np.tile(np.arange(frames), (frames, 1))
    half = SUSTAINED_FRAMES // 2
    near = np.abs(np.add.outer(np.arange(frames), np.arange(-half, half + 1)))
    return np.asarray(np.minimum(near, 2 * (frames - 1) - near), np.int64)
