"""Is a channel a measurement at all: stuck, clipped, missing, too short or flat samples, in words.

The first thing done to every recording; what is found here is a reason to answer `unknown`.
"""

import numpy as np
import numpy.typing as npt

from vtox.domain import Array

Bools = npt.NDArray[np.bool_]

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
# So many neighbours are compared for repeated values.
SAMPLED = 8192


def check(x: Array, name: str, fs_hz: float) -> list[tuple[str, ...]]:
    """Return, per recording, what is wrong with one channel, in words; empty where nothing is.

    Quantised signals of few counts are measurements: a converter resolves a slow signal in steps
    of one count, so runs of equal values with steps of one size pass, while runs with steps of any
    size are held samples.

    Parameters
    ----------
    x : ndarray, shape (batch, samples)
        Samples in any unit.
    name : str
        Channel name, used in the reasons.
    fs_hz : float
        Claimed sampling rate, Hz.

    Returns
    -------
    list of tuple of str, length batch

    Examples
    --------
    >>> check(np.zeros((1, 1000), np.float32), "ia", 1000.0)
    [('ia: all samples are equal (stuck or unconnected)',)]
    """
    batch, samples = x.shape
    if samples < MIN_SAMPLES:
        return [(f"{name}: too short, {samples} samples, need {MIN_SAMPLES}",)] * batch
    if not 1.0 <= fs_hz <= 10e6:
        return [(f"{name}: impossible sampling rate {fs_hz:g} Hz",)] * batch
    with np.errstate(invalid="ignore"):
        low, high, resting, crests = _extremes(x, max(8, round(REST_S * fs_hz)))
        finite = (low >= -LARGEST) & (high <= LARGEST)  # false for what is not a number
        # A sample of the neighbours tells the share of repeated values well enough.
        stride = max(1, samples // SAMPLED)
        pairs = x[:, 1::stride]
        repeats = np.mean(pairs == x[:, : samples - 1 : stride], axis=-1)
        clipped = np.zeros(batch, bool)
        for i in np.flatnonzero(finite & (crests > CREST_SHARE)):
            clipped[i] = _clipped(x[i], float(low[i]), float(high[i]))
    suspect = ~finite | (repeats > 1 - HELD_SHARE) | clipped | resting.any(axis=-1)
    found: list[tuple[str, ...]] = [()] * batch
    for i in np.flatnonzero(suspect):
        reasons = _closer_look(x[i], fs_hz, resting[i], clipped=bool(clipped[i]))
        found[i] = tuple(f"{name}: {reason}" for reason in reasons)
    return found


def _extremes(x: Array, block: int) -> tuple[Array, Array, Bools, npt.NDArray[np.float64]]:
    """Return minimum, maximum, whether each block rests, and the share of blocks at an extreme."""
    batch, samples = x.shape
    count = samples // block
    if count < 2:
        return x.min(axis=-1), x.max(axis=-1), np.zeros((batch, 0), bool), np.ones(batch)
    blocks = x[:, : count * block].reshape(batch, count, block)
    lows, highs = blocks.min(axis=-1), blocks.max(axis=-1)
    rest = x[:, count * block :]
    low = np.minimum(lows.min(axis=-1), rest.min(axis=-1, initial=np.inf))
    high = np.maximum(highs.max(axis=-1), rest.max(axis=-1, initial=-np.inf))
    crests = np.maximum(
        np.mean(highs == high[:, None], axis=-1), np.mean(lows == low[:, None], axis=-1)
    )
    return low, high, lows == highs, crests


def _closer_look(x: Array, fs_hz: float, resting: Bools, *, clipped: bool) -> list[str]:
    """Return the reasons for one channel whose counts looked suspect."""
    bad = np.flatnonzero(~np.isfinite(x))
    if len(bad):
        return [
            f"missing samples, {len(bad)} of {len(x)} are not finite, the first at "
            f"{bad[0] / fs_hz:.3f} s"
        ]
    largest = float(np.max(np.abs(x)))
    if largest > LARGEST:
        return [f"impossible values, up to {largest:.3g}"]
    steps = np.abs(np.diff(x.astype(np.float64)))
    moves = steps > 0
    if not moves.any():
        return ["all samples are equal (stuck or unconnected)"]
    count = float(steps.min(where=moves, initial=np.inf))
    # Of a clipped channel the samples at the limits say nothing of the others.
    inside = (x[1:] > x.min()) & (x[1:] < x.max()) if clipped else np.ones(len(moves), bool)
    share = int(np.count_nonzero(moves & inside)) / max(int(np.count_nonzero(inside)), 1)
    steps = steps[moves]
    reasons = []
    if share < HELD_SHARE and _held(steps, x):
        reasons.append(
            f"stuck samples, only {share * fs_hz:.0f} new values a second at a claimed {fs_hz:g} Hz"
        )
    elif resting.mean() > 0.5:
        reasons.append(f"stuck samples, {resting.mean():.0%} of the record rests on one value")
    elif resting.any() and float(np.ptp(x)) > 4 * count:
        at_s = np.argmax(resting) * len(x) / len(resting) / fs_hz
        reasons.append(
            f"missing samples, one value repeats for {REST_S * 1e3:.0f} ms or more, "
            f"the first time about {at_s:.2f} s into the record"
        )
    if not reasons and clipped:
        reasons.append(
            f"clipped, {np.mean(x == x.max()):.1%} of the samples at {x.max():.4g} and "
            f"{np.mean(x == x.min()):.1%} at {x.min():.4g}"
        )
    return reasons


def _held(steps: npt.NDArray[np.float64], x: Array) -> bool:
    """Return whether runs of equal values are held samples rather than a converter's steps."""
    return bool(np.median(steps) > HELD_STEPS * np.quantile(steps, 0.02)) and bool(
        float(np.ptp(x)) > HELD_STEPS * float(steps.min())
    )


def _clipped(x: Array, low: float, high: float) -> bool:
    """Return whether more samples sit at an extreme than a sine of that many counts would leave."""
    share = max(np.count_nonzero(x == high), np.count_nonzero(x == low)) / len(x)
    if share < CLIPPED_SHARE:
        return False
    steps = np.abs(np.diff(x[: SAMPLED // 4]))
    count = float(steps.min(where=steps > 0, initial=max(high - low, 1e-30)))
    amplitude = max((high - low) / 2 / count, 0.5)
    expected = float(np.arccos(max(-1.0, 1 - 1 / amplitude)) / np.pi)
    return bool(share > 3 * expected + CLIPPED_SHARE)
