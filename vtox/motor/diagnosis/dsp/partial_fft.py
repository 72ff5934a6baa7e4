"""Spectra of which few bins are needed: of long records four short transforms, combined there."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft

from vtox.motor.values.arrays import Complex, Float64, Int
from vtox.motor.values.domain import Array

# Number of transforms, each of every fourth sample: docs/calibration/front_end.md#partial-transform
WAYS = 4
# Up to so many samples a record is transformed as a whole: this costs as much as its ways, without
# their sum. Longer ones leave the cache. docs/calibration/front_end.md#partial-transform
WHOLE_SAMPLES = 20_000
# Signals that share the vector registers of a transform; fewer are transformed one by one.
LANES = 4


@dataclass(frozen=True, slots=True)
class Spectra:
    """One-sided spectra of real signals, the `rfft` of `samples` samples, computed by the bin.

    `parts`, shape (batch, channels, ways, samples / (2 ways) + 1), holds the transform of each way.
    """

    parts: Complex
    samples: int

    @property
    def bins(self) -> int:
        """Number of bins from 0 Hz to half the sampling rate."""
        return self.samples // 2 + 1

    @property
    def ways(self) -> int:
        """Number of transforms of each signal, `WAYS` or one."""
        return int(self.parts.shape[2])

    def low(self, count: int) -> Complex:
        """Return the first `count` bins, shape (batch, channels, count)."""
        if count > self.parts.shape[3]:
            return self.at(np.zeros(len(self.parts), int), count)
        if self.ways == 1:
            return self.parts[:, :, 0, :count]
        return _combine(self.parts[..., :count], _low_turns(self.samples, count))

    def at(self, first: Int, count: int) -> Complex:
        """Return `count` bins of each recording, beginning at its own `first`, shape (batch,).

        Shape (batch, channels, count). Bins run on past half the sampling rate, where the spectrum
        of a real signal is mirrored.
        """
        bins = np.empty((*self.parts.shape[:2], count), self.parts.dtype)
        step = 2 * np.pi / self.samples
        turn = None
        if self.ways > 1:
            turn = turns(step, count) * np.exp(-1j * step * first[:, None])
        for i, start in enumerate(first.tolist()):
            own_turn = None if turn is None else turn[i]
            _fill(bins[i], self.parts[i], self.samples // self.ways, start, own_turn)
        return bins

    def around(self, index: Int) -> tuple[Complex, Complex, Complex]:
        """Return single bins of each recording, with the ones below and above: below, at, above.

        `index` has the shape (batch, n), between 0 and half the sampling rate; the bins have
        (batch, channels, n).
        """
        batch, channels, _, bins = self.parts.shape
        if self.ways == 1:
            first = np.arange(-1, batch * channels * bins - 1, bins).reshape(batch, channels, 1)
            rows, whole = index[:, None] + first, self.parts.reshape(-1)
            return whole.take(rows), whole[1:].take(rows), whole[2:].take(rows)
        index = index + np.arange(-1, 2)[:, None, None]
        period = self.samples // self.ways
        row = index % period
        mirrored = (row > period // 2)[:, :, None, None]
        row = np.minimum(row, period - row)[:, :, None, None]
        ways = np.take_along_axis(self.parts[None], row, axis=-1)
        ways = np.where(mirrored, ways.conj(), ways)
        turn = np.exp(-2j * np.pi / self.samples * np.multiply.outer(np.arange(self.ways), index))
        turned = ways * np.moveaxis(turn, 0, 2)[:, :, None]
        below, at, above = turned.sum(axis=3).astype(self.parts.dtype)
        return below, at, above


def usable(samples: int) -> int:
    """Return the number of `samples` that are transformed: a fast length, in `WAYS` equal parts."""
    return WAYS * int(scipy.fft.prev_fast_len(samples // WAYS, real=True))


def spectra(x: Array) -> Spectra:
    """Return the spectra of signals.

    X[k] = sum_w exp(-2j pi k w / N) X_w[k], X_w the transform of every fourth sample from the w-th
    on. This is the last step of a transform in radix four (Cooley & Tukey 1965, Math. Comp.
    19(90):297), done only for the bins that are needed.

    Parameters
    ----------
    x : ndarray, shape (batch, channels, samples)
        Any unit; `usable(samples)` of the samples are transformed.

    Returns
    -------
    Spectra

    Examples
    --------
    >>> x = np.cos(2 * np.pi * 3 * np.arange(64) / 64)[None, None]
    >>> abs(spectra(x).low(5)).round(3)
    array([[[ 0.,  0.,  0., 32.,  0.]]])
    """
    batch, channels, samples = x.shape
    samples = usable(samples)
    if samples <= WHOLE_SAMPLES:
        return Spectra(parts=_whole(x[..., :samples])[:, :, None], samples=samples)
    ways = x[..., :samples].reshape(batch, channels, samples // WAYS, WAYS)
    # Ways before bins, so that their sum runs through memory in one piece.
    return Spectra(parts=scipy.fft.rfft(ways.swapaxes(2, 3), axis=-1), samples=samples)


def turns(step: float | Float64, count: int) -> Complex:
    """Return exp(-j step n) for n < count, shape (..., count), as coarse times fine turns."""
    step = np.asarray(step)[..., None]
    fine = max(1, int(np.ceil(np.sqrt(count))))
    slow = np.exp(-1j * step * np.arange(0, count, fine))
    fast = np.exp(-1j * step * np.arange(fine))
    product = slow[..., :, None] * fast[..., None, :]
    return np.asarray(product.reshape(*step.shape[:-1], -1)[..., :count])


def missing_lanes(signals: int) -> int:
    """Return the number of signals of zeros that make the transform of `signals` faster."""
    missing = -signals % LANES
    # One that is left over takes as long alone as with three others.
    return missing if missing < LANES - 1 else 0


def _whole(x: Array) -> Complex:
    """Return the `rfft` of signals, shape (batch, channels, samples / 2 + 1)."""
    batch, channels, samples = x.shape
    signals = batch * channels
    missing = missing_lanes(signals)
    if not missing or signals > 4 * LANES:  # many cost more to copy
        return np.asarray(scipy.fft.rfft(x, axis=-1))
    filled = np.zeros((signals + missing, samples), x.dtype)
    filled[:signals] = x.reshape(-1, samples)
    return np.asarray(scipy.fft.rfft(filled, axis=-1)[:signals].reshape(batch, channels, -1))


@lru_cache(maxsize=64)
def _low_turns(samples: int, count: int) -> Complex:
    """Return the turns of the first `count` bins."""
    turn = turns(2 * np.pi / samples, count)
    turn.flags.writeable = False
    return turn


def _fill(bins: Complex, part: Complex, period: int, first: int, turn: Complex | None) -> None:
    """Fill in the bins of one recording, (channels, count), from its ways, past `period` periodic.

    `part` holds the first half of a period; the second is its mirror image. One way needs no
    `turn`.
    """
    half, done, count = period // 2, 0, bins.shape[-1]
    while done < count:
        row = (first + done) % period
        if row <= half:
            stop = min(count, done + half + 1 - row)
            ways = part[..., row : row + stop - done]
            bins[:, done:stop] = ways[:, 0] if turn is None else _combine(ways, turn[done:stop])
        else:
            stop = min(count, done + period - row)
            ways = part[..., period - row : period - row - (stop - done) : -1]
            mirror = ways[:, 0] if turn is None else _combine(ways, turn[done:stop].conj())
            np.conj(mirror, out=bins[:, done:stop])
        done = stop


def _combine(ways: Complex, turn: Complex) -> Complex:
    """Return the sum over ways w of turn**w times way w, in the precision of the ways."""
    turn = turn.astype(ways.dtype, copy=False)
    total = ways[..., WAYS - 1, :] * turn
    for way in range(WAYS - 2, 0, -1):
        total += ways[..., way, :]
        total *= turn
    total += ways[..., 0, :]
    return np.asarray(total)
