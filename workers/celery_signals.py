"""The life of one worker process, by Celery's signals: its name, client, heartbeat and port."""

import gc
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import islice
from typing import Any

import redis
import structlog
from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery.signals import (
    celeryd_init,
    setup_logging,
    task_failure,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutdown,
)
from threadpoolctl import threadpool_limits

from vtox.motor.diagnosis.diagnosers.registry import REFUSED
from vtox.motor.errors import SystemStateError
from vtox.motor.faults import FAMILIES
from vtox.pipeline.cluster import logging_setup, parent_watch
from vtox.pipeline.cluster.probe_server import serve
from vtox.pipeline.cluster.restart import CANNOT_START
from vtox.pipeline.cluster.worker_allocation import worker_ports
from vtox.pipeline.configuration import settings
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.errors import PortTaken
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.ledger.ledger import Ledger
from vtox.pipeline.store.machines.machine_states import StateCache
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.system import agreement
from vtox.pipeline.windows.partitions import Partition
from vtox.pipeline.windows.tracing import Tracing, start_tracing
from workers.baseline_learning import LearningTime
from workers.feeders import Feeders
from workers.heartbeat import HeartbeatThread
from workers.malloc import keep_freed_memory
from workers.memory_limit import limit_memory
from workers.pool import NO_PROCESS, processes_up
from workers.task_times import TaskTimes

log = structlog.get_logger()

SERVER_POLL_S = 1.0
# After so many new objects there is a collection; one after every 700 took 9 us of each window.
YOUNG_OBJECTS = 20_000
# A worker that was started manually tries so many ports.
PORTS_TRIED = 64


@dataclass(slots=True)
class Process:
    """Resources of the process in which a task runs.

    `interrupted` are starts that ended because the server was away: ledger, family, records, token.
    `missing` are the faults of packages that the bridge has and this process lacks, by family.
    """

    client: Client
    settings: Settings
    name: str
    tracing: Tracing | None = None
    interrupted: list[tuple[Ledger, str, list[str], str]] = field(default_factory=list)
    missing: Mapping[str, str] = field(default_factory=dict)
    ledgers: dict[int, Ledger] = field(default_factory=dict)
    learning: LearningTime = field(default_factory=LearningTime)
    states: StateCache = field(default_factory=StateCache)
    times: TaskTimes = field(default_factory=TaskTimes)
    feeders: Feeders = field(default_factory=Feeders)

    def ledger(self, partition: int) -> Ledger:
        """Return the ledger of a partition."""
        if partition not in self.ledgers:
            self.ledgers[partition] = Ledger(self.client, self.settings, Partition(partition))
        return self.ledgers[partition]


_name = "unnamed"
_heartbeat: HeartbeatThread | None = None


@cache
def process() -> Process:
    """Return the resources of this process for tasks, opened on first use."""
    s = settings.load()
    tracing = start_tracing(s.traces_url, s.traces_share, _name)
    return Process(connect(s.samples_url(), "worker"), s, _name, tracing)


@setup_logging.connect
def _set_up_logging(loglevel: int, **_: Any) -> None:
    # With a receiver here Celery leaves the root logger alone; its default hides "worker ready".
    logging_setup.setup("worker", min(loglevel, logging.INFO))


@celeryd_init.connect
def _name_worker(sender: str, instance: Any, options: dict[str, Any], **_: Any) -> None:
    # Workers started manually on one host all have Celery's default name, and Flower and
    # `celery inspect` would take them for one.
    user, host = sender.split("@", 1)
    if user == "celery":
        queues = ".".join(options.get("queues") or FAMILIES)
        instance.hostname = f"{queues}.{os.getpid()}@{host}"


@worker_init.connect
def _prepare_worker(sender: Any, **_: Any) -> None:
    global _name
    _name = sender.hostname
    # The processes of its pool inherit both. A collection of all that was imported takes 0.2 s, and
    # there was one every 4,000 records (docs/appendix/trials.md).
    keep_freed_memory()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
    parent_watch.watch_parent()
    _require_agreement(settings.load())


def _require_agreement(s: Settings) -> None:
    """Wait for the server; end this process if others work on other terms."""
    with connect(s.samples_url(), "worker") as client:
        while not _agrees(client, s):
            time.sleep(SERVER_POLL_S)


def _agrees(client: Client, s: Settings) -> bool:
    """Return whether the server answers, and all who work on it have the same terms."""
    try:
        agreement.require_agreement(client, s)
    except redis.RedisError as error:
        log.warning("the server does not answer, trying again", reason=str(error))
        return False
    except SystemStateError as error:
        print(f"vtox: {error}", file=sys.stderr, flush=True)
        # Celery catches any other exception and goes on.
        raise SystemExit(CANNOT_START) from None
    return True


@worker_process_init.connect
def _prepare_pool_process(**_: Any) -> None:
    # A pool process must not share its parent's connection, and must not outlive it.
    process.cache_clear()
    parent_watch.watch_parent(os.getppid())
    limit_memory(settings.load().worker_memory_mb)
    # A worker is one core: the threads of such small matrix products wait longer than they work
    # (bearing of 10 s records: 1.8 ms of CPU time per second of data on two cores, 0.6 on one).
    threadpool_limits(1)


@worker_process_shutdown.connect
def _send_last_spans(**_: Any) -> None:
    # A pool process is replaced by another when it has grown: its figures must not go with it.
    if tracing := process().tracing:
        tracing.flush()


@worker_ready.connect
def _start_heartbeat(sender: Any, **_: Any) -> None:
    global _heartbeat
    queues = [q.name for q in sender.task_consumer.queues]
    s = settings.load()
    up = partial(processes_up, sender.pool)
    families = [q for q in queues if q in FAMILIES]
    port = _serve_probes(s, families, up)
    terms = agreement.terms(s, REFUSED)
    for r in REFUSED:
        log.error("a package is left out", fault=r.name, package=r.package, reason=r.detail)
    _heartbeat = HeartbeatThread(process().client, _name, tuple(families), port, terms, up)
    threading.Thread(target=_heartbeat.run, name="heartbeat", daemon=True).start()
    log.info("worker ready", name=_name, queues=queues, port=port)


def _serve_probes(s: Settings, families: Sequence[str], up: Callable[[], int]) -> int:
    """Serve health and metrics; end this process if no port is free."""
    first, *others = [s.worker_port]
    if not settings.environment_value(settings.SUPERVISED):
        first, *others = islice(worker_ports(s, families), PORTS_TRIED)
    try:
        return serve(
            s.probe_host,
            first,
            others=others,
            setting="VTOX_WORKER_PORT",
            names=s.allowed_hosts,
            ready=lambda: (True, "") if up() else (False, NO_PROCESS),
        )
    except PortTaken as error:
        print(f"vtox: {error}", file=sys.stderr, flush=True)
        # Celery catches any other exception and goes on.
        raise SystemExit(CANNOT_START) from None


@task_failure.connect
def _report_lost_process(
    sender: Any, task_id: str, exception: BaseException, args: Any, kwargs: Any, **_: Any
) -> None:
    """Report a batch whose pool process was lost, so that its records are tried alone at once.

    One that was alone waits until it is dispatched again: the cause that ended its process may
    pass. A start that Celery's time limit has ended does not count: the host, and not a record, was
    too slow.
    """
    record_ids = args[0] if args else []
    too_slow = isinstance(exception, TimeLimitExceeded)
    lost = isinstance(exception, WorkerLostError) and len(record_ids) > 1
    if not (too_slow or lost):
        return
    family = next(f for f in FAMILIES.values() if f.task == sender.name).name
    try:
        ledger = process().ledger(kwargs.get("partition", 0))
        ledger.report(family, record_ids, task_id, interrupted=too_slow)
    except redis.RedisError as error:  # they are dispatched again all the same, later
        log.warning("a lost process was not reported", reason=str(error))


@worker_shutdown.connect
def _stop_heartbeat(**_: Any) -> None:
    if _heartbeat is None:
        return
    _heartbeat.stop.set()
    try:
        heartbeats.remove(_heartbeat.client, _heartbeat.name)
    except redis.RedisError as error:  # the server may end first
        log.warning("heartbeat not removed, it will expire", reason=str(error))
