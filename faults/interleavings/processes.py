"""The processes of a run: production code, each with the arguments of its entry point."""

import math
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, cast

import numpy as np
import redis
import redis.event
import structlog

import workers.batch
from faults.interleavings import daily, events, virtual
from faults.interleavings.commands import Seam
from faults.interleavings.scheduler import Process
from faults.interleavings.truth import Name, Truth
from faults.interleavings.workload import (
    FS_HZ,
    METERED,
    METERED_HZ,
    RETIRING,
    WRONG_S,
    Step,
    Workload,
)
from vtox.motor.diagnosis.diagnosis import DiagnosisInput
from vtox.motor.errors import VtoxError
from vtox.motor.values.domain import Array, Window
from vtox.pipeline.bridge.loop import Bridge
from vtox.pipeline.client.publisher import Publisher
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.configuration.usable_cores import CoreUse
from vtox.pipeline.errors import BrokerUnavailable, ServerUnavailable
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.windows.partitions import Partition
from workers.batch import TASK_VERSION
from workers.celery_signals import Process as WorkerProcess

log = structlog.get_logger()

Body = Callable[[Process], None]

# The pause of a worker after a failed task, s; and the longest time between looks for a task, s.
RESTS_S, LOOKS_S = 0.5, 5.0


@dataclass(slots=True)
class Task:
    """A task in a queue of Celery."""

    family: str
    record_ids: list[str]
    partition: int
    version: int = TASK_VERSION


class Queues:
    """Celery's queues as bridge and workers see them: first in, first out, and forgetful."""

    def __init__(self) -> None:
        self.waiting: defaultdict[str, deque[Task]] = defaultdict(deque)
        self.idle: list[Process] = []

    def send(self, process: Process, partition: int, family: str, record_ids: list[str]) -> None:
        """Put a task into a queue, as `TaskQueues.send`."""
        event = process.happens("task", events.OF_TASK)
        kind = event.kind if event else ""
        copies = {events.CUT: 0, events.TASK_LOST: 0, events.TASK_TWICE: 2}.get(kind, 1)
        process.scheduler.note(f"{process.name} task {family} {record_ids} {copies}")
        for _ in range(copies):
            version = TASK_VERSION + (kind == events.TASK_OTHER)
            self.waiting[family].append(Task(family, list(record_ids), partition, version))
        for idle in self.idle:
            idle.wake()
        if kind in (events.CUT, events.LOST):
            raise BrokerUnavailable("the broker does not answer")

    def oldest(self, partition: int, family: str) -> list[list[str]]:
        """Return the records of the tasks that wait, as `TaskQueues.waiting_tasks`."""
        tasks = [t.record_ids for t in self.waiting[family] if t.partition == partition]
        return tasks[:16]

    def take(self, process: Process, families: Sequence[str]) -> Task | None:
        """Return the next task of some families, None if none came for a while."""
        for _ in range(2):
            for family in families:
                if self.waiting[family]:
                    return self.waiting[family].popleft()
            self.idle.append(process)
            try:
                process.park(LOOKS_S)
            finally:
                self.idle.remove(process)
        return None


class Stop:
    """The event that ends `run` of a process, after a time or never."""

    def __init__(self, process: Process, after_s: float = math.inf) -> None:
        self.process = process
        self.ends_s = process.monotonic_s() + after_s

    def is_set(self) -> bool:
        """As `threading.Event`."""
        s = self.process.scheduler
        return s.disturbed and self.process.monotonic_s() >= self.ends_s

    def wait(self, timeout: float | None = None) -> bool:
        """As `threading.Event`."""
        self.process.sleep(timeout or 0.0)
        return self.is_set()


@dataclass(slots=True)
class Parts:
    """The shared parts of the processes of a run."""

    url: str
    settings: Settings
    seam: Seam
    truth: Truth
    work: Workload
    queues: Queues = field(default_factory=Queues)
    finished_senders: set[str] = field(default_factory=set)

    def connected(self, process: Process, name: str, **options: Any) -> Client:
        """Return a client of the product, from its factory."""
        return self.seam.attach(process, connect(self.url, name, **options))


def install() -> None:
    """Put parts of the simulated process in place of those of this one."""
    # redis-py measures itself for a fourth of the time of a command, notifies listeners that do not
    # exist, and reads its version from a file for every connection. None of it is used here.
    for module in (redis.client, redis.connection):
        for name in vars(module):
            if name.startswith("record_"):
                setattr(module, name, _nothing)
    redis.connection.get_pool_name = lambda pool: ""
    redis.event.EventDispatcher.dispatch = _nothing
    redis.utils.get_lib_version = lambda: redis.__version__
    # The load of this host says nothing of the simulated ones.
    CoreUse.share = lambda self: None  # type: ignore[method-assign]
    workers.batch.process = lambda: cast(Any, virtual.local.asked).here
    answer = workers.batch.answer_batch
    known: dict[Any, Any] = {}

    def answer_batch(cases: Sequence[DiagnosisInput], faults: Sequence[str]) -> list[Any]:
        """Answer as the product does, the same question once."""
        process = cast(Process, virtual.local.asked)
        if process.happens("diagnosis", events.OF_DIAGNOSIS):
            raise ArithmeticError("a diagnosis raises")
        if process.diagnosis_s:
            process.sleep(process.chance.expovariate(1 / process.diagnosis_s))
        names = [(tuple(faults), *_contents(c)) for c in cases]
        asked = dict(zip(names, cases, strict=True))
        for name, c in asked.items():
            if name not in known and c.recording.fs_hz == daily.DAILY_HZ:
                known[name] = daily.answers(c.recording, faults)
        new = {n: c for n, c in asked.items() if n not in known}
        known.update(zip(new, answer(list(new.values()), faults) if new else (), strict=True))
        return [list(known[n]) for n in names]

    workers.batch.answer_batch = answer_batch


def _nothing(*_: Any, **__: Any) -> None:
    pass


def _contents(case: DiagnosisInput) -> tuple[Any, ...]:
    x = case.recording
    samples = tuple((name, values.tobytes()) for name, values in x.channels.items())
    return samples, x.fs_hz, repr(case.motor), repr(case.baseline)


def bridge(parts: Parts, partition: Partition, ends_s: float, process: Process) -> None:
    """Serve a partition or be its standby; end in order now and then, after a mean of `ends_s`."""
    stop = Stop(process, process.chance.expovariate(1 / ends_s) if ends_s else math.inf)
    client = parts.connected(process, "bridge", retries=0, report_loss=True)
    served = Bridge(
        client,
        parts.settings,
        partial(parts.queues.send, process, partition.number),
        partial(parts.queues.oldest, partition.number),
        clock=process.monotonic_s,
        partition=partition,
    )
    process.to_close.append(served.shared.close)
    while True:
        # It ends where the partition is not served any more, until it is in force or sent to again.
        while not parts.truth.is_served(partition):
            process.sleep(RESTS_S)
        served.retired = False
        served.run(cast(Any, stop))
        if stop.is_set():
            process.die()
        process.sleep(RESTS_S)


def worker(parts: Parts, families: Sequence[str], process: Process) -> None:
    """Work on the tasks of some families."""
    client = parts.connected(process, "worker")
    here = WorkerProcess(client, parts.settings, process.name)
    process.here, process.diagnosis_s = here, parts.work.diagnosis_s
    while True:
        task = parts.queues.take(process, families)
        if task is None:
            continue
        try:
            workers.batch.work(task.family, task.record_ids, task.version, task.partition)
        except redis.RedisError as error:  # Celery logs it and goes on
            log.info("a task failed", error=str(error))
            process.sleep(RESTS_S)


def sender(parts: Parts, steps: Sequence[Step], process: Process) -> None:
    """Send windows until each is acknowledged; after a death from the first that was not."""
    client = parts.connected(process, "sender")
    publisher = Publisher(client, patience_s=3600.0)
    run = f"r{process.name}"
    while process.done < len(steps):
        step = steps[process.done]
        process.sleep(step.pause_s)
        names: list[Name] = [(step.machine_id, run, seq) for seq in step.seqs]
        parts.truth.sent |= set(names)
        if step.malformed:
            publisher.collect_refusal({"machine_id": step.machine_id, "fs_hz": "x", "run": run})
        try:
            publisher.publish(_window(*name, parts.work.window_s) for name in names)
        except (ServerUnavailable, redis.ResponseError):
            process.sleep(RESTS_S)
            continue
        parts.truth.acknowledged |= set(names)
        process.done += 1
    parts.finished_senders.add(process.name)


def _phases(
    names: str, amplitude: float, fs_hz: float, window_s: float, begin_s: float = 0.0
) -> dict[str, Array]:
    t = begin_s + np.arange(round(fs_hz * window_s)) / fs_hz
    return {c: amplitude * np.sin(314.16 * t - k * 2.0944) for k, c in enumerate(names.split())}


@cache
def sampled(machine_id: str, seq: int, window_s: float) -> tuple[float, dict[str, Array]]:
    """Return rate and channels of a window."""
    if machine_id in daily.MACHINES:
        return daily.DAILY_HZ, daily.channels(machine_id, seq, window_s)
    if machine_id != METERED:
        # No window has the samples of the one before, which would be refused.
        return FS_HZ, _phases("ia ib ic", 10.0, FS_HZ, window_s, 0.0013 * seq)
    currents = _phases("ia ib ic", 10.0, METERED_HZ, window_s)
    return METERED_HZ, currents | _phases("va vb vc", 325.0, METERED_HZ, window_s)


def starts_s(machine_id: str, seq: int, window_s: float) -> float:
    """Return when a window starts, by the clock of its sender."""
    if machine_id in daily.MACHINES:
        return virtual.BEGIN_S - daily.BEFORE_S + daily.starts_s(seq, window_s)
    return virtual.BEGIN_S + seq * window_s - (WRONG_S if machine_id == RETIRING else 0.0)


def _window(machine_id: str, run: str, seq: int, window_s: float) -> Window:
    fs_hz, channels = sampled(machine_id, seq, window_s)
    return Window(
        channels=channels,
        fs_hz=fs_hz,
        machine_id=machine_id,
        seq=seq,
        t0=starts_s(machine_id, seq, window_s),
        run=run,
    )


def operator(
    parts: Parts, deeds: Sequence[tuple[float, Callable[[Client], None]]], process: Process
) -> None:
    """Do the deeds of an operator at their times; repeat failed ones."""
    client = parts.connected(process, "api", retries=1)
    while process.done < len(deeds):
        at_s, deed = deeds[process.done]
        process.sleep(max(at_s - process.scheduler.now_s, 0.0))
        try:
            deed(client)
            process.done += 1
        except VtoxError:  # the deed was done, and its reply lost
            process.done += 1
        except redis.RedisError:
            process.sleep(RESTS_S)
    parts.finished_senders.add(process.name)
