"""Complete records on their way to the queues.

They wait here until their batch is full or due and their family has room, then get their rows in
the ledger and a task. Those whose task is lost are dispatched again.
"""

import time
from collections.abc import Callable, Iterable

import structlog

from vtox.motor.faults import FAMILIES
from vtox.motor.values.domain import Record
from vtox.pipeline.bridge.gathering import gathering_s
from vtox.pipeline.bridge.lease import Lease
from vtox.pipeline.bridge.record_joiner import ClosedRecord, batches
from vtox.pipeline.bridge.traces import trace_dispatch
from vtox.pipeline.bridge.waiting_records import WaitingRecords
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.errors import BrokerUnavailable, StaleState
from vtox.pipeline.store.ledger.backlog import report_waiting
from vtox.pipeline.store.ledger.ledger import Ledger
from vtox.pipeline.store.server.client import server_time
from vtox.pipeline.windows.tracing import Tracing

log = structlog.get_logger()

# Records of a family that has no room wait here, without their samples. At most this many windows
# of them (about 0.5 kB each) wait before nothing more is read for any family.
MAX_WAITING_WINDOWS = 200_000
# In flight of each family, at most.
IN_FLIGHT_BYTES = 512 << 20

# Sends a Celery task: family, then the record ids of the batch.
Send = Callable[[str, list[str]], None]
# Returns the record ids of the tasks that wait in a family's queue, the oldest task first; None if
# that is not known.
WaitingTasks = Callable[[str], list[list[str]] | None]


class Dispatcher:
    """The complete records of one partition; `forget` begins an ownership of it."""

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings,
        lease: Lease,
        send: Send,
        waiting_tasks: WaitingTasks,
        clock: Callable[[], float] = time.monotonic,
        tracing: Tracing | None = None,
    ) -> None:
        self.ledger = ledger
        self.settings = settings
        self.lease = lease
        self.send = send
        self.waiting_tasks = waiting_tasks
        self.clock = clock
        self.tracing = tracing
        self.short_of_workers: set[str] = set()
        self.forget()

    def forget(self, partitions: int = 1) -> None:
        """Begin without records; `partitions` share the limits in flight evenly."""
        self.partitions = partitions
        self.ready = {f: WaitingRecords(0.0) for f in FAMILIES}
        self.let_gather(1.0)
        self.in_flight = dict.fromkeys(FAMILIES, (0, 0))

    def let_gather(self, factor: float) -> None:
        """Let batches gather this many times as long as on an idle host (see `gathering`)."""
        for family, ready in self.ready.items():
            # Records that took long to come may wait longer: the tasks of long records are few and
            # full.
            idle_s = self.settings.batch_wait_ms / 1000 * FAMILIES[family].min_record_s
            ready.wait_s = gathering_s(idle_s, factor)

    def load_in_flight(self) -> None:
        """Ask the server for the records that workers have not finished."""
        self.in_flight = self.ledger.in_flight()

    def add(self, closed: Iterable[ClosedRecord]) -> None:
        """Let records wait for their batches."""
        now = self.clock()
        for c in closed:
            self.ready[c.family].add(c.record.record_id(c.family), c.record, now)

    @property
    def filling(self) -> bool:
        """Whether any record waits."""
        return any(self.ready.values())

    def entry_ids(self) -> set[str]:
        """Return the entries of the records that wait."""
        return {i for waiting in self.ready.values() for i in waiting.entry_ids()}

    def next_due_s(self) -> float:
        """Return when a batch is due, in s from now; one that waits for workers may be any time."""
        waits = [w.due_in_s(self.clock()) for w in self.ready.values() if w]
        return min((s if s > 0 else self.settings.batch_wait_ms / 1000 for s in waits), default=1.0)

    def room(self) -> int:
        """Return for how many more windows some family has room, 0 or less for none."""
        if max(w.windows for w in self.ready.values()) >= MAX_WAITING_WINDOWS // self.partitions:
            return 0
        return max(self._room(f)[0] - self.ready[f].windows for f in FAMILIES)

    def _room(self, family: str) -> tuple[int, int]:
        """Return the number of windows, and of bytes, of a family that may be dispatched now."""
        windows, size = self.in_flight[family]
        room_bytes = IN_FLIGHT_BYTES // self.partitions - size
        return (self._in_flight_windows - windows if room_bytes > 0 else 0), room_bytes

    @property
    def _in_flight_windows(self) -> int:
        return -(-self.settings.in_flight_windows // self.partitions)

    def flush(self, now: float) -> None:
        """Dispatch full batches, and others that have waited long enough unless workers are busy.

        With two batches in flight no worker would start on a third, so it may fill up.
        """
        full = self.settings.batch_windows
        for family, ready in self.ready.items():
            if not ready:
                continue
            waited = ready.due_in_s(now) <= 0
            due = waited and self.in_flight[family][0] < 2 * full
            groups = list(batches(ready.fitting(*self._room(family)), full))
            if groups and not due and sum(r.windows for _, r in groups[-1]) < full:
                groups.pop()
            for batch in groups:
                self._dispatch(family, batch)
                ready.remove(batch)
            if groups:
                ready.since = now

    def _dispatch(self, family: str, batch: list[tuple[str, Record]]) -> None:
        self.lease.keep()
        windows, size = self.in_flight[family]
        records = [r for _, r in batch]
        self.in_flight[family] = (
            windows + sum(r.windows for r in records),
            size + sum(r.bytes for r in records),
        )
        entered = self.ledger.dispatch(self.lease.token, family, records)
        ids = [i for (i, _), ok in zip(batch, entered, strict=True) if ok]
        if len(ids) < len(batch):
            # The rows of the others are in the ledger already: their tasks go out first.
            if ids:
                self._publish(family, ids)
            raise StaleState(
                f"{len(batch) - len(ids)} records of {family} hold windows that are assigned or "
                "finished"
            )
        self._publish(family, ids)
        if self.tracing:
            trace_dispatch(self.tracing, family, records)

    def _publish(self, family: str, record_ids: list[str]) -> None:
        # Each task may take the time-outs of a broker that is away.
        self.lease.note_step()
        try:
            self.send(family, record_ids)
        except BrokerUnavailable:  # the queues say so, once
            self.ledger.make_due(family, record_ids)

    def redispatch(self) -> None:
        """Dispatch records again whose task is lost; one that was started before goes alone."""
        for family in FAMILIES:
            self.lease.keep()
            waiting = self.waiting_tasks(family)
            if waiting is None:
                continue  # they may all wait
            idle = self.ledger.overdue(family, self.settings.redispatch_after_s, waiting)
            fresh = [(i, row) for i, (row, tries) in idle.items() if not tries]
            again = [[i] for i, (_, tries) in idle.items() if tries]
            groups = [[i for i, _ in b] for b in batches(fresh, self.settings.batch_windows)]
            for ids in groups + again:
                self.lease.keep()
                self._publish(family, ids)
            if idle:
                self.ledger.count_redispatched(len(idle))
                log.info("dispatched idle records again", family=family, records=len(idle))

    def report_waiting(self) -> None:
        """Say which families have records waiting beyond those in flight, and since when."""
        client, now = self.ledger.client, self.clock()
        longest_s = {f: w.longest_s(now) for f, w in self.ready.items()}
        server_t = server_time(client)
        since_t = {f: None if s is None else server_t - s for f, s in longest_s.items()}
        report_waiting(client, since_t, self.ledger.partition.bridge)
        for family, ready in self.ready.items():
            windows, short = ready.windows, family in self.short_of_workers
            if not short and windows > self._in_flight_windows:
                self.short_of_workers.add(family)
                log.warning(
                    "the records of a family wait for its workers, the other families go on: "
                    "add workers of its queue (`vtox doctor`)",
                    family=family,
                    windows=windows,
                )
            elif short and not windows:
                self.short_of_workers.discard(family)
                log.info("the records of a family wait no longer", family=family)
