import numpy as np
import pytest

from tests.signals.phasor_motor import MOTOR
from vtox import Motor
from vtox.motor.diagnosis.diagnosers.features import same_frequency
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_model import (
    Y22,
    Sequences,
    asymmetries,
    expected_ratio,
    prior,
)
from vtox.motor.diagnosis.diagnosers.turn_short.healthy_model import (
    MIN_ACTIVE_SHARE,
    MIN_ACTIVE_SHARE_SMALL,
    max_rated_current_a,
)


@pytest.mark.parametrize(
    ("motor", "rated_a"),
    [
        (MOTOR, 10.0),
        (Motor(), 3.0 / 0.3),
        (
            Motor(rated_power_w=3000.0, rated_voltage_v=400.0, pole_pairs=2),
            3000 / (np.sqrt(3) * 400 * MIN_ACTIVE_SHARE),
        ),
        (
            Motor(rated_power_w=400.0, rated_voltage_v=400.0, pole_pairs=2),
            400 / (np.sqrt(3) * 400 * MIN_ACTIVE_SHARE_SMALL),
        ),
    ],
)
def test_the_largest_rated_current_that_fits_the_nameplate(motor: Motor, rated_a: float) -> None:
    assert max_rated_current_a(motor, 3.0) == pytest.approx(rated_a)


@pytest.mark.parametrize("v2", [0.0, 0.01, 0.01j])
@pytest.mark.parametrize("load_a", [4.0, 10.0])
def test_the_prior_expects_what_the_unbalance_drives(v2: complex, load_a: float) -> None:
    v1 = np.full((1, 3), 400 / np.sqrt(3) * np.sqrt(2), complex)
    i1 = np.full((1, 3), load_a * np.sqrt(2), complex)
    ratio, std = expected_ratio(
        asymmetries([prior(MOTOR, load_a, 231.0)]), Sequences(i1, i1, i1, v1, v2 * v1)
    )
    assert ratio == pytest.approx(np.full((1, 3), Y22 * v2 * 10.0 / load_a))
    assert np.all(std > 0)


def test_a_lighter_load_is_less_certain() -> None:
    i1 = np.array([[10.0], [5.0], [2.5]], complex) * np.sqrt(2)
    _, std = expected_ratio(asymmetries([prior(MOTOR, 10.0, None)] * 3), Sequences(i1, i1, i1))
    assert std[:, 0].tolist() == sorted(std[:, 0].tolist())
    assert std[2, 0] > 3 * std[0, 0]


@pytest.mark.parametrize(
    ("hz", "other_hz", "same"), [(50, 50, True), (50, 52, True), (50, 53, False), (None, 9, True)]
)
def test_a_model_applies_within_five_per_cent_of_its_frequency(
    hz: float | None, other_hz: float, same: bool
) -> None:
    assert same_frequency(hz, other_hz) is same
