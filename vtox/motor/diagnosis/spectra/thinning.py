"""Choice of the values to draw from many, so that no peak is lost."""

from itertools import pairwise

import numpy as np

from vtox.motor.values.arrays import Int
from vtox.motor.values.domain import Array


def extremes(x: Array, blocks: int) -> Int:
    """Return the places of the highest and the lowest value in each of `blocks` equal parts.

    Parameters
    ----------
    x : ndarray, shape (samples,)
        NaN is neither.
    blocks : int

    Returns
    -------
    ndarray of int
        Ascending, at most twice as many as there are blocks.

    Examples
    --------
    >>> extremes(np.array([0.0, 5.0, 1.0, 2.0, -3.0, 2.0]), 2)
    array([0, 1, 3, 4])
    """
    edges = np.linspace(0, len(x), max(1, blocks) + 1).astype(int)
    high, low = np.nan_to_num(x, nan=-np.inf), np.nan_to_num(x, nan=np.inf)
    places = [
        start + int(place(part[start:stop]))
        for start, stop in pairwise(edges)
        if stop > start
        for part, place in ((high, np.argmax), (low, np.argmin))
    ]
    return np.unique(places).astype(np.int64)
