"""Test whether a sideband pair exceeds a given level in unequal noise of am and pm."""

import numpy as np

from vtox.motor.values.arrays import Complex, Float64

# Points of the disc that are tried for the lower sideband before the best one is refined.
ANGLES, RADII = 32, 5


def excess(
    am: Complex,
    pm: Complex,
    am_floor: Float64,
    pm_floor: Float64,
    limit: float,
) -> Float64:
    """Return the distance of modulations from all that sidebands up to a limit can make.

    Sidebands L and U (relative to the line) make am = (conj(L) + U)/2 and pm = (U - conj(L))/2j.
    The result is the squared distance to the nearest such pair with |L| and |U| up to `limit`,
    amplitude and phase each measured in their own noise. It is zero inside, and about Gamma(2)
    distributed for noise on the boundary. If one modulation is quiet, it determines the pair
    although the other is noisy.

    Parameters
    ----------
    am, pm : ndarray of complex, shape (batch,)
        Modulations at one frequency, ratio and rad, as of `modulation_spectrum.Modulation`.
    am_floor, pm_floor : ndarray, shape (batch,)
        Noise power of each.
    limit : float
        Largest amplitude allowed, relative to the line.

    Returns
    -------
    ndarray, shape (batch,)

    Examples
    --------
    >>> one = np.ones(1)
    >>> excess(2e-3 * one, 2e-3j * one, 1e-8 * one, 1e-8 * one, 4e-3).round(3)
    array([0.])
    """
    am, pm = np.asarray(am, np.complex128), np.asarray(pm, np.complex128)
    # For a given U the best conj(L) is a weighted mean, moved to the disc's edge if outside it; for
    # a given L the same holds. The cost is convex and isotropic in each.
    weight = pm_floor / (am_floor + pm_floor)
    lower: Complex = np.repeat(_disc(limit)[:, None], len(am), axis=1)
    upper = _inside(weight * (2 * am - lower) + (1 - weight) * (lower + 2j * pm), limit)
    cost = _cost(am, pm, am_floor, pm_floor, lower, upper)
    best = np.argmin(cost, axis=0)
    lower = np.take_along_axis(lower, best[None], axis=0)[0]
    for _ in range(6):  # more change nothing
        upper = _inside(weight * (2 * am - lower) + (1 - weight) * (lower + 2j * pm), limit)
        lower = _inside(weight * (2 * am - upper) + (1 - weight) * (upper - 2j * pm), limit)
    refined = _cost(am, pm, am_floor, pm_floor, lower, upper)
    return np.asarray(np.minimum(cost.min(axis=0), refined), np.float64)


def _disc(radius: float) -> Complex:
    turns = np.exp(2j * np.pi * np.arange(ANGLES) / ANGLES)
    radii = radius * np.sqrt(np.arange(RADII + 1) / RADII)
    return np.asarray((radii[:, None] * turns).reshape(-1))


def _inside(z: Complex, radius: float) -> Complex:
    return np.asarray(z * np.minimum(1.0, radius / np.maximum(np.abs(z), 1e-30)))


def _cost(
    am: Complex, pm: Complex, am_floor: Float64, pm_floor: Float64, lower: Complex, upper: Complex
) -> Float64:
    a = np.abs(am - (lower + upper) / 2) ** 2 / am_floor
    p = np.abs(pm - (upper - lower) / 2j) ** 2 / pm_floor
    return np.asarray(a + p, np.float64)
