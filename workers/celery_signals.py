"""One worker process: its client, its counts, its heartbeat, its port, and whom it dies with."""

import logging
import os
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import psutil
import redis
import structlog
from celery.signals import (
    celeryd_init,
    setup_logging,
    worker_init,
    worker_process_init,
    worker_ready,
    worker_shutdown,
)
from threadpoolctl import threadpool_limits

from vtox import keys, settings
from vtox.cluster import logging_setup, parent_watch
from vtox.cluster.probe_server import serve
from vtox.faults import FAMILIES
from vtox.settings import Settings
from vtox.store.client import Client, connect
from workers.malloc import keep_freed_memory

log = structlog.get_logger()

BEAT_S = 2.0
BEAT_LIFE_S = 15
RATE_S = 30.0


@dataclass(slots=True)
class Process:
    """What a task needs of the process it runs in."""

    client: Client
    settings: Settings
    name: str

    def count(self, family: str, *, windows: int, diagnosis_s: float, busy_s: float) -> None:
        """Add to this worker's counts, which its heartbeat turns into rates."""
        key = keys.worker(self.name)
        pipe = self.client.pipeline(transaction=True)
        pipe.hincrby(key, "tasks_done", 1)
        pipe.hincrby(key, "windows_done", windows)
        pipe.hincrby(key, f"windows_done:{family}", windows)
        pipe.hincrbyfloat(key, "diagnosis_s", round(diagnosis_s, 6))
        pipe.hincrbyfloat(key, "busy_s", round(busy_s, 6))
        pipe.expire(key, BEAT_LIFE_S)
        pipe.execute()


_name = "unnamed"


@cache
def process() -> Process:
    """Return this process's client and settings, opened on first use."""
    s = settings.load()
    return Process(connect(s.samples_url(), "worker"), s, _name)


@dataclass(slots=True)
class _Heart:
    """The thread in a worker's main process that reports what it measures."""

    name: str
    queues: list[str]
    port: int | None = None
    started_t: float = field(default_factory=time.time)
    stop: threading.Event = field(default_factory=threading.Event)
    done: deque[tuple[float, int]] = field(default_factory=deque)

    def run(self) -> None:
        me = psutil.Process()
        meters: dict[int, psutil.Process] = {}
        while not self.stop.is_set():
            try:
                self._beat(me, meters)
            except Exception as error:  # a lost server or a child that just ended: beat on
                log.warning("heartbeat failed", reason=str(error))
            self.stop.wait(BEAT_S)

    def _beat(self, me: psutil.Process, meters: dict[int, psutil.Process]) -> None:
        family = [me, *me.children(recursive=True)]
        cpu = memory = 0.0
        for p in family:
            # cpu_percent measures since the last call on the same object: keep the objects.
            p = meters.setdefault(p.pid, p)
            cpu += p.cpu_percent()
            memory += _memory_bytes(p)
        for gone in set(meters) - {p.pid for p in family}:
            del meters[gone]
        client, key, now = process().client, keys.worker(self.name), time.time()
        windows = int(client.hget(key, "windows_done") or 0)
        self.done.append((now, windows))
        while now - self.done[0][0] > RATE_S and len(self.done) > 2:
            self.done.popleft()
        since, before = self.done[0]
        rate = (windows - before) / (now - since) if now > since else 0.0
        beat: dict[str, Any] = {
            "name": self.name,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "queues": ",".join(self.queues),
            "cpu_percent": round(cpu, 1),
            "memory_bytes": int(memory),
            "windows_per_s": round(max(rate, 0.0), 3),
            "started_t": round(self.started_t, 3),
            "last_seen_t": round(now, 3),
            "port": self.port or "",
        }
        with client.pipeline() as pipe:
            pipe.hset(key, mapping=beat)
            pipe.expire(key, BEAT_LIFE_S)
            pipe.sadd(keys.WORKERS, self.name)
            pipe.execute()


def _memory_bytes(p: psutil.Process) -> int:
    """Return the memory of a process, what it shares with its parent counted by shares.

    The sum of resident sizes counts the pages of a forked child twice: 212 for 110 MB.
    """
    memory = p.memory_full_info()
    return int(getattr(memory, "pss", memory.uss))  # macOS tells what is its alone


_heart: _Heart | None = None


@setup_logging.connect
def _log(loglevel: int, **_: Any) -> None:
    # With a receiver here Celery leaves the root logger alone; its default hides "worker ready".
    logging_setup.setup("worker", min(loglevel, logging.INFO))


@celeryd_init.connect
def _name_it(sender: str, instance: Any, options: dict[str, Any], **_: Any) -> None:
    # Three workers started by hand on one host all bear Celery's default name, and Flower and
    # `celery inspect` would take them for one.
    user, host = sender.split("@", 1)
    if user == "celery":
        queues = ".".join(options.get("queues") or FAMILIES)
        instance.hostname = f"{queues}.{os.getpid()}@{host}"


@worker_init.connect
def _begin(sender: Any, **_: Any) -> None:
    global _name
    _name = sender.hostname
    keep_freed_memory()  # its pool's processes inherit it
    parent_watch.watch_parent()


@worker_process_init.connect
def _begin_child(**_: Any) -> None:
    # A pool process must not share its parent's connection, and must not outlive it.
    process.cache_clear()
    parent_watch.watch_parent(os.getppid())
    # A worker is one core: threads of a matrix product as small as ours wait longer than they work
    # (bearing of 10 s records: 1.8 ms of CPU time per second of data on two cores, 0.6 on one).
    threadpool_limits(1)


@worker_ready.connect
def _ready(sender: Any, **_: Any) -> None:
    global _heart
    queues = [q.name for q in sender.task_consumer.queues]
    s = settings.load()
    port = serve(s.probe_host, s.worker_port, span=s.worker_port_span, spare=s.fixed_ports)
    process().client.delete(keys.worker(_name))
    _heart = _Heart(_name, [q for q in queues if q in FAMILIES], port)
    threading.Thread(target=_heart.run, name="heartbeat", daemon=True).start()
    log.info("worker ready", name=_name, queues=queues, port=port)


@worker_shutdown.connect
def _end(**_: Any) -> None:
    if _heart:
        _heart.stop.set()
        try:
            process().client.delete(keys.worker(_heart.name))
            process().client.srem(keys.WORKERS, _heart.name)
        except redis.RedisError as error:  # the server may end first; the heartbeat runs out
            log.warning("heartbeat left to run out", reason=str(error))
