"""Bins are those of one transform, wherever they lie, also put together from four transforms."""

import numpy as np
import pytest
import scipy.fft

from vtox.motor.diagnosis.dsp import partial_fft


def noise(samples: int, batch: int = 3) -> np.ndarray:
    return np.random.default_rng(samples).standard_normal((batch, 2, samples)).astype(np.float32)


@pytest.mark.parametrize("samples", [64, 100, 500, 4_096, 12_345, 20_000, 20_004, 40_000])
@pytest.mark.parametrize("share", [0.05, 0.25, 0.6, 1.0])
def test_low_bins_are_those_of_one_transform(samples: int, share: float) -> None:
    x = noise(samples)
    got = partial_fft.spectra(x)
    expected = scipy.fft.rfft(x[..., : got.samples].astype(np.float64))
    count = max(1, round(share * got.bins))
    assert got.bins == expected.shape[-1]
    assert got.low(count) == pytest.approx(expected[..., :count], abs=1e-6 * np.sqrt(samples))
    assert got.low(count).dtype == np.complex64


@pytest.mark.parametrize("samples", [5_000, 40_000])
@pytest.mark.parametrize("share", [[0, 0.0002, 0.0004], [0.06, 0.062, 0.12], [0.18, 0.248, 0.25]])
@pytest.mark.parametrize("more", [0, 0.2495])
def test_bins_anywhere(samples: int, share: list[float], more: float) -> None:
    x = noise(samples)
    first = np.array([round(samples * (s + more)) for s in share])
    expected = scipy.fft.rfft(x.astype(np.float64))
    expected = np.concatenate([expected, expected[..., -2:0:-1].conj()], axis=-1)
    got = partial_fft.spectra(x).at(first, 11)
    for row, whole, at in zip(got, expected, first, strict=True):
        assert row == pytest.approx(whole[:, at : at + 11], abs=1e-6 * samples**0.5)


@pytest.mark.parametrize("batch", [1, 3, 5, 8, 9])
def test_as_many_signals_as_share_a_transform(batch: int) -> None:
    x = noise(1_000, batch)
    expected = scipy.fft.rfft(x.astype(np.float64))
    assert partial_fft.spectra(x).low(501) == pytest.approx(expected, abs=1e-4)


def test_no_bins_are_nothing() -> None:
    assert partial_fft.spectra(noise(100)).at(np.zeros(3, int), 0).shape == (3, 2, 0)


@pytest.mark.parametrize("samples", [64, 999, 10_000, 99_991])
def test_few_samples_are_left_out(samples: int) -> None:
    used = partial_fft.usable(samples)
    assert used % partial_fft.WAYS == 0
    assert 0.93 * samples < used <= samples


def test_turns_are_powers_of_one_turn() -> None:
    step = np.array([0.1, 2.0])
    expected = np.exp(-1j * step[:, None] * np.arange(1_000))
    assert partial_fft.turns(step, 1_000) == pytest.approx(expected, abs=1e-12)
    assert partial_fft.turns(0.1, 0).shape == (0,)
