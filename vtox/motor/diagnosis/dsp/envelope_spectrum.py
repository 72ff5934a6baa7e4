"""Envelope spectra of vibration in many bands at once, and the level of their lines over the floor.

First step of the bearing diagnoser: samples in, line levels per view out. A view is the envelope of
one band or of several adjacent bands together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
from scipy.special import gammaincinv

from vtox.motor.diagnosis.dsp.partial_fft import LANES, missing_lanes
from vtox.motor.values.arrays import TINY, Complex, Float32
from vtox.motor.values.domain import Array

# Bins that a block of the noise floor spans. Lines may fill a fifth of them and the median hardly
# moves; wider blocks follow the slope of the floor less well.
BLOCK_BINS = 64
# Power over its neighbours to which a bin of the vibration spectrum is cut. A higher one is a tone,
# and two tones beat in the envelope like a comb. docs/calibration/bearing.md#tones
MAX_TONE_RATIO = 25.0


@dataclass(frozen=True, slots=True)
class EnvelopeSpectra:
    """Envelope spectra of B signals in equal bands from 0 to fs/2.

    `spectra` (B, bands, segments, bins): complex line amplitude of the envelope, in the unit of the
    signal, bins from 0 Hz in steps of `df_hz`. The mean envelope is `mean` (B, bands), in that
    unit.
    """

    spectra: Complex
    mean: Float32
    df_hz: float

    @property
    def n_averages(self) -> float:
        """Equivalent number of independent segments.

        Neighbouring Hann segments that overlap by half share (1/6)^2 of their power's variance
        (Welch 1967, IEEE Trans. AU-15(2):70-73).
        """
        s = int(self.spectra.shape[2])
        return s / (1 + 2 * (s - 1) / s / 36)


@dataclass(frozen=True, slots=True)
class Envelopes:
    """Envelopes of B signals in equal bands, at 1/`bands` of the sampling rate, by segments.

    `values` (B, segments, bands, samples): multiplied by `window` (samples,), in `bands` / 2 times
    the unit of the signal; `length` of a segment, samples of the signal.
    """

    values: Float32
    window: Float32
    length: int


def envelopes(x: Sequence[Array] | Array, *, bands: int, segments: int) -> Envelopes:
    """Return the envelope of each signal in `bands` equal bands, by segments under a Hann window.

    Parameters
    ----------
    x : sequence of ndarray, length batch, each of shape (samples,)
    bands, segments : int

    Returns
    -------
    Envelopes

    See Also
    --------
    spectra_of_envelopes : the spectra of these.
    """
    length = segment_length(len(x[0]), bands=bands, segments=segments)
    return _envelopes_of_bands(segment_spectra(x, length, segments), bands)


def segment_length(samples: int, *, bands: int, segments: int) -> int:
    """Return the samples of a segment, so many that all transforms have fast lengths.

    Signals of one length of segments may be transformed together whatever their bands.
    """
    unit = 2 * bands
    pieces = segments + 1 if segments > 1 else 1
    hop = unit * scipy.fft.prev_fast_len(max(1, samples // (pieces * unit)), real=False)
    return 2 * hop if segments > 1 else hop


def segment_spectra(x: Sequence[Array] | Array, length: int, segments: int) -> Complex:
    """Return the spectra of the half-overlapping Hann segments of each signal, tones cut.

    Parameters
    ----------
    x : sequence of ndarray, length batch, each of shape (samples,)
    length : int
        Samples of a segment, from `segment_length`.
    segments : int

    Returns
    -------
    ndarray of complex64, shape (batch, segments, length / 2)
        By `without_tones`; bins from 0 Hz, that at half the sampling rate left out.
    """
    batch = len(x)
    hop = length // 2 if segments > 1 else length
    missing = missing_lanes(batch) if segments == 1 else 0
    filled = np.empty((batch + missing, segments, length), np.float32)
    filled[batch:] = 0
    cut = filled[:batch]
    for own, signal in zip(cut, x, strict=True):
        for k, segment in enumerate(own):
            segment[:] = signal[k * hop : k * hop + length]
    cut -= cut.mean(axis=-1, keepdims=True)
    filled *= _hann(length)
    spectra: Complex = scipy.fft.rfft(filled, axis=-1, overwrite_x=True)
    return without_tones(spectra[:batch, ..., : length // 2])


def spectra_of_envelopes(spectra: Complex, fs_hz: float, *, bands: int) -> EnvelopeSpectra:
    """Return the envelope spectra in `bands` equal bands of signals by their `segment_spectra`.

    Each band, shifted to 0 Hz and zero-padded to twice its width, gives the analytic signal of the
    band, whose modulus is the envelope (Randall & Antoni 2011, MSSP 25(2):485-520, section 4.2).
    The modulus is used rather than its square because single large impacts upset it less. It costs
    9 % of line power in Gaussian noise.

    Parameters
    ----------
    spectra : ndarray of complex64, shape (batch, segments, length / 2)
        Spectra of segments whose `segment_length` is that for `bands`.
    fs_hz : float
        Sampling rate, Hz.
    bands : int
    """
    windowed = _envelopes_of_bands(spectra, bands)
    total = windowed.window.sum(dtype=np.float32)
    of_envelopes = scipy.fft.rfft(windowed.values, axis=-1, overwrite_x=True)
    # One of two sides, transformed back at 1/`bands` of the rate: 2/`bands` restores the unit.
    of_envelopes *= 4 / bands / total
    mean = of_envelopes[..., 0].real.mean(axis=1) / 2
    # The mean, under a Hann window, lies in these two bins only.
    of_envelopes[..., :2] = 0
    return EnvelopeSpectra(of_envelopes.transpose(0, 2, 1, 3), mean, fs_hz / windowed.length)


def _envelopes_of_bands(spectra: Complex, bands: int) -> Envelopes:
    batch, segments, bins = spectra.shape
    width = bins // bands
    count = batch * segments * bands
    # In whole registers: scipy >= 1.18 rounds a complex transform that is alone in them otherwise.
    filled = np.zeros((count + -count % LANES, 2 * width), spectra.dtype)
    filled[:count, :width] = spectra.reshape(count, width)
    values = np.abs(scipy.fft.ifft(filled, axis=-1, overwrite_x=True)[:count])
    values = values.reshape(batch, segments, bands, 2 * width)
    # Bands of many bins pass the window unchanged: the envelope is windowed by it too.
    return Envelopes(values, _hann(2 * width), 2 * bins)


def without_tones(spectrum: Complex) -> Complex:
    """Return spectra whose bins are cut to `MAX_TONE_RATIO` times the median power of their block.

    A milder form of cepstrum pre-whitening, which sets every bin to one (Borghesani, Pennacchi,
    Randall, Sawalhi & Ricci 2013, MSSP 36(2):370-384). Deterministic lines are removed, the shape
    of the resonances stays.

    Parameters
    ----------
    spectrum : ndarray of complex64, shape (..., bins)
        Spectrum of Hann-windowed samples, so that a tone stays within its bins.

    Returns
    -------
    ndarray of complex64, shape (..., bins)
    """
    bins = spectrum.shape[-1]
    blocks = bins // BLOCK_BINS
    if blocks == 0:
        return spectrum
    size = np.abs(spectrum)
    limit = np.sqrt(np.float32(MAX_TONE_RATIO)) * _middle_of_blocks(size, blocks, BLOCK_BINS)
    # The last block includes the remaining bins.
    spans = np.full(blocks, BLOCK_BINS)
    spans[-1] += bins - blocks * BLOCK_BINS
    limit = np.repeat(limit, spans, axis=-1)
    # flatnonzero of few bins in one dimension: ten times faster than nonzero in several.
    tones = np.unravel_index(np.flatnonzero(size > limit), size.shape)
    spectrum[tones] *= limit[tones] / size[tones]
    return spectrum


def view_power(spectra: Complex, mean: Float32) -> Float32:
    """Return the envelope power spectra of single bands and of adjacent bands together.

    The complex envelope spectra of adjacent bands are added: for envelope frequencies well below
    the width of a band that is the envelope of the joint band, without another transform. Many
    views replace the search of the kurtogram (Antoni 2007, MSSP 21(1):108-124): the comb itself
    selects the band.

    Parameters
    ----------
    spectra : ndarray of complex64, shape (batch, bands, segments, bins)
    mean : ndarray, shape (batch, bands)
        Mean envelope of each band, in the unit of `spectra`.

    Returns
    -------
    ndarray of float32, shape (batch, views, bins)
        Squared line amplitude over the squared mean envelope of the view, averaged over segments;
        views in the order of `view_bands`.
    """
    batch, bands, segments, bins = spectra.shape
    # A band of less of the record's mean envelope holds rounding noise of float32 transforms.
    audible = (mean > 1e-6 * mean.sum(axis=-1, keepdims=True)).astype(np.float32)
    weights = _bands_of_views(bands) * audible[:, None]
    weights /= np.maximum(weights @ mean[..., None], TINY)
    share = audible / np.maximum(audible.sum(axis=-1, keepdims=True), 1)
    weights[:, -1] = share / np.where(audible > 0, mean, 1)
    # Record by record, whose parts stay in the cache: three quarters of the time of all at once.
    part = np.empty((bands, 2, segments, bins), np.float32)
    line = np.empty((weights.shape[1], 2 * segments, bins), np.float32)
    power = np.empty((batch, len(line), bins), np.float32)
    for own, own_weights, own_power in zip(spectra, weights, power, strict=True):
        part[:, 0], part[:, 1] = own.real, own.imag
        np.matmul(own_weights, part.reshape(bands, -1), out=line.reshape(len(line), -1))
        np.einsum("vkb,vkb->vb", line, line, out=own_power)
    if segments > 1:
        power /= segments
    return power


@lru_cache(maxsize=64)
def view_bands(bands: int) -> tuple[tuple[int, int], ...]:
    """Return first and last band (exclusive) of each view.

    Single bands; pairs of adjacent bands; every second group of four; all bands as they are; all
    bands with equal weight, which whitens the signal across bands.
    """
    groups = [
        (start, start + width)
        for width, step in ((1, 1), (2, 1), (4, 2))
        if width < bands or width == 1
        for start in range(0, bands - width + 1, step)
    ]
    return (*groups, (0, bands), (0, bands))


def over_floor(power: Float32, n_averages: float) -> Float32:
    """Return each bin's power over the local noise floor, which has mean 1 in noise.

    The floor is the median of blocks of `BLOCK_BINS` bins, interpolated linearly, over the median
    of the Gamma distribution that averaged periodograms of noise follow.

    Parameters
    ----------
    power : ndarray, shape (..., bins)
        Bins beyond the last whole block are dropped.
    n_averages : float
        Equivalent number of averaged periodograms.

    Returns
    -------
    ndarray of float32, shape (..., bins - bins % BLOCK_BINS)
    """
    bins = power.shape[-1]
    blocks, size = max(1, bins // BLOCK_BINS), min(BLOCK_BINS, bins)
    kept = power[..., : blocks * size]
    middle = _middle_of_blocks(kept, blocks, size)
    np.maximum(middle / _median_of_noise(n_averages, size), TINY, out=middle)
    floor = _interpolated(middle, size)
    return np.divide(kept, floor, out=floor)


def _middle_of_blocks(x: Float32, blocks: int, size: int) -> Float32:
    """Return the middle value of each block of `size` bins, shape (..., blocks).

    Numbers that are not negative have the order of their bits, which sort in 0.7 of the time.
    """
    bits = x[..., : blocks * size].view(np.int32).reshape(*x.shape[:-1], blocks, size)
    middle: Float32 = np.sort(bits, axis=-1)[..., size // 2].view(np.float32)
    return middle


@lru_cache(maxsize=64)
def _hann(length: int) -> Float32:
    return np.asarray(np.hanning(length + 1)[:-1], np.float32)


@lru_cache(maxsize=64)
def _bands_of_views(bands: int) -> Float32:
    """Return the bands of each view as 0 or 1, shape (views, bands)."""
    views = view_bands(bands)
    return np.asarray([[lo <= b < hi for b in range(bands)] for lo, hi in views], np.float32)


def _interpolated(levels: Float32, size: int) -> Float32:
    """Return levels of blocks linearly between their middles, shape (..., blocks * size).

    Bins before the first middle and behind the last one have that block's level.
    """
    blocks, half = levels.shape[-1], size // 2
    bins = np.empty((*levels.shape[:-1], blocks * size), np.float32)
    bins[..., :half] = levels[..., :1]
    bins[..., blocks * size - (size - half) :] = levels[..., -1:]
    pairs = np.stack([levels[..., :-1], levels[..., 1:]], axis=-1)
    between = bins[..., half : half + (blocks - 1) * size]
    # A product takes a fifth of the time of adding up such short rows.
    np.matmul(pairs, _ramps(size), out=between.reshape(*pairs.shape[:-1], size))
    return bins


@lru_cache(maxsize=64)
def _ramps(size: int) -> Float32:
    """Return the weights of two neighbouring levels over the bins between them, (2, size)."""
    rising = np.arange(size) / size
    return np.asarray([1 - rising, rising], np.float32)


@lru_cache(maxsize=256)
def _median_of_noise(n_averages: float, size: int) -> np.float32:
    """Return the expected middle order statistic of `size` bins of noise with mean 1."""
    return np.float32(gammaincinv(n_averages, (size // 2 + 0.5) / size) / n_averages)
