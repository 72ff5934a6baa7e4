"""Whether a channel is a measurement at all: stuck, clipped, missing, too short or flat samples.

The first thing done to every recording; each finding is a reason to answer `unknown`.
"""

from collections.abc import Sequence

import numpy as np

from vtox.arrays import Bool, Float64
from vtox.domain import Array, Reason, reason

MIN_SAMPLES = 64
# No channel of a machine carries more of its unit, and squares of it fit single precision.
LARGEST = 1e9
# A channel of a turning machine never rests this long; 20 ms is a whole cycle at 50 Hz.
REST_S = 0.025
# Held values: fewer than this share of samples differ from their neighbour...
HELD_SHARE = 0.35
# ...and the steps are not those of a converter, which crosses a slow signal one count at a time.
# Measured on 12- and 16-bit sines of 2 to 30,000 counts: at most 1.0; on held samples: above 10.
HELD_STEPS = 3.0
# Share of samples at one extreme beyond what a sine of that many counts shows, 1/pi*acos(1-1/n).
CLIPPED_SHARE = 0.005
# Clipping shows in most cycles; samples are counted only where so many blocks touch the extreme.
CREST_SHARE = 0.1
# Repeated values are counted in so many runs of so many neighbours.
RUNS, NEIGHBOURS = 32, 64
# A first look: what touches an extreme in a tenth of the blocks touches it in two sixteenths of the
# record, and a block at rest holds three of so many samples that are equal.
PARTS = 16
SAMPLES_A_BLOCK = 8
# So many samples tell the size of a count.
COUNTED = 2048


def check(x: Array, name: str, fs_hz: float) -> list[tuple[Reason, ...]]:
    """Return, per recording, what is wrong with one channel, shape (batch, samples)."""
    return problems(x[:, None], (name,), fs_hz)


def problems(x: Array, names: Sequence[str], fs_hz: float) -> list[tuple[Reason, ...]]:
    """Return, per recording, what is wrong with its channels; empty where nothing is.

    Quantised signals of few counts are measurements: a converter resolves a slow signal in steps
    of one count, so runs of equal values with steps of one size pass, while runs with steps of any
    size are held samples.

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

    Examples
    --------
    >>> problems(np.zeros((1, 1, 1000), np.float32), ("ia",), 1000.0)
    [(Reason(code='samples_constant', values={'channel': 'ia'}),)]
    """
    batch, _, samples = x.shape
    if samples < MIN_SAMPLES:
        few = {"samples": samples, "needed_samples": MIN_SAMPLES}
        return [tuple(reason("too_few_samples", channel=name, **few) for name in names)] * batch
    if not 1.0 <= fs_hz <= 10e6:
        return [(reason("impossible_rate", fs_hz=fs_hz),)] * batch
    found: list[tuple[Reason, ...]] = [()] * batch
    block = max(8, round(REST_S * fs_hz))
    with np.errstate(invalid="ignore"):
        odd, touched = _suspect(x, block)
        for i, c in np.argwhere(odd | touched):
            clipped = bool(touched[i, c]) and _clipped(x[i, c], block)
            if odd[i, c] or clipped:
                found[i] += _closer_look(x[i, c], names[c], fs_hz, block, clipped=clipped)
    return found


def _suspect(x: Array, block: int) -> tuple[Bool, Bool]:
    """Return which channels deserve a closer look, and which may be clipped: (batch, channels).

    All samples are looked at once. A channel that would be found clipped is among the second, one
    with anything else wrong among the first.
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
    finite = (low >= -LARGEST) & (high <= LARGEST)  # false for what is not a number
    touched = np.maximum(
        (highs == high[..., None]).sum(axis=-1), (lows == low[..., None]).sum(axis=-1)
    )
    odd = ~finite | _rests(x, block) | _repeats(x)
    return odd, finite & (touched > min(parts - 1, 1))


def _rests(x: Array, block: int) -> Bool:
    """Return where three neighbours of a few samples are equal, as in every block at rest."""
    few = x[..., :: block // SAMPLES_A_BLOCK]
    same = few[..., 1:] == few[..., :-1]
    return np.asarray((same[..., 1:] & same[..., :-1]).any(axis=-1))


def _repeats(x: Array) -> Bool:
    """Return where so many samples repeat their neighbour's value that they may be held ones."""
    size = x.shape[-1] // RUNS
    runs = x[..., : RUNS * size].reshape(*x.shape[:-1], RUNS, size)[..., : NEIGHBOURS + 1]
    return np.asarray(np.mean(runs[..., 1:] == runs[..., :-1], axis=(-2, -1)) > 1 - HELD_SHARE)


def _closer_look(
    x: Array, channel: str, fs_hz: float, block: int, *, clipped: bool
) -> tuple[Reason, ...]:
    """Return what is wrong with one channel, shape (samples,), that looked suspect."""
    bad = np.flatnonzero(~np.isfinite(x))
    if len(bad):
        first_s = float(bad[0] / fs_hz)
        counts = {"missing_samples": len(bad), "samples": len(x)}
        return (reason("samples_missing", channel=channel, first_s=first_s, **counts),)
    largest = float(np.max(np.abs(x)))
    if largest > LARGEST:
        return (reason("impossible_values", channel=channel, largest=largest),)
    steps = np.abs(np.diff(x.astype(np.float64)))
    moves = steps > 0
    if not moves.any():
        return (reason("samples_constant", channel=channel),)
    count = float(steps.min(where=moves, initial=np.inf))
    blocks = _blocks(x, block)
    resting = blocks.min(axis=-1) == blocks.max(axis=-1)
    # Of a clipped channel the samples at the limits say nothing of the others.
    inside = (x[1:] > x.min()) & (x[1:] < x.max()) if clipped else np.ones(len(moves), bool)
    share = int(np.count_nonzero(moves & inside)) / max(int(np.count_nonzero(inside)), 1)
    steps = steps[moves]
    if share < HELD_SHARE and _held(steps, x):
        return (reason("samples_stuck", channel=channel, new_hz=share * fs_hz, fs_hz=fs_hz),)
    if resting.mean() > 0.5:
        return (reason("samples_rest", channel=channel, share=float(resting.mean())),)
    if resting.any() and float(np.ptp(x)) > 4 * count:
        first_s = float(np.argmax(resting) * len(x) / len(resting) / fs_hz)
        return (reason("samples_repeat", channel=channel, repeat_s=REST_S, first_s=first_s),)
    if clipped:
        shares = {
            "share_high": float(np.mean(x == x.max())),
            "share_low": float(np.mean(x == x.min())),
        }
        limits = {"high": float(x.max()), "low": float(x.min())}
        return (reason("clipped", channel=channel, **shares, **limits),)
    return ()


def _blocks(x: Array, block: int) -> Array:
    """Return the samples in whole blocks, shape (blocks, samples of a block)."""
    size = min(block, len(x))
    return x[: len(x) // size * size].reshape(-1, size)


def _held(steps: Float64, x: Array) -> bool:
    """Return whether runs of equal values are held samples rather than a converter's steps."""
    return bool(np.median(steps) > HELD_STEPS * np.quantile(steps, 0.02)) and bool(
        float(np.ptp(x)) > HELD_STEPS * float(steps.min())
    )


def _clipped(x: Array, block: int) -> bool:
    """Return whether more samples sit at an extreme than a sine of that many counts would leave."""
    low, high = float(x.min()), float(x.max())
    share = max(np.count_nonzero(x == high), np.count_nonzero(x == low)) / len(x)
    if share < CLIPPED_SHARE:
        return False
    blocks = _blocks(x, block)
    crests = max(
        np.count_nonzero(blocks.max(axis=-1) == high), np.count_nonzero(blocks.min(axis=-1) == low)
    )
    if crests <= CREST_SHARE * len(blocks):
        return False
    steps = np.abs(np.diff(x[:COUNTED]))
    count = float(steps.min(where=steps > 0, initial=max(high - low, 1e-30)))
    amplitude = max((high - low) / 2 / count, 0.5)
    expected = float(np.arccos(max(-1.0, 1 - 1 / amplitude)) / np.pi)
    return bool(share > 3 * expected + CLIPPED_SHARE)
