"""Samples lost at a regular interval are found in currents; nothing else passes for them."""

import numpy as np
import pytest

from vtox.motor.diagnosis.dsp.lost_samples import loss_interval
from vtox.motor.values.domain import Array

FS_HZ = 10_000.0


def currents(samples: int = 20_000, *, hz: float = 50.02, noise: float = 1e-3) -> Array:
    """Return three currents with harmonics of a supply, shape (3, samples)."""
    rng = np.random.default_rng(11)
    turns = hz * np.arange(samples) / FS_HZ - np.arange(3)[:, None] / 3
    orders = {1: 1.0, 5: 0.03, 7: 0.02, 11: 0.01}
    x = sum(a * np.sin(2 * np.pi * k * turns) for k, a in orders.items())
    return np.asarray(x + noise * rng.standard_normal(turns.shape))


def interval(x: Array, hz: float) -> int:
    return int(loss_interval(np.asarray(x, np.float32)[None], np.array([hz]), FS_HZ)[0])


@pytest.mark.parametrize("hz", [50.0, 50.02, 60.0])
@pytest.mark.parametrize("every", [20, 33, 100, 200, 500, 1_000])
@pytest.mark.parametrize("channels", [2, 3])
def test_every_nth_sample_lost_is_found(channels: int, every: int, hz: float) -> None:
    x = currents(hz=hz)[:channels]
    left = np.delete(x, np.arange(every // 3, x.shape[1], every), axis=1)
    assert interval(left, hz * every / (every - 1)) == every - 1


@pytest.mark.parametrize("noise", [0.0, 1e-3, 1e-2, 0.1])
@pytest.mark.parametrize("hz", [20.0, 50.0, 51.37])
def test_sound_currents_have_lost_nothing(hz: float, noise: float) -> None:
    assert interval(currents(hz=hz, noise=noise), hz) == 0


def test_samples_lost_at_random_are_not_regular() -> None:
    x = currents()
    lost = np.random.default_rng(3).choice(x.shape[1], 60, replace=False)
    assert interval(np.delete(x, lost, axis=1), 50.17) == 0


def test_notches_of_commutation_are_no_losses() -> None:
    """They come once a half cycle, at one sample, in two phases with opposite signs."""
    x = currents(hz=50.0)
    for start in range(37, x.shape[1], 100):
        x[0, start] += 0.05
        x[1, start] -= 0.05
    assert interval(x, 50.0) == 0


def test_a_short_record_is_not_searched() -> None:
    assert interval(currents(64), 50.0) == 0
