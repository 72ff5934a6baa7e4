"""Supply frequency and frame phasors against plain sums."""

import numpy as np
import pytest
import scipy.fft

from tests import naive
from vtox.dsp import baseband, supply


def wave(f0_hz: float, fs_hz: float, seconds: float, amplitude: float = 3.0) -> np.ndarray:
    t = np.arange(round(seconds * fs_hz)) / fs_hz
    return (amplitude * np.cos(2 * np.pi * f0_hz * t + 0.7)).astype(np.float32)


@pytest.mark.parametrize("fs_hz", [1_000.0, 2_500.0, 10_000.0, 50_000.0])
@pytest.mark.parametrize("f0_hz", [16.7, 49.987, 60.02])
def test_frequency(f0_hz: float, fs_hz: float) -> None:
    x = wave(f0_hz, fs_hz, 2.0)[None, None]
    spectrum = scipy.fft.rfft(x)
    centre, share = supply.line_bin(spectrum, 0.5, 200.0)
    envelope, rate_hz = baseband.around_line(spectrum, centre, x.shape[-1], fs_hz)
    got = supply.frequency_hz(envelope[:, 0], rate_hz, centre * 0.5)
    assert got == pytest.approx(f0_hz, abs=2e-3)
    assert share > 0.95


def test_line_bin_of_noise_holds_little_power() -> None:
    rng = np.random.default_rng(0)
    spectrum = scipy.fft.rfft(rng.standard_normal((4, 3, 20_000)))
    _, share = supply.line_bin(spectrum, 0.5, 200.0)
    assert np.all(share < 0.1)


@pytest.mark.parametrize(
    ("fs_hz", "f0_hz"), [(1_000.0, 60.013), (9_999.0, 49.98), (10_000.0, 25.0)]
)
def test_frames_agree_with_plain_sums(fs_hz: float, f0_hz: float) -> None:
    x = wave(f0_hz, fs_hz, 1.0) + 0.2 * wave(5 * f0_hz, fs_hz, 1.0)
    batch = np.stack([x, 2 * x])[:, None] + np.float32(50.0)
    t_s, frames = supply.frame_phasors(batch, fs_hz, np.array([f0_hz, f0_hz]))
    length = 4 * round(0.05 * fs_hz)
    for k in (0, 3, len(t_s) - 1):
        start = round(t_s[k] * fs_hz - (length - 1) / 2)
        expected = naive.phasor(
            x[start : start + length].astype(float), fs_hz, f0_hz, start / fs_hz
        )
        assert frames[0, 0, k] == pytest.approx(expected, rel=1e-3)
        assert frames[1, 0, k] == pytest.approx(2 * expected, rel=1e-3)
        assert abs(frames[0, 0, k]) == pytest.approx(3.0, rel=1e-3)


def test_no_frame_in_a_record_shorter_than_one() -> None:
    t_s, frames = supply.frame_phasors(np.ones((2, 3, 150), np.float32), 1_000.0, np.full(2, 50.0))
    assert t_s.shape == (0,)
    assert frames.shape == (2, 3, 0)
