"""From the streams to the outbox: each entry once, to the targets that the rules name."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import orjson
import structlog
from sqlalchemy import Engine

from vtox.motor.alarms.book import Book
from vtox.motor.alarms.health.growth import Growth
from vtox.motor.values.codec import TEXT_MAX, RawFields
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms.alarm_book import KeptBook
from vtox.pipeline.store.machines.fleet import FleetMachine, priority_among, read_machines
from vtox.pipeline.store.server.client import Client, server_time_ms
from vtox.pipeline.store.stream import stream_reader
from vtox.pipeline.store.stream.outputs import entry_order, newest_id
from vtox.pipeline.store.stream.stream_reader import Batch, Position
from vtox.pipeline.store.stream.unreadable import Unreadable, note_skipped, read
from vtox.reporting.history.growth import alarm_growth
from vtox.reporting.history.retention import oldest_kept
from vtox.reporting.notification import outbox, outbox_digests
from vtox.reporting.notification.events import AlarmEvent, event_of_entry, event_of_message
from vtox.reporting.notification.messages import alarm_message, digest_message, encode
from vtox.reporting.notification.outbox import NewDelivery, State
from vtox.reporting.notification.plan import (
    ENDS_TOGETHER_MS,
    Schedule,
    SecondNotice,
    gather_ends,
    is_answered,
    plans,
    second_notices,
)
from vtox.reporting.notification.rules import Rules

log = structlog.get_logger()

STREAMS = (keys.ALERTS, keys.ALARM_ACTIONS)
# Entries of a stream in one transaction.
ENTRIES_AT_ONCE = 200
# After these an alarm needs no action for a time, or none any more.
WAITS_FOR_NOBODY = frozenset({"cleared", "closed", "shelved", "suppressed", "out_of_service"})
# Stream -> the ids of entries that cannot be read, and why.
Skipped = dict[str, list[tuple[bytes, Unreadable]]]


class _Rows(NamedTuple):
    """Rows that events add to the outbox and end there (`ended` as in `outbox.add`).

    `held` are target, alarm and event of messages that wait for the end of a suspension.
    """

    new: list[NewDelivery]
    ended: list[tuple[str, str]]
    held: set[tuple[str, str, str]]


class _Present(NamedTuple):
    """The alarms and their machines, as they are at `ms` (server clock).

    `gathering` is when the digest of a target is due that ends of alarms join.
    """

    book: Book
    machines: Mapping[str, FleetMachine]
    ms: int
    gathering: Mapping[str, int]


class Consumer:
    """Follows the streams; knows up to where."""

    def __init__(self, client: Client, engine: Engine, rules: Rules, settings: Settings) -> None:
        self.settings = settings
        self.client = client
        self.engine = engine
        self.rules = rules
        self._book = KeptBook()
        self._positions: dict[str, Position] = {}
        # A new outbox begins here, after the file of this one was deleted.
        self._followed: dict[str, Position] = {}

    def follow(self) -> bool:
        """Bring new entries into the outbox; False if there are more."""
        if not self._positions:
            # The first notifier begins with the next entry, not with the alarms of months.
            begins = [
                self._followed.get(s) or Position(s, newest_id(self.client, s)) for s in STREAMS
            ]
            self._positions = outbox.positions(self.engine, begins)
            self._followed |= self._positions
        batches = [
            stream_reader.read(self.client, self._positions[s], ENTRIES_AT_ONCE) for s in STREAMS
        ]
        moved = [b for b in batches if b.start != b.end]
        if not moved:
            return True
        rows, skipped = self._rows(moved)
        moves, overtaking = [(b.start, b.end) for b in moved], self._overtaking(rows.new)
        if not outbox.add(self.engine, moves, rows.new, rows.ended, overtaking):
            # Another notifier was here: go on where it ended.
            self.forget()
            return False
        self._positions |= {b.end.stream: b.end for b in moved}
        self._followed |= self._positions
        for stream, entries in skipped.items():
            note_skipped(self.client, "notifier", stream, entries)
        _warn_of_missed(moved)
        return all(b.complete for b in batches)

    def forget(self) -> None:
        """Forget the positions, which a failed transaction may have made wrong."""
        self._positions.clear()

    def resume_suspended(self) -> None:
        """Let go messages that waited for the end of a suspension that is over."""
        held = outbox.suspended(self.engine)
        if not held:
            return
        book, now_ms = self._book.read(self.client, keep=False)
        for row_id, target, alarm_id, body in held:
            alarm = book.alarms.get(alarm_id)
            if alarm is not None and alarm.active and alarm.suspensions:
                continue
            plan = None
            if alarm is not None and alarm.active and alarm.outcome is None:
                event = event_of_message(orjson.loads(body))
                plan = plans(self.rules, event, now_ms, suspended=False).get(target)
            state = _state(plan) if plan else "dropped"
            outbox.resume(self.engine, row_id, state, plan.due_ms if plan else now_ms)

    def send_second_notices(self) -> None:
        """Let go alarms that waited too long for a person, and drop those seen to."""
        overdue = outbox.unacknowledged(self.engine, server_time_ms(self.client))
        if not overdue:
            return
        book, now_ms = self._book.read(self.client, keep=False)
        for row_id, target, alarm_id, body in overdue:
            alarm, event = book.alarms.get(alarm_id), event_of_message(orjson.loads(body))
            if alarm is None or is_answered(alarm, event.level):
                outbox.resume(self.engine, row_id, "dropped", now_ms)
            elif not alarm.suspensions:
                # After a suspension the alarm is new to people, and its time begins again.
                found = second_notices(self.rules, replace(event, ms=alarm.since_ms)).get(target)
                self._resume_unacknowledged(row_id, found, now_ms)

    def make_digests(self, now_ms: int) -> None:
        """Put together the digests that are due; waits for no server."""
        for target, due_ms in outbox_digests.due_digests(self.engine, now_ms):
            if self.rules.targets[target].has_human_readers:
                outbox_digests.send_alone(self.engine, target, due_ms)
            rows = outbox_digests.gathered(self.engine, target, due_ms)
            if not rows:
                continue
            messages = [orjson.loads(body) for _, body in rows]
            language = self.rules.targets[target].language
            message = digest_message(messages, due_ms, language, self.rules.page)
            digest = NewDelivery(
                target=target,
                message_id=f"vtox_digest_{target}_{due_ms}",
                alarm_id="",
                machine_id="",
                state="waiting",
                body=encode(message).decode(),
                created_ms=now_ms,
                due_ms=due_ms,
            )
            outbox_digests.replace_by_digest(self.engine, [i for i, _ in rows], digest)

    def _resume_unacknowledged(self, row_id: int, found: SecondNotice | None, now_ms: int) -> None:
        if found and found.due_ms > now_ms:
            outbox.resume(self.engine, row_id, "unacknowledged", found.due_ms)
        else:
            outbox.resume(self.engine, row_id, "waiting" if found else "dropped", now_ms)

    def _rows(self, batches: Sequence[Batch]) -> tuple[_Rows, Skipped]:
        """Return the rows of entries, and by stream the unreadable entries."""
        entries = [(i, b.end.stream, f) for b in batches for i, f in b.entries]
        entries.sort(key=lambda entry: entry_order(entry[0].decode()))
        book, now_ms = self._book.read(self.client, keep=False)
        gathering = dict(outbox_digests.due_digests(self.engine, now_ms + ENDS_TOGETHER_MS))
        present = _Present(book, self._machines(f for *_, f in entries), now_ms, gathering)
        found = _Rows([], [], self._held())
        skipped: Skipped = {}
        for entry_id, stream, fields in entries:
            rows = read(self._rows_of, stream, entry_id.decode(), fields, present, found.held)
            if isinstance(rows, Unreadable):
                skipped.setdefault(stream, []).append((entry_id, rows))
            else:
                found.new.extend(rows.new)
                found.ended.extend(rows.ended)
                found.held.update(rows.held)
        return found, skipped

    def _rows_of(
        self,
        stream: str,
        entry_id: str,
        fields: RawFields,
        present: _Present,
        held: Collection[tuple[str, str, str]],
    ) -> _Rows:
        """Return the rows of one entry."""
        rows = _Rows([], [], set())
        e = event_of_entry(stream, entry_id, fields, present.book, present.machines)
        if e is None:
            return rows
        alarm = present.book.alarms.get(e.alarm_id)
        suspended = alarm is not None and bool(alarm.suspensions)
        found = plans(self.rules, e, present.ms, suspended=suspended)
        if e.name == "cleared":
            found = gather_ends(found, self.rules, present.ms, present.gathering)
        for target, plan in found.items():
            if e.name == "cleared":
                rows.ended.append((target, e.alarm_id))
                # Without a message that it was raised there is none that it ended.
                if (target, e.alarm_id, "raised") in held:
                    continue
            if plan.suspended:
                rows.held.add((target, e.alarm_id, e.name))
            rows.new.append(self._row(e, target, plan, present))
        for target, notice in second_notices(self.rules, e).items():
            again, plan = e.unacknowledged(notice.minutes), Schedule(notice.due_ms)
            row = self._row(again, target, plan, present)
            rows.new.append(replace(row, state="unacknowledged"))
        return rows

    def _overtaking(self, new: Iterable[NewDelivery]) -> list[NewDelivery]:
        """Return rows that go at once to people, who may get the end of an earlier alarm later."""
        at_once = [n for n in new if n.state == "waiting" and n.alarm_id]
        return [n for n in at_once if self.rules.targets[n.target].has_human_readers]

    def _held(self) -> set[tuple[str, str, str]]:
        return {
            (target, alarm_id, orjson.loads(body)["data"]["event"])
            for _, target, alarm_id, body in outbox.suspended(self.engine)
        }

    def _machines(self, entries: Iterable[RawFields]) -> dict[str, FleetMachine]:
        sent = (fields.get(b"machine_id", b"") for fields in entries)
        ids = {m.decode("utf-8", "replace")[:TEXT_MAX] for m in sent}
        return {m.machine_id: m for m in read_machines(self.client, sorted(ids - {""}))}

    def _growth(self, e: AlarmEvent, now_ms: int) -> Growth | None:
        """Return the growth of the alarm of an event; None if it has ended, or is no fault."""
        if e.name == "cleared" or not (e.machine_id and e.alarm_id):
            return None
        began_ms = e.alarm_id.rpartition(":")[2]
        raised_t = int(began_ms) / 1000 if began_ms.isdecimal() else e.t
        of = (e.machine_id, e.fault, raised_t, now_ms / 1000)
        with self.engine.connect() as db:
            return alarm_growth(db, *of, oldest_kept(self.settings, now_ms))

    def _row(self, e: AlarmEvent, target: str, plan: Schedule, present: _Present) -> NewDelivery:
        language, now_ms = self.rules.targets[target].language, present.ms
        waits = e.alarm_id and e.name not in WAITS_FOR_NOBODY
        priority = priority_among(e, present.machines) if waits else None
        message = alarm_message(e, language, self.rules.page, self._growth(e, now_ms), priority)
        return NewDelivery(
            target=target,
            message_id=e.id,
            alarm_id=e.alarm_id.replace("\0", ""),
            machine_id=e.machine_id.replace("\0", ""),
            state=_state(plan),
            body=encode(message).decode(),
            created_ms=now_ms,
            due_ms=plan.due_ms,
        )


def _state(plan: Schedule) -> State:
    if plan.suspended:
        return "suspended"
    return "gathered" if plan.digest else "waiting"


def _warn_of_missed(batches: Sequence[Batch]) -> None:
    for b in batches:
        if b.missed:
            log.warning(
                "entries were trimmed before anybody was notified",
                stream=b.end.stream,
                entries=b.missed.entries,
            )
