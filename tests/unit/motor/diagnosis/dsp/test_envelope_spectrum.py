import numpy as np
import pytest
from scipy.signal import hilbert

from tests.signals.vibration import FS_HZ, coloured_noise
from vtox.motor.diagnosis.dsp import envelope_spectrum
from vtox.motor.diagnosis.dsp.envelope_spectrum import EnvelopeSpectra


def modulated(depth: float, hz: float, seconds: float = 4.0, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * FS_HZ)) / FS_HZ
    return (1 + depth * np.cos(2 * np.pi * hz * t)) * coloured_noise(len(t), rng)


def envelope_spectra(x: np.ndarray, *, bands: int, segments: int) -> EnvelopeSpectra:
    length = envelope_spectrum.segment_length(len(x[0]), bands=bands, segments=segments)
    spectra = envelope_spectrum.segment_spectra(x, length, segments)
    return envelope_spectrum.spectra_of_envelopes(spectra, FS_HZ, bands=bands)


def envelope_by_hilbert(x: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
    """The envelope of one band, slowly: zero the spectrum outside, then the analytic signal."""
    f = np.fft.rfftfreq(len(x), 1 / FS_HZ)
    inside = (f >= low_hz) & (f < high_hz)
    return np.abs(hilbert(np.fft.irfft(np.fft.rfft(x) * inside, len(x))))


def test_envelope_spectra_are_those_of_the_analytic_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope_spectrum, "MAX_TONE_RATIO", np.inf)
    x = modulated(0.5, 40.0)
    found = envelope_spectra(x[None].astype(np.float32), bands=4, segments=1)
    assert found.df_hz == pytest.approx(0.25)
    window = np.hanning(len(x) + 1)[:-1]
    for band in (1, 2):
        slow = envelope_by_hilbert(x * window, band * 1250.0, (band + 1) * 1250.0)
        mean = slow.sum() / window.sum()
        lines = np.abs(np.fft.rfft(slow - mean * window)) * 2 / window.sum()
        fast = np.abs(found.spectra[0, band, 0])
        assert found.mean[0, band] == pytest.approx(mean, rel=0.01)
        # Neighbouring bands are cut bin by bin, the bin at an edge belongs to one of them.
        np.testing.assert_allclose(fast[8:2000], lines[8:2000], atol=0.02 * lines.max())


@pytest.mark.parametrize("depth", [0.1, 0.3, 0.6])
@pytest.mark.parametrize("segments", [1, 7])
def test_line_over_mean_is_the_depth_of_modulation(depth: float, segments: int) -> None:
    x = modulated(depth, 40.0, seconds=8.0)[None].astype(np.float32)
    found = envelope_spectra(x, bands=4, segments=segments)
    power = envelope_spectrum.view_power(found.spectra, found.mean)[0]
    at = round(40.0 / found.df_hz)
    assert np.sqrt(power[-1, at]) == pytest.approx(depth, rel=0.12)


def test_views_do_not_depend_on_the_scale_of_the_signal() -> None:
    x = modulated(0.3, 40.0)[None].astype(np.float32)
    powers = []
    for scale in (1.0, 1e-3, 1e4):
        e = envelope_spectra(np.float32(scale) * x, bands=8, segments=3)
        powers.append(envelope_spectrum.view_power(e.spectra, e.mean)[0])
    np.testing.assert_allclose(powers[1], powers[0], rtol=1e-2, atol=1e-7)
    np.testing.assert_allclose(powers[2], powers[0], rtol=1e-2, atol=1e-7)


def test_two_tones_do_not_beat_in_the_envelope() -> None:
    rng = np.random.default_rng(3)
    t = np.arange(round(2 * FS_HZ)) / FS_HZ
    tones = 20 * np.cos(2 * np.pi * 1500 * t) + 20 * np.cos(2 * np.pi * 1587 * t)
    x = (coloured_noise(len(t), rng) + tones)[None].astype(np.float32)
    e = envelope_spectra(x, bands=4, segments=1)
    lines = envelope_spectrum.over_floor(
        envelope_spectrum.view_power(e.spectra, e.mean)[0], e.n_averages
    )
    assert lines[:, round(87 / e.df_hz)].max() < 8


@pytest.mark.parametrize("segments", [1, 4])
def test_noise_over_its_floor_is_gamma_distributed_with_mean_one(segments: int) -> None:
    rng = np.random.default_rng(4)
    x = np.asarray([coloured_noise(60_000, rng) for _ in range(6)], np.float32)
    e = envelope_spectra(x, bands=8, segments=segments)
    lines = envelope_spectrum.over_floor(
        envelope_spectrum.view_power(e.spectra, e.mean), e.n_averages
    )[:, :8, 64:]
    assert lines.mean() == pytest.approx(1.0, abs=0.05)
    assert lines.var() == pytest.approx(1 / e.n_averages, rel=0.15)


def test_overlapping_segments_count_for_less_than_independent_ones() -> None:
    x = np.random.default_rng(0).standard_normal((1, 40_000)).astype(np.float32)
    n_averages = [envelope_spectra(x, bands=4, segments=s).n_averages for s in (1, 2, 9)]
    assert n_averages[0] == 1
    assert 1.9 < n_averages[1] < 2
    assert 8.5 < n_averages[2] < 8.7


def test_a_silent_band_does_not_count_in_the_views() -> None:
    x = modulated(0.3, 40.0)
    spectrum = np.fft.rfft(x)
    spectrum[len(spectrum) // 2 :] = 0
    half = np.fft.irfft(spectrum, len(x))[None].astype(np.float32)
    e = envelope_spectra(half, bands=4, segments=1)
    power = envelope_spectrum.view_power(e.spectra, e.mean)[0]
    assert np.all(np.isfinite(power))
    assert np.all(power[3] == 0)
    assert np.sqrt(power[-1, round(40.0 / e.df_hz)]) == pytest.approx(0.3, rel=0.12)


def test_views_name_their_bands() -> None:
    views = envelope_spectrum.view_bands(8)
    assert views[0] == (0, 1)
    assert (3, 5) in views
    assert views[-2:] == ((0, 8), (0, 8))
    assert envelope_spectrum.view_bands(1) == ((0, 1), (0, 1), (0, 1))


@pytest.mark.parametrize("bands", [1, 3])
def test_a_signal_has_the_same_spectra_alone_and_in_a_batch(bands: int) -> None:
    x = np.random.default_rng(0).standard_normal((5, 2000)).astype(np.float32)
    together, *alone = (
        envelope_spectra(signals, bands=bands, segments=1).spectra for signals in (x, *x[:, None])
    )
    np.testing.assert_array_equal(together, np.concatenate(alone))


def test_short_spectra_are_left_as_they_are() -> None:
    x = np.ones((2, 40), np.complex64)
    x[:, 3] = 1e6
    np.testing.assert_array_equal(envelope_spectrum.without_tones(x.copy()), x)
