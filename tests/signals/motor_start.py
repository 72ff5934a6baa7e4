"""Currents of a start by formula: an envelope, a frequency and noise, no machine behind them."""

import numpy as np

from vtox.arrays import Float64
from vtox.domain import CURRENTS, Recording

FS_HZ = 2_000.0


def currents(level_a: Float64, hz: Float64 | float = 50.0, *, seed: int = 0) -> Recording:
    """Return three currents of the given rms and frequency, shape (samples,), at `FS_HZ`."""
    rng = np.random.default_rng(seed)
    angle = 2 * np.pi * np.cumsum(np.broadcast_to(hz, level_a.shape)) / FS_HZ
    turns = 2 * np.pi / 3 * np.arange(3)[:, None]
    x = np.sqrt(2) * level_a * np.sin(angle - turns)
    x += 0.005 * rng.standard_normal(x.shape)
    return Recording(dict(zip(CURRENTS, x, strict=True)), FS_HZ)


def level(*parts: tuple[float, float]) -> Float64:
    """Return a level that is constant in parts of (seconds, A)."""
    return np.concatenate([np.full(round(s * FS_HZ), a) for s, a in parts])
