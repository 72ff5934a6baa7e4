"""Bins put together from four transforms are those of one, wherever they lie."""

import numpy as np
import pytest
import scipy.fft

from vtox.dsp import partial_fft


def noise(samples: int, batch: int = 3) -> np.ndarray:
    return np.random.default_rng(samples).standard_normal((batch, 2, samples)).astype(np.float32)


@pytest.mark.parametrize("samples", [64, 100, 500, 4_096, 10_000, 12_345])
@pytest.mark.parametrize("share", [0.05, 0.25, 0.6, 1.0])
def test_low_bins_are_those_of_one_transform(samples: int, share: float) -> None:
    x = noise(samples)
    got = partial_fft.spectra(x)
    expected = scipy.fft.rfft(x[..., : got.samples].astype(np.float64))
    count = max(1, round(share * got.bins))
    assert got.bins == expected.shape[-1]
    assert got.low(count) == pytest.approx(expected[..., :count], abs=1e-6 * np.sqrt(samples))
    assert got.low(count).dtype == np.complex64


@pytest.mark.parametrize("first", [[0, 1, 2], [300, 310, 620], [900, 1_240, 1_250], [2_490, 7, 0]])
def test_bins_anywhere(first: list[int]) -> None:
    x = noise(5_000)
    expected = scipy.fft.rfft(x.astype(np.float64))
    got = partial_fft.spectra(x).at(np.array(first), 11)
    for row, whole, at in zip(got, expected, first, strict=True):
        assert row == pytest.approx(whole[:, at : at + 11], abs=1e-4)


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
