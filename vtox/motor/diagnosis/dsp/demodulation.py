"""Complex envelope of the supply line, and its amplitude and phase modulation."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft

from vtox.motor.diagnosis.dsp.partial_fft import LANES
from vtox.motor.values.arrays import TINY, Complex, Float32, Float64, Int
from vtox.motor.values.domain import Array

# Half width of the band: holds the supply line, f +- 2sf and f +- fr of every number of poles.
HALF_HZ = 100.0
# The outer tenth of the band fades out, so that the ringing of its filter dies within 0.1 s.
FADE = 0.1
# Ringing lies in each end of the record for so long, s.
EDGE_S = 0.1
# Slow drift of amplitude and phase is no modulation: polynomials of this degree per 10 s are
# removed.
TREND_PER_10_S = 3
STEADY_BLOCK_S = 0.5


@dataclass(frozen=True, slots=True)
class _Unsteadiness:
    """Movement of amplitude and frequency between blocks of 0.5 s; arrays of shape (batch,)."""

    lowest: Float64  # mean amplitude of a block, in the unit of the envelope
    highest: Float64
    amplitude_range: Float64  # highest less lowest, over the mean amplitude
    frequency_range_hz: Float64  # highest less lowest mean frequency of a block


def around_line(
    spectrum: Complex, weights: Complex, centre: Int, samples: int, fs_hz: float
) -> tuple[Complex, float]:
    """Return the complex envelope of a sum of channels around the line, decimated to about 200 Hz.

    The bins within `HALF_HZ` of the line are cut from the spectrum and transformed back: an exact
    decimation, 50 times smaller than the samples at 10 kHz. Bins at and below 0 Hz are left out. So
    the envelope is that of the analytic signal, free of the mirror image of a single phase and of
    the offset of a clamp.

    Parameters
    ----------
    spectrum : ndarray of complex, shape (batch, channels, bins)
        One-sided spectra (`rfft`) of `samples` real samples.
    weights : ndarray of complex, shape (batch, channels)
        Weights of the channels in the sum, those of a sequence for instance.
    centre : ndarray of int, shape (batch,)
        Bin of the line, which becomes 0 Hz.
    samples : int
        Samples the spectra were computed from.
    fs_hz : float

    Returns
    -------
    envelope : ndarray of complex64, shape (batch, points)
        x(t) = Re[envelope(t) exp(j 2 pi f_centre t)], peak values.
    rate_hz : float
        Rate of the envelope, Hz: `points * fs_hz / samples`.
    """
    half_hz = min(HALF_HZ, 0.25 * fs_hz)
    points = scipy.fft.next_fast_len(max(16, round(2 * half_hz * samples / fs_hz)))
    points += points % 2
    half = points // 2
    gain = _fade(points) * spectrum.real.dtype.type(2 / samples * points)
    band = np.zeros((*spectrum.shape[:-1], points), spectrum.dtype)
    for row, bins, line in zip(band, spectrum, centre.tolist(), strict=True):
        first, last = max(1, line - half), min(spectrum.shape[-1], line + half)
        row[:, first - line + half : last - line + half] = bins[:, first:last]
    total = np.einsum("bc,bcn->bn", weights.astype(spectrum.dtype), band) * gain
    # In whole registers: scipy >= 1.18 rounds a complex transform that is alone in them otherwise.
    batch = len(total)
    shifted = np.zeros((batch + -batch % LANES, points), total.dtype)
    shifted[:batch, :half], shifted[:batch, half:] = total[:, half:], total[:, :half]
    envelope = scipy.fft.ifft(shifted, axis=-1, overwrite_x=True)[:batch]
    return envelope, points * fs_hz / samples


@lru_cache(maxsize=64)
def _fade(points: int) -> Float32:
    """Return the weight of each bin of a band, its outer tenths fading out."""
    half = points // 2
    fade = np.clip((1 - np.abs(np.arange(-half, half)) / half) / FADE, 0, 1)
    weight = (np.sin(np.pi / 2 * fade) ** 2).astype(np.float32)
    weight.flags.writeable = False
    return weight


def modulation(envelope: Complex, rate_hz: float) -> tuple[Float64, Float64]:
    """Return amplitude and phase modulation of a supply line, without their slow trends.

    Amplitude and phase are used in place of the two raw sidebands because the wander of the supply
    frequency is phase modulation alone: lines that the phase loses, the amplitude keeps.

    Parameters
    ----------
    envelope : ndarray of complex, shape (batch, points)
        Complex envelope of the line.
    rate_hz : float

    Returns
    -------
    am, pm : ndarray, shape (batch, inner points)
        Relative amplitude (ratio) and phase (rad), the ends of the record cut off; a tone m of
        only the lower sideband shows as m in both.
    """
    inner = envelope[:, inner_points(envelope.shape[-1], rate_hz)]
    degree = max(TREND_PER_10_S, round(TREND_PER_10_S * inner.shape[-1] / rate_hz / 10))
    amplitude = np.abs(inner).astype(np.float64)
    phase = unwrap(np.angle(inner))
    amplitude /= np.maximum(amplitude.mean(axis=-1, keepdims=True), TINY)
    am, pm = detrend(np.stack([amplitude, phase]), degree)
    return am, pm


def unsteadiness(envelope: Complex, rate_hz: float) -> _Unsteadiness:
    """Return the movement of amplitude and frequency of the line within a record.

    Parameters
    ----------
    envelope : ndarray of complex, shape (batch, points)
    rate_hz : float

    Returns
    -------
    Unsteadiness
    """
    inner = envelope[:, inner_points(envelope.shape[-1], rate_hz)]
    blocks = max(2, int(inner.shape[-1] / rate_hz / STEADY_BLOCK_S))
    size = inner.shape[-1] // blocks
    parts = inner[:, : blocks * size].reshape(len(inner), blocks, size)
    amplitude = np.abs(parts).mean(axis=-1, dtype=np.float64)
    turn = np.sum(parts[..., 1:] * parts[..., :-1].conj(), axis=-1)
    hz = np.angle(turn).astype(np.float64) * rate_hz / (2 * np.pi)
    mean = np.maximum(amplitude.mean(axis=-1), TINY)
    return _Unsteadiness(
        lowest=amplitude.min(axis=-1),
        highest=amplitude.max(axis=-1),
        amplitude_range=np.ptp(amplitude, axis=-1) / mean,
        frequency_range_hz=np.ptp(hz, axis=-1),
    )


def inner_points(points: int, rate_hz: float) -> slice:
    """Return the points of an envelope without those at both ends where the filter may ring."""
    skip = min(points // 10, int(np.ceil(EDGE_S * rate_hz)))
    return slice(skip, points - skip)


def unwrap(phase: Array) -> Float64:
    """Return phases (rad) without jumps of whole turns along the last axis.

    As `numpy.unwrap` for jumps of more than half a turn, in a third to a tenth of its time (16
    records of 10 s: 0.1 to 0.4 ms for 1.4 ms).
    """
    phase = phase.astype(np.float64)
    turns = np.rint(np.diff(phase, axis=-1) / (2 * np.pi))
    if turns.any():
        phase[..., 1:] -= 2 * np.pi * np.cumsum(turns, axis=-1)
    return phase


def detrend(x: Float64, degree: int) -> Float64:
    """Return `x` without its least-squares polynomial of `degree`, along the last axis."""
    basis = _polynomials(x.shape[-1], degree)
    # Not by matrix products: a library spreads even these few columns over threads, which wait for
    # each other ten times longer than they work.
    weight = np.einsum("...n,dn->...d", x, basis)
    return np.asarray(x - np.einsum("...d,dn->...n", weight, basis))


@lru_cache(maxsize=64)
def _polynomials(points: int, degree: int) -> Float64:
    """Return orthonormal polynomials of degree 0 to `degree`, shape (degree + 1, points)."""
    basis = np.polynomial.legendre.legvander(np.linspace(-1, 1, points), degree)
    orthonormal = np.ascontiguousarray(np.linalg.qr(basis)[0].T)
    orthonormal.flags.writeable = False
    return orthonormal
