"""Amplitudes of the vibration at multiples of the shaft speed.

Used by the bearing diagnoser to report the effects of the shaft itself if the bearing is sound.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import scipy.fft
from scipy.ndimage import maximum_filter1d, median_filter

from vtox.motor.diagnosis.dsp.comb_plan import LOBE_BINS
from vtox.motor.diagnosis.dsp.envelope_variance import NOISE_BINS
from vtox.motor.values.arrays import Float32, Float64, Int
from vtox.motor.values.domain import Array

# Means a period of the highest order: a mean leaves 90 % of a line there, and more of the others.
MEANS_PER_PERIOD = 4
# Bins on either side of a line, and its least power over their median.
NEIGHBOUR_BINS = 12
MIN_OVER_NEIGHBOURS = 12.0


def shaft_line_amplitudes(
    signals: Sequence[Array],
    fs_hz: float,
    lines_hz: Float64,
    tolerances: Sequence[float],
    least: Float64,
) -> Float64:
    """Return the amplitude of each line of each record, all 0 if together they are weak.

    Parameters
    ----------
    signals : sequence of ndarray, length batch, each of shape (samples,)
        Vibration of equally long records, any unit.
    fs_hz : float
    lines_hz : ndarray, shape (batch, lines)
        Multiples of the shaft speed, rising, Hz.
    tolerances : sequence of float, length batch
        Relative error of the speed.
    least : ndarray, shape (batch, lines)
        The amplitude of each that would be enough by itself; of several the squares add up.

    Returns
    -------
    ndarray of float64, shape (batch, lines)
        Peak values in the unit of the signals; 0 if no line is above its neighbours.

    Examples
    --------
    >>> t = np.arange(20_000) / 5000
    >>> x = 3 * np.cos(2 * np.pi * 25.1 * t) + np.random.default_rng(1).standard_normal(20_000)
    >>> lines_hz = np.array([[25.0, 50.0]])
    >>> shaft_line_amplitudes([x], 5000.0, lines_hz, [0.005], np.ones((1, 2))).round(1)
    array([[2.9, 0. ]])
    """
    amplitudes = np.zeros(lines_hz.shape)
    samples = len(signals[0]) if signals else 0
    # Records of one block and width of a line in common arrays: alone they take twice as long.
    groups: dict[tuple[int, int, int], list[int]] = {}
    for i, (highest_hz, tolerance) in enumerate(
        zip(lines_hz[:, -1].tolist(), tolerances, strict=True)
    ):
        block = max(1, int(fs_hz / (MEANS_PER_PERIOD * highest_hz)))
        length = scipy.fft.prev_fast_len(max(1, samples // block), real=True)
        half = LOBE_BINS + round(tolerance * round(highest_hz * (block * length / fs_hz)))
        groups.setdefault((block, length, half), []).append(i)
    for (block, length, half), rows in groups.items():
        power = _hann_power([signals[i] for i in rows], block, length)
        middle = np.rint(lines_hz[rows] * (block * length / fs_hz)).astype(np.intp)
        own = _around(power, middle, half).sum(axis=2)
        unit = NOISE_BINS * (block * length / 4) ** 2
        # Most machines end here.
        strong = np.flatnonzero((own / least[rows] ** 2).sum(axis=1) >= unit)
        if not len(strong):
            continue
        reach = half + NEIGHBOUR_BINS
        around = _around(power[strong], middle[strong], reach)
        highest = around[..., NEIGHBOUR_BINS:-NEIGHBOUR_BINS].max(axis=2)
        around.sort(axis=2)
        clear = highest > MIN_OVER_NEIGHBOURS * around[..., reach]
        amplitudes[np.array(rows)[strong]] = np.where(clear, np.sqrt(own[strong] / unit), 0)
    return amplitudes


def velocity_lines(
    x: Array, fs_hz: float, *, lowest_hz: float, highest_hz: float
) -> tuple[Float64, Float64]:
    """Return the lines of the vibration between two frequencies, at any frequency.

    Parameters
    ----------
    x : ndarray, shape (samples,)
        Acceleration, any unit.
    fs_hz, lowest_hz, highest_hz : float

    Returns
    -------
    hz, velocity : ndarray, shape (lines,)
        The highest bin of each, and its velocity in the unit of `x` times a second.
    """
    block = max(1, int(fs_hz / (MEANS_PER_PERIOD * highest_hz)))
    length = scipy.fft.prev_fast_len(max(1, len(x) // block), real=True)
    df_hz = fs_hz / block / length
    power = _hann_power([x], block, length)[0]
    low, high = max(1, round(lowest_hz / df_hz)), min(len(power) - 1, round(highest_hz / df_hz))
    if high - low <= NEIGHBOUR_BINS:
        return np.zeros(0), np.zeros(0)
    floor = median_filter(power, 2 * NEIGHBOUR_BINS + 1, mode="nearest")
    peak = maximum_filter1d(power, 2 * LOBE_BINS + 1) == power
    bins = np.flatnonzero(peak & (power > MIN_OVER_NEIGHBOURS * floor))
    bins = bins[(bins >= low) & (bins <= high)]
    hz = np.asarray(bins * df_hz, np.float64)
    amplitude = np.sqrt(power[bins]) / (block * length / 4)
    return hz, np.asarray(amplitude / (2 * np.pi * hz), np.float64)


def _hann_power(signals: Sequence[Array], block: int, length: int) -> Array:
    """Return the Hann-windowed power of the sums of blocks, shape (records, bins)."""
    # A product is ten times as fast as the mean of such short rows.
    ones = np.ones(block, signals[0].dtype)
    sums = np.array([x[: length * block].reshape(length, block) @ ones for x in signals])
    sums -= np.add.reduce(sums, axis=1, keepdims=True) / length
    sums *= _hann(length)
    # With numpy, as in `shaft_phase`: lengths as many as speeds would displace the envelopes'
    # plans.
    power: Array = np.square(np.abs(np.fft.rfft(sums)))
    return power


def _around(power: Array, middle: Int, half: int) -> Array:
    """Return the power of the bins around each line, shape (records, lines, 2 * half + 1)."""
    records, bins = power.shape
    near = middle[..., None] + np.arange(-half, half + 1)
    near = np.minimum(np.maximum(near, 0), bins - 1) + bins * np.arange(records)[:, None, None]
    around: Array = power.take(near)
    return around


@lru_cache(maxsize=64)
def _hann(length: int) -> Float32:
    return np.asarray(np.hanning(length + 1)[:-1], np.float32)
