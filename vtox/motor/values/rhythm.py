"""How often a machine sends, learned from its arrivals, and from when on it is silent. Pure.

A clamp streams: its windows follow each other for as long as it lives. A battery sensor sends a
snapshot, or the windows of one in a burst, every 15 minutes to 8 hours. The bridge learns which of
the two a machine is; `expected_every_s` on its nameplate overrides that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

# So many intervals without a window are silence: one snapshot may be lost on its way.
MISSED_INTERVALS = 2.5
# The interval of a new machine is not known yet: battery sensors pause for 8 hours at most.
UNKNOWN_SILENCE_S = 3 * 8 * 3600.0
# An interval is learned from the gaps of a day. So many of the longest ones are remembered.
# So many of them, and half of the time, must agree with it to a factor of so much.
DAY_S = 86_400.0
GAPS_KEPT, GAPS_NEEDED, AGREEING = 48, 3, 2.0
# A machine that sends snapshots streams once a burst has lasted for so long.
NEW_STREAM_S = 3600.0
# An interval that changes by less is the same.
SAME_SHARE, SAME_STREAM_SHARE = 0.1, 0.5
# Windows of a stream are sent as they are measured; those of a buffer are older than that.
BUFFERED_RATIO = 2.0
# The first burst of a new machine is taken for a stream after a third of the pause that ends one,
# until the next burst begins. Snapshots that are sent while they are measured have fewer windows.
FIRST_WINDOWS, FIRST_SHARE = 25, 1 / 3


@dataclass(frozen=True, slots=True)
class SendingInterval:
    """Seconds from window to window, or from snapshot to snapshot, and who says so.

    `source` is empty if nothing is known: the machine has not sent.
    """

    every_s: float | None = None
    source: Literal["nameplate", "learned", "learning", ""] = ""

    def limit_s(self, silence_after_s: float) -> float:
        """Return how long the machine may send nothing before it is silent.

        Examples
        --------
        >>> SendingInterval(1.0).limit_s(30.0), SendingInterval(3600.0).limit_s(30.0)
        (30.0, 9000.0)
        """
        if self.source == "learning":
            return max(UNKNOWN_SILENCE_S, silence_after_s)
        return max(MISSED_INTERVALS * (self.every_s or 0.0), silence_after_s)


@dataclass(slots=True)
class Rhythm:
    """Memory of how a machine has sent so far; times in s by the server's clock.

    `every_s` is None until it is learned. `begun_t` is when its last burst began, and `streams`
    whether that went on for longer than the pause that ends one. `gaps` are the longest times from
    burst to burst since `day_t`, which is 0 if no burst has followed another one; `short_s` is
    the sum of the others. `first_s` is from window to window of the first burst, if that looks like
    a stream.
    """

    every_s: float | None = None
    gaps: tuple[float, ...] = ()
    begun_t: float = 0.0
    streams: bool = False
    first_s: float | None = None
    day_t: float = 0.0
    short_s: float = 0.0

    @property
    def interval(self) -> SendingInterval:
        """The interval that was learned."""
        every_s = self.every_s or self.first_s
        return SendingInterval(every_s, "learning" if every_s is None else "learned")

    def begin(self, t: float) -> bool:
        """Note that a burst begins; return whether this is worth keeping.

        The gap between two times of streaming is no interval: the motor was off, or the line cut.
        """
        streamed, before_t = self.streams, self.begun_t
        self.begun_t, self.streams, self.first_s = t, False, None
        if streamed or not before_t or t <= before_t:
            self._begin_day(t if self.day_t else 0.0)
            return not before_t
        self.day_t = self.day_t or before_t
        gaps = sorted((*self.gaps, t - before_t), reverse=True)
        self.gaps, self.short_s = tuple(gaps[:GAPS_KEPT]), self.short_s + sum(gaps[GAPS_KEPT:])
        if t - self.day_t >= DAY_S and len(gaps) >= GAPS_NEEDED:
            if every_s := agreed_interval_s(self.gaps, self.short_s):
                self._learn(every_s, SAME_SHARE)
            self._begin_day(t)
        return True

    def _begin_day(self, t: float) -> None:
        self.day_t, self.gaps, self.short_s = t, (), 0.0

    def stream_at_first(self, every_s: float) -> bool:
        """Note that the first burst looks like a stream; return whether this is worth keeping."""
        if self.every_s or self.day_t or self.first_s:
            return False
        self.first_s = every_s
        return True

    def stream(self, every_s: float) -> bool:
        """Note that the machine streams; return whether this is worth keeping."""
        changed = not self.streams and bool(self.day_t)
        self.streams, self.first_s = True, None
        self._begin_day(0.0)
        return self._learn(every_s, SAME_STREAM_SHARE) or changed

    def _learn(self, every_s: float, same_share: float) -> bool:
        if self.every_s and abs(every_s / self.every_s - 1) < same_share:
            return False
        self.every_s = every_s
        return True


def agreed_interval_s(gaps: Sequence[float], short_s: float = 0.0) -> float | None:
    """Return the interval in which most gaps of a day agree, s; None if they do not.

    Pauses between bursts take most of the time, though most gaps are those within bursts: the gap
    counts in which the middle of the day lies. If some gaps are still so long that they would be
    silence, it is their length that returns.

    Parameters
    ----------
    gaps : sequence of float
        The longest gaps, s, the longest one first.
    short_s : float
        Sum of the shorter ones, s.
    """
    if not gaps:
        return None
    half_s, middle, passed_s = (sum(gaps) + short_s) / 2, gaps[-1], 0.0
    for gap in gaps:
        passed_s += gap
        if passed_s >= half_s:
            middle = gap
            break
    longer = [g for g in gaps if g > MISSED_INTERVALS * middle]
    if len(longer) >= GAPS_NEEDED:
        middle = longer[len(longer) // 2]
    agreeing = [g for g in gaps if middle / AGREEING <= g <= middle * AGREEING]
    agree_s = sum(agreeing) + (short_s if gaps[-1] in agreeing else 0.0)
    return middle if len(agreeing) >= GAPS_NEEDED and agree_s >= half_s else None


@dataclass(slots=True)
class Arrivals:
    """The present burst of a machine: its last window, how many were counted, and since when."""

    rhythm: Rhythm
    last_t: float = 0.0
    first: tuple[float, float] = (0.0, 0.0)  # arrival, and time of the samples
    windows: int = 0

    def add(self, t: float, t0: float, pause_s: float) -> bool:
        """Count a window that arrived at `t` with samples from `t0`; return whether to keep it.

        After `pause_s` without a window the next one begins a new burst.
        """
        if not self.windows or t - self.last_t > pause_s:
            # After a restart of the bridge the burst that was kept may go on.
            goes_on = not self.windows and 0.0 < t - self.rhythm.begun_t <= pause_s
            self.last_t, self.first, self.windows = t, (t, t0), 1
            return not goes_on and self.rhythm.begin(t)
        self.windows += 1
        self.last_t = max(self.last_t, t)
        lasted_s, measured_s = t - self.first[0], t0 - self.first[1]
        if self.rhythm.streams or lasted_s < FIRST_SHARE * pause_s:
            return False
        if measured_s > BUFFERED_RATIO * lasted_s:
            return False  # a buffer is being emptied
        every_s = lasted_s / (self.windows - 1)
        needed_s = NEW_STREAM_S if self.rhythm.day_t else pause_s
        if lasted_s >= needed_s and self.windows >= FIRST_WINDOWS:
            return self.rhythm.stream(every_s)
        # Slower than it was measured is a snapshot over a slow radio.
        is_slow = lasted_s > BUFFERED_RATIO * measured_s
        return (
            self.windows >= FIRST_WINDOWS and not is_slow and self.rhythm.stream_at_first(every_s)
        )
