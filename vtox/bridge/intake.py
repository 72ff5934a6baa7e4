"""Admits windows: entries of the raw stream become pieces of records, duplicates or dead letters.

An intake knows the recent windows, nameplate, vehicle and clock of each machine. It is forgotten
with the bridge's other state after any doubt, and filled again from the server.
"""

from collections.abc import Iterable, Sequence

import structlog

from vtox.bridge.deduplication import DuplicateFilter, mark
from vtox.bridge.record_joiner import Piece
from vtox.domain import Motor, reason
from vtox.errors import WireError
from vtox.settings import Settings
from vtox.store import admissions, deadletters
from vtox.store.admissions import Admission, Decision, Recorded
from vtox.store.client import Client
from vtox.store.flags import set_flag
from vtox.store.ledger import INDEX, Ledger
from vtox.store.machines import load_motors
from vtox.store.streams import Entry
from vtox.wire import Fields, Header, Limits, decode_header

log = structlog.get_logger()

# Once a clock is off by more than the setting allows, it is right again below this share of it.
CLOCK_HYSTERESIS = 0.8


class Intake:
    """The machines that send, as far as the admission of their windows depends on it."""

    def __init__(self, client: Client, settings: Settings, ledger: Ledger, token: str) -> None:
        self.client = client
        self.token = token
        self.settings = settings
        self.ledger = ledger
        self.limits = Limits(settings.max_window_bytes, settings.max_samples)
        self.filters: dict[str, DuplicateFilter] = {}
        self.motors: dict[str, Motor | None] = {}
        self.vehicles: dict[str, str | None] = {}
        self.clock_off: dict[str, bool] = {}
        # Of the newest window by its own time: that time, and its arrival.
        self.newest: dict[str, tuple[float, float]] = {}
        self.mean_bytes = 64 << 10

    def admit(
        self, entries: Sequence[Entry], progress: Sequence[bytes | None] | None = None
    ) -> list[Piece]:
        """Refuse malformed entries and duplicates, and return the other windows.

        Of pending entries `progress` says what the families have made of each so far
        (`keys.PROGRESS`); a piece leaves out those that have assigned or finished its window.

        Raises
        ------
        LeaseLost
            Another bridge owns the stream now.
        """
        pending = progress is not None
        progress = progress or [None] * len(entries)
        headers = self._decode(entries)
        self._restore_filters({h.machine_id for h in headers if h is not None})
        admitted: list[Admission] = []
        for (entry_id, _), h, so_far in zip(entries, headers, progress, strict=True):
            if h is None:
                continue
            a = classify(self.filters[h.machine_id], h, entry_id.decode(), so_far)
            if a.decision == "duplicate":
                self.ledger.refuse(self.token, a.entry_id, "duplicate")
            else:
                admitted.append(a)
        recorded = admissions.record(self.client, self.token, admitted, pending=pending)
        self._watch([a for a in admitted if a.decision == "new"], recorded)
        return [
            Piece(a.entry_id, a.run, a.header, a.families)
            for a in admitted
            if a.families and a.entry_id not in recorded.gone
        ]

    def refresh_nameplates(self, machine_ids: Iterable[str] | None = None) -> None:
        """Load the nameplates, which decide on the length of records; None: of all machines."""
        ids = list(self.filters if machine_ids is None else machine_ids)
        if ids:
            self.motors |= dict(zip(ids, load_motors(self.client, ids), strict=True))

    def _decode(self, entries: Sequence[Entry]) -> list[Header | None]:
        """Return the header of each entry, None for those that are refused."""
        headers: list[Header | None] = []
        size = refused = 0
        last = ""
        replays = any(fields and deadletters.is_replay(fields) for _, fields in entries)
        secret = deadletters.replay_secret(self.client) if replays else b""
        for entry_id, fields in entries:
            header = None
            if not fields:  # of a deleted entry the client makes an empty one
                self.ledger.refuse(
                    self.token, entry_id.decode(), "samples_missing", "entry was deleted"
                )
            else:
                size += sum(map(len, fields.values()))
                if deadletters.is_replay(fields):
                    fields = deadletters.verified_replay(fields, secret)
                try:
                    header = _with_known_family(decode_header(fields, self.limits))
                except WireError as error:
                    last = self._refuse(entry_id.decode(), fields, error)
                    refused += 1
            headers.append(header)
        self.mean_bytes = max(1, (self.mean_bytes + size // len(entries)) // 2)
        if refused:  # one line a read, whatever a broken sender sends
            log.warning("entries refused, see dead_letters", entries=refused, last=last)
        return headers

    def _refuse(self, entry_id: str, fields: Fields, error: WireError) -> str:
        """Make an entry a dead letter; return in one line which and why."""
        machine, seq = (
            fields.get(k, b"")[:64].decode("utf-8", "replace") for k in (b"machine_id", b"seq")
        )
        self.ledger.refuse(self.token, entry_id, error.code, str(error), machine, seq)
        return f"{machine} {seq}: {error}"

    def _restore_filters(self, machine_ids: set[str]) -> None:
        new = [m for m in machine_ids if m not in self.filters]
        if not new:
            return
        self.refresh_nameplates(new)
        horizon = self.settings.duplicate_horizon
        for m, marks in zip(new, admissions.known_windows(self.client, new), strict=True):
            self.filters[m] = DuplicateFilter.restored(horizon, marks)
            self.newest[m] = self.filters[m].newest()

    def _watch(self, new: Sequence[Admission], recorded: Recorded) -> None:
        """Keep what new windows say of their machines: vehicle, clock, restarts of the sender.

        Of machines that were not listed before, new ones or retired ones that send again, nothing
        is known yet.
        """
        for machine_id in recorded.unlisted:
            self.vehicles.pop(machine_id, None)
            self.clock_off.pop(machine_id, None)
            self.newest.pop(machine_id, None)
        for a in new:
            self._watch_vehicle(a.header)
            arrived_t = min(a.arrived_t, recorded.now_t)
            if not self._is_old(a, arrived_t):
                self._watch_clock(a.header, arrived_t)
        restarted = [f"{a.header.machine_id} at seq {a.header.seq}" for a in new if a.restarted]
        if restarted:  # one line a read: a sender with a constant seq restarts with every window
            log.info("senders restarted", times=len(restarted), last=restarted[-1])

    def _watch_vehicle(self, h: Header) -> None:
        if h.vehicle_id and self.vehicles.get(h.machine_id) != h.vehicle_id:
            self.vehicles[h.machine_id] = h.vehicle_id
            admissions.set_vehicle(self.client, h.machine_id, h.vehicle_id)

    def _is_old(self, a: Admission, arrived_t: float) -> bool:
        """Return whether a window is a replay or a back-fill: it says nothing of the clock now.

        A machine that has sent nothing else for `silence_after_s` has a clock that went back.
        """
        if a.header.replay_of:
            return True
        machine_id, s = a.header.machine_id, self.settings
        newest_t0, newest_arrived_t = self.newest.get(machine_id, (0.0, 0.0))
        if a.header.t0 >= newest_t0 or newest_t0 > arrived_t + s.clock_tolerance_s:
            self.newest[machine_id] = (a.header.t0, arrived_t)
            return False
        return arrived_t - newest_arrived_t <= s.silence_after_s

    def _watch_clock(self, h: Header, arrived_t: float) -> None:
        offset_s = h.t0 + h.duration_s - arrived_t
        was_off = self.clock_off.get(h.machine_id)
        share = CLOCK_HYSTERESIS if was_off else 1.0
        off = abs(offset_s) > share * self.settings.clock_tolerance_s
        if off != was_off:
            self.clock_off[h.machine_id] = off
            wrong = (reason("clock_off"), reason("clock_offset", offset_s=offset_s))
            reasons = wrong if off else (reason("clock_right"),)
            set_flag(self.client, h.machine_id, "clock", off, *reasons)


def classify(
    duplicates: DuplicateFilter, h: Header, entry_id: str, progress: bytes | None
) -> Admission:
    """Return what becomes of a window; its machine's filter remembers it.

    A window with a row of progress was admitted before. Its mark may have fallen out of the horizon
    since: taken for new, it would be counted again and push out the marks of later windows.
    """
    run = duplicates.run_of(h)
    decision: Decision = "again"
    forgotten: list[str] = []
    begin = None
    if progress is None:
        decision, forgotten = duplicates.classify(h, entry_id)
        begin = progress = _only(h.replay_family) if h.replay_family else _OPEN
    restarted = decision == "new" and duplicates.run_of(h) != run and not h.replay_of
    return Admission(
        entry_id=entry_id,
        header=h,
        decision=decision,
        mark=mark(h),
        forgotten=tuple(forgotten),
        run=duplicates.run_of(h),
        restarted=restarted,
        families=_open_families(progress),
        progress=begin,
    )


def _only(family: str) -> bytes:
    """Return the progress of a window that one family must see: the others are done with it."""
    return "".join("-" if f == family else "d" for f in INDEX).encode()


def _open_families(progress: bytes) -> frozenset[str]:
    return frozenset(f for f, i in INDEX.items() if progress[i - 1 : i] == b"-")


def _with_known_family(header: Header) -> Header:
    """Return the header, unless it names a family that does not exist."""
    if header.replay_family and header.replay_family not in INDEX:
        detail = f"replay_family: {header.replay_family!r}, expected one of {', '.join(INDEX)}"
        raise WireError("bad_family", detail, "replay_family")
    return header


_OPEN = b"-" * len(INDEX)
