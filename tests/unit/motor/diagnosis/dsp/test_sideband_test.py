"""Distance from the points that a pair of sidebands up to a limit makes, against a fine grid."""

import numpy as np
import pytest

from vtox.motor.diagnosis.dsp import sideband_test


def naive_excess(am: complex, pm: complex, am_floor: float, pm_floor: float, limit: float) -> float:
    """Least cost over a fine grid of both discs."""
    radii = np.sqrt(np.linspace(0, 1, 12)) * limit
    turns = np.exp(2j * np.pi * np.arange(48) / 48)
    points = (radii[:, None] * turns).ravel()
    lower, upper = points[:, None], points[None, :]
    a = np.abs(am - (lower + upper) / 2) ** 2 / am_floor
    p = np.abs(pm - (upper - lower) / 2j) ** 2 / pm_floor
    return float((a + p).min())


@pytest.mark.parametrize("floors", [(1e-8, 1e-8), (1e-9, 1e-7), (1e-7, 1e-9)])
def test_agrees_with_a_grid(floors: tuple[float, float]) -> None:
    rng = np.random.default_rng(0)
    z = 1.5e-3 * (rng.standard_normal((2, 12)) + 1j * rng.standard_normal((2, 12)))
    got = sideband_test.excess(*z, np.full(12, floors[0]), np.full(12, floors[1]), 1e-3)
    for k in range(12):
        expected = naive_excess(z[0, k], z[1, k], *floors, 1e-3)
        assert got[k] == pytest.approx(expected, rel=0.15, abs=1.0)


@pytest.mark.parametrize("limit", [1e-3, 2e-3])
def test_zero_inside(limit: float) -> None:
    rng = np.random.default_rng(1)
    size, turn = rng.uniform(0, 0.95 * limit, (2, 50)), np.exp(2j * np.pi * rng.random((2, 50)))
    lower, upper = size * turn
    am, pm = (lower + upper) / 2, (upper - lower) / 2j
    got = sideband_test.excess(am, pm, np.full(50, 1e-8), np.full(50, 1e-8), limit)
    assert np.all(got < 0.05)


def test_one_lower_sideband_of_twice_the_limit_is_beyond_it() -> None:
    one = np.ones(1)
    got = sideband_test.excess(1e-3 * one, 1e-3j * one, 1e-12 * one, 4e-8 * one, 1e-3)
    assert got[0] == pytest.approx(25, rel=0.05)  # the phase alone is 5 rms off
