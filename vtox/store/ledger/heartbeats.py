"""Heartbeats of the workers: hashes with a life time, and the set of their names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from vtox import keys
from vtox.store.server.client import Client
from vtox.store.stream.entries import number
from vtox.store.stream.unreadable import read_or_none

LIFE_S = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """The last heartbeat of a worker, as the worker measured it; times are the server's."""

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
    # Its host's clock minus the server's.
    clock_offset_s: float | None = None
    # Family -> windows finished, and time spent in tasks (s).
    family_windows: Mapping[str, int] = field(default_factory=dict)
    family_busy_s: Mapping[str, float] = field(default_factory=dict)
    # Of the last task it has taken: family, and when; None before the first.
    last_family: str = ""
    last_task_t: float | None = None
    # Of its pool, those that can take a task; None: it does not report that.
    pool_processes: int | None = None
    # Its VTOX, and on which terms it works (`vtox.store.system.agreement`).
    version: str = ""
    terms: Mapping[str, str] = field(default_factory=dict)


def send_heartbeat(
    client: Client,
    *,
    name: str,
    host: str,
    pid: int,
    port: int | None,
    queues: list[str],
    cpu_percent: float,
    memory_bytes: int,
    windows_per_s: float,
    started_t: float,
    clock_offset_s: float,
    now: float,
    pool_processes: int = 1,
    agreement: Mapping[str, str] = {},
) -> None:
    """Write a heartbeat; what the worker has done, its commits count there.

    `started_t` and `now` are of the server's clock: others measure the heartbeat's age by it.
    `agreement` are the fields of `vtox.store.system.agreement`.
    """
    key = keys.worker(name)
    fields: dict[str, Any] = {
        "name": name,
        "host": host,
        "pid": pid,
        "queues": ",".join(queues),
        "pool_processes": pool_processes,
        "cpu_percent": round(cpu_percent, 1),
        "memory_bytes": memory_bytes,
        "windows_per_s": round(windows_per_s, 3),
        "started_t": round(started_t, 3),
        "last_seen_t": round(now, 3),
        "clock_offset_s": round(clock_offset_s, 3),
        "port": port or "",
    } | dict(agreement)
    with client.pipeline() as pipe:
        pipe.hset(key, mapping=fields)
        pipe.expire(key, LIFE_S)
        pipe.sadd(keys.WORKERS, name)
        pipe.execute()


def windows_done(client: Client, name: str) -> tuple[float, int]:
    """Return the server's time, and how many windows a worker has finished since it started."""
    pipe = client.pipeline(transaction=False)
    pipe.time()
    pipe.hget(keys.worker(name), "windows_done")
    (seconds, micros), windows = pipe.execute()
    return seconds + micros / 1e6, int(windows or 0)


def reset(client: Client, name: str) -> None:
    """Delete what an earlier worker of the same name has left."""
    client.delete(keys.worker(name))


def remove(client: Client, name: str) -> None:
    """Sign a worker off."""
    client.delete(keys.worker(name))
    client.srem(keys.WORKERS, name)


def forget_ended(client: Client) -> int:
    """Forget the names of workers whose heartbeat has run out; return how many.

    Those that were killed did not sign off. One that only paused signs on with its next heartbeat.
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
    return tuple(w for b in pipe.execute() if (w := read_or_none(_worker, b)))


def _worker(stored: Mapping[bytes, bytes]) -> Worker:
    """Return a worker; one that has run out holds no more than a last count, and is none."""
    beat = {k.decode(): v.decode() for k, v in stored.items()}
    return Worker(
        name=beat["name"],
        host=beat["host"],
        pid=int(beat["pid"]),
        port=int(beat["port"]) if beat.get("port") else None,
        queues=tuple(q for q in beat["queues"].split(",") if q),
        cpu_percent=number(beat.get("cpu_percent")),
        memory_bytes=int(beat["memory_bytes"]) if beat.get("memory_bytes") else None,
        tasks_done=int(beat.get("tasks_done") or 0),
        windows_done=int(beat.get("windows_done") or 0),
        windows_per_s=number(beat.get("windows_per_s")),
        diagnosis_s=number(beat.get("diagnosis_s")) or 0.0,
        busy_s=number(beat.get("busy_s")) or 0.0,
        family_windows={f: int(n) for f, n in _by_family(beat, "windows_done:").items()},
        family_busy_s=_by_family(beat, "busy_s:"),
        started_t=number(beat.get("started_t")),
        last_seen_t=float(beat["last_seen_t"]),
        clock_offset_s=number(beat.get("clock_offset_s")),
        pool_processes=int(beat["pool_processes"]) if beat.get("pool_processes") else None,
        last_family=beat.get("last_family", ""),
        last_task_t=number(beat.get("last_task_t")),
        version=beat.get("version", ""),
        terms=terms_from_json(beat.get("terms")),
    )


def terms_from_json(text: str | bytes | None) -> dict[str, str]:
    """Return terms of a heartbeat; none where there are none that can be read."""
    try:
        table = orjson.loads(text or b"{}")
    except orjson.JSONDecodeError:
        table = None
    return {str(k): str(v) for k, v in table.items()} if isinstance(table, dict) else {}


def _by_family(beat: dict[str, str], prefix: str) -> dict[str, float]:
    return {k.removeprefix(prefix): float(v) for k, v in beat.items() if k.startswith(prefix)}
