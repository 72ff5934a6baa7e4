"""Samples lost at a regular interval, as by a converter whose buffer is one sample too short.

Each loss moves the supply line on by one sample, in all channels at once. The steps between the
samples of such a line follow from their neighbours; the step over a loss is twice as large.
"""

import numpy as np

from vtox.motor.values.arrays import Bool, Float64, Int
from vtox.motor.values.domain import Array

# Intervals that are searched, in samples that are left between two losses.
INTERVALS = (9, 1100)
# Samples in which the interval is searched: four losses of one in 1,000.
SAMPLES = 4200
MIN_LOSSES = 4
# Largest power of the steps over its mean, by the number of currents. The power of a line with its
# noise is below; that over a loss is four times the mean.
# docs/calibration/signal_quality.md#lost-samples
MIN_PEAK = {1: 4.0, 2: 2.2, 3: 2.4}
# Excess of a step over that of the line, relative to it: 1 over a lost sample. A smaller share of
# the mean is no loss in any phase; the same limits hold for the sums over all losses.
MIN_EXCESS = {1: 0.8, 2: 0.4, 3: 0.6}
RATIO = (0.7, 1.4)
# The sum at the place of the losses over the spread of the others, and the largest other one.
MIN_CLEARNESS = 4.0
MAX_OTHER = 0.5


def loss_interval(x: Array, f0_hz: Float64, fs_hz: float) -> Int:
    """Return after how many samples one is lost in each recording, 0 for no regular loss.

    Parameters
    ----------
    x : ndarray, shape (batch, channels, samples)
        One to three currents in any unit.
    f0_hz : ndarray, shape (batch,)
        Frequency of the supply line, Hz.
    fs_hz : float
        Sampling rate, Hz.

    Returns
    -------
    ndarray of int, shape (batch,)
    """
    found = np.zeros(len(x), np.int64)
    if x.shape[-1] <= MIN_LOSSES * INTERVALS[0]:
        return found
    for row in np.flatnonzero(_has_large_steps(x[..., : INTERVALS[1]])).tolist():
        turn = 2 * float(np.cos(2 * np.pi * f0_hz[row] / fs_hz))
        found[row] = _regular_loss(x[row].astype(np.float64), turn)
    return found


def _has_large_steps(x: Array) -> Bool:
    """Return the recordings with a step that is too large for their line, shape (batch,)."""
    steps = x[..., 1:] - x[..., :-1]
    power = np.einsum("bcs,bcs->bs", steps, steps)
    return np.asarray(power.max(axis=-1) > MIN_PEAK[x.shape[1]] * power.mean(axis=-1))


def _regular_loss(x: Float64, turn: float) -> int:
    """Return after how many samples one is lost, 0 for no regular loss; `x` has all channels.

    `turn` is twice the cosine of the angle of the line from sample to sample.
    """
    excess, power = _excess(x, turn)
    first = excess[:, :SAMPLES].sum(axis=0)
    line = float(power[:, :SAMPLES].sum(axis=0).mean())
    whole = _interval(np.flatnonzero(first > MIN_EXCESS[len(x)] * line))
    candidates = (whole // k for k in (4, 3, 2, 1) if whole % k == 0)
    return next((n for n in candidates if _is_loss(excess, power, n)), 0)


def _excess(x: Float64, turn: float) -> tuple[Float64, Float64]:
    """Return the excess of each step over that of the supply line, times the latter; and its power.

    Both of shape (channels, samples - 3).
    """
    steps = x[:, 1:] - x[:, :-1]
    own = (steps[:, :-2] + steps[:, 2:]) / turn
    power = own * own
    return own * steps[:, 1:-1] - power, power


def _interval(places: Int) -> int:
    """Return the interval at which most of the places follow each other, 0 for none."""
    if len(places) < MIN_LOSSES:
        return 0
    apart = [places[k:] - places[:-k] for k in (1, 2, 3, 4, 6, 8) if k < len(places)]
    counts = np.bincount(np.concatenate(apart), minlength=INTERVALS[1] + 1)[: INTERVALS[1] + 1]
    counts[: INTERVALS[0]] = 0
    most = int(counts.max())
    if most < MIN_LOSSES - 2:
        return 0
    return int(np.gcd.reduce(np.flatnonzero(counts >= 0.5 * most)))


def _is_loss(excess: Float64, power: Float64, interval: int) -> bool:
    """Return whether the steps at one place of every interval, and there alone, are doubled.

    A commutation of the supply moves two phases, and not by one sample of each.
    """
    whole = excess.shape[-1] // interval if interval >= INTERVALS[0] else 0
    if whole < MIN_LOSSES:
        return False
    sums, line = (
        y[:, : whole * interval].reshape(len(y), whole, interval).sum(axis=1)
        for y in (excess, power)
    )
    of_all = sums.sum(axis=0)
    place = int(np.argmax(of_all))
    others = of_all[(np.arange(interval) - place + 2) % interval > 4]
    middle = float(np.median(others))
    spread = 1.4826 * float(np.median(np.abs(others - middle)))
    at_place = line[:, place]
    weighty = at_place > 0.1 * at_place.sum()
    ratios = np.append(sums[weighty, place] / at_place[weighty], of_all[place] / at_place.sum())
    return bool(
        of_all[place] - middle > MIN_CLEARNESS * spread
        and others.max() < MAX_OTHER * of_all[place]
        and (ratios > RATIO[0]).all()
        and (ratios < RATIO[1]).all()
    )
