"""Tests whether a channel is a measurement: stuck, clipped, missing, too few or constant samples.

The first test of every recording; each problem is a reason to answer `unknown`.
"""

from collections.abc import Sequence

import numpy as np

from vtox.motor.values.arrays import Bool, Float64
from vtox.motor.values.domain import Array, Reason, reason

# Judgement (docs/calibration/signal_quality.md).
MIN_SAMPLES = 64
FS_RANGE_HZ = (1.0, 10e6)
# No channel of a machine carries more of its unit, and its square fits single precision.
MAX_VALUE = 1e9
# A channel of a turning machine never rests this long, s; 20 ms is a whole cycle at 50 Hz.
REST_S = 0.025
# Samples are held (stuck) if fewer than this share differ from their neighbour, and the steps
# between them are not those of a converter: docs/calibration/signal_quality.md#held-samples
MIN_MOVING_SHARE = 0.35
MIN_HELD_STEP_RATIO = 3.0
# Clipped: this share of the samples at one extreme, beyond that of a sine of as many counts, in the
# second share of the blocks: docs/calibration/signal_quality.md#clipping
MIN_CLIPPED_SHARE = 0.005
MIN_CREST_SHARE = 0.1
# Samples are held for a while if one value repeats this long, s, and longer by this factor than at
# the crests of the signal: docs/calibration/signal_quality.md#held-for-a-while
MIN_HOLD_S = 0.005
MIN_HOLD_RATIO = 6.0
# A constant record is at rest in more than this share of its blocks.
MAX_REST_SHARE = 0.5
# The fast test of all samples: docs/calibration/signal_quality.md#fast-test
# A multiple of 8 of runs, so that pairs of neighbours are counted eight in a word.
RUNS, NEIGHBOURS = 32, 64
PARTS = 16


def problems(x: Array, names: Sequence[str], fs_hz: float) -> list[tuple[Reason, ...]]:
    """Return, per recording, the problems of its channels; empty if there are none.

    A quantised signal of few counts is a measurement. A converter resolves a slow signal in steps
    of one count, so runs of equal values are accepted if all steps have one size. Runs with
    steps of different sizes are held samples.

    Parameters
    ----------
    x : ndarray, shape (batch, channels, samples)
        Samples in any unit.
    names : sequence of str
        Channel names, used in the reasons.
    fs_hz : float
        Claimed sampling rate, Hz.

    Returns
    -------
    list of tuple of Reason, length batch
        Codes `too_few_samples`, `impossible_rate`, `samples_missing`, `impossible_values`,
        `samples_constant`, `samples_stuck`, `samples_rest`, `samples_repeat`, `clipped`.

    Examples
    --------
    >>> problems(np.zeros((1, 1, 1000), np.float32), ("ia",), 1000.0)
    [(Reason(code='samples_constant', values={'channel': 'ia'}),)]
    """
    batch, _, samples = x.shape
    if samples < MIN_SAMPLES:
        few = {"samples": samples, "needed_samples": MIN_SAMPLES}
        return [tuple(reason("too_few_samples", channel=name, **few) for name in names)] * batch
    if not FS_RANGE_HZ[0] <= fs_hz <= FS_RANGE_HZ[1]:
        return [(reason("impossible_rate", fs_hz=fs_hz),)] * batch
    found: list[tuple[Reason, ...]] = [()] * batch
    block = max(8, round(REST_S * fs_hz))
    with np.errstate(invalid="ignore"):
        suspect, at_extremes, low, high = _fast_test(x, block)
        for i, c in np.argwhere(suspect | at_extremes):
            extremes = float(low[i, c]), float(high[i, c])
            clipped = bool(at_extremes[i, c]) and _is_clipped(x[i, c], block, *extremes)
            if suspect[i, c] or clipped:
                found[i] += _channel_problems(x[i, c], names[c], fs_hz, block, clipped=clipped)
    return found


def _fast_test(x: Array, block: int) -> tuple[Bool, Bool, Array, Array]:
    """Return the channels to test closely, the ones that may be clipped, and their extremes.

    The extremes are the lowest and the highest sample; all are of shape (batch, channels). A
    clipped channel is always among the second, one with any other problem among the first.
    """
    batch, channels, samples = x.shape
    parts = PARTS if samples >= 2 * PARTS * block else 1
    size = samples // parts
    whole = x[..., : parts * size].reshape(batch, channels, parts, size)
    lows, highs = whole.min(axis=-1), whole.max(axis=-1)
    low, high = lows.min(axis=-1), highs.max(axis=-1)
    if samples % parts:
        rest = x[..., parts * size :]
        low, high = np.minimum(low, rest.min(axis=-1)), np.maximum(high, rest.max(axis=-1))
    finite = (low >= -MAX_VALUE) & (high <= MAX_VALUE)  # false for NaN
    parts_at_extreme = np.maximum(
        (highs == high[..., None]).sum(axis=-1), (lows == low[..., None]).sum(axis=-1)
    )
    suspect = ~finite | _rests(x, block) | _repeats(x)
    return suspect, finite & (parts_at_extreme > min(parts - 1, 1)), low, high


def _rests(x: Array, block: int) -> Bool:
    """Return the channels with three equal neighbours among eight samples a block, as at rest."""
    few = x[..., :: block // 8]
    same = few[..., 1:] == few[..., :-1]
    return np.asarray((same[..., 1:] & same[..., :-1]).any(axis=-1))


def _repeats(x: Array) -> Bool:
    """Return the channels in which enough samples equal their neighbour to be held ones."""
    size = x.shape[-1] // RUNS
    runs = x[..., : RUNS * size].reshape(*x.shape[:-1], RUNS, size)[..., : NEIGHBOURS + 1]
    pairs = RUNS * (runs.shape[-1] - 1)
    same = (runs[..., 1:] == runs[..., :-1]).reshape(*x.shape[:-1], pairs)
    words = np.ascontiguousarray(same).view(np.uint64)
    count = np.bitwise_count(words).sum(axis=-1)
    return np.asarray(count / pairs > 1 - MIN_MOVING_SHARE)


def _channel_problems(
    x: Array, channel: str, fs_hz: float, block: int, *, clipped: bool
) -> tuple[Reason, ...]:
    """Return the problems of one suspect channel, shape (samples,)."""
    bad = np.flatnonzero(~np.isfinite(x))
    if len(bad):
        first_s = float(bad[0] / fs_hz)
        counts = {"missing_samples": len(bad), "samples": len(x)}
        return (reason("samples_missing", channel=channel, first_s=first_s, **counts),)
    largest = float(np.max(np.abs(x)))
    if largest > MAX_VALUE:
        return (reason("impossible_values", channel=channel, largest=largest),)
    steps = np.abs(np.diff(x.astype(np.float64)))
    moves = steps > 0
    if not moves.any():
        return (reason("samples_constant", channel=channel),)
    count = float(steps.min(where=moves, initial=np.inf))
    blocks = _blocks(x, block)
    resting = blocks.min(axis=-1) == blocks.max(axis=-1)
    # In a clipped channel only the samples within the limits can show whether samples are held.
    inside = (x[1:] > x.min()) & (x[1:] < x.max()) if clipped else np.ones(len(moves), bool)
    share = int(np.count_nonzero(moves & inside)) / max(int(np.count_nonzero(inside)), 1)
    steps = steps[moves]
    if share < MIN_MOVING_SHARE and _are_held(steps, x):
        return (reason("samples_stuck", channel=channel, new_hz=share * fs_hz, fs_hz=fs_hz),)
    if resting.mean() > MAX_REST_SHARE:
        return (reason("samples_rest", channel=channel, share=float(resting.mean())),)
    if float(np.ptp(x)) > 4 * count:
        first, length = _longest_run(moves)
        if resting.any() or _is_hold(length, moves, len(blocks), fs_hz):
            values = {"repeat_s": length / fs_hz, "first_s": first / fs_hz}
            return (reason("samples_repeat", channel=channel, **values),)
    if clipped:
        shares = {
            "share_high": float(np.mean(x == x.max())),
            "share_low": float(np.mean(x == x.min())),
        }
        limits = {"high": float(x.max()), "low": float(x.min())}
        return (reason("clipped", channel=channel, **shares, **limits),)
    return ()


def _longest_run(moves: Bool) -> tuple[int, int]:
    """Return the start of the longest run of equal samples, and its length; `moves` are steps."""
    edges = np.concatenate([[-1], np.flatnonzero(moves), [len(moves)]])
    lengths = np.diff(edges)
    longest = int(np.argmax(lengths))
    return int(edges[longest]) + 1, int(lengths[longest])


def _is_hold(length: int, moves: Bool, blocks: int, fs_hz: float) -> bool:
    """Return whether the longest run is of held samples rather than a crest of few counts."""
    lengths = np.sort(np.diff(np.flatnonzero(moves)))
    # A signal has a crest in most blocks: as many runs are as long as those of its crests.
    crest = int(lengths[-min(blocks, len(lengths))]) if len(lengths) else length
    return length >= MIN_HOLD_S * fs_hz and length > MIN_HOLD_RATIO * crest


def _blocks(x: Array, block: int) -> Array:
    """Return the samples in whole blocks, shape (blocks, samples of a block)."""
    size = min(block, len(x))
    return x[: len(x) // size * size].reshape(-1, size)


def _are_held(steps: Float64, x: Array) -> bool:
    """Return whether runs of equal values are held samples rather than a converter's steps."""
    return bool(np.median(steps) > MIN_HELD_STEP_RATIO * np.quantile(steps, 0.02)) and bool(
        float(np.ptp(x)) > MIN_HELD_STEP_RATIO * float(steps.min())
    )


def _is_clipped(x: Array, block: int, low: float, high: float) -> bool:
    """Return whether more samples lie at an extreme than those of a sine of that many counts.

    `low` and `high` are the extremes of `x`, shape (samples,).
    """
    share = max(np.count_nonzero(x == high), np.count_nonzero(x == low)) / len(x)
    if share < MIN_CLIPPED_SHARE:
        return False
    blocks = _blocks(x, block)
    crests = max(
        np.count_nonzero(blocks.max(axis=-1) == high), np.count_nonzero(blocks.min(axis=-1) == low)
    )
    if crests <= MIN_CREST_SHARE * len(blocks):
        return False
    steps = np.abs(np.diff(x[:2048]))
    count = float(steps.min(where=steps > 0, initial=max(high - low, 1e-30)))
    amplitude = max((high - low) / 2 / count, 0.5)
    expected = float(np.arccos(max(-1.0, 1 - 1 / amplitude)) / np.pi)
    return bool(share > 3 * expected + MIN_CLIPPED_SHARE)
