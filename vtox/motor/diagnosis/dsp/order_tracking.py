"""Signals over the angle of a process whose speed moves, instead of over time.

A line whose frequency follows the speed is spread over time and sharp over the angle (order
tracking, as Bonnardot et al. 2005, MSSP 19(4):766); one that does not is sharp over time only.
"""

import numpy as np
from scipy.ndimage import uniform_filter1d

from vtox.motor.diagnosis.dsp.demodulation import detrend
from vtox.motor.values.arrays import Float64, pick_several


def smooth(x: Float64, points: int) -> Float64:
    """Return `x` through three running means, its linear trend unchanged.

    A component that repeats every `points` points is removed, and nearly all that is faster. At
    half that frequency 26 % remains, at a quarter 73 %.

    Parameters
    ----------
    x : ndarray, shape (batch, points)
    points : int
        Length of each mean.
    """
    rest = detrend(x, 1)  # a ramp would bend at both ends
    low = rest
    for _ in range(3):  # near a Gaussian low pass
        low = uniform_filter1d(low, points, axis=-1, mode="nearest")
    return np.asarray(x - rest + low)


def equal_angles(speed: Float64) -> Float64:
    """Return the places in time, in points, between which the angle grows by equal steps.

    Parameters
    ----------
    speed : ndarray, shape (batch, points)
        Positive, in any unit.

    Returns
    -------
    ndarray, shape (batch, points)
        From 0 to `points - 1`.

    Examples
    --------
    >>> equal_angles(np.array([[1.0, 1.0, 3.0, 3.0]])).round(2)
    array([[0.  , 1.5 , 2.33, 3.  ]])
    """
    points = speed.shape[-1]
    steps = np.arange(points, dtype=np.float64)
    angle = np.zeros(speed.shape)
    np.cumsum((speed[:, 1:] + speed[:, :-1]) / 2, axis=-1, out=angle[:, 1:])
    angle *= (points - 1) / angle[:, -1:]
    return np.stack([np.interp(steps, row, steps) for row in angle])


def resample(x: Float64, places: Float64) -> Float64:
    """Return `x` at places between its points, linearly, along the last axis.

    Parameters
    ----------
    x, places : ndarray, shape (batch, points)

    Returns
    -------
    ndarray, shape (batch, points)
    """
    below = np.minimum(places.astype(np.int64), x.shape[-1] - 2)
    low = pick_several(x, below)
    step = pick_several(x, below + 1) - low
    return np.asarray(low + (places - below) * step)
