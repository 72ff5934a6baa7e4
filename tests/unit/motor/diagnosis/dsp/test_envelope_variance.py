import numpy as np
import pytest

from vtox.motor.diagnosis.dsp import envelope_variance
from vtox.motor.diagnosis.dsp.envelope_spectrum import (
    Envelopes,
    envelopes,
    segment_length,
    segment_spectra,
    spectra_of_envelopes,
    view_power,
)

FS_HZ, BANDS = 10_000.0, 8
T = np.arange(40_000) / FS_HZ


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(len(T)).astype(np.float32)


def powers(x: np.ndarray) -> np.ndarray:
    length = segment_length(len(x), bands=BANDS, segments=1)
    e = spectra_of_envelopes(segment_spectra(x[None], length, 1), FS_HZ, bands=BANDS)
    return view_power(e.spectra, e.mean)[0, :BANDS]


def test_noise_varies_as_a_rayleigh_envelope() -> None:
    total = envelope_variance.variance(powers(noise()))
    assert total == pytest.approx(np.full(BANDS, 4 / np.pi - 1), abs=0.03)
    assert envelope_variance.irregular_variance(total, 0) == pytest.approx(
        np.zeros(BANDS), abs=0.03
    )


@pytest.mark.parametrize("depth", [0.3, 0.8])
def test_a_steady_modulation_is_in_lines(depth: float) -> None:
    power = powers(noise(1) * (1 + depth * np.cos(2 * np.pi * 24.3 * T)).astype(np.float32))
    lines = envelope_variance.line_variance(power)
    assert lines == pytest.approx(np.full(BANDS, depth**2 / 2), rel=0.15, abs=0.03)
    left = envelope_variance.irregular_variance(envelope_variance.variance(power), lines)
    assert left == pytest.approx(np.zeros(BANDS), abs=0.05)


def test_an_irregular_modulation_is_not_in_lines() -> None:
    # Forty stretches a second, of any loudness from 0 to 2: variance 1/3.
    loud = np.repeat(np.random.default_rng(2).uniform(0, 2, 160), 250)
    power = powers(noise(2) * loud.astype(np.float32))
    left = envelope_variance.irregular_variance(
        envelope_variance.variance(power), envelope_variance.line_variance(power)
    )
    assert left == pytest.approx(np.full(BANDS, 1 / 3), abs=0.13)


def test_within_pieces_a_knock_and_a_step_of_load_count_nothing() -> None:
    x = noise(3)
    x[20_000:] *= 3
    x[[9_000, 27_000]] += 300
    local = envelope_variance.local_variance(envelopes(x[None], bands=BANDS, segments=1), 20)
    assert local.shape == (1, BANDS)
    assert envelope_variance.irregular_variance(local, 0) == pytest.approx(
        np.zeros((1, BANDS)), abs=0.06
    )
    assert (
        envelope_variance.irregular_variance(envelope_variance.variance(powers(x)), 0).min() > 0.25
    )


def test_the_window_does_not_matter() -> None:
    flat = np.ones(1_000, np.float32)
    bell = np.hanning(1_001)[:-1].astype(np.float32)
    one = np.abs(np.random.default_rng(4).standard_normal((1, 2, 3, 1_000))).astype(np.float32)
    plain, windowed = (
        envelope_variance.local_variance(Envelopes(one * w, w, 1_000), 10) for w in (flat, bell)
    )
    assert windowed == pytest.approx(plain, rel=0.15)
