"""The stream bridge: reads the raw stream, joins windows into records, dispatches batches.

It acknowledges no window that a worker still needs. After a lost connection, a lost lease, a
contradiction or its own restart it forgets its state and rebuilds the open records from the pending
list.
"""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Event

import redis
import structlog

from vtox.bridge.intake import Intake
from vtox.bridge.other_servers import OtherServers
from vtox.bridge.read_size import MAX_READ_WINDOWS, ReadSize
from vtox.bridge.record_joiner import ClosedRecord, Joiner, batches
from vtox.bridge.traces import trace_dispatch, traced_pieces
from vtox.bridge.waiting_records import WaitingRecords
from vtox.domain import Record
from vtox.errors import BrokerUnavailable, LeaseLost, StaleState
from vtox.faults import FAMILIES, record_length_s
from vtox.partitions import ALONE, FIRST, Partition, Place
from vtox.settings import Settings
from vtox.store.agreement import report_agreement
from vtox.store.backlog import report_waiting
from vtox.store.client import Client
from vtox.store.ledger import Ledger
from vtox.store.partition_table import number_in_force, retire
from vtox.store.refusals import summarise
from vtox.store.retention import (
    ServerMemory,
    effective_retention_s,
    open_records_limit,
    server_memory,
    trim_outputs,
)
from vtox.store.shared_memory import ring_mb
from vtox.store.shared_windows import SharedWindows
from vtox.store.streams import Entry, create_group, read_new, read_pending, trim_raw
from vtox.tracing import Tracing

log = structlog.get_logger()

LEASE_LIFE_MS = 5000
# A read waits for windows this long, unless a batch is waiting to be dispatched.
READ_BLOCK_MS = 500
# While a batch fills, windows are read this often and when it is due: one read of ten windows costs
# bridge and server less than ten reads of one.
READ_EVERY_S = 0.02
MAINTENANCE_EVERY_S = 1.0
# A nameplate that is registered or changed while windows flow takes effect within this time.
NAMEPLATE_REFRESH_EVERY_S = 15.0
# A machine that sends nothing for so long, up to twice, leaves the memory until it sends again.
FORGET_SILENT_EVERY_S = 600.0
# Windows that were refused and got no dead letter of their own are summed up at this interval.
SUMMARISE_EVERY_S = 60.0
# Pending windows that no bridge holds are found within this time.
ORPHAN_SEARCH_EVERY_S = 10.0
# No single step takes so long, time-outs of server and broker included: a loop whose last iteration
# is older hangs.
MAX_ITERATION_S = 60.0
# Records of a family that has no room wait in the bridge, without their samples: at most so many
# windows of them (about 0.5 kB each) before nothing more is read for any family.
MAX_WAITING_WINDOWS = 200_000
# Records of machines that fell silent are looked for at this interval.
EXPIRE_EVERY_S = 0.25
# Shares of the memory limit at which the log says that the server is full, and has room again.
FULL_SHARE, ROOM_SHARE = 0.98, 0.9

# Sends a Celery task: family, then the record ids of the batch.
Send = Callable[[str, list[str]], None]
# Returns the record ids of the tasks that wait in a family's queue, the oldest task first; None
# where that is not known.
WaitingTasks = Callable[[str], list[list[str]] | None]


class Bridge:
    """One bridge over one partition of the raw stream; `run` until `stop` is set.

    With `stands_by` it waits while another bridge owns the partition, without it ends then. Of
    several servers that share the machines `place` is this one, `clients` are those of all.
    """

    def __init__(
        self,
        client: Client,
        settings: Settings,
        send: Send,
        waiting_tasks: WaitingTasks = lambda _: [],
        clock: Callable[[], float] = time.monotonic,
        forget_tasks: Callable[[], None] = lambda: None,
        tracing: Tracing | None = None,
        partition: Partition = FIRST,
        stands_by: bool = True,
        place: Place = ALONE,
        clients: Sequence[Client] = (),
    ) -> None:
        self.client = client
        self.place = place
        self.clients = clients
        self.settings = settings
        self.partition = partition
        self.stands_by = stands_by
        self.send = send
        self.waiting_tasks = waiting_tasks
        self.forget_tasks = forget_tasks
        self.clock = clock
        self.tracing = tracing
        self.ledger = Ledger(client, settings, partition)
        self.partitions = 1
        self.shared = SharedWindows(ring_mb(settings))
        self.token = ""
        self.owner = self.full = self.retired = False
        self.read_size = ReadSize()
        self.short_of_workers: set[str] = set()
        self.last_iteration_t = self.clock()
        self.lease_renewed_t = self.next_maintenance_t = self.next_nameplate_refresh_t = 0.0
        self.next_orphan_search_t = self.next_summary_t = self.next_forgetting_t = 0.0
        self.next_expiry_t = self.pause_s = 0.0
        self._forget()

    def run(self, stop: Event) -> None:
        """Serve the stream until `stop`; stand by while another bridge owns it."""
        waiting = False
        while not stop.is_set() and not self.retired:
            self.last_iteration_t = self.clock()
            try:
                if self.take_over():
                    waiting = False
                    while not stop.is_set() and not self.retired:
                        self.serve_once()
                        stop.wait(self.pause_s)
                elif not self.stands_by:
                    break
                elif not waiting:
                    waiting = True
                    self.shared.close()
                    log.info("standing by: another bridge owns the stream")
            except StaleState as error:
                log.warning("building the open records again", reason=str(error))
            except LeaseLost as error:
                log.warning("lease lost", reason=str(error))
            except redis.OutOfMemoryError as error:
                log.warning("server is out of memory, trying again", reason=str(error))
            except redis.RedisError as error:
                self.read_size.fail()
                log.warning("server does not answer, trying again", reason=str(error))
                self.client.connections.restart(self.client)
            self.owner = False
            stop.wait(0.5)
        self.release()

    def live(self) -> tuple[bool, str]:
        """Return whether `run` still iterates, and if not, since when."""
        idle_s = self.clock() - self.last_iteration_t
        live = idle_s < MAX_ITERATION_S
        return live, "" if live else f"the bridge has been stuck for {idle_s:.0f} s"

    def take_over(self) -> bool:
        """Own the stream, with the open records rebuilt; False while another bridge owns it."""
        token = uuid.uuid4().hex
        if not self.ledger.take_lease(token, self.token, LEASE_LIFE_MS):
            return False
        self.token = token
        self.partitions = number_in_force(self.client)
        self._forget()
        self.shared.capacity = (ring_mb(self.settings) << 20) // self.partitions
        self.shared.begin()
        self.forget_tasks()  # another owner may have sent tasks since
        create_group(self.client, self.partition.raw)
        self._rebuild()
        report_agreement(self.client, self.settings, self.partition.bridge)
        self.owner = True
        log.info("bridge owns the stream", stream=self.partition.raw, open_bytes=self.joiner.bytes)
        return True

    def serve_once(self) -> None:
        """Read once, and do what is due; nothing is due again for `pause_s`.

        Raises
        ------
        LeaseLost, StaleState
            The bridge must take over again before it serves on.
        """
        self.last_iteration_t = self.clock()
        self._keep_lease()
        caught_up = self._read()
        now = self.clock()
        if caught_up and now >= self.next_expiry_t:
            self.next_expiry_t = now + EXPIRE_EVERY_S
            self._collect(self.joiner.expire(now))
        self._collect(self.joiner.shed(self.open_bytes))
        self._flush(now)
        if now >= self.next_maintenance_t:
            self.next_maintenance_t = now + MAINTENANCE_EVERY_S
            if number_in_force(self.client) != self.partitions:
                raise StaleState("another number of partitions is in force")
            self._redispatch()
            self._report_waiting()
            if now >= self.next_nameplate_refresh_t:
                self.next_nameplate_refresh_t = now + NAMEPLATE_REFRESH_EVERY_S
                self.intake.refresh_nameplates()
            if now >= self.next_forgetting_t:
                self.next_forgetting_t = now + FORGET_SILENT_EVERY_S
                self.intake.forget_silent()
            if now >= self.next_summary_t and self._keeps_house:
                self.next_summary_t = now + SUMMARISE_EVERY_S
                summarise(self.client)
            if now >= self.next_orphan_search_t:
                self.next_orphan_search_t = now + ORPHAN_SEARCH_EVERY_S
                self.read_size.relax()
                self._find_orphans()
            self._make_room(server_memory(self.client))
            self._retire_if_empty()
        filling = caught_up and any(self.ready.values())
        self.pause_s = min(READ_EVERY_S, self._next_due_s()) if filling else 0.0

    @property
    def _keeps_house(self) -> bool:
        """Whether this bridge does what is to be done once a server."""
        return self.partition.number == 0

    def release(self) -> None:
        """Let another bridge take over at once."""
        self.shared.close()
        try:
            self.ledger.release(self.token)
        except redis.RedisError as error:
            log.warning("lease not released, it will expire", reason=str(error))

    def _forget(self) -> None:
        self.intake = intake = Intake(
            self.client,
            self.settings,
            self.token,
            self.partition,
            self.partitions,
            OtherServers(self.place, self.clients),
        )
        self.joiner = Joiner(
            lambda family, machine_id: record_length_s(family, intake.motors.get(machine_id)),
            self.settings.reorder_windows,
        )
        self.read_size.ramp = 1
        # What took long to come may wait longer: the tasks of long records are few and full.
        wait_s = self.settings.batch_wait_ms / 1000
        self.ready = {f: WaitingRecords(wait_s * s.min_record_s) for f, s in FAMILIES.items()}
        self.in_flight = dict.fromkeys(FAMILIES, (0, 0))
        self.open_bytes = self.settings.open_record_bytes // self.partitions
        self.lease_renewed_t = self.clock()
        self.next_maintenance_t = 0.0
        self.next_orphan_search_t = self.clock() + ORPHAN_SEARCH_EVERY_S
        self.next_forgetting_t = self.clock() + FORGET_SILENT_EVERY_S

    def _make_room(self, memory: ServerMemory) -> None:
        """Trim finished windows and outputs, and log when the server is full or has room again."""
        open_bytes = open_records_limit(self.settings, memory)
        self.open_bytes = open_bytes // self.partitions
        retention_s = effective_retention_s(self.settings, memory)
        removed = trim_raw(self.client, self.partition.raw, retention_s)
        if self._keeps_house:
            removed += trim_outputs(self.client, self.settings, memory)
        if self.full != (memory.share > (ROOM_SHARE if self.full else FULL_SHARE)):
            self.full = not self.full
            of = f"{memory.used_bytes >> 20} of {memory.limit_bytes >> 20} MB"
            if self.full:
                log.warning(
                    "server is out of memory: it refuses new windows until the workers have "
                    "finished others; add workers or memory (`vtox doctor`)",
                    used=of,
                    removed=removed,
                )
            else:
                log.info("server has memory again and accepts new windows", used=of)

    def _retire_if_empty(self) -> None:
        """Leave a partition that is no longer in force once nothing of it is left."""
        if self.partition.number < self.partitions:
            return
        if retire(self.client, self.token, self.partition, self.settings.retention_s):
            self.retired = True
            log.info("a partition is empty and no longer served", stream=self.partition.raw)

    def _keep_lease(self) -> None:
        """Renew the lease in time, in the middle of an iteration too: a slow disk draws it out."""
        if self.clock() - self.lease_renewed_t > LEASE_LIFE_MS / 3000:
            self._renew()

    def _renew(self) -> None:
        self.last_iteration_t = self.clock()
        self.ledger.renew_lease(self.token, LEASE_LIFE_MS)
        self.lease_renewed_t = self.clock()

    def _find_orphans(self) -> None:
        """Find pending windows that neither this bridge nor a record holds.

        An owner that was deposed while it read leaves them. Without a rebuild nobody would look at
        them, and the stream could not be trimmed beyond them.
        """
        held = self.joiner.entry_ids()
        held |= {i for waiting in self.ready.values() for i in waiting.entry_ids()}
        after, more = "", True
        while more:
            ids, after = self.ledger.unassigned(after)
            if orphans := [i for i in ids if i not in held]:
                raise StaleState(f"{len(orphans)} pending windows are in no record")
            more = bool(after)

    def _rebuild(self) -> None:
        """Admit everything pending; what a family has already assigned stays in its record."""
        self.in_flight = self.ledger.in_flight()
        last = b"0"
        while True:
            self._renew()
            count = self.read_size.ask(MAX_READ_WINDOWS, self.intake.mean_bytes)
            entries = read_pending(self.client, last, count, self.partition.raw)
            self.read_size.succeed()
            if not entries:
                return
            last = entries[-1][0]
            progress = self.ledger.family_progress([i for i, _ in entries])
            self._join(entries, progress)
            self._flush(self.clock())

    def _read(self) -> bool:
        """Read new entries unless no family has room; return whether those were all.

        The records of a family without room wait here: the others do not wait for it.
        """
        self.in_flight = self.ledger.in_flight()
        room = max(self._room(f)[0] - self.ready[f].windows for f in FAMILIES)
        waiting = max(w.windows for w in self.ready.values())
        if room <= 0 or waiting >= MAX_WAITING_WINDOWS // self.partitions:
            time.sleep(0.01)
            return False
        block = max(1, min(READ_BLOCK_MS, int(1000 * self._next_due_s())))
        count = self.read_size.ask(room, self.intake.mean_bytes)
        entries = read_new(self.client, count, block, self.partition.raw)
        self.read_size.succeed()
        if entries:
            self._join(entries)
        return len(entries) < count

    def _next_due_s(self) -> float:
        """Return when a batch is due, in s from now; one that waits for workers may be any time."""
        waits = [w.due_in_s(self.clock()) for w in self.ready.values() if w]
        return min((s if s > 0 else self.settings.batch_wait_ms / 1000 for s in waits), default=1.0)

    def _room(self, family: str) -> tuple[int, int]:
        """Return how many windows, and bytes, of a family may be dispatched now.

        The partitions share evenly what may be in flight.
        """
        windows, size = self.in_flight[family]
        room_bytes = self.settings.in_flight_bytes // self.partitions - size
        return (self._in_flight_windows - windows if room_bytes > 0 else 0), room_bytes

    @property
    def _in_flight_windows(self) -> int:
        return -(-self.settings.in_flight_windows // self.partitions)

    def _join(self, entries: list[Entry], progress: list[bytes | None] | None = None) -> None:
        now = self.clock()
        pieces = self.intake.admit(entries, progress)
        admitted = {p.entry_id.encode() for p in pieces}
        self.shared.add(e for e in entries if e[0] in admitted)
        if self.tracing:
            pieces = traced_pieces(self.tracing, pieces)
        for piece in pieces:
            self._collect(self.joiner.add(piece, now))

    def _collect(self, closed: list[ClosedRecord]) -> None:
        now = self.clock()
        for c in closed:
            self.ready[c.family].add(c.record.record_id(c.family), c.record, now)

    def _flush(self, now: float) -> None:
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
        self._keep_lease()
        windows, size = self.in_flight[family]
        number = self.partition.number
        records = [replace(r, shared=self.shared.places(r.ids), partition=number) for _, r in batch]
        self.in_flight[family] = (
            windows + sum(r.windows for r in records),
            size + sum(r.bytes for r in records),
        )
        entered = self.ledger.dispatch(self.token, family, records)
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
        self.last_iteration_t = self.clock()
        try:
            self.send(family, record_ids)
        except BrokerUnavailable:  # the queues say so, once
            self.ledger.make_due(family, record_ids)

    def _report_waiting(self) -> None:
        """Say which families have records waiting beyond those in flight, and since when."""
        report_waiting(
            self.client, {f: w.oldest_t for f, w in self.ready.items()}, self.partition.bridge
        )
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

    def _redispatch(self) -> None:
        """Dispatch records again whose task is lost; one that was started before goes alone."""
        for family in FAMILIES:
            self._keep_lease()
            waiting = self.waiting_tasks(family)
            if waiting is None:
                continue  # they may all wait
            idle = self.ledger.overdue(family, self.settings.redispatch_after_s, waiting)
            fresh = [(i, row) for i, (row, tries) in idle.items() if not tries]
            again = [[i] for i, (_, tries) in idle.items() if tries]
            groups = [[i for i, _ in b] for b in batches(fresh, self.settings.batch_windows)]
            for ids in groups + again:
                self._publish(family, ids)
            if idle:
                self.ledger.count_redispatched(len(idle))
                log.info("dispatched idle records again", family=family, records=len(idle))
