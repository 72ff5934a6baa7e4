"""The speed of a shaft by the phase of its line, and records by its angle."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from vtox.motor.diagnosis.dsp.shaft_phase import ShaftPhase, by_shaft_angle, shaft_phases
from vtox.motor.values.arrays import Float64

FS_HZ, SHAFT_HZ, SECONDS = 8000.0, 24.0, 4.0
T = np.arange(round(FS_HZ * SECONDS)) / FS_HZ


def line(swing: float, *, noise: float = 0.1) -> tuple[Float64, Float64]:
    """Return a shaft line whose speed swings twice a record, and that speed."""
    speed = SHAFT_HZ * (1 + swing * np.sin(2 * np.pi * 2 * T / SECONDS))
    x = np.cos(2 * np.pi * np.cumsum(speed) / FS_HZ)
    return x + noise * np.random.default_rng(1).standard_normal(len(T)), speed


def test_a_speed_that_swings_is_followed() -> None:
    x, speed = line(0.02)
    (phase,) = shaft_phases([x], FS_HZ, [1.003 * SHAFT_HZ])
    assert phase is not None
    assert phase.swing == pytest.approx(0.04, abs=0.006)
    points = (np.arange(len(phase.speed_hz)) + 0.5) * len(T) / len(phase.speed_hz)
    middle = slice(len(points) // 8, -len(points) // 8)
    followed = phase.speed_hz[middle] / speed[points.astype(int)[middle]]
    assert np.abs(followed - 1).max() < 0.005


def test_a_steady_speed_and_noise_give_none_or_no_swing() -> None:
    (steady,) = shaft_phases([line(0.0)[0]], FS_HZ, [SHAFT_HZ])
    assert steady is None or steady.swing < 0.005
    noise = np.random.default_rng(2).standard_normal(len(T))
    assert shaft_phases([noise], FS_HZ, [SHAFT_HZ]) == [None]


def test_a_record_too_short_for_a_swing_gives_none() -> None:
    assert shaft_phases([line(0.0)[0][:1000]], FS_HZ, [SHAFT_HZ]) == [None]


def test_by_angle_a_line_stands_still() -> None:
    x, speed = line(0.02, noise=0.0)
    high = np.cos(2 * np.pi * 15 * np.cumsum(speed) / FS_HZ)
    (phase,) = shaft_phases([x], FS_HZ, [SHAFT_HZ])
    assert phase is not None
    peaks = [
        np.abs(np.fft.rfft(y * np.hanning(len(y)))).max()
        for y in (high, by_shaft_angle(high, phase))
    ]
    assert peaks[1] > 2 * peaks[0]


def test_by_angle_is_the_cubic_spline_at_the_places_of_equal_steps() -> None:
    x = np.convolve(np.random.default_rng(3).standard_normal(20_000), np.ones(3) / 3, "same")
    phase = ShaftPhase(24.0 * (1 + 0.02 * np.sin(np.linspace(0, 12, 160))), 0.04)
    at = np.arange(len(x))
    speed = np.interp(at, (np.arange(160) + 0.5) * len(x) / 160, phase.speed_hz)
    turned = np.concatenate([[0.0], np.cumsum((speed[1:] + speed[:-1]) / 2)])
    places = np.interp(np.linspace(0, turned[-1], len(x)), turned, at)
    slow = map_coordinates(x, places[None], order=3, mode="nearest")
    assert by_shaft_angle(x, phase) == pytest.approx(slow, abs=0.01)
