"""Amplitudes of the vibration at multiples of the shaft speed.

Used by the bearing diagnoser to say what the shaft itself does where the bearing is sound.
"""

from functools import lru_cache

import numpy as np
import scipy.fft

from vtox.arrays import Float32, Float64
from vtox.domain import Array

# Means a period of the highest order: a mean leaves 90 % of a line there, and more of the others.
MEANS_PER_PERIOD = 4
# A Hann line has its power in so many bins, and so many on either side of its middle.
NOISE_BINS = 1.5
LOBE_BINS = 2
# A line has so many times the median power of so many bins on either side.
NEIGHBOUR_BINS = 12
MIN_OVER_NEIGHBOURS = 12.0


def shaft_line_amplitudes(
    x: Array, fs_hz: float, lines_hz: Float64, tolerance: float, least: Float64
) -> Float64:
    """Return the amplitude of each line, all 0 where together they are weak.

    Parameters
    ----------
    x : ndarray, shape (samples,)
        Vibration, any unit.
    fs_hz : float
    lines_hz : ndarray, shape (lines,)
        Multiples of the shaft speed, rising, Hz.
    tolerance : float
        Relative error of the speed.
    least : ndarray, shape (lines,)
        The amplitude of each that would be enough by itself; of several the squares add up.

    Returns
    -------
    ndarray of float64, shape (lines,)
        Peak values in the unit of `x`; 0 where no line stands out of its neighbours.

    Examples
    --------
    >>> t = np.arange(20_000) / 5000
    >>> x = 3 * np.cos(2 * np.pi * 25.1 * t) + np.random.default_rng(1).standard_normal(20_000)
    >>> lines_hz = np.array([25.0, 50.0])
    >>> shaft_line_amplitudes(x, 5000.0, lines_hz, 0.005, np.array([1.0, 1.0])).round(1)
    array([2.9, 0. ])
    """
    block = max(1, int(fs_hz / (MEANS_PER_PERIOD * lines_hz[-1])))
    length = scipy.fft.prev_fast_len(max(1, len(x) // block), real=True)
    # By a product: ten times as fast as the mean of so short rows.
    sums = x[: length * block].reshape(length, block) @ np.ones(block, x.dtype)
    sums -= np.add.reduce(sums) / length
    sums *= _hann(length)
    # Of numpy, as in `shaft_phase`: lengths as many as speeds would displace the envelopes' plans.
    power = np.square(np.abs(np.fft.rfft(sums)))
    unit = NOISE_BINS * (block * length / 4) ** 2
    middle = np.rint(lines_hz * (block * length / fs_hz)).astype(np.intp)
    half = LOBE_BINS + round(tolerance * float(middle[-1]))
    own = power.take(middle[:, None] + np.arange(-half, half + 1), mode="clip").sum(axis=1)
    # Most machines end here.
    if (own / least**2).sum() < unit:
        return np.zeros(len(lines_hz))
    reach = half + NEIGHBOUR_BINS
    around = power.take(middle[:, None] + np.arange(-reach, reach + 1), mode="clip")
    highest = around[:, NEIGHBOUR_BINS:-NEIGHBOUR_BINS].max(axis=1)
    clear = highest > MIN_OVER_NEIGHBOURS * np.sort(around)[:, reach]
    return np.asarray(np.where(clear, np.sqrt(own / unit), 0), np.float64)


@lru_cache(maxsize=64)
def _hann(length: int) -> Float32:
    return np.asarray(np.hanning(length + 1)[:-1], np.float32)
