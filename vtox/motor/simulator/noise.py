"""Noise by index: the same (key, index) always gives the same value.

Windows are made in any order and in any process, so slow noise cannot have a state that is carried
from one to the next. It is a function of its place on the time axis.

`numpy.random.Philox` is a generator by index, too. It is not used: keys of keys would still need
`subkey`, and 620 values took 17 us instead of 12. Every machine of the fleet would also send other
samples than the ones that figures were taken from.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from vtox.motor.values.arrays import Float64

_MASK = 2**64 - 1
GRID_HZ = 100.0
_TAPS = 512  # length of the shaping filters: 5 s, so noise is shaped down to about 0.2 Hz


def subkey(key: int, stream: int) -> int:
    """Return an independent 64-bit key for a numbered stream of `key` (splitmix64 finaliser)."""
    x = (key + (stream + 1) * 0x9E3779B97F4A7C15) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


def uniforms(key: int, index: npt.NDArray[np.int64]) -> Float64:
    """Return one uniform value in (0, 1) per index (splitmix64; Steele, Lea, Flood 2014)."""
    x = index.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(key)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return ((x >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def normals(key: int, index: npt.NDArray[np.int64]) -> Float64:
    """Return one standard normal value per index (Box & Muller 1958)."""
    radius = np.sqrt(-2 * np.log(uniforms(key, index)))
    angle = 2 * np.pi * uniforms(subkey(key, 0), index)
    return np.asarray(radius * np.cos(angle))


def coloured(key: int, first: int, count: int, *, exponent: float, top_hz: float) -> Float64:
    """Return noise of unit variance and power spectrum 1/f**exponent, from 0.2 Hz to `top_hz`.

    Parameters
    ----------
    key, first, count
        Which noise, and its first grid point and their number: point i lies at i / GRID_HZ s.

    Returns
    -------
    array, shape (count,)
    """
    index = np.arange(first, first + count + _TAPS - 1, dtype=np.int64)
    return np.convolve(normals(key, index), _shaping_filter(exponent, top_hz), mode="valid")


def waves(
    key: int, t: Float64, *, low_hz: float, high_hz: float, count: int = 5
) -> tuple[Float64, Float64]:
    """Return a slow wander of unit rms and its integral over time, each of the shape of `t`.

    It is a sum of `count` sinusoids between `low_hz` and `high_hz`, because the integral of a
    sinusoid (a phase) is known at any time without summing all that came before.
    """
    hz, phase, size = _wave_parameters(key, low_hz, high_hz, count)
    angle = 2 * np.pi * hz[:, None] * t + phase[:, None]
    return size @ np.sin(angle), -(size / (2 * np.pi * hz)) @ np.cos(angle)


@lru_cache(maxsize=64)
def _shaping_filter(exponent: float, top_hz: float) -> Float64:
    hz = np.fft.rfftfreq(_TAPS, 1 / GRID_HZ)
    gain = np.zeros_like(hz)
    gain[1:] = hz[1:] ** (-exponent / 2) / (1 + (hz[1:] / top_hz) ** 4)
    taps: Float64 = np.roll(np.fft.irfft(gain), _TAPS // 2) * np.hanning(_TAPS)
    taps /= np.sqrt(np.sum(taps**2))
    return taps


@lru_cache(maxsize=65536)
def _wave_parameters(key: int, low_hz: float, high_hz: float, count: int) -> tuple[Float64, ...]:
    index = np.arange(count, dtype=np.int64)
    # One sinusoid in each of `count` equal steps of log frequency.
    position = (index + uniforms(key, index)) / count
    hz = low_hz * (high_hz / low_hz) ** position
    size = 0.5 + uniforms(subkey(key, 1), index)
    size *= np.sqrt(2 / np.sum(size**2))
    return hz, 2 * np.pi * uniforms(subkey(key, 2), index), size
