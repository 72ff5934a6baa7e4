"""A bit of a converter that is the same in all samples, whatever its place.

In the counts of a signal that goes from below zero to above it all bits change: the ones above its
amplitude are copies of the sign. The lowest bits may rest together: such a converter is coarser.
"""

import numpy as np

from vtox.motor.values.arrays import Bool, Float64, Int
from vtox.motor.values.domain import Array

# The sorted samples in which the step is searched, and the spacing of those that show the bits.
MIDDLE, EVERY = slice(384, -384), 8
# Least number of the latter that differ from the one before: fewer may share a bit by chance.
MIN_STEPS_SEEN = 8
# A gap between neighbouring samples is narrow up to this number of steps.
MAX_NARROW = 200
# Counts are whole numbers to the first share, and come this near to both ends of a bit's range.
MAX_RESIDUE, MAX_FROM_END = 0.05, 0.03
# Least number of jumps by the whole range that a stuck sign makes.
MIN_JUMPS = 4


def stuck_bits(x: Array, ordered: Array) -> Int:
    """Return the highest stuck bit of each channel, -1 for none; 0 is the lowest bit.

    Parameters
    ----------
    x : ndarray, shape (batch, channels, samples)
        Finite samples in any unit.
    ordered : ndarray, shape (batch, channels, 1024)
        Samples from all over the record, sorted.

    Returns
    -------
    ndarray of int, shape (batch, channels)
    """
    found = np.full(x.shape[:2], -1)
    suspect, step = _suspects(ordered)
    for i, c in np.argwhere(suspect):
        found[i, c] = _stuck_bit(x[i, c].astype(np.float64) / step[i, c])
    return found


def _suspects(ordered: Array) -> tuple[Bool, Array]:
    """Return the channels that may have a stuck bit, and the step of their converter."""
    middle = ordered[..., MIDDLE]
    gaps = middle[..., 1:] - middle[..., :-1]
    least = gaps.min(axis=-1, where=gaps > 0, initial=np.inf)
    few = ordered[..., ::EVERY]
    low, high = few[..., 0], few[..., -1]
    gaps = few[..., 1:] - few[..., :-1]
    steps = np.rint(gaps / least[..., None])
    # The least gap is too uncertain to count the steps of a wide one.
    narrow = steps <= MAX_NARROW
    step = (gaps * narrow).sum(axis=-1) / np.maximum((steps * narrow).sum(axis=-1), 1)
    step = (high - low) / np.maximum(np.rint((high - low) / np.where(step > 0, step, np.inf)), 1)
    counts = few / step[..., None]
    whole = np.rint(counts)
    counts -= whole
    regular = np.abs(counts, out=counts).max(axis=-1) < MAX_RESIDUE
    regular &= np.count_nonzero(steps, axis=-1) >= MIN_STEPS_SEEN
    bits = np.where(regular[..., None], whole, 0).astype(np.int64)
    fixed = _fixed_bits(bits) != 0
    return regular & np.where((low < 0) & (high > 0), fixed, _fills_a_power_of_two(bits)), step


def _fixed_bits(counts: Int) -> Int:
    """Return the bits that never change above the lowest that does."""
    always, ever = np.bitwise_and.reduce(counts, axis=-1), np.bitwise_or.reduce(counts, axis=-1)
    changing = ever & ~always
    lowest = changing & -changing
    return np.asarray((always | ~ever) & -lowest)


def _fills_a_power_of_two(ordered: Int) -> Bool:
    """Return whether sorted counts of one sign reach from zero to a power of two."""
    from_zero = np.where(ordered < 0, ~ordered, ordered)
    ends = np.sort(from_zero[..., [0, -1]], axis=-1)
    top = 2.0 ** np.ceil(np.log2(np.maximum(ends[..., 1], 1)))
    near = MAX_FROM_END * top
    return np.asarray((ends[..., 0] <= near) & (ends[..., 1] >= top - 1 - near))


def _stuck_bit(counts: Float64) -> int:
    """Return the stuck bit of one channel by all its samples, -1 for none."""
    whole = np.rint(counts)
    if np.abs(counts - whole).max() > 2 * MAX_RESIDUE:
        return -1
    bits = whole.astype(np.int64)
    if bits.min() >= 0 or bits.max() < 0:
        return _stuck_sign(bits)
    fixed = int(_fixed_bits(bits[None])[0])
    for bit in reversed(range(32)):
        if fixed >> bit & 1 and _reaches_both_ends(bits, bit):
            return bit
    return -1


def _reaches_both_ends(bits: Int, bit: int) -> bool:
    """Return whether the counts fill the range that a stuck bit leaves, not lie there by chance."""
    size = 1 << bit
    rest = bits & (size - 1)
    near = max(1.0, MAX_FROM_END * min(size, int(np.ptp(bits))))
    return bool(rest.min() <= near and rest.max() >= size - 1 - near)


def _stuck_sign(bits: Int) -> int:
    """Return the sign bit of counts that jump from one end of its range to the other."""
    from_zero = np.where(bits < 0, ~bits, bits)
    bit = int(from_zero.max()).bit_length()
    jumps = np.abs(np.diff(from_zero))
    is_jump = jumps > 1 << (bit - 1)
    if np.count_nonzero(is_jump) < MIN_JUMPS:
        return -1
    # Without the sign's jump such a step is as small as the others.
    after = (1 << bit) - jumps[is_jump]
    return bit if np.median(after) <= 2 * np.quantile(jumps[~is_jump], 0.9) else -1
