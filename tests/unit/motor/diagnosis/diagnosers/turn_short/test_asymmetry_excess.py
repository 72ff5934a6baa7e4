"""The limits on I2/I1 by name, and the running median, against plain formulas."""

from dataclasses import replace

import numpy as np
import pytest

from tests.signals.phasor_motor import MOTOR
from vtox.motor.diagnosis.diagnosers.turn_short import asymmetry_excess
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_excess import LEAST_LIMIT
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_model import (
    SUPPLY_I2_LIMIT,
    Sequences,
    asymmetries,
    prior,
)
from vtox.motor.values.baseline import Asymmetry

FRAMES = 20


def sequences(ratio: complex, load_a: float = 8.0) -> Sequences:
    i1 = np.full((1, FRAMES), load_a * np.sqrt(2), complex)
    return Sequences(i1, ratio * i1, 0 * i1)


def excess(
    s: Sequences,
    model: Asymmetry,
    voltage: bool = False,
    baseline: bool = False,
    *,
    unpaired: bool = False,
) -> asymmetry_excess.AsymmetryExcess:
    bases = np.array([2 * voltage + baseline])
    models = replace(asymmetries([model]), base_v=np.array([230.0 if voltage else np.nan]))
    return asymmetry_excess.asymmetry_excess(s, models, bases, np.array([unpaired]))


@pytest.mark.parametrize("load_a", [2.5, 5.0, 10.0])
def test_without_baseline_the_limit_is_what_supply_and_clamps_may_cause(load_a: float) -> None:
    x = excess(sequences(0.03, load_a), prior(MOTOR, 10.0, None))
    assert 1 < x.worst_limit[0] / (SUPPLY_I2_LIMIT * 10.0 / load_a) < 1.1


def certain(noise: float = 1e-6) -> Asymmetry:
    """A model with no uncertainty but its noise."""
    start = prior(MOTOR, 10.0, None)
    rows = np.zeros((3, 3)).astype(complex).tolist()
    return Asymmetry(
        mean=(0j, 0j, 0j),
        covariance=tuple(map(tuple, rows)),
        noise=noise,
        session=0.0,
        base_a=start.base_a,
        base_v=None,
        low_a=8.0,
        high_a=8.0,
        residual=0j,
        frames=100,
        recordings=3,
    )


@pytest.mark.parametrize("voltage", [False, True])
@pytest.mark.parametrize("baseline", [False, True])
def test_of_a_certain_machine_the_least_limit_remains(voltage: bool, baseline: bool) -> None:
    x = excess(sequences(0.01), certain(), voltage, baseline)
    if not voltage and not baseline:  # 8 % cannot exclude a developing short
        assert x.limited_by == ("supply",)
    else:
        assert (x.limited_by, x.worst_limit[0]) == (("least",), LEAST_LIMIT[2 * voltage + baseline])
    assert x.worst_ratio[0] == pytest.approx(0.01)
    assert x.worst_over[0] == pytest.approx(0.01 / x.worst_limit[0])


def test_noise_raises_the_limit_to_its_scatter() -> None:
    x = excess(sequences(0.01), certain(noise=0.01), True, True)
    assert x.limited_by == ("uncertainty",)
    assert x.worst_limit[0] == pytest.approx(np.sqrt(18.4 / 1.5) * 0.01)
    assert x.steady_limit[0] == pytest.approx(x.limit_median[0])


def test_voltages_that_are_not_paired_bound_what_the_supply_draws() -> None:
    s = sequences(0.01)
    v1 = np.full((1, FRAMES), 325.0, complex)
    s = Sequences(s.i1, s.i2, s.i0, v1, 0.04 * v1)
    x = excess(s, certain(), False, True, unpaired=True)
    assert x.limited_by == ("pairing",)
    assert x.worst_limit[0] == pytest.approx(SUPPLY_I2_LIMIT * 10.0 / 8.0 * 0.04 / 0.02)
    assert excess(s, certain(), False, True).limited_by == ("least",)


@pytest.mark.parametrize("frames", [1, 4, 5, 6, 30])
def test_the_running_median_is_that_of_five_frames(frames: int) -> None:
    rng = np.random.default_rng(frames)
    x = rng.normal(size=(2, frames)) + 1j * rng.normal(size=(2, frames))
    got = asymmetry_excess._running_median(x)
    assert got.shape == x.shape
    for k in range(2, frames - 2) if frames >= 5 else range(frames):
        near = x[:, k - 2 : k + 3] if frames >= 5 else x
        median = np.median(near.real, axis=1) + 1j * np.median(near.imag, axis=1)
        assert got[:, k] == pytest.approx(median)


def test_the_scatter_does_not_see_a_switching() -> None:
    rng = np.random.default_rng(0)
    x = 0.01 * (rng.normal(size=(1, 400)) + 1j * rng.normal(size=(1, 400)))
    x[:, 200:] += 0.5
    assert asymmetry_excess._scatter(x)[0] == pytest.approx(0.01, rel=0.15)
    assert asymmetry_excess._scatter(x[:, :11])[0] == 0
