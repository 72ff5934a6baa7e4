"""Jumps of the supply's phase, with a frequency that moves."""

import numpy as np
import pytest

from vtox.motor.diagnosis.dsp.supply_line import largest_phase_jump

RATE_HZ = 200.0
T_S = np.arange(600) / RATE_HZ


@pytest.mark.parametrize("jump_deg", [3.0, -40.0, 175.0])
@pytest.mark.parametrize("at_s", [0.5, 1.5, 2.7])
def test_a_jump_is_measured(jump_deg: float, at_s: float) -> None:
    phase = np.radians(jump_deg) * (at_s < T_S) + 2 * np.pi * 0.3 * T_S
    found = np.degrees(largest_phase_jump(np.exp(1j * phase)[None], RATE_HZ))
    assert found == pytest.approx(abs(jump_deg), abs=0.1)


@pytest.mark.parametrize("hz_per_s", [0.0, 0.5, -2.0])
def test_a_frequency_that_moves_is_no_jump(hz_per_s: float) -> None:
    phase = np.pi * hz_per_s * T_S**2 + 0.3 * np.sin(2 * np.pi * 0.5 * T_S)
    assert np.degrees(largest_phase_jump(np.exp(1j * phase)[None], RATE_HZ)) < 0.5


def test_a_record_too_short_shows_none() -> None:
    assert largest_phase_jump(np.ones((2, 30), complex), RATE_HZ).tolist() == [0.0, 0.0]
