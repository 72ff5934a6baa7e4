"""Currents of a start by formula: an envelope, a frequency and noise, no machine behind them."""

import numpy as np

from vtox.motor.values.arrays import Float64
from vtox.motor.values.domain import CURRENTS, Recording

FS_HZ = 2_000.0


def currents(level_a: Float64, hz: Float64 | float = 50.0, *, seed: int = 0) -> Recording:
    """Return three currents of the given rms and frequency, shape (samples,), at `FS_HZ`."""
    rng = np.random.default_rng(seed)
    angle = 2 * np.pi * np.cumsum(np.broadcast_to(hz, level_a.shape)) / FS_HZ
    turns = 2 * np.pi / 3 * np.arange(3)[:, None]
    x = np.sqrt(2) * level_a * np.sin(angle - turns)
    x += 0.005 * rng.standard_normal(x.shape)
    return Recording(dict(zip(CURRENTS, x, strict=True)), FS_HZ)


def with_sideband(
    level_a: Float64, f0_hz: float, slip: Float64, share: float, *, seed: int = 0
) -> Recording:
    """Return currents of a start with a line at f(1 - 2s), `share` of them, by the space vector."""
    rng = np.random.default_rng(seed)
    t = np.arange(len(level_a)) / FS_HZ
    sideband = share * np.exp(2j * np.pi * np.cumsum(f0_hz * (1 - 2 * slip)) / FS_HZ)
    space = np.sqrt(2) * level_a * (np.exp(2j * np.pi * f0_hz * t) + sideband)
    turns = np.exp(-2j * np.pi / 3 * np.arange(3))[:, None]
    x = (space * turns).real + 0.005 * rng.standard_normal((3, len(t)))
    return Recording(dict(zip(CURRENTS, x, strict=True)), FS_HZ)


def level(*parts: tuple[float, float]) -> Float64:
    """Return a level that is constant in parts of (seconds, A)."""
    return np.concatenate([np.full(round(s * FS_HZ), a) for s, a in parts])
