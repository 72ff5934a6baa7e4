"""Damaged converters and copied blocks are named in every place; sound samples pass."""

from collections.abc import Callable

import numpy as np
import pytest

from vtox.motor.diagnosis.dsp.damage import sample_problems
from vtox.motor.values.domain import Array, Reason

FS_HZ = 10_000.0
PHASES = ("ia", "ib", "ic")
STEP_A = 0.0061


def counts(amplitude: float = 8000, noise: float = 10.0, *, hz: float = 50.02) -> Array:
    """Return three currents in counts, shape (3, samples)."""
    rng = np.random.default_rng(7)
    t = np.arange(10_000) / FS_HZ
    turn = 2 * np.pi * np.arange(3)[:, None] / 3
    wave = amplitude * np.sin(2 * np.pi * hz * t - turn)
    return np.asarray(np.rint(wave + noise * rng.standard_normal(wave.shape)).astype(np.int64))


def problems(x: Array) -> tuple[Reason, ...]:
    return sample_problems(np.asarray(x * STEP_A, np.float32)[None], PHASES, FS_HZ)[0]


def with_bit(x: Array, bit: int, value: int, bits: int) -> Array:
    """Return counts of a converter of so many bits, of which one is always `value`."""
    half = 1 << (bits - 1)
    code = np.where(value, (x + half) | (1 << bit), (x + half) & ~(1 << bit))
    return np.asarray(code - half)


@pytest.mark.parametrize("amplitude", [50, 300, 8_000, 30_000])
@pytest.mark.parametrize("noise", [0.0, 1.0, 10.0])
def test_sound_counts_pass(amplitude: float, noise: float) -> None:
    assert problems(counts(amplitude, noise)) == ()
    assert problems(16 * counts(amplitude, noise)) == ()  # left-justified: lowest bits rest


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize(
    ("bits", "bit"), [*((16, k) for k in range(1, 16)), *((12, k) for k in range(1, 12))]
)
def test_a_stuck_bit_is_named_in_every_place(bits: int, bit: int, value: int) -> None:
    x = counts(8_000 if bits == 16 else 1_600, 3.0)
    x[1] = with_bit(x[1], bit, value, bits)
    (found,) = problems(x)
    assert (found.code, found.values) == ("converter_bit_stuck", {"channel": "ib", "bit": bit})


@pytest.mark.parametrize("length", [400, 1_000, 4_900])
def test_a_copied_block_is_named(length: int) -> None:
    x = counts()
    x[:, 5_000 : 5_000 + length] = x[:, :length]
    (found,) = problems(x)
    assert found.code == "samples_copied"
    assert found.values["first_s"] == pytest.approx(0.5, abs=1e-3)
    assert found.values["copied_s"] == pytest.approx(length / FS_HZ, abs=1e-3)
    assert found.values["earlier_s"] == 0.5


@pytest.mark.parametrize("period", [20, 200, 1_250, 5_000])
def test_a_signal_that_repeats_exactly_is_no_copy(period: int) -> None:
    x = np.tile(counts()[:, :period], 10_000 // period)
    (found,) = problems(x)
    assert found.code == "signal_repeats"
    assert found.values["period_samples"] == period


def equal_by_chance(x: Array) -> Array:
    """Return signals of few counts and no noise, whose cycles are equal for a while."""
    return counts(60, 0.0, hz=50.001)


def resting(x: Array) -> Array:
    return np.asarray(np.random.default_rng(2).integers(-1, 2, x.shape))


def without_noise(x: Array) -> Array:
    t = np.arange(x.shape[1]) / FS_HZ
    return np.asarray(8000 * np.sin(2 * np.pi * 50.003 * t + np.arange(3)[:, None]))


@pytest.mark.parametrize("signal", [equal_by_chance, resting, without_noise])
def test_equal_samples_by_chance_are_no_copy(signal: Callable[[Array], Array]) -> None:
    assert problems(signal(counts())) == ()
