"""Windows finished by all families per second, from the best source, with its name and age.

The sources in their order: the monitor's entries, the activity of the consumer group between two
readings, the heartbeats of the workers. Without any of them the figure is None, with the reasons.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Literal

from vtox.motor.faults import FAMILIES
from vtox.motor.values.domain import Reason, reason
from vtox.motor.words.rendering import render_all
from vtox.pipeline.store.ledger.heartbeats import Worker
from vtox.pipeline.store.ledger.metrics import STALE_INTERVALS
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.entries import Metrics
from vtox.pipeline.store.stream.window_log import ConsumerGroup
from vtox.pipeline.store.system import status

Source = Literal["performance_metrics", "stream_activity", "workers"]

# The figure is an average over this long.
AVERAGE_S = 30.0
# Least time between two readings of the consumer group: with less, a single batch of windows would
# look like a rate.
READING_EVERY_S = 3.0
# A heartbeat older than this says nothing about now.
HEARTBEAT_LIFE_S = 15.0
# The times of entries are of the server's clock, which may be set back.
_CLOCKS_DIFFER_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """The figure, its source and age; `why` says why better sources have no figure."""

    windows_per_s: float | None
    source: Source | None
    age_s: float | None
    why: tuple[Reason, ...] = ()

    @property
    def reason(self) -> str:
        """Why better sources have no figure, as a sentence."""
        return render_all((r.code, r.values) for r in self.why)


@dataclass(frozen=True, slots=True)
class Reading:
    """Entries that were finished and had arrived (None: not known) at time `t`."""

    t: float
    finished: int
    arrived: int | None


class Sampler:
    """The readings of the last half minute of the stream's group; safe between threads."""

    def __init__(self) -> None:
        self._readings: deque[Reading] = deque()
        self._lock = Lock()

    def add(self, t: float, group: ConsumerGroup | None) -> None:
        """Keep a reading unless the last is too near; only this one after a count or clock fell."""
        if group is None or group.finished is None:
            return
        arrived = None if group.lag is None else group.finished + group.pending + group.lag
        new = Reading(t, group.finished, arrived)
        with self._lock:
            last = self._readings[-1] if self._readings else None
            if last and (new.finished < last.finished or t < last.t):
                self._readings.clear()
            elif last and t - last.t < READING_EVERY_S:
                return
            self._readings.append(new)
            while t - self._readings[0].t > AVERAGE_S + READING_EVERY_S:
                self._readings.popleft()

    def take(self, client: Client) -> None:
        """Read the group and keep the reading."""
        self.add(*status.read_group(client))

    def readings(self) -> list[Reading]:
        """Return the kept readings, oldest first."""
        with self._lock:
            return list(self._readings)


def throughput(snap: status.Snapshot, readings: Sequence[Reading]) -> Throughput:
    """Return the figure of the first source that has one."""
    reasons: list[Reason] = []
    for tier in (
        from_metrics(snap.metrics, snap.t),
        from_activity(readings, snap.t),
        from_workers(snap.workers, snap.t),
    ):
        if tier.windows_per_s is not None:
            return Throughput(
                windows_per_s=tier.windows_per_s,
                source=tier.source,
                age_s=tier.age_s,
                why=tuple(reasons),
            )
        reasons += tier.why
    return Throughput(windows_per_s=None, source=None, age_s=None, why=tuple(reasons))


def from_metrics(metrics: Sequence[Metrics], now: float) -> Throughput:
    """Return the last figure of the monitor, unless it is stale; `metrics` has the newest first.

    The monitor's figure is itself the average over the last `AVERAGE_S`.
    """
    latest = metrics[0] if metrics else None
    age = metrics_age_s(latest, now)
    if latest is None or age is None:
        return _none("metrics_empty")
    interval = latest.interval_s
    if interval is None or latest.throughput is None:
        return _none("metrics_without_throughput")
    if age > STALE_INTERVALS * interval:
        return _none("metrics_stale", age_s=age, interval_s=interval)
    return Throughput(windows_per_s=latest.throughput, source="performance_metrics", age_s=age)


def metrics_age_s(entry: Metrics | None, now: float) -> float | None:
    """Return the age of an entry, None if it has no time that has been."""
    if entry is None or entry.t is None or entry.t > now + _CLOCKS_DIFFER_S:
        return None
    return max(now - entry.t, 0.0)


def from_activity(readings: Sequence[Reading], now: float) -> Throughput:
    """Return the rate at which the group finished entries between the first and last reading.

    It counts all entries that left the pending list: duplicates and refused entries too.
    """
    recent = [r for r in readings if now - r.t <= AVERAGE_S + READING_EVERY_S]
    if len(recent) < 2:
        return _none("activity_unread")
    first, last = recent[0], recent[-1]
    age = max(now - last.t, 0.0)
    if age > STALE_INTERVALS * READING_EVERY_S:
        return _none("activity_stale", age_s=age)
    rate = (last.finished - first.finished) / (last.t - first.t)
    return Throughput(windows_per_s=rate, source="stream_activity", age_s=age)


def arrivals_per_s(readings: Sequence[Reading]) -> float | None:
    """Return the rate of arrivals between the first and the last reading that know them."""
    arrivals = [(r.t, r.arrived) for r in readings if r.arrived is not None]
    if len(arrivals) < 2:
        return None
    (t0, first), (t1, last) = arrivals[0], arrivals[-1]
    return (last - first) / (t1 - t0)


def from_workers(workers: Iterable[Worker], now: float) -> Throughput:
    """Return the rate that live workers count: the smallest of the families' sums.

    A window is finished when every family has finished it. A worker of several queues counts them
    together; as every window goes to every family, its figure is divided evenly.
    """
    live = [
        w
        for w in workers
        if now - w.last_seen_t <= HEARTBEAT_LIFE_S and w.windows_per_s is not None and w.queues
    ]
    if not live:
        return _none("workers_report_nothing")
    sums = dict.fromkeys(FAMILIES, 0.0)
    for w in live:
        assert w.windows_per_s is not None
        for family in w.queues:
            sums[family] += w.windows_per_s / len(w.queues)
    age = max(now - min(w.last_seen_t for w in live), 0.0)
    return Throughput(windows_per_s=min(sums.values()), source="workers", age_s=age)


def _none(code: str, **values: float) -> Throughput:
    return Throughput(windows_per_s=None, source=None, age_s=None, why=(reason(code, **values),))
