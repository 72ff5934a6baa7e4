"""Measures the cluster: `performance_metrics`, alerts of silent machines, alarms of the system.

Every figure is a difference of counters that the commit scripts keep; nothing is sampled.
"""

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from threading import Event

import psutil
import redis
import structlog

from vtox import keys
from vtox.domain import reason
from vtox.monitoring.conditions import (
    Observation,
    conditions,
    next_watch,
    unassigned_limit_s,
)
from vtox.monitoring.readiness import MEMORY_FAIL_SHARE, STALE_INTERVALS
from vtox.monitoring.throughput import AVERAGE_S
from vtox.settings import Settings
from vtox.store import alarm_book, metrics, system_alarms
from vtox.store.backlog import backlog
from vtox.store.client import Client, own_clock_offset_s, server_start_t, server_time
from vtox.store.entries import Metrics
from vtox.store.flags import departures, flag_states, set_flag
from vtox.store.ledger import BUCKET_BASE
from vtox.store.machines import forget_silent, last_arrivals
from vtox.store.metrics import Counts
from vtox.store.open_alerts import list_open_alerts
from vtox.store.retention import server_memory
from vtox.store.status import snapshot
from vtox.store.streams import deleted_unread, group_info, read_until_t

log = structlog.get_logger()

FORGET_EVERY_S = 60.0
# A worker of an earlier version may run beside this one and raise alerts without listing them.
LIST_ALERTS_EVERY_S = 3600.0


def run(client: Client, settings: Settings, stop: Event, owner: Callable[[], bool]) -> None:
    """Measure every interval while this process owns the stream."""
    read_until: float | None = None
    next_forgetting_t = next_listing_t = 0.0
    while not stop.wait(settings.monitor_interval_s):
        if not owner():
            read_until, next_listing_t = None, 0.0
            continue
        try:
            measure(client, settings)
            if read_until is not None:
                # No later than now: the server's clock may have been set back meanwhile.
                watch_silence(client, settings, min(read_until, server_time(client)))
            read_until = read_until_t(client)
            watch_system(client, settings)
            if time.monotonic() >= next_forgetting_t:
                next_forgetting_t = time.monotonic() + FORGET_EVERY_S
                forget(client, settings, read_until)
            if time.monotonic() >= next_listing_t:
                next_listing_t = time.monotonic() + LIST_ALERTS_EVERY_S
                list_open_alerts(client)
                # So that no alert is trimmed before it is in the book, whether or not one looks.
                alarm_book.advance(client, forget=True)
        except redis.RedisError as error:
            log.warning("metrics not measured: the server does not answer", reason=str(error))
        except Exception:  # without its thread the process would go on and nobody would watch
            log.exception("the monitor failed and tries again")


def measure(client: Client, settings: Settings) -> Metrics | None:
    """Write one entry of `performance_metrics` and return it; None where there is nothing to say.

    The first call only keeps the counters, and so does the first after a pause: an average over a
    time without measurements would look like one of today.
    """
    now, last, recent = metrics.read(client)
    interval_s = now.t - last.t if last else 0.0
    entry = None
    if last and 0 < interval_s <= STALE_INTERVALS * settings.monitor_interval_s:
        entry = _difference(last, now, recent, backlog_of(client))
    metrics.write(client, entry, now)
    return entry


def backlog_of(client: Client) -> int | None:
    """Return the windows that are not finished, None where the server does not know."""
    group = group_info(client, keys.RAW)
    return group.backlog if group else None


def _difference(
    last: Counts, now: Counts, recent: Sequence[Metrics], backlog: int | None
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
        if m.interval_s is not None and m.windows_done is not None
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
        # Since the last call; of the first one psutil knows nothing and says 0.
        cpu=round(psutil.cpu_percent() / 100, 4) or None,
        machines=now.machines,
        busy=busy(last, now),
    )


def busy(last: Counts, now: Counts) -> dict[str, float]:
    """Return family -> share of the time between that tasks took of its workers' time.

    A worker that started meanwhile is left out; one that serves several queues counts for each.
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


def watch_system(client: Client, settings: Settings) -> None:
    """Raise or clear the alarms of the system itself (docs/ALARMS.md)."""
    before = system_alarms.load_watch(client)
    kept, raised = system_alarms.kept_names(client)
    now = Observation(
        snap=snapshot(client),
        backlog=backlog(client, unassigned_limit_s(settings)),
        deleted_unread=deleted_unread(client),
        host=socket.gethostname(),
        clock_offset_s=own_clock_offset_s(client),
    )
    watch = next_watch(now, before, raised, settings)
    for condition in conditions(now, before, watch, raised, settings):
        if condition.holds or condition.name in kept:
            forget_after_s = STALE_INTERVALS * settings.monitor_interval_s
            event = system_alarms.keep(client, condition, forget_after_s)
            if event:
                write = log.info if event == "cleared" else log.warning
                write(f"alarm {event}", alarm=condition.name, reason=condition.why.sentence)
    system_alarms.store_watch(client, watch)


def forget(client: Client, settings: Settings, read_until: float) -> None:
    """Forget unregistered machines that are gone, for a limit bounds how many there may be."""
    before_t = read_until - 3600 * settings.forget_unregistered_h
    if forgotten := forget_silent(client, before_t):
        log.info("unregistered machines forgotten that sent nothing for long", machines=forgotten)


def watch_silence(client: Client, settings: Settings, read_until: float) -> None:
    """Raise or clear the alert `silent` of every machine that has ever sent a window.

    Silence lasts to the time up to which the stream was read one interval ago: a window in the
    backlog is no silence, and one that was read has been admitted meanwhile. It begins no earlier
    than the server, which took no window before, and not while a full server refuses windows. All
    times are the server's.
    """
    began = server_start_t(client)
    refusing = server_memory(client).share >= MEMORY_FAIL_SHARE
    arrived = {m: t for m, t in last_arrivals(client).items() if t}
    silent = flag_states(client, arrived, "silent")
    flagged = [m for m, was_silent in zip(arrived, silent, strict=True) if was_silent]
    departed = dict(zip(flagged, departures(client, flagged), strict=True))
    for (machine_id, t), was_silent in zip(arrived.items(), silent, strict=True):
        silence_s = read_until - t
        counted_s = silence_s if was_silent else read_until - max(t, began)
        is_silent = counted_s > settings.silence_after_s or departed.get(machine_id, 0.0) > t
        if is_silent and not was_silent and refusing:
            continue
        if is_silent != was_silent:
            raised = (reason("machine_silent"), reason("silence_duration", silence_s=silence_s))
            reasons = raised if is_silent else (reason("windows_arrive"),)
            set_flag(client, machine_id, "silent", is_silent, *reasons)
