"""A line that follows a speed is sharp over the angle; slow changes pass a smooth filter."""

import numpy as np
import pytest

from vtox.motor.diagnosis.dsp import order_tracking

POINTS = 2000
T = np.arange(POINTS, dtype=np.float64)


@pytest.mark.parametrize(("periods", "passed"), [(1.0, 0.0), (2.0, 0.26), (4.0, 0.73)])
def test_what_is_slower_than_the_mean_passes(periods: float, passed: float) -> None:
    tone = np.cos(2 * np.pi * T / (100 * periods))
    inner = order_tracking.smooth(tone[None], 100)[0, 400:-400]
    assert np.abs(inner).max() == pytest.approx(passed, abs=0.01)


def test_a_ramp_passes_up_to_its_ends() -> None:
    ramp = (3.0 - 2e-3 * T)[None]
    np.testing.assert_allclose(order_tracking.smooth(ramp, 150), ramp, atol=1e-9)


def test_equal_angles_of_a_constant_speed_are_equal_times() -> None:
    np.testing.assert_allclose(order_tracking.equal_angles(np.full((1, POINTS), 0.3))[0], T)


def test_a_tone_that_follows_the_speed_is_one_of_constant_frequency_over_the_angle() -> None:
    speed = 1 + 0.3 * np.sin(2 * np.pi * T / 700) + 2e-4 * T
    angle = np.concatenate([[0.0], np.cumsum((speed[1:] + speed[:-1]) / 2)])
    turns = 40 * angle / angle[-1]
    places = order_tracking.equal_angles(speed[None])
    tracked = order_tracking.resample(np.cos(2 * np.pi * turns)[None], places)[0]
    np.testing.assert_allclose(tracked, np.cos(2 * np.pi * 40 * T / (POINTS - 1)), atol=0.01)
