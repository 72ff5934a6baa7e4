"""The place of the line of a rotor cage, by the movement of the slip."""

import numpy as np
import pytest

from vtox.motor.diagnosis.diagnosers.broken_bar.line_place import place_shift

POINTS, PERIOD, BINS = 1_000, 50, 20.0
T = np.arange(POINTS) / POINTS


@pytest.mark.parametrize(
    "amplitude",
    [
        np.ones(POINTS),
        1 + 0.03 * np.cos(2 * np.pi * BINS * T),  # what the line itself makes of the current
        1 + 0.1 * T,  # a steady rise spreads the line to both sides
    ],
)
def test_what_moves_to_both_sides_shifts_nothing(amplitude: np.ndarray) -> None:
    assert place_shift(amplitude, PERIOD, BINS) == (0.0, 0.0)


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_load_that_is_higher_in_the_middle_shifts_the_line_up(sign: int) -> None:
    amplitude = 1 + sign * 0.05 * np.sin(np.pi * T)
    low, high = place_shift(amplitude, PERIOD, BINS)
    shift, none = (high, low) if sign > 0 else (low, high)
    assert none == 0.0
    # Weighed by the window it is 1.1 % above the mean, its middle 1.8 %; the slip up to 3 times.
    assert 0.011 * 3 * BINS < sign * shift < 0.018 * 3 * BINS
