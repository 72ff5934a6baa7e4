"""Symmetrical components of three-phase phasors, and how the clamps are wired."""

import numpy as np
import numpy.typing as npt

from vtox.motor.values.arrays import TURN_120, Complex

# Rows: zero, positive, negative sequence (Fortescue 1918, Trans. AIEE 37(2):1027).
FORTESCUE = np.array([[1, 1, 1], [1, TURN_120, TURN_120**2], [1, TURN_120**2, TURN_120]]) / 3
# Largest sum of three channels over the largest of them if none is reversed, or with that one
# turned. From twice that on one may be: a reversed clamp makes two thirds of a phase, mismatch a
# few per cent.
UPRIGHT_SUM_RATIO = 0.15
# Signs of upright clamps, and with one of them reversed.
SIGNS = np.array([[1, 1, 1], [-1, 1, 1], [1, -1, 1], [1, 1, -1]])


def components(phasors: Complex) -> Complex:
    """Return zero-, positive- and negative-sequence phasors of three-phase phasors.

    Parameters
    ----------
    phasors : ndarray of complex, shape (batch, 3, ...)
        Phases a, b, c.

    Returns
    -------
    ndarray of complex, shape (batch, 3, ...)
        Sequences 0, 1, 2: X0 = (A+B+C)/3, X1 = (A+aB+a^2C)/3, X2 = (A+a^2B+aC)/3.

    Examples
    --------
    >>> abs(components(np.array([[1, TURN_120**2, TURN_120]]))).round(6)
    array([[0., 1., 0.]])
    """
    return np.asarray(np.einsum("sp,bp...->bs...", FORTESCUE, phasors))


def wiring(phasors: Complex) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the sign and the order that make three measured phases a positive-sequence system.

    A clamp counts as reversed if the three do not sum to zero but would with that one turned.
    Phases b and c are exchanged if the negative sequence is the larger one.

    Parameters
    ----------
    phasors : ndarray of complex, shape (batch, 3)
        Phasors of the measured channels, any common reference.

    Returns
    -------
    signs : ndarray of int, shape (batch, 3)
        +1, or -1 for a reversed clamp, by measured channel.
    order : ndarray of int, shape (batch, 3)
        Measured channel that is phase a, b and c: (0, 1, 2) or (0, 2, 1).
    """
    largest = np.abs(phasors).max(axis=1)
    sums = np.abs(np.einsum("sp,bp->bs", SIGNS, phasors)) / 3
    best = np.argmin(sums, axis=1)
    reversed_clamp = (sums[:, 0] > 2 * UPRIGHT_SUM_RATIO * largest) & (
        sums.min(axis=1) < UPRIGHT_SUM_RATIO * largest
    )
    signs = SIGNS[np.where(reversed_clamp, best, 0)]
    _, positive, negative = np.abs(components(phasors * signs)).T
    order = np.where((negative > positive)[:, None], [0, 2, 1], [0, 1, 2])
    return signs, order
