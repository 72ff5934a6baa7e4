"""State of a machine within a record: at rest, starting, running down or steady.

Samples are read only from records that the results of the front end do not show to be steady.
Limits: docs/calibration/operation.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi
from typing import Literal

import numpy as np

from vtox.motor.diagnosis.diagnosers.current.plausibility import MAX_CURRENT_RATIO, OFF_BLOCK_S
from vtox.motor.diagnosis.diagnosers.current.signal_problems import MIN_LINE_SHARE
from vtox.motor.values.arrays import Bool, Complex, Float64, median
from vtox.motor.values.domain import Array, Motor, Reason
from vtox.motor.values.operating_state import OperatingState

# A record is examined if its current moves by more than the first, largest block of 0.05 s over
# smallest. It is examined too if the supply line holds a smaller share of the power than the
# second: then the frequency moves.
SUSPECT_RATIO = 1.4
SUSPECT_SHARE = 0.8
# Codes that standstill, inrush and a moving frequency get from tests of samples and supply line.
SUSPECT_CODES = frozenset(
    {
        "samples_rest",
        "samples_repeat",
        "samples_stuck",
        "clipped",
        "converter_resolution",
        "supply_not_found",
        "supply_off_nameplate",
        "switched_within_record",
        "current_far_above_rated",
        "current_far_below_rated",
        "too_few_cycles",
    }
)
# Length of a block, s: with three currents, whose rms has no ripple, and with fewer.
BLOCK_S, FEWER_BLOCK_S = 0.02, 0.06
# Off is below this share of the largest block, or of the rated current.
OFF_SHARE, OFF_RATED = 0.02, 0.05
# A machine is at rest below this share of its rated current, in all blocks, if the supply line is
# too weak to be found (`MIN_LINE_SHARE`). A small current with a line may be in another unit.
STANDSTILL_RATED = 0.03
# Currents that are off for less, s, are the gap of a star-delta starter or an interrupted supply.
LONGEST_GAP_S = 0.5
# Currents that come on are those of a start if they, or their frequency, move by more than this,
# largest over smallest. A clamp that is put on shows the steady state at once.
MOVING_RATIO = 1.1
# Least current while starting over that at the end of the record; a soft start has the least.
INRUSH_RATIO = 1.3
# No load makes a running machine draw this much of its rated current: it is beyond breakdown.
BEYOND_BREAKDOWN_RATED = 2.5
# A star-delta starter draws this much of the rated current in star already, and no interrupted
# supply comes before it.
STAR_RATED = 1.3
# Beyond breakdown I1 lags by more than this behind V1, degrees. It counts if I1 exceeds the rated
# current by the second factor or, if that is unknown, the current at the end by the third.
BREAKDOWN_LAG_DEG = 45.0
LAGGING_RATED, LAGGING_RATIO = 2.0, 2.5
# A whole record lies within a start if the current falls by this share from first to last third.
FALL = 0.03
# A drive starts, or runs down, if its frequency goes from below the first share of the last
# one to it, or the other way.
FIRST_HZ_SHARE = 0.35
# The higher of both is at least this, Hz: samples that are stuck have frequencies near 0 only.
LEAST_DRIVE_HZ = 20.0
# The last frequencies and currents are medians over the first, s; first ones over the second.
END_S, BEGIN_S = 0.3, 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Current and frequency of one record in blocks of `block_s`.

    `level_a`, shape (blocks,), is the rms of the phases, `hz` the frequency; `lag_deg` is the angle
    of I1 behind V1 at the beginning, None without voltages.
    """

    block_s: float
    level_a: Float64
    hz: Float64
    lag_deg: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """The state of a machine within a record, and when it was switched on or off, s.

    `on_s` is None if it was on before, `off_s` if it was on to the end.
    """

    state: OperatingState | Literal["steady"] = "steady"
    on_s: float | None = None
    off_s: float | None = None


def suspects(ratio: Float64, share: Float64, problems: Sequence[tuple[Reason, ...]]) -> list[int]:
    """Return the records of a batch that must be examined.

    `ratio` is the largest level over the smallest, `share` that of the supply line in all power,
    both of shape (batch,).
    """
    moving = set(np.flatnonzero((ratio > SUSPECT_RATIO) | (share < SUSPECT_SHARE)).tolist())
    named = {b for b, p in enumerate(problems) if p and any(r.code in SUSPECT_CODES for r in p)}
    return sorted(moving | named)


def track(
    x: Array, fs_hz: float, envelope: Complex, rate_hz: float, centre_hz: float, v: Complex
) -> Track:
    """Return the track of one record.

    Parameters
    ----------
    x : ndarray, shape (channels, samples)
        The currents, A.
    fs_hz : float
    envelope, v : ndarray of complex, shape (points,)
        Complex envelopes of positive-sequence current and voltage about `centre_hz`, at `rate_hz`;
        no points if there are no voltages.
    rate_hz, centre_hz : float
    """
    block_s = BLOCK_S if len(x) == 3 else FEWER_BLOCK_S
    size = max(1, round(block_s * fs_hz))
    count = x.shape[-1] // size
    parts = x[:, : count * size].reshape(len(x), count, size)
    square = np.einsum("cbn,cbn->b", parts, parts, dtype=np.float64)
    level = np.sqrt(square / (len(x) * size))
    lag = None
    if len(v) and len(x) == 3:
        first = slice(round(0.5 * BEGIN_S * rate_hz), round(1.5 * BEGIN_S * rate_hz))
        lag = float(np.degrees(np.angle(np.sum(v[first] * envelope[first].conj()))))
    turn = envelope[1:] * envelope[:-1].conj()
    begins = (np.arange(count) * size / fs_hz * rate_hz).astype(int).clip(0, len(turn) - 1)
    steps = np.add.reduceat(turn, begins)
    hz = centre_hz + np.angle(steps).astype(np.float64) * rate_hz / (2 * pi)
    return Track(block_s=size / fs_hz, level_a=level, hz=hz, lag_deg=lag)


def operation(t: Track, line_share: float, motor: Motor) -> Operation:
    """Return the state of the machine from the track of a suspect record.

    `line_share` is that of the supply line in all power.
    """
    level, rated_a = t.level_a, motor.rated_current_a
    if len(level) < 2:
        return Operation(state="unsteady")
    if rated_a and level.max() < STANDSTILL_RATED * rated_a:
        return Operation(state="standstill" if line_share < MIN_LINE_SHARE else "unsteady")
    is_off = level < max(OFF_SHARE * level.max(), OFF_RATED * (rated_a or 0.0))
    if is_off.all():
        return Operation(state="unsteady")
    on, off = _on_and_off(is_off, t.block_s)
    on_s = on * t.block_s if on else None
    off_s = off * t.block_s if off < len(level) else None
    run = Track(
        block_s=t.block_s, level_a=level[on:off], hz=t.hz[on:off], lag_deg=None if on else t.lag_deg
    )
    if on and _starts(run, rated_a):
        return Operation(state="start", on_s=on_s, off_s=off_s)
    if not on and _start_is_under_way(run, rated_a):
        return Operation(state="start", off_s=off_s)
    if not on and (off_s is not None or _frequency_falls(run)):
        return Operation(state="run_down", off_s=off_s)
    return Operation(state="unsteady", on_s=on_s, off_s=off_s)


def _on_and_off(is_off: Bool, block_s: float) -> tuple[int, int]:
    """Return the blocks at which the machine is switched on and off, gaps left out.

    If a machine is off and on more than once, its last time on counts.
    """
    gap = LONGEST_GAP_S / block_s
    is_on = np.concatenate([[False], ~is_off, [False]])
    edges = np.flatnonzero(is_on[1:] != is_on[:-1])
    begins, ends = edges[::2], edges[1::2]
    apart = np.flatnonzero(begins[1:] - ends[:-1] > gap)
    first = int(begins[apart[-1] + 1] if len(apart) else begins[0])
    last = int(ends[-1])
    return first, last if (len(is_off) - last) * block_s >= OFF_BLOCK_S else len(is_off)


def _starts(run: Track, rated_a: float | None) -> bool:
    """Return whether currents that come on are those of a start."""
    if rated_a and _largest_of(run.level_a) > STAR_RATED * rated_a:
        return True
    # The first block is on for a part of it only.
    level, hz = run.level_a[1:], run.hz[1:]
    for x in (_medians(level), _medians(hz)):
        if len(x) and not x.max() <= MOVING_RATIO * x.min():
            return True
    return False


def _start_is_under_way(run: Track, rated_a: float | None) -> bool:
    """Return whether a record that begins with currents begins within a start."""
    first, end = _first(run.level_a, run.block_s), _last(run.level_a, run.block_s)
    high = _largest_of(run.level_a)
    lags = run.lag_deg is not None and run.lag_deg > BREAKDOWN_LAG_DEG
    if _frequency_rises(run):
        return True
    thirds = len(run.level_a) // 3
    falls = thirds > 0 and float(np.mean(run.level_a[-thirds:])) < (1 - FALL) * float(
        np.mean(run.level_a[:thirds])
    )
    if rated_a and first < STAR_RATED * rated_a:
        return False
    if rated_a and high > BEYOND_BREAKDOWN_RATED * rated_a:
        return bool(falls or end < MAX_CURRENT_RATIO * rated_a)
    if rated_a and lags and first > LAGGING_RATED * rated_a:
        return bool(falls)
    # A load that swings comes back.
    rests = _largest_of(run.level_a[len(run.level_a) // 2 :]) < INRUSH_RATIO * end
    return lags and rests and first > LAGGING_RATIO * end


def _medians(x: Float64) -> Float64:
    """Return the medians of each three neighbours, shape (blocks - 2,)."""
    if len(x) < 3:
        return x[:0]
    return np.asarray(np.sort([x[:-2], x[1:-1], x[2:]], axis=0)[1])


def _largest_of(level: Float64) -> float:
    """Return the largest level that lasts for three blocks, so that no offset or gap counts."""
    if len(level) < 3:
        return float(level.max())
    return float(np.min([level[:-2], level[1:-1], level[2:]], axis=0).max())


def _first(x: Float64, block_s: float) -> float:
    return float(median(x[: max(1, round(BEGIN_S / block_s))]))


def _last(x: Float64, block_s: float) -> float:
    return float(median(x[-max(1, round(END_S / block_s)) :]))


def _frequency_rises(run: Track) -> bool:
    first, end = _end_frequencies(run)
    return 0 <= first < FIRST_HZ_SHARE * end and end > LEAST_DRIVE_HZ


def _frequency_falls(run: Track) -> bool:
    first, end = _end_frequencies(run)
    return 0 <= end < FIRST_HZ_SHARE * first and first > LEAST_DRIVE_HZ


def _end_frequencies(run: Track) -> tuple[float, float]:
    """Return the first and the last frequency; at both ends the filter of the envelope rings."""
    ringing = round(BEGIN_S / run.block_s)
    inside = run.hz[ringing:-ringing]
    if len(inside) < ringing:
        return float("nan"), float("nan")
    return _first(inside, run.block_s), _last(inside, run.block_s)
