"""How much an envelope varies beyond what noise and steady lines explain.

Blows at a changing pace leave no line, but an envelope of high variance. Asked by the bearing
diagnoser where it found no comb.
"""

import numpy as np
from scipy.ndimage import median_filter

from vtox.arrays import Float32
from vtox.dsp.envelope_spectrum import Envelopes

# Noise has a Rayleigh envelope: mean square 4 / pi times the squared mean, whatever its spectrum.
RAYLEIGH = 4 / np.pi
# A Hann line has its power in so many bins.
NOISE_BINS = 1.5
# A line is a bin so far over the median of its neighbourhood, which holds no second line: in noise
# 1.5 % of bins are. What a changing speed smears over more bins than half of that is no line.
LINE = 6.0
NEIGHBOURS = 17
# Pieces where the window is below this on average hold more leakage than signal.
LEAST_WINDOW = 0.25


def variance(power: Float32) -> Float32:
    """Return the variance of envelopes over their squared mean.

    Parameters
    ----------
    power : ndarray, shape (bands, bins)
        Squared line amplitude over the squared mean envelope, from `envelope.view_power`.

    Returns
    -------
    ndarray of float32, shape (bands,)
        4 / pi - 1 = 0.27 in noise.
    """
    total: Float32 = power.sum(axis=-1) / (2 * NOISE_BINS)
    return total


def line_variance(power: Float32) -> Float32:
    """Return the part of `variance` that is in sharp lines, so periodic at a steady pace.

    Parameters
    ----------
    power : ndarray, shape (bands, bins)

    Returns
    -------
    ndarray of float32, shape (bands,)
    """
    floor = median_filter(power, size=(1, NEIGHBOURS))
    return variance(np.where(power > LINE * floor, power - floor, 0))


def local_variance(envelopes: Envelopes, pieces: int) -> Float32:
    """Return the variance over the squared mean within pieces of the segments, of the middle piece.

    A knock or a change of load is in one or two of the pieces; of an even number the lower of the
    two in the middle counts.

    Parameters
    ----------
    envelopes : Envelopes
    pieces : int
        Per segment.

    Returns
    -------
    ndarray of float32, shape (batch, bands)
    """
    size = len(envelopes.window) // pieces
    window = envelopes.window[: pieces * size].reshape(pieces, size)
    heard = window.mean(axis=-1) > LEAST_WINDOW
    values = envelopes.values[..., : pieces * size]
    values = values.reshape(*values.shape[:-1], pieces, size)[..., heard, :]
    window = window[heard]
    square = np.square(values).mean(axis=-1) / np.square(window).mean(axis=-1)
    mean = values.mean(axis=-1) / window.mean(axis=-1)
    local: Float32 = np.quantile(square / np.square(mean), 0.5, axis=(1, 3), method="lower") - 1
    return local


def beyond(total: Float32, lines: Float32 | float) -> Float32:
    """Return the variance of the factor that neither noise nor lines explain.

    For noise times a periodic factor of variance `lines` times an irregular one u, of mean 1, the
    mean square of the envelope is 4 / pi * (1 + lines) * (1 + var u) times its squared mean.

    Parameters
    ----------
    total, lines : ndarray of one shape; lines may be a float
        Variances over the squared mean.

    Returns
    -------
    ndarray of float32
        var u; below zero where the lines are those of blows without noise.

    Examples
    --------
    >>> float(beyond(np.array(4 / np.pi * 1.08 * 1.5 - 1), 0.08).round(3))
    0.5
    """
    unexplained: Float32 = (1 + total) / (RAYLEIGH * (1 + lines)) - 1
    return unexplained
