"""Symmetrical components, and the ways three clamps can be put on."""

import numpy as np
import pytest

from tests import naive
from vtox.motor.diagnosis.dsp import symmetrical_components

TURN = np.exp(2j * np.pi / 3)
PHASES = np.array([1, TURN**2, TURN]) * (3 + 1j)


def test_components_agree_with_the_plain_formula() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((5, 3)) + 1j * rng.standard_normal((5, 3))
    for row, got in zip(x, symmetrical_components.components(x), strict=True):
        assert got == pytest.approx(naive.sequences(*row))


def test_components_keep_trailing_axes() -> None:
    frames = PHASES[None, :, None] * np.ones((2, 3, 7))
    zero, positive, negative = np.moveaxis(symmetrical_components.components(frames), 1, 0)
    assert positive == pytest.approx(np.full((2, 7), 3 + 1j))
    assert np.abs([zero, negative]).max() < 1e-12


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("reversed_clamp", [None, 0, 1, 2])
def test_reversed_and_swapped_clamps_are_recognised(
    swapped: bool, reversed_clamp: int | None
) -> None:
    measured = PHASES[[0, 2, 1]] if swapped else PHASES.copy()
    measured = measured * np.array([1.01, 0.99, 1.0])
    if reversed_clamp is not None:
        measured[reversed_clamp] *= -1
    signs, order = symmetrical_components.wiring(measured[None])
    expected = np.ones(3)
    if reversed_clamp is not None:
        expected[reversed_clamp] = -1
    assert signs[0] == pytest.approx(expected)
    ordered = (measured * signs[0])[order[0]]
    assert abs(symmetrical_components.components(ordered[None])[0, 1]) == pytest.approx(
        abs(3 + 1j), rel=0.01
    )


def test_mismatched_clamps_are_not_reversed() -> None:
    measured = PHASES + np.array([0.5, 0, 0])
    signs, _ = symmetrical_components.wiring(measured[None])
    assert np.all(signs == 1)
