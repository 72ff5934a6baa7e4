"""Steps of the converter in a channel: how large, and which of its bits never changes.

A change smaller than a step may not show at all: compare the change by a fault with the step.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import ceil, log2

import numpy as np

from vtox.motor.values.arrays import Bool, Float64, Int
from vtox.motor.values.domain import Array, Reason, reason

# Amplitude over the step of the converter from which the currents of a sound machine show neither a
# short nor broken bars. docs/calibration/signal_quality.md#steps-of-the-converter
MIN_STEPS = 32
# Number of samples that show the steps, taken all over the record.
SAMPLES = 1024
# A finer step than this share of the amplitude is not examined: 16 bits.
FINEST = 2.0**15
# Values are those of a converter if all are so near to multiples of one step, in steps.
MAX_RESIDUE = 0.05
# Number of different values that show that a bit is stuck rather than never reached.
MIN_VALUES = 64
# A gap between neighbouring values is wide from this share of the range on.
WIDE_GAP = 1 / (5 * MIN_STEPS)


def ordered_samples(x: Array) -> Array:
    """Return samples from all over each channel, sorted, shape (batch, channels, `SAMPLES`)."""
    values = x.take(_places(x.shape[-1]), axis=-1, mode="clip")  # a third of the time of "raise"
    values.sort(axis=-1)
    return values


def resolution_problems(x: Array, ordered: Array, names: Sequence[str]) -> list[tuple[Reason, ...]]:
    """Return, per recording, the channels whose converter is too coarse for a diagnosis.

    Parameters
    ----------
    x : ndarray, shape (batch, channels, samples)
        Finite samples in any unit.
    ordered : ndarray, shape (batch, channels, `SAMPLES`)
        `ordered_samples` of them.
    names : sequence of str
        Channel names, used in the reasons.

    Returns
    -------
    list of tuple of Reason, length batch
        Code `converter_resolution`.

    Examples
    --------
    >>> x = np.round(9 * np.sin(np.linspace(0, 40, 2000)))[None, None]
    >>> resolution_problems(x, ordered_samples(x), ("ia",))[0][0].code
    'converter_resolution'
    """
    found: list[tuple[Reason, ...]] = [()] * len(x)
    rows, channels = np.nonzero(_may_be_coarse(ordered))
    if not len(rows):
        return found
    steps, _ = amplitude_steps(x[rows, channels][:, None])
    for k in np.flatnonzero(steps < MIN_STEPS):
        left = float(steps[k, 0])
        values = {"channel": names[channels[k]], "steps": left, "needed_steps": MIN_STEPS}
        more_bits = ceil(log2(MIN_STEPS / max(left, 0.5)))
        found[rows[k]] += (reason("converter_resolution", **values, more_bits=more_bits),)
    return found


def amplitude_steps(x: Array) -> tuple[Float64, Int]:
    """Return half the range of each channel over the step of its converter, and its stuck bit.

    The step is the least difference of two values, and infinitely fine if the others are no
    multiples of it. A bit is stuck if it is the same in the counts of all samples although they go
    from below zero to above it. In a measurement all bits then change; -1 means that none is stuck.
    Counts with an offset are not searched for stuck bits.

    Parameters
    ----------
    x : ndarray, shape (batch, channels, samples)

    Returns
    -------
    steps : ndarray, shape (batch, channels)
    stuck : ndarray of int, shape (batch, channels)
        The highest such bit; 0 is the lowest one.
    """
    values = np.sort(x.take(_places(x.shape[-1]), axis=-1).astype(np.float64), axis=-1)
    low, high = values[..., 0], values[..., -1]
    differences = np.diff(values, axis=-1)
    step = differences.min(axis=-1, where=differences > 0, initial=np.inf)
    span = high - low
    # Single precision leaves the least difference uncertain; that of all which are one step is not.
    one = (differences > 0) & (differences < 1.5 * step[..., None])
    step = (differences * one).sum(axis=-1) / np.maximum(one.sum(axis=-1), 1)
    step = np.where(
        step > 0, span / np.maximum(np.rint(span / np.where(step > 0, step, 1.0)), 1), 0
    )
    steps = np.where(step > 0, span / 2 / np.where(step > 0, step, 1.0), np.inf)
    examined = steps < FINEST
    stuck = np.full(steps.shape, -1)
    if not examined.any():
        return np.where(examined, steps, np.inf), stuck
    unit = np.where(examined, step, 1.0)[..., None]
    from_low = (values - low[..., None]) / unit
    whole = np.abs(from_low - np.rint(from_low)).max(axis=-1) < MAX_RESIDUE
    counts = values / unit
    no_offset = np.abs(counts - np.rint(counts)).max(axis=-1) < MAX_RESIDUE
    many = (differences > 0).sum(axis=-1) >= MIN_VALUES
    searched = examined & whole & no_offset & many & (low < 0) & (high > 0)
    return np.where(examined & whole, steps, np.inf), np.where(
        searched, _stuck_bit(np.where(searched[..., None], counts, 0.0), steps), -1
    )


@lru_cache(maxsize=64)
def _places(samples: int) -> Int:
    golden = (5**0.5 - 1) / 2  # multiples of it meet no period of the signal
    places = np.arange(1, min(SAMPLES, samples) + 1) * golden % 1 * samples
    return np.sort(places.astype(np.int64))  # in the order of memory


def _may_be_coarse(values: Array) -> Bool:
    """Return the channels that may have too few steps, (batch, channels); `values` are sorted.

    Steps of which less than `MIN_STEPS` make the amplitude are all wider than twice `WIDE_GAP`. In
    a sine without steps such gaps hold 2 to 25 % of the range.
    """
    gaps = values[..., 1:] - values[..., :-1]
    span = values[..., -1] - values[..., 0]
    gaps *= gaps >= np.float32(WIDE_GAP) * span[..., None]
    return np.asarray(gaps.sum(axis=-1) >= np.float32(0.3) * span)


def _stuck_bit(counts: Float64, steps: Float64) -> Int:
    """Return the highest bit that never changes below the amplitude, -1 if all change."""
    whole = np.rint(counts).astype(np.int64)
    always = np.bitwise_and.reduce(whole, axis=-1)
    never = ~np.bitwise_or.reduce(whole, axis=-1)
    bits = 2 ** np.arange(int(log2(FINEST)))
    fixed: Bool = ((always | never)[..., None] & bits) > 0
    fixed &= bits <= steps[..., None]
    return np.asarray(np.where(fixed, np.arange(len(bits)), -1).max(axis=-1), np.int64)
