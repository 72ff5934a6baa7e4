"""The baseband keeps weak lines, and modulation forgets slow changes."""

import numpy as np
import pytest
import scipy.fft

from tests import naive
from tests.signals.current_lines import Machine, space_vector
from vtox.motor.diagnosis.dsp import demodulation, modulation_spectrum


def envelope_of(x: np.ndarray, fs_hz: float, centre_hz: float) -> tuple[np.ndarray, float]:
    samples = x.shape[-1]
    centre = np.full(len(x), round(centre_hz * samples / fs_hz))
    alone = np.ones((len(x), 1))
    return demodulation.around_line(scipy.fft.rfft(x), alone, centre, samples, fs_hz)


@pytest.mark.parametrize("fs_hz", [1_000.0, 10_000.0, 50_000.0])
@pytest.mark.parametrize("level_dbc", [-40.0, -55.0, -70.0])
def test_single_precision_keeps_a_weak_sideband(fs_hz: float, level_dbc: float) -> None:
    m = Machine(fs_hz=fs_hz, lower_dbc=level_dbc, seconds=10.0)
    space = space_vector(m, np.random.default_rng(3))
    x = space.real.astype(np.float32)[None, None]
    envelope, rate_hz = envelope_of(x, fs_hz, m.f0_hz)
    found = modulation_spectrum.spectra(*demodulation.modulation(envelope, rate_hz), rate_hz)
    lower, upper = found.sidebands(np.array([round(2 * m.slip * m.f0_hz / found.step_hz)]))
    assert 20 * np.log10(lower[0]) == pytest.approx(level_dbc, abs=0.3)
    assert 20 * np.log10(upper[0]) < level_dbc - 25


@pytest.mark.parametrize("samples", [9_973, 10_000, 10_007])
def test_any_length(samples: int) -> None:
    rng = np.random.default_rng(0)
    m = Machine(fs_hz=1_000.0, seconds=samples / 1_000, rotor_dbc=-50.0)
    x = space_vector(m, rng).real.astype(np.float32)[None, None]
    envelope, rate_hz = envelope_of(x, 1_000.0, m.f0_hz)
    assert rate_hz == pytest.approx(200.0, rel=0.02)
    assert np.abs(envelope[0, 50:-50]).mean() == pytest.approx(1.0, rel=0.01)


def test_offset_and_negative_image_stay_outside() -> None:
    t = np.arange(20_000) / 2_000.0
    x = (np.cos(2 * np.pi * 50.0 * t) + 5.0).astype(np.float32)[None, None]
    envelope, rate_hz = envelope_of(x, 2_000.0, 50.0)
    am, pm = demodulation.modulation(envelope, rate_hz)
    assert np.abs(am).max() < 1e-4
    assert np.abs(pm).max() < 1e-4


@pytest.mark.parametrize("degree", [1, 3, 6])
def test_detrend_agrees_with_polyfit(degree: int) -> None:
    x = np.cumsum(np.random.default_rng(1).standard_normal(500))
    assert demodulation.detrend(x[None], degree)[0] == pytest.approx(
        naive.polynomial_residual(x, degree), abs=1e-9
    )


def test_slow_drift_is_no_modulation() -> None:
    t = np.arange(2_000) / 200.0
    envelope = (1 + 0.02 * t) * np.exp(2j * np.pi * (0.01 * t + 0.002 * t**2))
    am, pm = demodulation.modulation(envelope[None], 200.0)
    assert np.abs(am).max() < 1e-9
    assert np.abs(pm).max() < 1e-9


def test_unsteadiness_shows_steps_of_load_and_frequency() -> None:
    t = np.arange(2_000) / 200.0
    step = np.where(t < 5, 1.0, 1.3) + 0j
    ramp = np.exp(2j * np.pi * 0.05 * t**2)
    got = demodulation.unsteadiness(np.stack([step, ramp]), 200.0)
    assert got.amplitude_range == pytest.approx([0.26, 0.0], abs=0.01)
    assert (got.lowest[0], got.highest[0]) == pytest.approx((1.0, 1.3))
    assert got.frequency_range_hz == pytest.approx([0.0, 0.93], abs=0.03)


def test_unwrap_agrees_with_numpy() -> None:
    phase = np.cumsum(np.random.default_rng(2).uniform(-3, 3, (4, 500)), axis=-1)
    folded = np.angle(np.exp(1j * phase))
    assert demodulation.unwrap(folded) == pytest.approx(np.unwrap(folded), abs=1e-9)
