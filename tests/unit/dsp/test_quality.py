"""Measurements pass whatever their size and resolution; what is no measurement is named."""

import numpy as np
import pytest

from tests import naive
from vtox.dsp import quality

FS_HZ = 10_000.0
T_S = np.arange(20_000) / FS_HZ
SINE = np.sin(2 * np.pi * 50.013 * T_S)


def reasons(x: np.ndarray, fs_hz: float = FS_HZ) -> tuple[str, ...]:
    return quality.check(np.asarray(x, np.float32)[None], "ia", fs_hz)[0]


@pytest.mark.parametrize("counts", [2, 3, 5, 20, 200, 2_000, 30_000])
@pytest.mark.parametrize("noise", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("third", [0.0, 0.05, -0.05])
def test_quantised_waveforms_are_measurements(counts: int, noise: float, third: float) -> None:
    rng = np.random.default_rng(counts)
    wave = SINE + third * np.sin(6 * np.pi * 50.013 * T_S)
    x = np.round(counts * wave + noise * rng.standard_normal(len(wave)))
    assert reasons(0.00061 * x) == ()


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e4])
def test_vibration_and_slow_rates_pass(size: float) -> None:
    rng = np.random.default_rng(1)
    assert reasons(size * rng.standard_normal(20_000)) == ()
    assert reasons(size * SINE[::10], 1_000.0) == ()


@pytest.mark.parametrize("hold", [3, 4, 10, 45, 500])
def test_held_samples_are_stuck(hold: int) -> None:
    x = np.repeat(SINE[::hold], hold)
    assert naive.repeated_share(x) > 0.6
    assert "stuck" in reasons(x)[0]


@pytest.mark.parametrize("hold", [2, 3, 4, 6, 12])
@pytest.mark.parametrize("late", [0, 1, 2, 3])
def test_held_samples_are_stuck_wherever_they_begin(hold: int, late: int) -> None:
    t_s = np.arange(100_000) / FS_HZ
    rng = np.random.default_rng(hold)
    x = np.sin(2 * np.pi * 50.013 * t_s) + 0.01 * rng.standard_normal(len(t_s))
    held = np.repeat(x[::hold], hold)[late : len(x) - 20]
    assert bool(reasons(held)) == (hold > 2)


def test_a_burst_of_clipping_is_found() -> None:
    x = SINE.copy()
    x[8_000:13_000] = np.clip(x[8_000:13_000], -1.0, 0.9)
    x[:8_000] *= 0.8
    x[13_000:] *= 0.8
    assert "clipped" in reasons(x)[0]


@pytest.mark.parametrize("samples", [64, 100, 900, 2_003])
def test_short_records_are_looked_at_alike(samples: int) -> None:
    x = SINE[:samples] + 0.3
    assert reasons(x) == ()
    assert reasons(np.where(np.arange(samples) == 5, np.nan, x))


def test_each_channel_answers_for_itself() -> None:
    x = np.stack([SINE, np.clip(SINE, -0.5, 0.5), 0 * SINE])[None].astype(np.float32)
    (found,) = quality.problems(x, ("ia", "ib", "ic"), FS_HZ)
    assert [f.partition(":")[0] for f in found] == ["ib", "ic"]


def test_rows_of_irregular_length_are_stuck() -> None:
    rng = np.random.default_rng(2)
    x = np.repeat(3 + 0.4 * rng.standard_normal(500), rng.integers(25, 60, 500))[:10_000]
    assert "new values a second" in reasons(x)[0]


@pytest.mark.parametrize("at", [0.99, 0.97, 0.8, 0.3])
def test_clipped(at: float) -> None:
    assert "clipped" in reasons(np.clip(SINE, -at, at))[0]
    assert "clipped" in reasons(np.clip(np.round(2_000 * SINE), -2_000 * at, 3_000))[0]


def test_gap_is_missing_samples_and_tells_where() -> None:
    x = SINE.copy()
    x[5_000:6_000] = 0
    (reason,) = reasons(x)
    assert "missing samples" in reason
    assert "0.50 s" in reason


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite(value: float) -> None:
    x = SINE.copy()
    x[123] = value
    assert "1 of 20000 are not finite" in reasons(x)[0]


def test_impossible_values() -> None:
    assert "impossible values, up to 1e+20" in reasons(1e20 * SINE)[0]


def test_constant_short_and_impossible_rate() -> None:
    assert "equal" in reasons(np.full(1_000, 0.3))[0]
    assert "too short" in reasons(SINE[:20])[0]
    assert "impossible sampling rate" in reasons(SINE, 0.01)[0]


def test_one_bad_recording_does_not_colour_its_neighbours() -> None:
    batch = np.stack([SINE, np.clip(SINE, -0.5, 0.5), SINE]).astype(np.float32)
    found = quality.check(batch, "ib", FS_HZ)
    assert [bool(f) for f in found] == [False, True, False]
