"""Blocks of a record that are bit-exact copies of earlier ones, and signals that repeat exactly.

A buffer that is sent twice holds the noise of its samples twice: no measurement does. A signal that
repeats as a whole is no measurement either, but nothing was copied: a simulation, or a filter.
"""

import numpy as np
import numpy.typing as npt

from vtox.motor.values.arrays import Int
from vtox.motor.values.domain import Array, Reason, reason

Prints = npt.NDArray[np.uint64]

# Blocks are compared from such places on: the samples that exceed this one of the 1,024 sorted
# ones, in the first channel; and by so many samples from there.
CREST, LENGTH = -14, 5
FACTOR = np.uint64(0x9E3779B97F4A7C15)  # any large odd number
# So many samples, of which so many differ from the one before, are equal in a copy. The others
# differ from those at the same distance by more than this share of the range, in the median. Those
# of a signal without noise do not: docs/calibration/signal_quality.md#copies
MIN_BLOCK, MIN_MOVES, MIN_DIFFERENCE = 48, 24, 1e-5
# Distances that are examined in a record.
MAX_LAGS = 4


def copy_problems(x: Array, ordered: Array, fs_hz: float) -> list[tuple[Reason, ...]]:
    """Return, per recording, that a block of it is copied, or that it repeats exactly.

    Parameters
    ----------
    x : ndarray, shape (batch, channels, samples)
        Finite samples in any unit; a copy is one of all channels.
    ordered : ndarray, shape (batch, channels, 1024)
        Samples from all over the record, sorted.
    fs_hz : float
        Sampling rate, Hz.

    Returns
    -------
    list of tuple of Reason, length batch
        Codes `samples_copied`, `signal_repeats`.
    """
    found: list[tuple[Reason, ...]] = [()] * len(x)
    for row, lags in _lags(x, ordered[:, 0]).items():
        if problem := _problem(x[row], lags, fs_hz):
            found[row] = (problem,)
    return found


def _lags(x: Array, ordered: Array) -> dict[int, list[int]]:
    """Return recording -> at which distances equal samples lie, those of most places first.

    First is the greatest common divisor of them all: a signal that repeats has each multiple.
    """
    last = x.shape[-1] - LENGTH
    # If there are few values, the largest is at the crest too.
    crest = np.where(ordered[:, CREST] < ordered[:, -1], ordered[:, CREST], ordered[:, 0])
    places = [np.flatnonzero(own[:last] > least) for own, least in zip(x[:, 0], crest, strict=True)]
    rows = np.repeat(np.arange(len(x)), [len(p) for p in places])
    at = np.concatenate(places)
    prints = _fingerprints(x, rows, at)
    in_order = np.sort(prints)
    if not (in_order[1:] == in_order[:-1]).any():
        return {}
    order = np.argsort(prints)
    one, other = order[:-1], order[1:]
    same = prints[one] == prints[other]
    distances, rows = np.abs(at[other] - at[one])[same], rows[one][same]
    lags: dict[int, list[int]] = {}
    for row in np.unique(rows).tolist():
        values, times = np.unique(distances[rows == row], return_counts=True)
        most = values[np.argsort(-times, kind="stable")][:MAX_LAGS]
        lags[row] = [int(np.gcd.reduce(values)), *most.tolist()]
    return lags


def _fingerprints(x: Array, rows: Int, at: Int) -> Prints:
    """Return a number of the samples from each place on, and of their recording."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32).reshape(-1)
    start = rows * x[0].size + at  # of the first channel: it is not copied for this
    prints = rows.astype(np.uint64)
    for k in range(LENGTH):
        prints *= FACTOR
        prints += bits.take(start + k, mode="clip")
    return prints


def _problem(x: Array, lags: list[int], fs_hz: float) -> Reason | None:
    """Return the reason if one of the distances is that of a copy, or of a signal that repeats."""
    for lag in lags:
        equal = (x[:, lag:] == x[:, :-lag]).all(axis=0)
        if equal.all() and 2 * lag <= x.shape[-1]:
            return reason("signal_repeats", period_samples=lag, period_s=lag / fs_hz)
    for lag in lags:
        if block := _block(x, lag):
            first, length = block
            times = {"first_s": (first + lag) / fs_hz, "copied_s": length / fs_hz}
            return reason("samples_copied", **times, earlier_s=lag / fs_hz)
    return None


def _block(x: Array, lag: int) -> tuple[int, int] | None:
    """Return the start of the longest copied block, and its length; None for equality by chance."""
    differences = np.abs(x[:, lag:] - x[:, :-lag])
    edges = np.concatenate([[-1], np.flatnonzero(differences.any(axis=0)), [differences.shape[1]]])
    lengths = np.diff(edges) - 1
    longest = int(np.argmax(lengths))
    first, length = int(edges[longest]) + 1, int(lengths[longest])
    moves = np.count_nonzero(np.diff(x[0, first : first + length]))
    if length < MIN_BLOCK or moves < MIN_MOVES:
        return None
    others = np.repeat(lengths < MIN_BLOCK, lengths + 1)[: differences.shape[1]]
    if not others.any():
        return None
    by_chance = np.median(differences[0, others])
    return (first, length) if by_chance > MIN_DIFFERENCE * np.ptp(x[0]) else None
