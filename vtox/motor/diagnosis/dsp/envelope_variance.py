"""Variance of an envelope that noise and steady lines do not explain.

Impacts at a changing repetition rate leave no line, but an envelope of high variance. Used by the
bearing diagnoser if it found no comb.
"""

import numpy as np
from scipy.ndimage import median_filter

from vtox.motor.diagnosis.dsp.envelope_spectrum import Envelopes
from vtox.motor.values.arrays import Float32

# Number of bins that hold the power of a Hann line.
NOISE_BINS = 1.5


def variance(power: Float32) -> Float32:
    """Return the variance of envelopes over their squared mean.

    Parameters
    ----------
    power : ndarray, shape (..., bins)
        Squared line amplitude over the squared mean envelope, from `envelope_spectrum.view_power`.

    Returns
    -------
    ndarray of float32, shape (...)
        4 / pi - 1 = 0.27 in noise.
    """
    total: Float32 = power.sum(axis=-1) / (2 * NOISE_BINS)
    return total


def line_variance(power: Float32) -> Float32:
    """Return the part of `variance` in sharp lines: impacts of a steady repetition rate.

    Parameters
    ----------
    power : ndarray, shape (bands, bins)

    Returns
    -------
    ndarray of float32, shape (bands,)
    """
    # A line that a changing speed smears over more than half of the neighbours does not count. Band
    # by band: in one dimension scipy takes an eighth of the time.
    floor = np.stack([median_filter(band, size=17) for band in power])
    return variance(np.where(power > 6 * floor, power - floor, 0))  # of the bins of noise 1.5 %


def local_variance(envelopes: Envelopes, pieces: int) -> Float32:
    """Return the variance over the squared mean within pieces of the segments, of the middle piece.

    A knock or a change of load is in one or two pieces and does not reach the middle one. With an
    even number the lower of the two in the middle counts.

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
    audible = window.mean(axis=-1) > 0.25  # less holds more leakage than signal
    values = envelopes.values[..., : pieces * size]
    values = values.reshape(*values.shape[:-1], pieces, size)[..., audible, :]
    window = window[audible]
    square = np.square(values).mean(axis=-1) / np.square(window).mean(axis=-1)
    mean = values.mean(axis=-1) / window.mean(axis=-1)
    local: Float32 = np.quantile(square / np.square(mean), 0.5, axis=(1, 3), method="lower") - 1
    return local


def irregular_variance(total: Float32, lines: Float32 | float) -> Float32:
    """Return the variance of the factor that neither noise nor lines explain.

    Let noise be multiplied by a periodic factor of variance `lines` and an irregular one u, of mean
    1. The mean square of the envelope is 4 / pi * (1 + lines) * (1 + var u) times its squared mean.

    Parameters
    ----------
    total, lines : ndarray of one shape; lines may be a float
        Variances over the squared mean.

    Returns
    -------
    ndarray of float32
        var u; below zero if the lines are those of impacts without noise.

    Examples
    --------
    >>> float(irregular_variance(np.array(4 / np.pi * 1.08 * 1.5 - 1), 0.08).round(3))
    0.5
    """
    # Noise has a Rayleigh envelope, whatever its spectrum.
    unexplained: Float32 = (1 + total) / (4 / np.pi * (1 + lines)) - 1
    return unexplained
