"""The stream bridge: reads the raw stream, joins windows into records, dispatches batches.

It acknowledges nothing that a worker must still see. After any doubt (a lost connection, a lost
lease, its own restart) it forgets everything and rebuilds its records from the pending list.
"""

import time
import uuid
from collections.abc import Callable, Iterable
from threading import Event

import redis
import structlog

from vtox import keys
from vtox.domain import Motor, Record
from vtox.errors import LeaseLost, WireError
from vtox.faults import FAMILIES, record_s
from vtox.records import Closed, Joiner, Piece, batches
from vtox.seen import Seen, mark
from vtox.settings import Settings
from vtox.store.client import Client
from vtox.store.flags import set_flag
from vtox.store.ledger import INDEX, Ledger
from vtox.store.machines import states
from vtox.store.retention import Memory, kept_s, memory, trim_outputs
from vtox.store.streams import create_group, trim_raw
from vtox.wire import Fields, Header, Limits, decode_header

log = structlog.get_logger()

CONSUMER = "bridge"
LEASE_MS = 5000
# Read about this much at a time: larger replies fall out of the cache (docs/benchmarks).
READ_BYTES = 2 << 20
CHORES_S = 1.0
# A nameplate registered or changed while windows flow counts from the next look on.
NAMEPLATES_S = 15.0
# No single step takes so long, time-outs of server and broker included: a loop that has not come
# round by then never will.
STILL_S = 60.0
# The lag between a window's end and its arrival that the clock check allows is a setting; a
# machine counts as back in time again at this share of it.
CLOCK_HYSTERESIS = 0.8
# At these shares of its memory limit the server is said to be full, and to take windows again.
FULL, ROOM = 0.98, 0.9

Entry = tuple[bytes, Fields | None]
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
        self.limits = Limits(settings.max_window_bytes, settings.max_samples)
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
                    self._learn_motors(self.seen)
                self._make_room(memory(self.client))

    def _forget(self) -> None:
        self.motors: dict[str, Motor | None] = {}
        self.joiner = Joiner(
            lambda family, machine_id: record_s(family, self.motors.get(machine_id)),
            self.settings.reorder_windows,
        )
        self.seen: dict[str, Seen] = {}
        self.clock_off: dict[str, bool] = {}
        self.vehicles: dict[str, str | None] = {}
        self.ready: dict[str, dict[str, Record]] = {f: {} for f in FAMILIES}
        self.ready_since: dict[str, float] = {}
        self.flying = dict.fromkeys(FAMILIES, (0, 0))
        self.mean_bytes = 64 << 10
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
            self._admit(entries, letters)
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
            self._admit(entries, [None] * len(entries))
        return len(entries) < count

    def _count(self) -> int:
        return int(min(max(READ_BYTES // self.mean_bytes, 1), 512))

    def _admit(self, entries: list[Entry], letters: list[bytes | None]) -> None:
        """Validate, drop duplicates, remember, and join."""
        good = [
            (e.decode(), h, p)
            for (e, h), p in zip(self._headers(entries), letters, strict=True)
            if h is not None
        ]
        self._recall({h.machine_id for _, h, _ in good})
        now = time.monotonic()
        arrivals: dict[str, float] = {}
        new: list[tuple[Header, float]] = []
        pipe = self.client.pipeline(transaction=True)
        joined: list[Closed] = []
        restarted: list[str] = []
        for entry_id, h, progress in good:
            seen = self.seen[h.machine_id]
            run = seen.run_of(h)
            verdict, forgotten = seen.admit(h, entry_id)
            if verdict == "new" and seen.run_of(h) != run and not h.replay_of:
                pipe.hincrby(keys.COUNTERS, "senders_restarted", 1)
                restarted.append(f"{h.machine_id} at seq {h.seq}")
            if verdict == "duplicate":
                self.ledger.refuse(entry_id, "duplicate")
                continue
            if verdict == "new":
                pipe.hset(keys.seen(h.machine_id), mark(h), entry_id)
                pipe.hincrby(keys.COUNTERS, "windows_in", 1)
                arrivals[h.machine_id] = int(entry_id.partition("-")[0]) / 1000
                new.append((h, arrivals[h.machine_id]))
            if forgotten:
                pipe.hdel(keys.seen(h.machine_id), *forgotten)
            if h.replay_family and progress is None:
                progress = "".join("-" if f == h.replay_family else "d" for f in INDEX).encode()
                pipe.hsetnx(keys.PROGRESS, entry_id, progress)
            families = frozenset(
                f for f, i in INDEX.items() if progress is None or progress[i - 1 : i] == b"-"
            )
            if families:
                joined += self.joiner.add(Piece(entry_id, seen.run_of(h), h, families), now)
        if arrivals:
            pipe.zmscore(keys.MACHINES, list(arrivals))
            pipe.zadd(keys.MACHINES, arrivals)
        replies = pipe.execute()
        if arrivals:
            listed = dict(zip(arrivals, replies[-2], strict=True))
            self._note(new, {m for m, t in listed.items() if t is None})
        if restarted:  # one line a read: a sender whose seq stands still restarts with every window
            log.info("senders began anew", times=len(restarted), last=restarted[-1])
        self._collect(joined)

    def _headers(self, entries: list[Entry]) -> list[tuple[bytes, Header | None]]:
        found: list[tuple[bytes, Header | None]] = []
        size = refused = 0
        reason = ""
        for entry_id, fields in entries:
            header = None
            if fields is None:
                self.ledger.refuse(entry_id.decode(), "samples_missing", "entry was deleted")
            else:
                size += sum(map(len, fields.values()))
                try:
                    header = _known(decode_header(fields, self.limits))
                except WireError as error:
                    machine, seq = (
                        fields.get(k, b"")[:64].decode("utf-8", "replace")
                        for k in (b"machine_id", b"seq")
                    )
                    self.ledger.refuse(entry_id.decode(), error.code, str(error), machine, seq)
                    refused += 1
                    reason = f"{machine} {seq}: {error}"
            found.append((entry_id, header))
        self.mean_bytes = max(1, (self.mean_bytes + size // len(entries)) // 2)
        if refused:  # one line a read, whatever a mad sender sends
            log.warning("entries refused: see dead_letters", entries=refused, last=reason)
        return found

    def _recall(self, machine_ids: set[str]) -> None:
        new = [m for m in machine_ids if m not in self.seen]
        if not new:
            return
        self._learn_motors(new)
        pipe = self.client.pipeline(transaction=False)
        for m in new:
            pipe.hgetall(keys.seen(m))
        for m, stored in zip(new, pipe.execute(), strict=True):
            marks = {k.decode(): v.decode() for k, v in stored.items()}
            self.seen[m] = Seen.restored(self.settings.duplicate_horizon, marks)

    def _learn_motors(self, machine_ids: Iterable[str]) -> None:
        """Look up the nameplates, by which long records get their length."""
        ids = list(machine_ids)
        if ids:
            self.motors |= {m: s.motor for m, s in zip(ids, states(self.client, ids), strict=True)}

    def _note(self, new: list[tuple[Header, float]], unlisted: set[str]) -> None:
        """Keep what windows say of their machines: vehicle, and whether its clock can be right.

        Of machines not listed before, new ones or retired ones that send again, nothing is kept.
        """
        for machine_id in unlisted:
            self.vehicles.pop(machine_id, None)
            self.clock_off.pop(machine_id, None)
        for h, arrived in new:
            if h.vehicle_id and self.vehicles.get(h.machine_id) != h.vehicle_id:
                self.vehicles[h.machine_id] = h.vehicle_id
                self.client.hset(keys.machine(h.machine_id), "vehicle_id", h.vehicle_id)
            offset = h.t0 + h.duration_s - arrived
            was = self.clock_off.get(h.machine_id)
            share = CLOCK_HYSTERESIS if was else 1.0
            off = abs(offset) > share * self.settings.clock_tolerance_s
            if off != was:
                self.clock_off[h.machine_id] = off
                reason = (
                    f"t0 is {offset:+.0f} s from the time of arrival" if off else "clock agrees"
                )
                set_flag(self.client, h.machine_id, "clock", off, reason)

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


def _known(header: Header) -> Header:
    """Return the header, unless it asks for a family that nobody has."""
    if header.replay_family and header.replay_family not in INDEX:
        said = f"replay_family: {header.replay_family!r}, expected one of {', '.join(INDEX)}"
        raise WireError("bad_family", said, "replay_family")
    return header
