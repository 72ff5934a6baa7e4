"""What the bridge takes in: entries of the raw stream become pieces of records, or dead letters.

It remembers each machine's windows, nameplate, vehicle and clock, and forgets all of it with the
bridge, which makes a new intake after any doubt.
"""

from collections.abc import Iterable, Sequence

import structlog

from vtox import keys
from vtox.bridge.deduplication import Seen, mark
from vtox.bridge.record_joiner import Piece
from vtox.domain import Motor
from vtox.errors import WireError
from vtox.settings import Settings
from vtox.store.client import Client
from vtox.store.flags import set_flag
from vtox.store.ledger import INDEX, Ledger
from vtox.store.machines import states
from vtox.wire import Fields, Header, Limits, decode_header

log = structlog.get_logger()

# The lag between a window's end and its arrival that the clock check allows is a setting; a
# machine counts as back in time again at this share of it.
CLOCK_HYSTERESIS = 0.8

Entry = tuple[bytes, Fields | None]


class Intake:
    """What is known of the machines that send, and of how large their entries are."""

    def __init__(self, client: Client, settings: Settings, ledger: Ledger) -> None:
        self.client = client
        self.settings = settings
        self.ledger = ledger
        self.limits = Limits(settings.max_window_bytes, settings.max_samples)
        self.seen: dict[str, Seen] = {}
        self.motors: dict[str, Motor | None] = {}
        self.vehicles: dict[str, str | None] = {}
        self.clock_off: dict[str, bool] = {}
        self.mean_bytes = 64 << 10

    def admit(self, entries: Sequence[Entry], letters: Sequence[bytes | None]) -> list[Piece]:
        """Refuse what is malformed or a duplicate, remember the rest, and return it.

        `letters` tell for each entry what the families have made of it so far (`keys.PROGRESS`);
        what a family has already assigned or finished is not in its piece again.
        """
        good = [
            (e.decode(), h, p)
            for (e, h), p in zip(self._headers(entries), letters, strict=True)
            if h is not None
        ]
        self._recall({h.machine_id for _, h, _ in good})
        arrivals: dict[str, float] = {}
        new: list[tuple[Header, float]] = []
        pipe = self.client.pipeline(transaction=True)
        pieces: list[Piece] = []
        restarted: list[str] = []
        for entry_id, h, progress in good:
            seen = self.seen[h.machine_id]
            run = seen.run_of(h)
            verdict, forgotten = seen.admit(h, entry_id)
            if verdict == "new" and progress is not None:
                # Dispatched before a restart; its machine was retired since, or its mark forgotten.
                verdict = "again"
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
                pieces.append(Piece(entry_id, seen.run_of(h), h, families))
        if arrivals:
            pipe.zmscore(keys.MACHINES, list(arrivals))
            pipe.zadd(keys.MACHINES, arrivals)
        replies = pipe.execute()
        if arrivals:
            listed = dict(zip(arrivals, replies[-2], strict=True))
            self._note(new, {m for m, t in listed.items() if t is None})
        if restarted:  # one line a read: a sender whose seq stands still restarts with every window
            log.info("senders began anew", times=len(restarted), last=restarted[-1])
        return pieces

    def look_up(self, machine_ids: Iterable[str] | None = None) -> None:
        """Look up nameplates, by which long records get their length; None: of all met so far."""
        ids = list(self.seen if machine_ids is None else machine_ids)
        if ids:
            self.motors |= {m: s.motor for m, s in zip(ids, states(self.client, ids), strict=True)}

    def _headers(self, entries: Sequence[Entry]) -> list[tuple[bytes, Header | None]]:
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
        self.look_up(new)
        pipe = self.client.pipeline(transaction=False)
        for m in new:
            pipe.hgetall(keys.seen(m))
        for m, stored in zip(new, pipe.execute(), strict=True):
            marks = {k.decode(): v.decode() for k, v in stored.items()}
            self.seen[m] = Seen.restored(self.settings.duplicate_horizon, marks)

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


def _known(header: Header) -> Header:
    """Return the header, unless it asks for a family that nobody has."""
    if header.replay_family and header.replay_family not in INDEX:
        said = f"replay_family: {header.replay_family!r}, expected one of {', '.join(INDEX)}"
        raise WireError("bad_family", said, "replay_family")
    return header
