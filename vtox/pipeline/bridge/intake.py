"""Admits windows: entries of the raw stream become pieces of records, duplicates or dead letters.

An intake knows the recent windows, nameplate, vehicle and clock of each machine. It is forgotten
with the bridge's other state after any doubt, and filled again from the server.
"""

from collections.abc import Sequence
from typing import Any

import structlog

from vtox.motor.errors import WireError
from vtox.motor.values.domain import Motor, reason
from vtox.motor.values.record_lengths import record_length_s
from vtox.motor.values.rhythm import Arrivals, Rhythm, SendingInterval
from vtox.pipeline.bridge.admission import admission
from vtox.pipeline.bridge.arrival_quota import ArrivalQuota
from vtox.pipeline.bridge.deduplication import DuplicateFilter
from vtox.pipeline.bridge.record_joiner import Piece
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.errors import TooManyMachines
from vtox.pipeline.store.alarms.flags import set_flag
from vtox.pipeline.store.ledger.ledger import INDEX
from vtox.pipeline.store.ledger.quotas import BURST_S
from vtox.pipeline.store.ledger.refusals import Refusal, refuse
from vtox.pipeline.store.ledger.retention import MB
from vtox.pipeline.store.machines.fleet import FleetChanges, begin_epoch
from vtox.pipeline.store.machines.machines import load_motors
from vtox.pipeline.store.machines.rhythms import keep_rhythms
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.server.partition_table import Stray, move
from vtox.pipeline.store.stream import admissions, own_fields
from vtox.pipeline.store.stream.admissions import Admission, Recorded, arrived_ms
from vtox.pipeline.store.stream.scalars import add_readings
from vtox.pipeline.store.stream.unreadable import Unreadable, read
from vtox.pipeline.store.stream.window_log import Entry
from vtox.pipeline.windows.partitions import FIRST, Partition, partition_number
from vtox.pipeline.windows.prints import print_is_unlikely, window_print
from vtox.pipeline.windows.wire import ARRIVED, Fields, Header, Limits, decode_header

log = structlog.get_logger()

# Once a clock is off by more than the setting allows, it is right again below this share of it.
CLOCK_HYSTERESIS = 0.8
# A script of the server hands on only this many fields of an entry at once. Windows have thirty.
MAX_MOVED_FIELDS = 1000


class Intake:
    """The machines of a partition, the part that the admission of their windows depends on.

    `partitions` is the number of all partitions: windows of other machines are moved to theirs.
    """

    def __init__(
        self,
        client: Client,
        settings: Settings,
        token: str,
        partition: Partition = FIRST,
        partitions: int = 1,
    ) -> None:
        self.client = client
        self.token = token
        self.partition = partition
        self.partitions = partitions
        self.settings = settings
        self.limits = Limits(settings.max_window_bytes)
        self.changes = FleetChanges(client)
        self.filters: dict[str, DuplicateFilter] = {}
        self.motors: dict[str, Motor | None] = {}
        self.lengths_s: dict[str, dict[str, float]] = {}
        self.vehicles: dict[str, str | None] = {}
        self.clock_off: dict[str, bool] = {}
        # The newest window by its own time: that time, and its arrival.
        self.newest: dict[str, tuple[float, float]] = {}
        self.arrivals: dict[str, Arrivals] = {}
        self._by_machine: tuple[dict[str, Any], ...] = (
            self.filters,
            self.motors,
            self.lengths_s,
            self.vehicles,
            self.clock_off,
            self.newest,
            self.arrivals,
        )
        limit = settings.quota.stream_machine
        self.quota = ArrivalQuota(limit.windows_per_s, MB * limit.mb_per_s)
        self.senders: set[str] = set()
        self.mean_bytes = 64 << 10

    def admit(
        self, entries: Sequence[Entry], progress: Sequence[bytes | None] | None = None
    ) -> list[Piece]:
        """Refuse malformed entries and duplicates, move those of other partitions, return the rest.

        For pending entries `progress` is the progress of the families with each so far
        (`keys.PROGRESS`); a piece leaves out families that have assigned or finished its window.

        Raises
        ------
        LeaseLost
            Another bridge owns the stream now.
        StaleState
            Another number of partitions is in force.
        """
        progress = progress or [None] * len(entries)
        refusals: list[Refusal] = []
        headers = self._headers(entries, refusals)
        self._move_strays(entries, headers, progress, refusals)
        strangers = self._load_machines(headers, progress)
        # The id of an entry may be of the future: a sender can choose it.
        now_t = server_time(self.client) if self.quota.limits else 0.0
        admitted: list[Admission] = []
        for (entry_id, fields), h, so_far in zip(entries, headers, progress, strict=True):
            if h is None or fields is None:
                continue
            if so_far is None and (limit := self._limit_of(h, entry_id, strangers, now_t)):
                refusals.append(_refusal(entry_id, *limit, h.machine_id, str(h.seq)))
                continue
            print_ = window_print(fields, h)
            duplicates = self.filters[h.machine_id]
            if so_far is None and duplicates.is_copy(h, print_) and print_is_unlikely(fields):
                refusals.append(_copy_refusal(entry_id, h, duplicates))
                continue
            a = admission(duplicates, h, entry_id.decode(), so_far, print_)
            if a.decision == "duplicate":
                refusals.append(_refusal(entry_id, "duplicate"))
            else:
                admitted.append(a)
        refuse(self.client, self.token, self.settings, refusals, self.partition)
        if letters := [r for r in refusals if r.code != "duplicate"]:
            # One line a read, however much a broken sender sends.
            last = f"{letters[-1].machine_id} {letters[-1].seq}: {letters[-1].reason}"
            log.warning("entries refused, see dead_letters", entries=len(letters), last=last)
        # Before they count as admitted: after a crash they are added again, which counts once.
        readings = [r for a in admitted if a.decision == "new" for r in a.header.scalars]
        if readings:
            add_readings(self.client, readings)
        recorded = admissions.record(
            self.client,
            self.token,
            admitted,
            partition=self.partition,
            partitions=self.partitions,
        )
        self._watch([a for a in admitted if a.decision == "new"], recorded)
        return [Piece(a.entry_id, a.run, a.header, a.families) for a in admitted if a.families]

    def forget_silent(self) -> None:
        """Forget the machines that have sent nothing since the last call."""
        for machine_id in self.filters.keys() - self.senders:
            for kept in self._by_machine:
                kept.pop(machine_id, None)
            self.quota.forget(machine_id)
        self.senders.clear()

    def record_s(self, family: str, machine_id: str) -> float:
        """Return the length of a machine's records of a family, s."""
        lengths_s = self.lengths_s.get(machine_id) or self._record_lengths(None)
        return lengths_s[family]

    def refresh_nameplates(self) -> None:
        """Load the nameplates that have changed, which decide on the length of records."""
        changed = self.changes.take()
        if changed is None:
            begin_epoch(self.client)
            self._load_nameplates(list(self.filters))
        else:
            self._load_nameplates([m for m in changed if m in self.filters])

    def _load_nameplates(self, ids: Sequence[str]) -> None:
        if ids:
            self.motors |= dict(zip(ids, load_motors(self.client, ids), strict=True))
            self.lengths_s |= {m: self._record_lengths(self.motors[m]) for m in ids}

    def _record_lengths(self, motor: Motor | None) -> dict[str, float]:
        most_s = self.settings.record_max_s
        return {f: record_length_s(f, motor, most_s) for f in INDEX}

    def _headers(self, entries: Sequence[Entry], refusals: list[Refusal]) -> list[Header | None]:
        """Return the header of each entry, None for entries that go to `refusals`."""
        headers: list[Header | None] = []
        size = 0
        claimed = any(fields and own_fields.is_claimed(fields) for _, fields in entries)
        secret = own_fields.read_secret(self.client) if claimed else b""
        for entry_id, fields in entries:
            header = None
            if not fields:  # of a deleted entry the client makes an empty one
                refusals.append(_refusal(entry_id, "samples_missing", "entry was deleted"))
            else:
                size += sum(map(len, fields.values()))
                if own_fields.is_claimed(fields):
                    fields = own_fields.verified(fields, secret)
                found = read(self._header, fields)
                if isinstance(found, Unreadable):
                    names = (_text(fields, b"machine_id"), _text(fields, b"seq"))
                    refusals.append(_refusal(entry_id, found.code, found.reason, *names))
                else:
                    header = found
            headers.append(header)
        self.mean_bytes = max(1, (self.mean_bytes + size // len(entries)) // 2)
        return headers

    def _header(self, fields: Fields) -> Header:
        return _with_known_family(decode_header(fields, self.limits))

    def _move_strays(
        self,
        entries: Sequence[Entry],
        headers: list[Header | None],
        progress: Sequence[bytes | None],
        refusals: list[Refusal],
    ) -> None:
        """Move windows of other partitions there, and take them out of `headers`.

        Windows admitted here before another number of partitions came in force are finished here.
        """
        strays: list[Stray] = []
        secret = b""
        for i, ((entry_id, fields), h) in enumerate(zip(entries, headers, strict=True)):
            if h is None or progress[i] is not None:
                continue
            number = partition_number(h.machine_id, self.partitions)
            if number == self.partition.number:
                continue
            headers[i] = None
            assert fields is not None
            if len(fields) > MAX_MOVED_FIELDS:
                what = f"{len(fields)} fields, at most {MAX_MOVED_FIELDS} in another partition"
                refusals.append(_refusal(entry_id, "too_large", what, h.machine_id, str(h.seq)))
                continue
            own = {
                own_fields.REPLAY_OF: h.replay_of.encode(),
                own_fields.REPLAY_FAMILY: h.replay_family.encode(),
                ARRIVED: b"%d" % arrived_ms(entry_id, h),
            }
            secret = secret or own_fields.make_secret(self.client)
            signed = own_fields.signed(fields, own, secret)
            strays.append(Stray(entry_id.decode(), number, signed))
        move(self.client, self.token, self.partition, self.partitions, strays)

    def _load_machines(
        self, headers: Sequence[Header | None], progress: Sequence[bytes | None]
    ) -> frozenset[str]:
        """Load the data of the machines that are not in memory; return those without room.

        A machine with a window that was admitted before always has room.
        """
        sent = {h.machine_id: None for h in headers if h}
        new = [m for m in sent if m not in self.filters]
        self.senders |= sent.keys() - new
        if not new:
            return frozenset()
        strangers = admissions.strangers(self.client, new, self.settings.max_machines)
        if strangers:
            pairs = zip(headers, progress, strict=True)
            strangers -= {h.machine_id for h, so_far in pairs if h and so_far is not None}
            new = [m for m in new if m not in strangers]
        self.senders.update(new)
        self._load_nameplates(new)
        for m, known in zip(new, admissions.known_machines(self.client, new), strict=True):
            self.filters[m] = DuplicateFilter.restored(self.settings.duplicate_horizon, known.marks)
            self.newest[m] = self.filters[m].newest()
            self.vehicles[m], self.clock_off[m] = known.vehicle_id, known.clock_off
            self.arrivals[m] = Arrivals(known.rhythm or Rhythm())
        return strangers

    def _limit_of(
        self, h: Header, entry_id: bytes, strangers: frozenset[str], now_t: float
    ) -> tuple[str, str] | None:
        """Return code and reason of the limit that refuses a window, None if none does."""
        s = self.settings
        if h.machine_id in strangers:
            return "too_many_machines", TooManyMachines(s.max_machines).args[0]
        if not self.quota.charge(h, min(arrived_ms(entry_id, h) / 1000, now_t)):
            return "quota_exceeded", (
                f"more windows or MB a second than {s.quota.stream_machine} for {BURST_S:g} s: "
                "send less, or raise VTOX_QUOTA__STREAM_MACHINE"
            )
        return None

    def _watch(self, new: Sequence[Admission], recorded: Recorded) -> None:
        """Keep the data of new windows on their machines: vehicle, clock, restarts of the sender.

        Nothing is known yet of machines that were not listed before: new ones, or retired ones that
        send again.
        """
        for machine_id in recorded.unlisted:
            self.vehicles[machine_id], self.clock_off[machine_id] = None, False
            self.newest.pop(machine_id, None)
            self.arrivals[machine_id] = Arrivals(Rhythm())
        rhythms: dict[str, tuple[Rhythm, bool]] = {}
        for a in new:
            self._watch_vehicle(a.header)
            arrived_t = min(a.arrived_t, recorded.now_t)
            self._watch_rhythm(a.header, arrived_t, rhythms)
            if not self._is_old(a, arrived_t):
                self._watch_clock(a.header, arrived_t)
        if rhythms:
            keep_rhythms(self.client, rhythms)
        restarted = [f"{a.header.machine_id} at seq {a.header.seq}" for a in new if a.restarted]
        if restarted:  # one line a read: a sender with a constant seq restarts with every window
            log.info("senders restarted", times=len(restarted), last=restarted[-1])

    def _watch_vehicle(self, h: Header) -> None:
        if h.vehicle_id and self.vehicles.get(h.machine_id) != h.vehicle_id:
            self.vehicles[h.machine_id] = h.vehicle_id
            admissions.set_vehicle(self.client, h.machine_id, h.vehicle_id)

    def _watch_rhythm(self, h: Header, t: float, changed: dict[str, tuple[Rhythm, bool]]) -> None:
        """Learn how often a machine sends; add the rhythms to keep to `changed`."""
        if h.replay_of:
            return
        arrivals = self.arrivals[h.machine_id]
        rhythm = arrivals.rhythm
        before = rhythm.every_s or rhythm.first_s if rhythm.begun_t else 0.0
        if arrivals.add(t, h.t0, self.settings.silence_after_s):
            is_other = rhythm.interval.every_s != before
            is_other |= changed.get(h.machine_id, (None, False))[1]
            changed[h.machine_id] = rhythm, is_other

    def _interval(self, machine_id: str) -> SendingInterval:
        motor = self.motors.get(machine_id)
        if motor and motor.expected_every_s:
            return SendingInterval(motor.expected_every_s, "nameplate")
        return self.arrivals[machine_id].rhythm.interval

    def _is_old(self, a: Admission, arrived_t: float) -> bool:
        """Return whether a window is a replay or a back-fill: it says nothing of the clock now.

        A machine that has sent nothing else until it counted as silent has a clock that went back.
        """
        if a.header.replay_of:
            return True
        machine_id, s = a.header.machine_id, self.settings
        newest_t0, newest_arrived_t = self.newest.get(machine_id, (0.0, 0.0))
        if a.header.t0 >= newest_t0 or newest_t0 > arrived_t + s.clock_tolerance_s:
            self.newest[machine_id] = (a.header.t0, arrived_t)
            return False
        every_s = self._interval(machine_id).every_s
        limit_s = SendingInterval(every_s).limit_s(s.silence_after_s)
        return arrived_t - newest_arrived_t <= limit_s

    def _watch_clock(self, h: Header, arrived_t: float) -> None:
        offset_s = h.t0 + h.duration_s - arrived_t
        was_off = self.clock_off.get(h.machine_id, False)
        limit_s = (CLOCK_HYSTERESIS if was_off else 1.0) * self.settings.clock_tolerance_s
        if offset_s < -limit_s:
            # A window that is sent every hour may have been measured an hour ago.
            offset_s = min(offset_s + (self._interval(h.machine_id).every_s or 0.0), 0.0)
        off = abs(offset_s) > limit_s
        if off != was_off:
            self.clock_off[h.machine_id] = off
            wrong = (reason("clock_off"), reason("clock_offset", offset_s=offset_s))
            reasons = wrong if off else (reason("clock_right"),)
            set_flag(self.client, h.machine_id, "clock", off, *reasons)


def _copy_refusal(entry_id: bytes, h: Header, duplicates: DuplicateFilter) -> Refusal:
    run, seq, *_ = duplicates.last_print[0].split("|")
    before = f"seq {seq} of run {run!r}" if run else f"seq {seq}"
    detail = f"all samples are those of {before}: find where the sender sends a buffer twice"
    return _refusal(entry_id, "window_copied", detail, h.machine_id, str(h.seq))


def _refusal(
    entry_id: bytes, code: str, reason: str = "", machine_id: str = "", seq: str = ""
) -> Refusal:
    return Refusal(
        entry_id=entry_id.decode(), code=code, reason=reason, machine_id=machine_id, seq=seq
    )


def _text(fields: Fields, name: bytes) -> str:
    return fields.get(name, b"")[:64].decode("utf-8", "replace")


def _with_known_family(header: Header) -> Header:
    """Return the header, unless it names a family that does not exist."""
    if header.replay_family and header.replay_family not in INDEX:
        detail = f"replay_family: {header.replay_family!r}, expected one of {', '.join(INDEX)}"
        raise WireError("bad_family", detail, "replay_family")
    return header
