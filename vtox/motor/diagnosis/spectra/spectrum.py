"""The lines and the noise of a spectrum, and the part of it that is shown."""

from dataclasses import replace

import numpy as np
import scipy.fft

from vtox.motor.diagnosis.dsp import envelope_spectrum
from vtox.motor.diagnosis.spectra.thinning import extremes
from vtox.motor.values.arrays import Float64, Int
from vtox.motor.values.domain import Array
from vtox.motor.values.spectra import ExpectedLine, Spectrum

# Padding of a spectrum: a line between two bins loses 0.4 dB then, 1.4 dB without.
PAD = 2


def thinned(s: Spectrum, low_hz: float, high_hz: float, points: int) -> Spectrum:
    """Return the part of a spectrum from `low_hz` to `high_hz` in at most `points` points.

    If there are more bins, blocks of equal width keep their highest and their lowest: no peak is
    lost, and noise is as wide as it is. The places of lines are kept; lines outside are left out.
    """
    first, stop = np.searchsorted(s.hz, [low_hz, np.nextafter(high_hz, np.inf)])
    lines = tuple(x for x in s.lines if x.low_hz <= high_hz and x.high_hz >= low_hz)
    kept: Int = np.arange(first, stop)
    if len(kept) > points:
        measured_hz = [x.found_hz for x in lines if x.found_hz and low_hz <= x.found_hz <= high_hz]
        places = _nearest(s.hz, np.array(measured_hz, np.float64))
        thin = extremes(s.levels_db[first:stop], (points - len(places)) // 2) + first
        kept = np.union1d(thin, places)
    return replace(
        s,
        hz=s.hz[kept],
        levels_db=s.levels_db[kept],
        floor_db=s.floor_db[kept],
        lines=lines,
        bins=int(stop - first),
    )


def hann_amplitudes(x: Array, fs_hz: float) -> tuple[Float64, float]:
    """Return the peak amplitudes of lines under a Hann window, and the spacing of the bins.

    Parameters
    ----------
    x : ndarray, shape (samples,)
        Any unit; its mean is removed.
    fs_hz : float

    Returns
    -------
    amplitudes : ndarray, shape (bins,)
        From 0 Hz on, in the unit of `x`.
    step_hz : float
    """
    window = np.hanning(len(x) + 1)[:-1]
    padded = scipy.fft.next_fast_len(PAD * len(x), real=True)
    spectrum = scipy.fft.rfft((x - x.mean()) * window, n=padded)
    return np.asarray(2 * np.abs(spectrum) / window.sum(), np.float64), fs_hz / padded


def frequencies_hz(count: int, step_hz: float) -> Float64:
    """Return the frequencies of bins from 0 Hz on."""
    return np.asarray(np.arange(count) * step_hz, np.float64)


def read_between(
    line: ExpectedLine, hz: Float64, levels_db: Float64, low_hz: float, high_hz: float
) -> ExpectedLine:
    """Return a line with its highest level between two frequencies; without one if none is there.

    Parameters
    ----------
    line : Line
    hz, levels_db : ndarray, shape (bins,)
    low_hz, high_hz : float
    """
    first, stop = np.searchsorted(hz, [low_hz, np.nextafter(high_hz, np.inf)])
    part = np.nan_to_num(levels_db[first:stop], nan=-np.inf)
    if not np.isfinite(part).any():
        return replace(line, found_hz=None, level_db=None)
    best = first + int(np.argmax(part))
    return replace(line, found_hz=float(hz[best]), level_db=float(levels_db[best]))


def noise_floor(power: Float64) -> Float64:
    """Return the local noise floor of a power spectrum.

    The median of blocks of bins over that of noise, whose power in a bin is Exp(1) distributed, is
    interpolated between the middles of the blocks. The envelope spectra, which may be averaged,
    have the same floor. Memory grows with the bins alone.

    Parameters
    ----------
    power : ndarray, shape (bins,)

    Returns
    -------
    ndarray, shape (bins,)
    """
    size = min(envelope_spectrum.BLOCK_BINS, len(power))
    blocks = len(power) // size
    medians = np.median(power[: blocks * size].reshape(blocks, size), axis=-1) / np.log(2)
    middles = (np.arange(blocks) + 0.5) * size
    return np.asarray(np.interp(np.arange(len(power)), middles, medians), np.float64)


def _nearest(hz: Float64, wanted_hz: Float64) -> Int:
    """Return the places of the bins nearest to some frequencies; `hz` ascends."""
    right = np.clip(np.searchsorted(hz, wanted_hz), 1, len(hz) - 1)
    nearer_left = wanted_hz - hz[right - 1] < hz[right] - wanted_hz
    return np.asarray(right - nearer_left, np.int64)
