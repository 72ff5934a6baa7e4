"""The cluster's own measurements: `performance_metrics`, and alerts for machines that fall silent.

Everything is a difference of counters that the commit scripts keep; nothing is sampled.
"""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Event

import redis
import structlog

from vtox import keys
from vtox.faults import FAMILIES
from vtox.monitoring.throughput import AVERAGE_S, STALE_INTERVALS
from vtox.settings import Settings
from vtox.store.client import Client
from vtox.store.flags import set_flag
from vtox.store.ledger import BUCKET_BASE
from vtox.store.streams import group_info

log = structlog.get_logger()


def run(client: Client, settings: Settings, stop: Event, owner: Callable[[], bool]) -> None:
    """Measure every interval while this process owns the stream."""
    while not stop.wait(settings.monitor_interval_s):
        if not owner():
            continue
        try:
            measure(client, settings)
            watch_silence(client, settings)
        except redis.RedisError as error:
            log.warning("nothing measured: the server does not answer", reason=str(error))


def measure(client: Client, settings: Settings) -> dict[str, float | int | str]:
    """Write one entry of `performance_metrics` and return it; the first call only takes stock.

    So does the first after a pause: an average over the time when nobody measured would stand for
    half a minute of today.
    """
    pipe = client.pipeline(transaction=True)
    pipe.time()
    pipe.hgetall(keys.COUNTERS)
    pipe.hgetall(keys.LATENCY)
    pipe.hgetall(keys.MONITOR)
    pipe.xrevrange(keys.METRICS, count=64)
    (seconds, micros), counters, latency, before, recent = pipe.execute()
    t = seconds + micros / 1e6
    count = {k.decode(): int(v) for k, v in counters.items()}
    buckets = {k.decode(): int(v) for k, v in latency.items()}
    done = count.get("windows_done", 0)
    entry: dict[str, float | int | str] = {}
    interval = t - float(before[b"t"]) if before else 0.0
    if 0 < interval <= STALE_INTERVALS * settings.monitor_interval_s:
        windows_in = count.get("windows_in", 0) - int(before[b"windows_in"])
        windows_done = done - int(before[b"windows_done"])
        known = json.loads(before[b"latency"])
        fresh = {k: n - known.get(k, 0) for k, n in buckets.items()}
        spans = [(interval, windows_done)]
        for _, e in recent:
            with suppress(KeyError, ValueError):  # anybody may have written there
                if t - float(e[b"t"]) < AVERAGE_S:
                    spans.append((float(e[b"interval_s"]), int(e[b"windows_done"])))
        group = group_info(client, keys.RAW)
        waiting = group.backlog if group else None
        entry = {
            "t": round(t, 3),
            "interval_s": round(interval, 3),
            "windows_in": windows_in,
            "windows_done": windows_done,
            "ingest_rate": round(windows_in / interval, 3),
            "throughput": round(sum(n for _, n in spans) / sum(i for i, _ in spans), 3),
            "latency_p50_ms": percentile(fresh, 0.50),
            "latency_p95_ms": percentile(fresh, 0.95),
            "backlog": "" if waiting is None else waiting,
            "in_flight": sum(count.get(f"in_flight_windows:{f}", 0) for f in FAMILIES),
        }
    with client.pipeline(transaction=True) as write:
        if entry:
            write.xadd(keys.METRICS, entry)
        now = {
            "t": repr(t),
            "windows_in": count.get("windows_in", 0),
            "windows_done": done,
            "latency": json.dumps(buckets),
        }
        write.hset(keys.MONITOR, mapping=now)
        write.execute()
    return entry


def percentile(buckets: Mapping[str, int], share: float) -> float | str:
    """Return the latency (ms) below which `share` of the records stayed, empty for no records.

    Parameters
    ----------
    buckets
        "<family>:<b>" -> records with a latency of BUCKET_BASE**b to BUCKET_BASE**(b+1) ms; the
        answer is the bucket's geometric middle.
    """
    counts: dict[int, int] = {}
    for name, n in buckets.items():
        b = int(name.rpartition(":")[2])
        counts[b] = counts.get(b, 0) + n
    total = sum(counts.values())
    if total <= 0:
        return ""
    reached = 0
    for b in sorted(counts):
        reached += counts[b]
        if reached >= share * total:
            return float(round(BUCKET_BASE ** (b + 0.5), 2))
    raise AssertionError("a share above 1 was asked for")


def watch_silence(client: Client, settings: Settings) -> None:
    """Raise or clear the alert `silent` for every machine that has ever sent a window."""
    now = time.time()
    arrived = {m: t for m, t in client.zrange(keys.MACHINES, 0, -1, withscores=True) if t}
    pipe = client.pipeline(transaction=False)
    for name in arrived:
        pipe.hexists(keys.machine(name.decode()), "silent")
    for (name, t), was in zip(arrived.items(), pipe.execute(), strict=True):
        on = now - t > settings.silence_after_s
        if on != was:
            reason = f"no window for {now - t:.0f} s" if on else "windows arrive again"
            set_flag(client, name.decode(), "silent", on, reason)
