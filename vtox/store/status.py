"""One snapshot of the whole system in two round trips: what the API, the CLI and metrics show.

Everything here is read, nothing computed from samples; what the server cannot tell is None.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import redis

from vtox import keys
from vtox.faults import FAMILIES
from vtox.store.client import Client
from vtox.store.streams import Group, group_of

STREAMS = (
    keys.RAW,
    keys.RESULTS,
    keys.ASSESSMENTS,
    keys.METRICS,
    keys.ALERTS,
    keys.DEAD_LETTERS,
)
# Entries of performance_metrics that a snapshot carries: half a minute even at one a second.
METRICS_READ = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """One fault family: tasks that wait at the broker, windows at work, done and dead."""

    waiting: int
    in_flight: int
    in_flight_bytes: int
    done: int
    records_done: int
    dead: int
    workers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """The last heartbeat of a worker, as the worker measured it."""

    name: str
    host: str
    pid: int
    port: int | None
    queues: tuple[str, ...]
    cpu_percent: float | None
    memory_bytes: int | None
    tasks_done: int
    windows_done: int
    windows_per_s: float | None
    diagnosis_s: float
    busy_s: float
    started_t: float | None
    last_seen_t: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """The bridge that owns the stream, or owned it last and did not say good-bye."""

    pid: int
    host: str
    last_seen_t: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The Redis or Valkey server behind it all."""

    product: str
    version: str
    uptime_s: int
    clients: int
    used_memory_bytes: int
    maxmemory_bytes: int | None

    @property
    def memory_share(self) -> float | None:
        """Share of the memory limit in use; None without a limit."""
        return self.used_memory_bytes / self.maxmemory_bytes if self.maxmemory_bytes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The system at one moment of the server's clock."""

    t: float
    lengths: dict[str, int]
    group: Group | None
    counters: dict[str, int]
    queues: dict[str, Queue]
    workers: tuple[Worker, ...]
    machines: int
    bridge_alive: bool
    bridge: Bridge | None
    server: Server | None
    metrics: tuple[dict[str, float | None], ...]
    # Family -> bucket of `BUCKET_BASE` -> records committed with that latency.
    latency: Mapping[str, Mapping[int, int]] = field(default_factory=dict)

    @property
    def backlog(self) -> int | None:
        """Windows that are not finished by all families; None where the server cannot tell."""
        return self.lengths[keys.RAW] if self.group is None else self.group.backlog

    @property
    def in_flight(self) -> int:
        """Windows dispatched and unfinished, summed over the families."""
        return sum(q.in_flight for q in self.queues.values())


def snapshot(client: Client) -> Snapshot:
    """Return the state of the system now."""
    pipe = client.pipeline(transaction=False)
    pipe.time()
    for stream in STREAMS:
        pipe.xlen(stream)
    pipe.xinfo_groups(keys.RAW)
    pipe.hgetall(keys.COUNTERS)
    for family in FAMILIES.values():
        pipe.llen(keys.CELERY_PREFIX + family.queue)
    pipe.smembers(keys.WORKERS)
    pipe.zcard(keys.MACHINES)
    pipe.exists(keys.LEASE)
    pipe.hgetall(keys.BRIDGE)
    pipe.info("server", "clients", "memory")
    pipe.xrevrange(keys.METRICS, count=METRICS_READ)
    pipe.hgetall(keys.LATENCY)
    replies = iter(pipe.execute(raise_on_error=False))

    def take(default: Any = None) -> Any:
        return _told(next(replies), default)

    seconds, micros = take((0, 0))
    lengths = {stream: int(take(0)) for stream in STREAMS}
    group = group_of(take([]))
    counters = {k.decode(): int(v) for k, v in take({}).items()}
    waiting = {name: int(take(0)) for name in FAMILIES}
    workers = _workers(client, sorted(take(set())))
    return Snapshot(
        t=seconds + micros / 1e6,
        lengths=lengths,
        group=group,
        counters=counters,
        queues={name: _queue(name, waiting[name], counters, workers) for name in FAMILIES},
        workers=workers,
        machines=int(take(0)),
        bridge_alive=bool(take(0)),
        bridge=_bridge(take({})),
        server=_server(take()),
        metrics=tuple(_metrics(i, fields) for i, fields in take([])),
        latency=_latency(take({})),
    )


def reading(client: Client) -> tuple[float, Group | None]:
    """Return the server's time and the group alone: what a sampler of activity needs."""
    pipe = client.pipeline(transaction=False)
    pipe.time()
    pipe.xinfo_groups(keys.RAW)
    (seconds, micros), groups = pipe.execute(raise_on_error=False)
    return seconds + micros / 1e6, group_of(_told(groups, []))


def _told(reply: Any, default: Any) -> Any:
    """Return the reply; `default` for a stream that does not exist or a command that ACLs deny."""
    if not isinstance(reply, redis.ResponseError):
        return reply
    denied = isinstance(reply, redis.exceptions.NoPermissionError)
    if denied or "no such key" in str(reply):
        return default
    raise reply


def _queue(name: str, waiting: int, counters: dict[str, int], workers: tuple[Worker, ...]) -> Queue:
    return Queue(
        waiting=waiting,
        in_flight=counters.get(f"in_flight_windows:{name}", 0),
        in_flight_bytes=counters.get(f"in_flight_bytes:{name}", 0),
        done=counters.get(f"windows:{name}", 0),
        records_done=counters.get(f"records:{name}", 0),
        dead=counters.get(f"dead:{name}", 0),
        workers=sum(name in w.queues for w in workers),
    )


def _workers(client: Client, names: list[bytes]) -> tuple[Worker, ...]:
    if not names:
        return ()
    pipe = client.pipeline(transaction=False)
    for name in names:
        pipe.hgetall(keys.worker(name.decode()))
    beats = [{k.decode(): v.decode() for k, v in b.items()} for b in pipe.execute()]
    # A heartbeat that has run out is empty, or holds no more than a last count: that one is gone.
    return tuple(_worker(b) for b in beats if "last_seen_t" in b)


def _worker(beat: dict[str, str]) -> Worker:
    return Worker(
        name=beat["name"],
        host=beat["host"],
        pid=int(beat["pid"]),
        port=int(beat["port"]) if beat.get("port") else None,
        queues=tuple(q for q in beat["queues"].split(",") if q),
        cpu_percent=_float(beat.get("cpu_percent")),
        memory_bytes=int(beat["memory_bytes"]) if beat.get("memory_bytes") else None,
        tasks_done=int(beat.get("tasks_done") or 0),
        windows_done=int(beat.get("windows_done") or 0),
        windows_per_s=_float(beat.get("windows_per_s")),
        diagnosis_s=_float(beat.get("diagnosis_s")) or 0.0,
        busy_s=_float(beat.get("busy_s")) or 0.0,
        started_t=_float(beat.get("started_t")),
        last_seen_t=float(beat["last_seen_t"]),
    )


def _bridge(fields: dict[bytes, bytes]) -> Bridge | None:
    if not fields:
        return None
    pid, host, seen = (fields[k].decode() for k in (b"pid", b"host", b"last_seen_t"))
    return Bridge(pid=int(pid), host=host, last_seen_t=float(seen))


def _server(info: dict[str, Any] | None) -> Server | None:
    if not info:
        return None
    product = "valkey" if "valkey_version" in info else "redis"
    return Server(
        product=product,
        version=str(info[f"{product}_version"]),
        uptime_s=int(info["uptime_in_seconds"]),
        clients=int(info["connected_clients"]),
        used_memory_bytes=int(info["used_memory"]),
        maxmemory_bytes=int(info["maxmemory"]) or None,
    )


def _metrics(entry_id: bytes, fields: dict[bytes, bytes]) -> dict[str, float | None]:
    entry = {k.decode(): _float(v.decode()) for k, v in fields.items()}
    return entry | {"written_t": int(entry_id.partition(b"-")[0]) / 1000}


def _latency(counts: dict[bytes, bytes]) -> dict[str, dict[int, int]]:
    latency: dict[str, dict[int, int]] = {}
    for name, n in counts.items():
        family, _, bucket = name.decode().rpartition(":")
        latency.setdefault(family, {})[int(bucket)] = int(n)
    return latency


def _float(text: str | None) -> float | None:
    """Return a finite number, None for anything else: entries may come from other programs."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None
