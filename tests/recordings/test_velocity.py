"""The overall velocity of real recordings is that of an independent implementation."""

import numpy as np
import pytest
from scipy.constants import g

from tests import naive
from tests.recordings.folder import recordings
from vtox.motor.diagnosis.dsp.velocity import vibration_velocity


# With Hann windows of 2 s they differed by up to 7 %; below 10 Hz B028_1 has 100 times the energy.
@pytest.mark.parametrize("name", ["B028_1", "OR007@3_2", "IR028_3", "Normal_0"])
def test_the_velocity_of_a_recording_agrees_within_a_per_cent(name: str) -> None:
    with np.load(recordings("cwru") / f"{name}.npz") as file:
        fs_hz, x = float(file["fs_hz"]), file["de_g"].astype(float) * g
    v, cut = naive.velocity(x, fs_hz)
    found = vibration_velocity(x[cut : cut + len(v)], fs_hz)
    assert found == pytest.approx(naive.rms_mm_s(v), rel=0.01)
