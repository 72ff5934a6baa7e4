"""The steps of a converter are seen in its values; coarse ones are a reason to abstain."""

import numpy as np
import pytest

from vtox.motor.diagnosis.dsp import converter
from vtox.motor.diagnosis.dsp.converter import (
    MIN_STEPS,
    amplitude_steps,
    ordered_samples,
    resolution_problems,
)
from vtox.motor.values.domain import Array, Reason

COUNT_A = 0.013
T_S = np.arange(20_000) / 2_000


def counts(amplitude: float, noise: float = 0.3) -> Array:
    rng = np.random.default_rng(0)
    sine = amplitude * np.sin(2 * np.pi * 50.01 * T_S)
    return np.asarray(np.rint(sine + noise * rng.standard_normal(len(T_S))).astype(np.int64))


def amperes(x: Array) -> Array:
    return np.asarray((x * COUNT_A)[None, None], np.float32)


def problems_of(x: Array, names: tuple[str, ...]) -> list[tuple[Reason, ...]]:
    return resolution_problems(x, ordered_samples(x), names)


@pytest.mark.parametrize("noise", [0.0, 0.3, 3.0])
@pytest.mark.parametrize("amplitude", [4, 31, 100, 1500])
def test_the_amplitude_is_counted_in_steps(amplitude: float, noise: float) -> None:
    ((steps,),), ((bit,),) = amplitude_steps(amperes(counts(amplitude, noise)))
    assert steps == pytest.approx(amplitude, abs=1 + 4 * noise)
    assert bit == -1


def test_a_signal_that_no_converter_made_has_no_steps() -> None:
    rng = np.random.default_rng(0)
    noisy = np.sin(2 * np.pi * 50.01 * T_S) + 1e-3 * rng.standard_normal(len(T_S))
    exact = np.sin(2 * np.pi * 50.0 * T_S)
    steps, _ = amplitude_steps(np.asarray([[noisy, exact]], np.float32))
    assert np.isinf(steps).all()
    assert problems_of(np.asarray([[noisy, exact]], np.float32), ("ia", "ib")) == [()]


@pytest.mark.parametrize("offset", [0.0, 0.37])
def test_few_steps_are_a_problem_with_the_bits_that_are_missing(offset: float) -> None:
    x = np.concatenate([amperes(counts(10)), amperes(counts(100))], axis=1)
    ((problem,),) = problems_of(x + np.float32(offset), ("ia", "ib"))
    assert problem.code == "converter_resolution"
    assert problem.values["channel"] == "ia"
    assert problem.values["steps"] < MIN_STEPS == problem.values["needed_steps"]
    assert problem.values["more_bits"] == 2


@pytest.mark.parametrize("stuck_at", [0, 1])
@pytest.mark.parametrize("bit", range(1, 12))
def test_a_stuck_bit_is_named(bit: int, stuck_at: int) -> None:
    x = amperes((counts(1500) & ~(1 << bit)) | (stuck_at << bit))
    assert amplitude_steps(x)[1][0, 0] == bit


def test_few_values_do_not_show_a_stuck_bit() -> None:
    """A record of a sine at a multiple of the sampling rate holds 40 values."""
    x = amperes(np.asarray(np.rint(4 * np.tile(np.arange(-5, 6), 2000))))
    assert len(np.unique(x)) < converter.MIN_VALUES
    assert amplitude_steps(x)[1][0, 0] == -1


def test_the_fast_test_leaves_no_problem_out() -> None:
    """It looks at gaps between values alone: problems of the close test must pass it."""
    rng = np.random.default_rng(3)
    for _ in range(100):
        amplitude = float(10 ** rng.uniform(0.5, 4))
        x = counts(amplitude, float(rng.choice([0.0, 0.3, amplitude / 100, amplitude])))
        channel = amperes(x)
        ((steps,),), _ = amplitude_steps(channel)
        coarse = steps < MIN_STEPS
        assert bool(problems_of(channel, ("ia",))[0]) == coarse, (amplitude, steps)
