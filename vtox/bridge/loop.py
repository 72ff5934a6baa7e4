"""The stream bridge: reads the raw stream, joins windows into records, dispatches batches.

It acknowledges nothing that a worker must still see. After any doubt (a lost connection, a lost
lease, its own restart) it forgets everything and rebuilds its records from the pending list.
"""

import time
import uuid
from collections.abc import Callable
from threading import Event

import redis
import structlog

from vtox import keys
from vtox.bridge.intake import Entry, Intake
from vtox.bridge.record_joiner import Closed, Joiner, batches
from vtox.domain import Record
from vtox.errors import LeaseLost
from vtox.faults import FAMILIES, record_s
from vtox.settings import Settings
from vtox.store.client import Client
from vtox.store.ledger import Ledger
from vtox.store.retention import Memory, kept_s, memory, trim_outputs
from vtox.store.streams import create_group, trim_raw

log = structlog.get_logger()

CONSUMER = "bridge"
LEASE_MS = 5000
# Read about this much at a time: larger replies fall out of the cache (docs/BENCHMARKS.md).
READ_BYTES = 2 << 20
CHORES_S = 1.0
# A nameplate registered or changed while windows flow counts from the next look on.
NAMEPLATES_S = 15.0
# No single step takes so long, time-outs of server and broker included: a loop that has not come
# round by then never will.
STILL_S = 60.0
# At these shares of its memory limit the server is said to be full, and to take windows again.
FULL, ROOM = 0.98, 0.9

# Sends a Celery task: family, then the record ids of the batch.
Send = Callable[[str, list[str]], None]


class Bridge:
    """One bridge over one raw stream; `run` until `stop` is set."""

    def __init__(self, client: Client, settings: Settings, send: Send) -> None:
        self.client = client
        self.settings = settings
        self.send = send
        self.ledger = Ledger(client, settings)
        self.token = uuid.uuid4().hex
        self.owner = self.full = False
        self.turned = time.monotonic()
        self.renewed = self.chores = self.nameplates = 0.0
        self._forget()

    def run(self, stop: Event) -> None:
        """Own the stream and serve it until `stop`; wait, and say so once, while another does."""
        waiting = False
        while not stop.is_set():
            self.turned = time.monotonic()
            try:
                if self.ledger.lease(self.token, LEASE_MS):
                    waiting = False
                    self._serve(stop)
                elif not waiting:
                    waiting = True
                    log.info("standing by: another bridge owns the stream")
            except LeaseLost as error:
                log.warning("lease lost", reason=str(error))
            except redis.OutOfMemoryError as error:
                log.warning("server is out of memory, trying again", reason=str(error))
            except redis.RedisError as error:
                log.warning("server does not answer, trying again", reason=str(error))
            self.owner = False
            stop.wait(0.5)
        self._release()

    def live(self) -> tuple[bool, str]:
        """Whether `run` still goes round, and in words where it does not."""
        still_s = time.monotonic() - self.turned
        fine = still_s < STILL_S
        return fine, "" if fine else f"the bridge has stood still for {still_s:.0f} s"

    def _serve(self, stop: Event) -> None:
        self._forget()
        create_group(self.client, keys.RAW)
        self._rebuild()
        self.owner = True
        log.info("bridge owns the stream", open_bytes=self.joiner.bytes)
        while not stop.is_set():
            self.turned = time.monotonic()
            if self.turned - self.renewed > LEASE_MS / 3000:
                self._renew()
            caught_up = self._read()
            now = time.monotonic()
            if caught_up:
                self._collect(self.joiner.expire(now))
            self._collect(self.joiner.shed(self.open_bytes))
            self._flush(now)
            if now >= self.chores:
                self.chores = now + CHORES_S
                self._redispatch()
                if now >= self.nameplates:
                    self.nameplates = now + NAMEPLATES_S
                    self.intake.look_up()
                self._make_room(memory(self.client))

    def _forget(self) -> None:
        self.intake = intake = Intake(self.client, self.settings, self.ledger)
        self.joiner = Joiner(
            lambda family, machine_id: record_s(family, intake.motors.get(machine_id)),
            self.settings.reorder_windows,
        )
        self.ready: dict[str, dict[str, Record]] = {f: {} for f in FAMILIES}
        self.ready_since: dict[str, float] = {}
        self.flying = dict.fromkeys(FAMILIES, (0, 0))
        self.open_bytes = self.settings.open_record_bytes
        self.renewed = time.monotonic()
        self.chores = 0.0

    def _make_room(self, known: Memory) -> None:
        """Trim what is finished, all of it when memory is full, and say when it is."""
        self.open_bytes = int(known.at_most(self.settings.open_record_bytes))
        removed = trim_raw(self.client, keys.RAW, kept_s(self.settings, known))
        removed += trim_outputs(self.client, self.settings, known)
        if self.full != (known.share > (ROOM if self.full else FULL)):
            self.full = not self.full
            of = f"{known.used_bytes >> 20} of {known.limit_bytes >> 20} MB"
            if self.full:
                log.warning(
                    "server is out of memory: new windows are refused until the workers have "
                    "finished others; more workers or memory would help (`vtox doctor`)",
                    used=of,
                    removed=removed,
                )
            else:
                log.info("server has memory again and takes new windows", used=of)

    def _renew(self) -> None:
        self.turned = time.monotonic()
        if not self.ledger.lease(self.token, LEASE_MS):
            raise LeaseLost("another bridge owns the stream now")
        self.renewed = time.monotonic()

    def _release(self) -> None:
        try:
            if self.client.get(keys.LEASE) == self.token.encode():
                self.client.delete(keys.LEASE, keys.BRIDGE)
        except redis.RedisError as error:
            log.warning("lease left to run out", reason=str(error))

    def _rebuild(self) -> None:
        """Take in everything pending; what a family has already assigned is left to its record."""
        last = b"0"
        while True:
            self._renew()
            reply = self.client.xreadgroup(
                keys.GROUP, CONSUMER, {keys.RAW: last}, count=self._count()
            )
            entries: list[Entry] = reply[0][1] if reply else []
            if not entries:
                return
            last = entries[-1][0]
            letters = self.client.hmget(keys.PROGRESS, [i for i, _ in entries])
            self._join(entries, letters)
            self._flush(time.monotonic())

    def _read(self) -> bool:
        """Read new entries unless too much is in flight; True when there are no more just now."""
        s = self.settings
        self.flying = flying = self.ledger.in_flight()
        room = s.in_flight_windows - max(
            windows + sum(r.windows for r in self.ready[f].values())
            for f, (windows, _) in flying.items()
        )
        if room <= 0 or any(b >= s.in_flight_bytes for _, b in flying.values()):
            time.sleep(0.01)
            return False
        block = max(1, int(s.batch_wait_ms)) if self.ready_since else 500
        count = min(self._count(), room)
        reply = self.client.xreadgroup(
            keys.GROUP, CONSUMER, {keys.RAW: ">"}, count=count, block=block
        )
        entries: list[Entry] = reply[0][1] if reply else []
        if entries:
            self._join(entries, [None] * len(entries))
        return len(entries) < count

    def _count(self) -> int:
        return int(min(max(READ_BYTES // self.intake.mean_bytes, 1), 512))

    def _join(self, entries: list[Entry], letters: list[bytes | None]) -> None:
        now = time.monotonic()
        for piece in self.intake.admit(entries, letters):
            self._collect(self.joiner.add(piece, now))

    def _collect(self, closed: list[Closed]) -> None:
        now = time.monotonic()
        for c in closed:
            self.ready[c.family][c.record.record_id(c.family)] = c.record
            self.ready_since.setdefault(c.family, now)

    def _flush(self, now: float) -> None:
        """Dispatch full batches, and what has waited long enough unless the workers are busy.

        With two batches in flight nobody would start on a third: it may as well fill up.
        """
        most = self.settings.batch_windows
        for family, since in list(self.ready_since.items()):
            waited = (now - since) * 1000 >= self.settings.batch_wait_ms
            due = waited and self.flying[family][0] < 2 * most
            groups = list(batches(self.ready[family].items(), most))
            rest = [] if due else groups.pop()
            for batch in groups:
                self._dispatch(family, batch)
            self.ready[family] = dict(rest)
            if not rest:
                del self.ready_since[family]
            elif groups:
                self.ready_since[family] = now

    def _dispatch(self, family: str, batch: list[tuple[str, Record]]) -> None:
        entered = self.ledger.dispatch(self.token, family, [r for _, r in batch])
        ids = [i for (i, _), ok in zip(batch, entered, strict=True) if ok]
        if len(ids) < len(batch):
            log.warning(
                "records overlap others and were dropped",
                family=family,
                records=len(batch) - len(ids),
            )
        if ids:
            self._publish(family, ids)

    def _publish(self, family: str, record_ids: list[str]) -> None:
        self.turned = time.monotonic()  # a broker that is away costs each task its time-outs
        try:
            self.send(family, record_ids)
        except Exception as error:  # any broker's own errors: the ledger sends it again
            log.warning("broker refused a task, will send it again", reason=str(error))
            self.ledger.hurry(family, record_ids)

    def _redispatch(self) -> None:
        """Send again what idles; a record that was started before goes alone."""
        for family in FAMILIES:
            idle = self.ledger.overdue(family, self.settings.redispatch_after_s)
            fresh = [(i, row) for i, (row, tries) in idle.items() if not tries]
            again = [[i] for i, (_, tries) in idle.items() if tries]
            groups = [[i for i, _ in b] for b in batches(fresh, self.settings.batch_windows)]
            for ids in groups + again:
                self._publish(family, ids)
            if idle:
                self.client.hincrby(keys.COUNTERS, "records_redispatched", len(idle))
                log.info("dispatched idle records again", family=family, records=len(idle))
