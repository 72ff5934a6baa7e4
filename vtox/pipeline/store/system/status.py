"""One snapshot of the whole system in two round trips, as the API, the CLI and metrics show it.

Everything is read, nothing is computed from samples; values that the server does not know are None.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import redis

from vtox.motor.faults import FAMILIES
from vtox.motor.values.codec import decode_fields, decode_or_none
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.alarms.open_alerts import OpenAlert, open_alarms
from vtox.pipeline.store.alarms.system_alarms import Watch
from vtox.pipeline.store.ledger.absent_processes import AbsentProcess, absent_processes
from vtox.pipeline.store.ledger.heartbeats import (
    Heartbeat,
    HostScaling,
    NotifierHeartbeat,
    OpcuaHeartbeat,
    RecorderHeartbeat,
    Worker,
    host_scaling,
    read,
    workers,
)
from vtox.pipeline.store.ledger.task_queues import Broker
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.counts import read_counts
from vtox.pipeline.store.server.partition_table import served
from vtox.pipeline.store.stream import window_log
from vtox.pipeline.store.stream.entries import Metrics
from vtox.pipeline.store.stream.window_log import ConsumerGroup, find_group, sum_groups
from vtox.pipeline.store.system.agreement import parties

STREAMS = (
    keys.RESULTS,
    keys.ASSESSMENTS,
    keys.METRICS,
    keys.ALERTS,
    keys.DEAD_LETTERS,
)
# Entries of performance_metrics that a snapshot carries: half a minute even at one a second.
METRICS_READ = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    """One fault family."""

    waiting: int | None
    """tasks that wait at the broker; null: not known, `checks` says why at `broker`"""
    in_flight: int
    """windows dispatched and unfinished"""
    in_flight_bytes: int
    done: int
    """windows with a result"""
    records_done: int
    dead: int
    """windows that could not be diagnosed"""
    workers: int
    """live workers on this queue"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionState:
    """One partition of the raw stream."""

    number: int
    stream: str
    length: int
    group: ConsumerGroup | None
    owned: bool
    """whether a bridge serves it"""
    # The heartbeat of the bridge that owns it, or owned it and was killed.
    bridge: Heartbeat | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerInfo:
    """The Redis or Valkey server of the system."""

    product: str
    version: str
    uptime_s: int
    clients: int
    used_memory_bytes: int
    maxmemory_bytes: int | None
    # Whether the last write to its append-only log succeeded; if not, it refuses every write.
    log_writable: bool = True

    @property
    def memory_share(self) -> float | None:
        """Share of the memory limit in use; None without a limit."""
        return self.used_memory_bytes / self.maxmemory_bytes if self.maxmemory_bytes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The system at one moment of the server's clock.

    `group`, the length of the raw stream and the counters are sums over the partitions; `bridge` is
    that of the first partition that has no bridge, or else of the first one.
    """

    t: float
    lengths: dict[str, int]
    group: ConsumerGroup | None
    counters: dict[str, int]
    queues: dict[str, QueueStatus]
    workers: tuple[Worker, ...]
    machines: int
    bridge_alive: bool
    bridge: Heartbeat | None
    server: ServerInfo | None
    metrics: tuple[Metrics, ...]
    partitions: tuple[PartitionState, ...] = ()
    # None: the tasks wait on this server.
    broker: Broker | None = None
    # Open alarms of the system, and the monitor's last observations.
    alarms: tuple[OpenAlert, ...] = ()
    watch: Watch | None = None
    # None: no recorder has ever run.
    recorder: RecorderHeartbeat | None = None
    # None: none runs, although one should.
    notifier: NotifierHeartbeat | None = None
    # None: none has ever run.
    opcua: OpcuaHeartbeat | None = None
    # Bridge and workers, with version and terms of each.
    parties: tuple[Heartbeat, ...] = ()
    # Hosts where the number of workers follows the load.
    scaling: tuple[HostScaling, ...] = ()
    # Optional processes that do not start.
    absent: tuple[AbsentProcess, ...] = ()
    # Family -> bucket of `BUCKET_BASE` -> records committed with that latency.
    latency: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    # Reader of streams -> entries that it could not read.
    unreadable: Mapping[str, int] = field(default_factory=dict)

    @property
    def backlog(self) -> int | None:
        """Windows that are not finished by all families; None if the server cannot say."""
        return self.lengths[keys.RAW] if self.group is None else self.group.backlog

    @property
    def in_flight(self) -> int:
        """Windows dispatched and unfinished, summed over the families."""
        return sum(q.in_flight for q in self.queues.values())


def snapshot(client: Client) -> Snapshot:
    """Return the state of the system now."""
    partitions = served(client)
    pipe = client.pipeline(transaction=False)
    pipe.time()
    for stream in STREAMS:
        pipe.xlen(stream)
    for p in partitions:
        window_log.ask_state(pipe, p.raw)
        pipe.exists(p.lease)
        pipe.hgetall(p.bridge)
    pipe.hgetall(keys.COUNTERS)
    for family in FAMILIES.values():
        pipe.llen(keys.CELERY_PREFIX + family.queue)
    pipe.smembers(keys.WORKERS)
    pipe.zcard(keys.MACHINES)
    pipe.info("server", "clients", "memory", "persistence")
    pipe.xrevrange(keys.METRICS, count=METRICS_READ)
    pipe.hgetall(keys.LATENCY)
    pipe.hgetall(keys.ALARMS)
    pipe.get(keys.WATCH)
    pipe.hgetall(keys.RECORDER)
    pipe.hgetall(keys.NOTIFIER)
    pipe.hgetall(keys.OPCUA)
    pipe.hgetall(keys.SCALING)
    pipe.hgetall(keys.ABSENT)
    pipe.hgetall(keys.UNREADABLE)
    pipe.hgetall(keys.BROKER)
    replies = pipe.execute(raise_on_error=False)
    rest = iter(replies)

    def take(default: Any = None) -> Any:
        return _reply_or(next(rest), default)

    seconds, micros = take((0, 0))
    t = seconds + micros / 1e6
    lengths = {stream: int(take(0)) for stream in STREAMS}
    found = [(p, *(take() for _ in range(4))) for p in partitions]
    states = tuple(
        PartitionState(
            number=p.number,
            stream=p.raw,
            length=int(length or 0),
            group=find_group(groups or []),
            owned=bool(owned),
            bridge=read(Heartbeat, bridge or {}),
        )
        for p, length, groups, owned, bridge in found
    )
    lengths = {keys.RAW: sum(p.length for p in states)} | lengths
    alone = next((p for p in states if not p.owned), states[0])
    counters = read_counts(take({}))
    here = {name: int(take(0)) for name in FAMILIES}
    alive = workers(client, sorted(take(set())))
    # The last reply, and the first that is needed.
    stored = _reply_or(replies[-1], {})
    broker = decode_fields(Broker, stored) if stored else None
    waiting = broker.lengths_at(t) if broker else here
    return Snapshot(
        t=t,
        lengths=lengths,
        group=sum_groups([p.group for p in states]),
        counters=counters,
        queues={name: _queue(name, waiting.get(name), counters, alive) for name in FAMILIES},
        workers=alive,
        machines=int(take(0)),
        bridge_alive=all(p.owned for p in states),
        bridge=alone.bridge,
        partitions=states,
        server=_server(take()),
        metrics=tuple(decode_fields(Metrics, fields) for _, fields in take([])),
        latency=_latency(take({})),
        alarms=tuple(open_alarms(take({}))),
        watch=decode_or_none(Watch, take()),
        recorder=read(RecorderHeartbeat, take({})),
        notifier=read(NotifierHeartbeat, take({})),
        opcua=read(OpcuaHeartbeat, take({})),
        scaling=tuple(host_scaling(take({}), t)),
        absent=tuple(absent_processes(take({}), t)),
        unreadable=read_counts(take({})),
        broker=broker,
        parties=tuple(parties(alive, [bridge for *_, owned, bridge in found if owned])),
    )


def dead_letters(counters: Mapping[str, int]) -> dict[str, int]:
    """Return code -> dead letters so far, from the counters of the scripts."""
    prefix = "dead_letters:"
    return {k.removeprefix(prefix): n for k, n in counters.items() if k.startswith(prefix)}


def read_group(client: Client) -> tuple[float, ConsumerGroup | None]:
    """Return the server's time and the consumer group alone, for a sampler of activity."""
    partitions = served(client)
    pipe = client.pipeline(transaction=False)
    pipe.time()
    for p in partitions:
        window_log.ask_state(pipe, p.raw)
    (seconds, micros), *states = pipe.execute(raise_on_error=False)
    found = [find_group(_reply_or(groups, [])) for groups in states[1::2]]
    return seconds + micros / 1e6, sum_groups(found)


def _reply_or(reply: Any, default: Any) -> Any:
    """Return the reply; `default` for a stream that does not exist or a command that ACLs deny."""
    if not isinstance(reply, redis.ResponseError):
        return reply
    denied = isinstance(reply, redis.exceptions.NoPermissionError)
    if denied or "no such key" in str(reply):
        return default
    raise reply


def _queue(
    name: str, waiting: int | None, counters: dict[str, int], workers: tuple[Worker, ...]
) -> QueueStatus:
    return QueueStatus(
        waiting=waiting,
        in_flight=over_partitions(counters, f"in_flight_windows:{name}"),
        in_flight_bytes=over_partitions(counters, f"in_flight_bytes:{name}"),
        done=counters.get(f"windows:{name}", 0),
        records_done=counters.get(f"records:{name}", 0),
        dead=counters.get(f"dead:{name}", 0),
        workers=sum(name in w.queues and w.pool_processes != 0 for w in workers),
    )


def over_partitions(counters: Mapping[str, int], name: str) -> int:
    """Return the sum of a counter that each partition has."""
    return sum(n for k, n in counters.items() if k == name or k.startswith(f"{name}:"))


def _server(info: dict[str, Any] | None) -> ServerInfo | None:
    if not info:
        return None
    product = "valkey" if "valkey_version" in info else "redis"
    return ServerInfo(
        product=product,
        version=str(info[f"{product}_version"]),
        uptime_s=int(info["uptime_in_seconds"]),
        clients=int(info["connected_clients"]),
        used_memory_bytes=int(info["used_memory"]),
        maxmemory_bytes=int(info["maxmemory"]) or None,
        log_writable=info.get("aof_last_write_status", "ok") == "ok",
    )


def _latency(counts: dict[bytes, bytes]) -> dict[str, dict[int, int]]:
    latency: dict[str, dict[int, int]] = {}
    for name, n in read_counts(counts).items():
        family, _, bucket = name.rpartition(":")
        if bucket.isdecimal():
            latency.setdefault(family, {})[int(bucket)] = n
    return latency
