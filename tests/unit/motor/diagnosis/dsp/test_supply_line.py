"""Supply frequency and frame phasors against plain sums."""

import numpy as np
import pytest
import scipy.fft

from tests import naive
from vtox.motor.diagnosis.dsp import demodulation, supply_line


def wave(f0_hz: float, fs_hz: float, seconds: float, amplitude: float = 3.0) -> np.ndarray:
    t = np.arange(round(seconds * fs_hz)) / fs_hz
    return (amplitude * np.cos(2 * np.pi * f0_hz * t + 0.7)).astype(np.float32)


@pytest.mark.parametrize("fs_hz", [1_000.0, 2_500.0, 10_000.0, 50_000.0])
@pytest.mark.parametrize("f0_hz", [16.7, 49.987, 60.02])
def test_frequency(f0_hz: float, fs_hz: float) -> None:
    x = wave(f0_hz, fs_hz, 2.0)[None, None]
    spectrum = scipy.fft.rfft(x)
    centre, share = supply_line.line_bin(spectrum, 0.5, 200.0)
    envelope, rate_hz = demodulation.around_line(
        spectrum, np.ones((1, 1)), centre, x.shape[-1], fs_hz
    )
    mean, windowed = supply_line.frequencies_hz(envelope, rate_hz, centre * 0.5)
    assert mean == pytest.approx(f0_hz, abs=2e-3)
    assert windowed == pytest.approx(f0_hz, abs=2e-3)
    assert share > 0.95


def test_the_mean_frequency_is_the_least_squares_slope_of_the_phase() -> None:
    rng = np.random.default_rng(2)
    phase = np.cumsum(0.2 + 0.02 * rng.standard_normal((3, 400)), axis=-1)
    mean, _ = supply_line.frequencies_hz(np.exp(1j * phase), 200.0, np.full(3, 50.0))
    slope = [np.polyfit(np.arange(360) / 200, p[20:-20], 1)[0] for p in phase]
    assert mean == pytest.approx(50 + np.array(slope) / (2 * np.pi), abs=1e-9)


def test_a_line_that_moves_with_the_supply_stands_at_its_windowed_mean() -> None:
    t_s = np.arange(2_000) / 200
    hz = 0.05 * np.cos(2 * np.pi * 0.13 * t_s) + 0.02 * t_s / 10
    moving = np.exp(2j * np.pi * np.cumsum(hz) / 200)[None]
    power = np.abs(np.fft.fft(np.hanning(2_000) * moving[0])) ** 2
    centroid = np.sum(power * np.fft.fftfreq(2_000, 1 / 200)) / power.sum()
    mean, windowed = supply_line.frequencies_hz(moving, 200.0, np.zeros(1))
    assert windowed == pytest.approx(centroid, abs=2e-4)
    assert abs(mean - centroid) > 2e-3


def test_line_bin_of_noise_holds_little_power() -> None:
    rng = np.random.default_rng(0)
    spectrum = scipy.fft.rfft(rng.standard_normal((4, 3, 20_000)))
    _, share = supply_line.line_bin(spectrum, 0.5, 200.0)
    assert np.all(share < 0.1)


@pytest.mark.parametrize(
    ("fs_hz", "f0_hz"), [(1_000.0, 60.013), (9_999.0, 49.98), (10_000.0, 25.0)]
)
def test_frames_agree_with_plain_sums(fs_hz: float, f0_hz: float) -> None:
    x = wave(f0_hz, fs_hz, 1.0) + 0.2 * wave(5 * f0_hz, fs_hz, 1.0)
    batch = np.stack([x, 2 * x])[:, None] + np.float32(50.0)
    t_s, frames = supply_line.frame_phasors(batch, fs_hz, np.array([f0_hz, f0_hz]))
    length = 4 * round(0.05 * fs_hz)
    for k in (0, 3, len(t_s) - 1):
        start = round(t_s[k] * fs_hz - (length - 1) / 2)
        expected = naive.phasor(
            x[start : start + length].astype(float), fs_hz, f0_hz, start / fs_hz
        )
        assert frames[0, 0, k] == pytest.approx(expected, rel=1e-3)
        assert frames[1, 0, k] == pytest.approx(2 * expected, rel=1e-3)
        assert abs(frames[0, 0, k]) == pytest.approx(3.0, rel=1e-3)


@pytest.mark.parametrize(("harmonic", "least_db"), [(2, 68), (3, 85), (5, 101)])
def test_frames_leave_harmonics_out(harmonic: int, least_db: float) -> None:
    for f0_hz in np.linspace(45.0, 65.0, 21):
        x = wave(harmonic * f0_hz, 1_000.0, 1.0, 1.0)[None, None]
        _, frames = supply_line.frame_phasors(x, 1_000.0, np.array([f0_hz]))
        assert 20 * np.log10(np.abs(frames).max()) < -least_db


def test_no_frame_in_a_record_shorter_than_one() -> None:
    t_s, frames = supply_line.frame_phasors(
        np.ones((2, 3, 150), np.float32), 1_000.0, np.full(2, 50.0)
    )
    assert t_s.shape == (0,)
    assert frames.shape == (2, 3, 0)
