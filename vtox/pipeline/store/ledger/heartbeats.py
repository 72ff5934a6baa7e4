"""Heartbeats: the report of each process on itself, as a hash on the server.

A worker signs on with its name and its hash has a life time. Those of bridge, recorder, notifier
and OPC UA server stay, so that a system which had one says that it is gone. Each host where the
number of workers follows the load has its line in one hash.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from vtox.motor.values.codec import (
    Number,
    Prefix,
    Time,
    decode,
    decode_fields,
    encode,
    encode_fields,
)
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client

LIFE_S = 15
# A host whose supervisor reported longer ago is left out: it ended without a report.
HOST_LIFE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """The report of every process: its host, the time of the report (server's time), its fault.

    `version` and `terms` (`vtox.pipeline.store.system.agreement`) are those of bridges and workers.
    """

    host: str
    pid: int
    last_seen_t: Time
    problem: str = ""
    version: str = ""
    terms: Mapping[str, str] = field(default_factory=dict)

    def age_s(self, now_t: float) -> float:
        """Return how long ago it reported, at the server's time `now_t`."""
        return max(now_t - self.last_seen_t, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker(Heartbeat):
    """A worker, as it measured itself. Its work is counted by its commits (`COUNTED`)."""

    name: str
    queues: tuple[str, ...] = ()
    port: int | None = None
    cpu_percent: Number | None = None
    memory_bytes: int | None = None
    tasks_done: int = 0
    windows_done: int = 0
    windows_per_s: Number | None = None
    diagnosis_s: Number = 0.0
    """time spent in diagnosis"""
    busy_s: Number = 0.0
    """time spent in tasks"""
    started_t: Time | None = None
    # Its host's clock minus the server's.
    clock_offset_s: Number | None = None
    # Family -> windows finished, and time spent in tasks (s).
    family_windows: Annotated[Mapping[str, int], Prefix("windows_done:")] = field(
        default_factory=dict
    )
    family_busy_s: Annotated[Mapping[str, Number], Prefix("busy_s:")] = field(default_factory=dict)
    last_family: str = ""
    """family of the last task it took; empty: none yet"""
    last_task_t: Time | None = None
    pool_processes: int | None = None
    """its processes that can take a task; none while 0, as after one was lost"""


COUNTED = {"tasks_done", "windows_done", "diagnosis_s", "busy_s", "last_family"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderHeartbeat(Heartbeat):
    """The recorder that reported last. `problem` is why it cannot write now.

    `recorded_t` is when all streams had last been recorded to their end; `address` is where the
    history is, without a password. `missed` says which entries were trimmed unread lately.
    `free_mb` and `needed_mb` are the room that its disk has, and must have, while a lack of it
    stops the recorder, else 0.

    `recorded` is stream -> id of the last entry that is in the history; `lost_t` is when that was
    found to be gone, None if it never was. Both stay on the server while a recorder does not know
    better.
    """

    address: str = ""
    recorded_t: Time | None = None
    missed: str = ""
    free_mb: Number = 0.0
    needed_mb: Number = 0.0
    recorded: Annotated[Mapping[str, str], Prefix("recorded:")] = field(default_factory=dict)
    lost_t: Time | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetState:
    """The messages that wait for a target and those taken; times are of the notifier's clock, s.

    `held` counts the messages that wait for the end of quiet hours, of a suspension, or for a
    digest; `failures` are those in a row, of which the last one was `problem`; `unusable` names the
    fault of its URL or secret, so that nothing can be sent.
    """

    waiting: int = 0
    held: int = 0
    dead: int = 0
    delivered: int = 0
    failures: int = 0
    problem: str = ""
    unusable: str = ""
    oldest_t: Time | None = None
    next_t: Time | None = None
    delivered_t: Time | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifierHeartbeat(Heartbeat):
    """The notifier that reported last. One that is stopped takes its heartbeat away."""

    targets: Mapping[str, TargetState] = field(default_factory=dict)

    @property
    def dead(self) -> int:
        """The number of messages given up."""
        return sum(t.dead for t in self.targets.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class OpcuaHeartbeat(Heartbeat):
    """The OPC UA server that reported last, and when its certificate ends (s since 1970)."""

    certificate_end_t: Time


@dataclass(frozen=True, slots=True, kw_only=True)
class HostScaling(Heartbeat):
    """The supervisor of a host where the number of workers follows the load."""

    workers: int
    least: int
    most: int
    code: str
    """why it has so many"""
    values: Mapping[str, Any] = field(default_factory=dict)
    change: int = 0
    """by how many they changed last; 0: not yet"""
    changed_t: Time | None = None


_KEYS: Mapping[type[Heartbeat], str] = {
    RecorderHeartbeat: keys.RECORDER,
    NotifierHeartbeat: keys.NOTIFIER,
    OpcuaHeartbeat: keys.OPCUA,
}
B = TypeVar("B", bound=Heartbeat)


def read(kind: type[B], stored: Mapping[bytes, bytes]) -> B | None:
    """Return the heartbeat of a hash.

    None if there is none: a hash may hold no more than a last count of a worker that ended.
    """
    try:
        return decode_fields(kind, stored)
    except ValueError:
        return None


def recorder(client: Client) -> RecorderHeartbeat | None:
    """Return the last heartbeat of the recorder, None if none has ever run."""
    return read(RecorderHeartbeat, client.hgetall(keys.RECORDER))


def notifier(client: Client) -> NotifierHeartbeat | None:
    """Return the last heartbeat of the notifier, None if none is meant to run."""
    return read(NotifierHeartbeat, client.hgetall(keys.NOTIFIER))


def host_scaling(stored: Mapping[bytes, bytes], now_t: float) -> list[HostScaling]:
    """Return the reports that are recent and can be read, by host."""
    found = []
    for _, text in sorted(stored.items()):
        try:
            report = decode(HostScaling, text)
        except ValueError:  # damaged
            continue
        if report.age_s(now_t) < HOST_LIFE_S:
            found.append(report)
    return found


def send(client: Client, beat: Heartbeat) -> None:
    """Write a heartbeat; unknown fields stay as they are on the server."""
    if isinstance(beat, HostScaling):
        client.hset(keys.SCALING, beat.host, encode(beat))
        return
    known = {n: x for n, x in encode_fields(beat).items() if n not in COUNTED and x is not None}
    if not isinstance(beat, Worker):
        client.hset(_KEYS[type(beat)], mapping=known)
        return
    with client.pipeline() as pipe:
        pipe.hset(keys.worker(beat.name), mapping=known)
        pipe.expire(keys.worker(beat.name), LIFE_S)
        pipe.sadd(keys.WORKERS, beat.name)
        pipe.execute()


def windows_done(client: Client, name: str) -> tuple[float, int]:
    """Return the server's time, and how many windows a worker has finished since it started."""
    pipe = client.pipeline(transaction=False)
    pipe.time()
    pipe.hget(keys.worker(name), "windows_done")
    (seconds, micros), windows = pipe.execute()
    return seconds + micros / 1e6, int(windows or 0)


def reset(client: Client, name: str) -> None:
    """Delete the entries left by an earlier worker of the same name."""
    client.delete(keys.worker(name))


def remove(client: Client, name: str) -> None:
    """Sign a worker off."""
    client.delete(keys.worker(name))
    client.srem(keys.WORKERS, name)


def remove_notifier(client: Client) -> None:
    """Note that no notifier is meant to run."""
    client.delete(keys.NOTIFIER)


def remove_host(client: Client, host: str) -> None:
    """Note that no supervisor changes the number of workers of a host."""
    client.hdel(keys.SCALING, host)


def forget_ended(client: Client) -> int:
    """Forget the names of workers whose heartbeat has run out; return how many.

    A killed one did not sign off. One that only paused signs on with its next heartbeat.
    """
    names = list(client.smembers(keys.WORKERS))
    pipe = client.pipeline(transaction=False)
    for name in names:
        pipe.hexists(keys.worker(name.decode()), "last_seen_t")
    ended = [name for name, live in zip(names, pipe.execute(), strict=True) if not live]
    return int(client.srem(keys.WORKERS, *ended)) if ended else 0


def port_of(client: Client, node: str, pid: int) -> int | None:
    """Return the port of the worker `node`@host of a process, None before it can take a task."""
    names = [n.decode() for n in client.smembers(keys.WORKERS) if n.startswith(f"{node}@".encode())]
    for name in names:
        port, of, up = client.hmget(keys.worker(name), "port", "pid", "pool_processes")
        if of == str(pid).encode() and up != b"0":
            return int(port)
    return None


def live_workers(client: Client) -> tuple[Worker, ...]:
    """Return all workers that are alive."""
    return workers(client, sorted(client.smembers(keys.WORKERS)))


def workers(client: Client, names: list[bytes]) -> tuple[Worker, ...]:
    """Return the workers of these names that are alive."""
    if not names:
        return ()
    pipe = client.pipeline(transaction=False)
    for name in names:
        pipe.hgetall(keys.worker(name.decode()))
    return tuple(w for stored in pipe.execute() if (w := read(Worker, stored)))
