"""Measures the cluster: `performance_metrics`, alerts of silent machines, alarms of the system.

Every figure is a difference of counters that the commit scripts keep; nothing is sampled.
"""

import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from threading import Event

import redis
import structlog

from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.configuration.system_limits import AlarmLimits, read_limits
from vtox.pipeline.configuration.usable_cores import CoreUse, usable_cores
from vtox.pipeline.errors import RulesError
from vtox.pipeline.monitoring.capacity import BRIDGE, SERVER
from vtox.pipeline.monitoring.conditions import (
    Observation,
    conditions,
    next_watch,
    unassigned_limit_s,
)
from vtox.pipeline.monitoring.silence import SilenceWatch, look_every_s
from vtox.pipeline.monitoring.throughput import AVERAGE_S
from vtox.pipeline.store.alarms import alarm_book, system_alarms
from vtox.pipeline.store.ledger import metrics
from vtox.pipeline.store.ledger.backlog import backlog
from vtox.pipeline.store.ledger.metrics import STALE_INTERVALS, Counts
from vtox.pipeline.store.ledger.outcomes import BUCKET_BASE
from vtox.pipeline.store.ledger.retention import BOUNDED
from vtox.pipeline.store.ledger.retention_clock import RetentionClock, keep_time
from vtox.pipeline.store.server.client import (
    Client,
    own_clock_offset_s,
    server_thread_s,
    server_time,
)
from vtox.pipeline.store.server.partition_table import served
from vtox.pipeline.store.stream.entries import Metrics
from vtox.pipeline.store.stream.window_log import (
    deleted_unread,
    group_info,
    read_until_t,
    sum_groups,
)
from vtox.pipeline.store.system.status import snapshot

log = structlog.get_logger()

FORGET_EVERY_S = 60.0
# At this interval a search that is limited to changed items covers all items.
LOOK_EVERYWHERE_EVERY_S = 3600.0


def run(client: Client, settings: Settings, stop: Event, owner: Callable[[], bool]) -> None:
    """Measure every interval while this process owns the stream; look for silence more often."""
    monitor = _Monitor(client, settings)
    next_t = time.monotonic() + settings.monitor_interval_s
    while not stop.wait(look_every_s(settings)):
        if not owner():
            monitor.rest()
            continue
        is_due = time.monotonic() >= next_t
        if is_due:
            next_t = time.monotonic() + settings.monitor_interval_s
        try:
            monitor.look(everything=is_due)
        except redis.RedisError as error:
            log.warning("metrics not measured: the server does not answer", reason=str(error))


class _Monitor:
    """The tasks of each interval, in parts: one that fails does not prevent the others."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self.client = client
        self.settings = settings
        self._silence = SilenceWatch(client, settings)
        self._core_use = CoreUse()
        self._limits = _alarm_limits(settings)
        self._clock = RetentionClock(client)
        self._read_until: float | None = None
        self._next_forgetting_t = self._next_look_t = 0.0

    def rest(self) -> None:
        """Let another process measure."""
        self._read_until, self._next_look_t = None, 0.0

    def look(self, *, everything: bool) -> None:
        """Look for silence, or do all parts."""
        parts = (
            self._keep_time,
            self._measure,
            self._look_for_silence,
            self._watch_system,
            self._keep_house,
        )
        for part in parts if everything else (self._look_for_silence,):
            try:
                part()
            except redis.RedisError:
                raise
            except Exception:  # without its thread the process would go on unwatched
                log.exception("a part of the monitor failed and is tried again")

    def _keep_time(self) -> None:
        keep_time(self._clock, BOUNDED)

    def _measure(self) -> None:
        measure(self.client, self.settings, self._core_use.share())

    def _look_for_silence(self) -> None:
        if self._read_until is not None:
            # No later than now: the server's clock may have been set back meanwhile.
            self._silence.look(min(self._read_until, server_time(self.client)))
        self._read_until = read_until_t(self.client, [p.raw for p in served(self.client)])

    def _watch_system(self) -> None:
        watch_system(self.client, self.settings, self._limits)

    def _keep_house(self) -> None:
        if time.monotonic() >= self._next_forgetting_t and self._read_until is not None:
            self._next_forgetting_t = time.monotonic() + FORGET_EVERY_S
            self._silence.forget_unregistered(self._read_until)
        if time.monotonic() >= self._next_look_t:
            self._next_look_t = time.monotonic() + LOOK_EVERYWHERE_EVERY_S
            self._silence.reset_senders()
            # So that no alert is trimmed before it is in the book, whether or not one looks.
            alarm_book.advance(self.client, forget=True)


def measure(client: Client, settings: Settings, cpu: float | None = None) -> Metrics | None:
    """Write one entry of `performance_metrics` and return it; None if there is nothing to say.

    `cpu` is the share of the time of the usable cores that was used since the last call.

    The first call only keeps the counters, and so does the first after a pause. An average over a
    time without measurements would look like a current one.
    """
    now, last, recent = metrics.read(client)
    now = replace(now, busy_s=now.busy_s | _threads_s(client))
    interval_s = now.t - last.t if last else 0.0
    entry = None
    if last and 0 < interval_s <= STALE_INTERVALS * settings.monitor_interval_s:
        entry = _difference(last, now, recent, _backlog_of(client), cpu)
    metrics.write(client, entry, now)
    return entry


def _backlog_of(client: Client) -> int | None:
    """Return the windows that are not finished, None if the server does not know."""
    group = sum_groups([group_info(client, p.raw) for p in served(client)])
    return group.backlog if group else None


def _difference(
    last: Counts,
    now: Counts,
    recent: Sequence[Metrics],
    backlog: int | None,
    cpu: float | None,
) -> Metrics:
    interval_s = now.t - last.t
    windows_in = now.windows_in - last.windows_in
    windows_done = now.windows_done - last.windows_done
    latency = {k: n - last.latency.get(k, 0) for k, n in now.latency.items()}
    spans = [(interval_s, windows_done)] + [
        (m.interval_s, m.windows_done)
        for m in recent
        if m.t is not None and now.t - m.t < AVERAGE_S
        # Other programs may write there too.
        if m.interval_s is not None and m.interval_s > 0 and m.windows_done is not None
    ]
    return Metrics(
        t=round(now.t, 3),
        interval_s=round(interval_s, 3),
        windows_in=windows_in,
        windows_done=windows_done,
        ingest_rate=round(windows_in / interval_s, 3),
        throughput=round(sum(n for _, n in spans) / sum(i for i, _ in spans), 3),
        latency_p50_ms=percentile(latency, 0.50),
        latency_p95_ms=percentile(latency, 0.95),
        backlog=backlog,
        in_flight=now.in_flight,
        cpu=None if cpu is None else round(cpu, 4),
        cores=round(usable_cores(), 3),
        machines=now.machines,
        busy=busy(last, now),
    )


def _threads_s(client: Client) -> dict[str, float]:
    """Return "<thread>:<process>" -> CPU time of the thread of server and bridge, s."""
    server_s = server_thread_s(client)
    known = {} if server_s is None else {f"{SERVER}:main": server_s}
    return known | {f"{BRIDGE}:{os.getpid()}": time.process_time()}


def busy(last: Counts, now: Counts) -> dict[str, float]:
    """Return family -> share of the time between that tasks took of its workers' time.

    And thread -> share of a core. Workers started meanwhile are left out; a worker that serves
    several queues counts for each.
    """
    shares: dict[str, list[float]] = {}
    for name, busy_s in now.busy_s.items():
        before = last.busy_s.get(name)
        if before is not None and busy_s >= before:
            share = (busy_s - before) / (now.t - last.t)
            shares.setdefault(name.partition(":")[0], []).append(share)
    return {family: round(fmean(some), 4) for family, some in shares.items()}


def percentile(buckets: Mapping[str, int], share: float) -> float | None:
    """Return the latency (ms) below which `share` of the records stayed, None for no records.

    Parameters
    ----------
    buckets
        "<family>:<b>" -> records with a latency of r**b to r**(b+1) ms, where r is
        `BUCKET_BASE`; the answer is the geometric middle of the bucket.
    """
    counts: dict[int, int] = {}
    for name, n in buckets.items():
        b = int(name.rpartition(":")[2])
        counts[b] = counts.get(b, 0) + n
    total = sum(counts.values())
    if total <= 0:
        return None
    reached = 0
    for b in sorted(counts):
        reached += counts[b]
        if reached >= share * total:
            return float(round(BUCKET_BASE ** (b + 0.5), 2))
    raise AssertionError(f"share: {share}, expected at most 1")


def _alarm_limits(settings: Settings) -> AlarmLimits:
    """Return the limits of the rules file; the notifier reports faults of that file."""
    try:
        return read_limits(settings.notify_file)
    except RulesError as error:
        log.warning("alarms of the system have the limits as shipped", reason=str(error))
        return AlarmLimits()


def watch_system(client: Client, settings: Settings, limits: AlarmLimits | None = None) -> None:
    """Raise or clear the alarms of the system itself (docs/reference/alarms.md)."""
    before = system_alarms.load_watch(client)
    kept, raised = system_alarms.condition_names(client)
    partitions = served(client)
    now = Observation(
        snap=snapshot(client),
        backlog=backlog(client, unassigned_limit_s(settings), partitions),
        deleted_unread=deleted_unread(client, partitions),
        host=socket.gethostname(),
        clock_offset_s=own_clock_offset_s(client),
    )
    watch = next_watch(now, before, raised, settings)
    for condition in conditions(now, before, watch, raised, settings, limits or AlarmLimits()):
        if condition.holds or condition.name in kept:
            forget_after_s = STALE_INTERVALS * settings.monitor_interval_s
            event = system_alarms.keep(client, condition, forget_after_s)
            if event:
                write = log.info if event == "cleared" else log.warning
                write(f"alarm {event}", alarm=condition.name, reason=condition.why.sentence)
    system_alarms.store_watch(client, watch)
