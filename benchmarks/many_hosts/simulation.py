"""A discrete simulation of queues, workers and bridges on hosts that are cut off or stopped.

What is modelled is what decides a recovery: one queue for each family; one task at a time for each
worker; a task sent to a host without a link arrives by the next repetition of TCP after its end; a
record without news is dispatched again after `VTOX_REDISPATCH_AFTER_S`, unless its task still
waits, and one that was started goes alone; a lease runs out before the next bridge takes over; what
is in flight is bounded. Machines send evenly; the sender, Celery and the network cost nothing.
"""

from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import Any

import simpy

from benchmarks.many_hosts.layout import Costs, Delays, Layout, record_s
from vtox.motor.faults import FAMILIES

TICK_S = 0.02

Process = Generator[simpy.Event, Any, Any]


@dataclass(slots=True, eq=False)
class Task:
    """Records of one family that go together: when the first was complete, and what became of it.

    `left` are the records without an answer.
    """

    family: str
    partition: int
    complete_t: float
    records: int
    left: int
    news_t: float = 0.0
    waiting: int = 0
    started: bool = False
    answered_t: float | None = None


@dataclass(slots=True, eq=False)
class Host:
    """A host of workers. `mended` fires when the cut ends that `cut` tells of."""

    cut: bool = False
    mended: simpy.Event | None = None


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What happens, when and how long: a `cut` of a host of workers, a `bridge` or `all` stopped.

    `all` is the host of server, bridge and API; `primary` is a server that is killed, with another
    one ready to take over; `silent` is one that is stopped, so that every client waits for it.
    """

    kind: str
    begin_s: float
    seconds: float
    target: int = 0

    @property
    def end_s(self) -> float:
        """When it ends."""
        return self.begin_s + self.seconds


@dataclass(slots=True)
class Partition:
    """One partition of the raw stream and its bridge: complete records, and those dispatched."""

    number: int
    ready: dict[str, deque[tuple[float, int]]] = field(
        default_factory=lambda: {f: deque() for f in FAMILIES}
    )
    rows: dict[str, dict[Task, None]] = field(default_factory=lambda: {f: {} for f in FAMILIES})
    in_flight: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FAMILIES, 0))
    served: bool = True


class Simulation:
    """A layout at work; `run` returns the tasks of all records."""

    def __init__(self, layout: Layout, costs: Costs, delays: Delays) -> None:
        self.env = simpy.Environment()
        self.layout, self.costs, self.delays = layout, costs, delays
        self.queues = {f: simpy.Store(self.env) for f in FAMILIES}
        self.hosts = [Host() for _ in range(layout.worker_hosts)]
        self.partitions = [Partition(n) for n in range(layout.partitions)]
        self.tasks: list[Task] = []
        self.server_up = True
        self.back: simpy.Event | None = None
        self.windows = {f: max(1, round(record_s(f) / layout.window_s)) for f in FAMILIES}

    def run(self, seconds: float, disturbances: Iterable[Disturbance] = ()) -> list[Task]:
        """Simulate so many seconds of sending, then let the queues drain."""
        for partition in self.partitions:
            self.env.process(self._bridge(partition, seconds))
            self.env.process(self._redispatch(partition))
        for host in self.hosts:
            for family in FAMILIES:
                for _ in range(self.layout.workers_per_family):
                    self.env.process(self._worker(host, family))
        for d in disturbances:
            self.env.process(self._disturb(d))
        self.env.run(until=seconds + 4 * self.delays.redispatch_s)
        return self.tasks

    # -- the bridge of a partition

    def _bridge(self, partition: Partition, seconds: float) -> Process:
        """Complete records at an even rate while there is a server, and dispatch them."""
        machines = self.layout.machines / self.layout.partitions
        owed = dict.fromkeys(FAMILIES, 0.0)
        while True:
            if self.env.now < seconds:
                for family in FAMILIES:
                    owed[family] += machines / record_s(family) * TICK_S
                    if self.server_up and (whole := int(owed[family])):
                        partition.ready[family].append((self.env.now, whole))
                        owed[family] -= whole
            if partition.served and self.server_up:
                for family in FAMILIES:
                    self._flush(partition, family)
            yield self.env.timeout(TICK_S)

    def _flush(self, partition: Partition, family: str) -> None:
        """Dispatch full tasks, and others that have waited unless workers are busy."""
        layout, ready = self.layout, partition.ready[family]
        full = max(1, layout.batch_windows // self.windows[family])
        wait_s = self.delays.batch_wait_s * record_s(family)
        while ready and partition.in_flight[family] < layout.in_flight_windows:
            waited = self.env.now - ready[0][0] >= wait_s
            due = waited and partition.in_flight[family] < 2 * layout.batch_windows
            if not due and sum(n for _, n in ready) < full:
                return
            complete_t, records = ready[0][0], 0
            while ready and records < full:
                t, n = ready.popleft()
                if n > full - records:
                    ready.appendleft((t, n - (full - records)))
                records += min(n, full - records)
            task = Task(family, partition.number, complete_t, records, records)
            self.tasks.append(task)
            partition.rows[family][task] = None
            partition.in_flight[family] += records * self.windows[family]
            self._publish(task)

    def _publish(self, task: Task) -> None:
        """Put the records of a task into the queue; those that were started each alone."""
        task.news_t = self.env.now
        pieces = [1] * task.left if task.started else [task.left]
        task.waiting += len(pieces)
        for records in pieces:
            self.queues[task.family].put((task, records))

    def _redispatch(self, partition: Partition) -> Process:
        while True:
            yield self.env.timeout(self.delays.maintenance_s)
            if partition.served and self.server_up:
                for task in [t for rows in partition.rows.values() for t in rows]:
                    idle_s = self.env.now - task.news_t
                    if idle_s > self.delays.redispatch_s and not task.waiting:
                        self._publish(task)

    # -- a worker

    def _worker(self, host: Host, family: str) -> Process:
        while True:
            task, records = yield self.queues[family].get()
            task.waiting -= 1
            yield self.env.process(self._arrival(host))
            if task.answered_t is not None:
                continue
            task.news_t, task.started = self.env.now, True
            yield self.env.timeout(self._service_s(family, records))
            yield self.env.process(self._arrival(host))
            self._commit(task, records)

    def _arrival(self, host: Host) -> Process:
        """Wait until what is sent between the server and a host has arrived."""
        if host.cut:
            sent = self.env.now
            assert host.mended
            yield host.mended
            away_s, next_s = self.env.now - sent, self.delays.retransmit_s
            while next_s < away_s:
                next_s = 2 * next_s + self.delays.retransmit_s
            yield self.env.timeout(next_s - away_s)
        while not self.server_up:
            assert self.back
            yield self.back

    def _service_s(self, family: str, records: int) -> float:
        c = self.costs
        each = c.record_s[family] + record_s(family) * c.second_s[family]
        return c.task_s[family] + records * each

    def _commit(self, task: Task, records: int) -> None:
        if task.answered_t is not None:
            return
        task.left -= min(records, task.left)
        if not task.left:
            partition = self.partitions[task.partition]
            task.answered_t = self.env.now
            partition.in_flight[task.family] -= task.records * self.windows[task.family]
            del partition.rows[task.family][task]

    # -- what happens to them

    def _disturb(self, d: Disturbance) -> Process:
        yield self.env.timeout(d.begin_s)
        match d.kind:
            case "cut":
                host = self.hosts[d.target]
                host.cut, host.mended = True, self.env.event()
                yield self.env.timeout(d.seconds)
                host.cut = False
                host.mended.succeed()
            case "bridge":
                self.partitions[d.target].served = False
                away_s = min(d.seconds, self.delays.lease_s + self.delays.takeover_s)
                yield self.env.timeout(away_s)
                self.partitions[d.target].served = True
            case "all" | "primary" | "silent":
                away_s = self.delays.away_s(d.kind, d.seconds)
                self.server_up, self.back = False, self.env.event()
                yield self.env.timeout(away_s)
                self.server_up = True
                self.back.succeed()
