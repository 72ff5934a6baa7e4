"""The stream bridge: reads the raw stream, joins windows into records, dispatches batches.

It acknowledges no window that a worker still needs. After a lost connection, a lost lease, a
contradiction or its own restart it forgets its state and rebuilds the open records from the pending
list.
"""

import time
from collections.abc import Callable
from threading import Event

import redis
import structlog

from vtox.pipeline.bridge.dispatcher import Dispatcher, Send, WaitingTasks
from vtox.pipeline.bridge.gathering import READ_EVERY_S, gathering_factor
from vtox.pipeline.bridge.intake import Intake
from vtox.pipeline.bridge.lease import Lease
from vtox.pipeline.bridge.read_size import MAX_READ_WINDOWS, ReadSize
from vtox.pipeline.bridge.record_joiner import Joiner
from vtox.pipeline.bridge.traces import traced_pieces
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.configuration.usable_cores import CoreUse
from vtox.pipeline.errors import LeaseLost, StaleState
from vtox.pipeline.store.ledger.ledger import Ledger
from vtox.pipeline.store.ledger.refusals import summarise
from vtox.pipeline.store.ledger.retention import (
    ServerMemory,
    open_records_limit,
    server_memory,
    shortened_retention_s,
    trim_outputs,
)
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.partition_table import number_in_force, retire
from vtox.pipeline.store.stream.shared_memory import ring_mb
from vtox.pipeline.store.stream.shared_windows import SharedWindows
from vtox.pipeline.store.stream.window_log import (
    Entry,
    create_group,
    oldest_age_s,
    read_new,
    read_pending,
    trim_raw,
)
from vtox.pipeline.store.system.agreement import report_agreement
from vtox.pipeline.windows.partitions import FIRST, Partition
from vtox.pipeline.windows.tracing import Tracing

log = structlog.get_logger()

# A read waits for windows this long, unless a batch is waiting to be dispatched.
READ_BLOCK_MS = 500
# This many later windows may arrive before a missing one is given up.
REORDER_WINDOWS = 3
MAINTENANCE_EVERY_S = 1.0
# A nameplate that is registered or changed while windows flow takes effect within this time.
NAMEPLATE_REFRESH_EVERY_S = 15.0
# A machine that sends nothing for this long, up to twice, leaves the memory until it sends again.
FORGET_SILENT_EVERY_S = 600.0
# Windows that were refused and got no own dead letter are summed up at this interval.
SUMMARISE_EVERY_S = 60.0
# Pending windows that no bridge holds are found within this time.
ORPHAN_SEARCH_EVERY_S = 10.0
# Records of machines that fell silent are looked for at this interval.
EXPIRE_EVERY_S = 0.25
# Shares of the memory limit at which the log says that the server is full, and has room again.
FULL_SHARE, ROOM_SHARE = 0.98, 0.9


class Bridge:
    """One bridge over one partition of the raw stream; `run` until `stop` is set.

    With `stands_by` it waits while another bridge owns the partition, without it ends then.
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
    ) -> None:
        self.client = client
        self.settings = settings
        self.partition = partition
        self.stands_by = stands_by
        self.forget_tasks = forget_tasks
        self.clock = clock
        self.tracing = tracing
        self.ledger = Ledger(client, settings, partition)
        self.partitions = 1
        self.shared = SharedWindows(ring_mb(settings))
        self.lease = Lease(self.ledger, clock)
        self.dispatcher = Dispatcher(
            self.ledger, settings, self.lease, send, waiting_tasks, clock, tracing
        )
        self.owner = self.full = self.retired = False
        self.read_size = ReadSize()
        self.next_maintenance_t = self.next_nameplate_refresh_t = 0.0
        self.next_orphan_search_t = self.next_summary_t = self.next_forgetting_t = 0.0
        self.next_expiry_t = self.pause_s = 0.0
        self.read_every_s = READ_EVERY_S
        self.core_use = CoreUse()
        self._forget()

    def run(self, stop: Event) -> None:
        """Serve the stream until `stop`; wait while another bridge owns it."""
        waiting = False
        while not stop.is_set() and not self.retired:
            self.lease.note_step()
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
        return self.lease.live()

    @property
    def token(self) -> str:
        """The token of this ownership."""
        return self.lease.token

    def take_over(self) -> bool:
        """Own the stream, with the open records rebuilt; False while another bridge owns it."""
        if not self.lease.take():
            return False
        # Before anything that takes time: until then the terms are those of the owner before.
        report_agreement(self.client, self.settings, self.partition.bridge)
        self.partitions = number_in_force(self.client)
        self._forget()
        self.shared.capacity = (ring_mb(self.settings) << 20) // self.partitions
        self.shared.begin()
        self.forget_tasks()  # another owner may have sent tasks since
        create_group(self.client, self.partition.raw)
        self._rebuild()
        oldest_s = oldest_age_s(self.client, self.partition.raw)
        self.kept_s, self.trimmed_t = min(oldest_s, self.settings.keep.windows.s), self.clock()
        self.owner = True
        log.info("bridge owns the stream", stream=self.partition.raw, open_bytes=self.joiner.bytes)
        return True

    def serve_once(self) -> None:
        """Read once, and do the tasks that are due; none is due again for `pause_s`.

        Raises
        ------
        LeaseLost, StaleState
            The bridge must take over again before it serves on.
        """
        self.lease.note_step()
        self.lease.keep()
        caught_up = self._read()
        now = self.clock()
        if caught_up and now >= self.next_expiry_t:
            self.next_expiry_t = now + EXPIRE_EVERY_S
            self.dispatcher.add(self.joiner.expire(now))
        self.dispatcher.add(self.joiner.close_oldest(self.open_bytes))
        self.dispatcher.flush(now)
        if now >= self.next_maintenance_t:
            self.next_maintenance_t = now + MAINTENANCE_EVERY_S
            # If the system does not report its use, windows gather as on an idle host.
            self.let_gather(self.core_use.share() or 0.0)
            if number_in_force(self.client) != self.partitions:
                raise StaleState("another number of partitions is in force")
            self.dispatcher.redispatch()
            self.dispatcher.report_waiting()
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
        filling = caught_up and self.dispatcher.filling
        self.pause_s = min(self.read_every_s, self.dispatcher.next_due_s()) if filling else 0.0

    def let_gather(self, used_share: float) -> None:
        """Let more gather between reads and in batches, the more of the usable cores is used."""
        factor = gathering_factor(used_share)
        self.read_every_s = factor * READ_EVERY_S
        self.dispatcher.let_gather(factor)

    @property
    def _keeps_house(self) -> bool:
        """Whether this bridge does the tasks that only one bridge does."""
        return self.partition.number == 0

    def release(self) -> None:
        """Let another bridge take over at once."""
        self.shared.close()
        self.lease.release()

    def _forget(self) -> None:
        self.intake = Intake(
            self.client,
            self.settings,
            self.token,
            self.partition,
            self.partitions,
        )
        self.joiner = Joiner(
            self.intake.record_s, REORDER_WINDOWS, self.shared.places, self.partition.number
        )
        self.read_size.ramp = 1
        self.dispatcher.forget(self.partitions)
        self.open_bytes = self.settings.open_record_bytes // self.partitions
        # The age back to which finished windows reach: known once they are looked at.
        self.kept_s, self.trimmed_t = 0.0, self.clock()
        self.next_maintenance_t = 0.0
        self.next_orphan_search_t = self.clock() + ORPHAN_SEARCH_EVERY_S
        self.next_forgetting_t = self.clock() + FORGET_SILENT_EVERY_S

    def _make_room(self, memory: ServerMemory) -> None:
        """Trim finished windows and outputs, and log when the server is full or has room again."""
        open_bytes = open_records_limit(self.settings, memory)
        self.open_bytes = open_bytes // self.partitions
        passed_s = self.clock() - self.trimmed_t
        retention_s = shortened_retention_s(self.settings, memory, self.kept_s, passed_s)
        self.kept_s = min(self.kept_s + passed_s, retention_s)
        self.trimmed_t += passed_s
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
        if retire(self.client, self.token, self.partition, self.settings.keep.windows.s):
            self.retired = True
            log.info("a partition is empty and no longer served", stream=self.partition.raw)

    def _find_orphans(self) -> None:
        """Find pending windows that neither this bridge nor a record holds.

        An owner that was deposed while it read leaves them. Without a rebuild no process would look
        at them, and the stream could not be trimmed beyond them.
        """
        held = self.joiner.entry_ids() | self.dispatcher.entry_ids()
        after, more = "", True
        while more:
            ids, after = self.ledger.unassigned(after)
            if orphans := [i for i in ids if i not in held]:
                raise StaleState(f"{len(orphans)} pending windows are in no record")
            more = bool(after)

    def _rebuild(self) -> None:
        """Admit everything pending; windows already assigned by a family stay in its record."""
        self.dispatcher.load_in_flight()
        last = b"0"
        while True:
            self.lease.renew()
            count = self.read_size.ask(MAX_READ_WINDOWS, self.intake.mean_bytes)
            entries = read_pending(self.client, last, count, self.partition.raw)
            self.read_size.succeed()
            if not entries:
                return
            last = entries[-1][0]
            progress = self.ledger.family_progress([i for i, _ in entries])
            pending = [e for e in entries if e[0] in progress]
            if pending:
                self._join(pending, list(progress.values()))
            self.dispatcher.flush(self.clock())

    def _read(self) -> bool:
        """Read new entries unless no family has room; return whether those were all.

        The records of a family without room wait here: the others do not wait for it.
        """
        self.dispatcher.load_in_flight()
        room = self.dispatcher.room()
        if room <= 0:
            time.sleep(0.01)
            return False
        block = max(1, min(READ_BLOCK_MS, int(1000 * self.dispatcher.next_due_s())))
        count = self.read_size.ask(room, self.intake.mean_bytes)
        entries = read_new(self.client, count, block, self.partition.raw)
        self.read_size.succeed()
        if entries:
            self._join(entries)
        return len(entries) < count

    def _join(self, entries: list[Entry], progress: list[bytes | None] | None = None) -> None:
        now = self.clock()
        pieces = self.intake.admit(entries, progress)
        admitted = {p.entry_id.encode() for p in pieces}
        self.shared.add(e for e in entries if e[0] in admitted)
        if self.tracing:
            pieces = traced_pieces(self.tracing, pieces)
        for piece in pieces:
            self.dispatcher.add(self.joiner.add(piece, now))
