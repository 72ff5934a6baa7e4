"""One batch of a stream into the tables, in one transaction with the position behind it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, Table, case, func, select, update

from vtox.motor.alarms.health.alert_values import Alert
from vtox.motor.errors import VtoxError
from vtox.motor.values import codec
from vtox.motor.values.codec import RawFields
from vtox.motor.values.scalars import MOST_OF_MACHINE, PREFIX, name_and_unit
from vtox.pipeline.configuration import keys
from vtox.pipeline.errors import TooManyScalars
from vtox.pipeline.store.alarms.alarm_actions import decode_action
from vtox.pipeline.store.machines.line_levels import QUANTITIES as LINE_QUANTITIES
from vtox.pipeline.store.machines.line_levels import LineSampler
from vtox.pipeline.store.machines.points import POINTS_OF, Point, entry_numbers
from vtox.pipeline.store.stream.stream_reader import BEGIN, Batch, Missed, Position
from vtox.pipeline.store.stream.unreadable import Unreadable, read_each
from vtox.reporting.history.database import execute_many, insert
from vtox.reporting.history.downsampling import Aggregate, Key, hours_of, minutes_of
from vtox.reporting.history.energy import add_energy
from vtox.reporting.history.names import Names
from vtox.reporting.history.redone import Redone
from vtox.reporting.history.retention import Oldest
from vtox.reporting.history.scalars import unrecorded, without_room
from vtox.reporting.history.schema import (
    alarm_actions,
    alerts,
    hours,
    minutes,
    missed,
    positions,
    records,
)
from vtox.reporting.history.starts import add_starts


@dataclass(slots=True)
class Portion:
    """The content of one transaction: a stretch of a stream, from one position to another.

    A stream leads to points, or each of its entries to a row. `lines` takes samples of results.
    `filled` are machines that have as many scalars as they may by this portion.
    """

    start: Position
    end: Position
    lines: LineSampler
    entries: int = 0
    points: list[Point] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    missed: list[Missed] = field(default_factory=list)
    skipped: list[tuple[bytes, Unreadable]] = field(default_factory=list)
    filled: list[str] = field(default_factory=list)

    def add(self, batch: Batch, oldest: Oldest, retired: Mapping[str, int]) -> None:
        """Append a batch, without entries past their retention or the end of a retired machine.

        `retired` is machine id -> time of its retirement (ms, server clock).
        """
        self.end = batch.end
        self.entries += len(batch.entries)
        if batch.missed:
            self.missed.append(batch.missed)
        if self.start.stream in _ROWS_OF:
            rows, skipped = read_each(batch.entries, partial(_row, self.start.stream, oldest))
            self.rows += (r for _, r in rows if r and r["id_ms"] > retired.get(r["machine_id"], -1))
        else:
            points, skipped = read_each(
                batch.entries, partial(_points, self.start.stream, self.lines)
            )
            for entry_id, p in ((i, p) for i, of_entry in points for p in of_entry):
                if p.t_ms < oldest.hours_ms:
                    if self.start.stream == keys.SCALARS:
                        skipped.append((entry_id, _too_old(p, oldest)))
                elif p.id_ms > retired.get(p.machine_id, -1):
                    self.points.append(p)
        self.skipped += skipped

    def refuse(self, p: Point, code: str, why: VtoxError) -> None:
        """Count a point as one that is passed over; it must not be in `points` any more."""
        self.skipped.append((f"{p.id_ms}-{p.id_seq}".encode(), Unreadable(code, str(why))))


def _position(db: Connection, stream: str) -> Position:
    """Return up to where a stream was recorded."""
    row = db.execute(select(positions).where(positions.c.stream == stream)).one_or_none()
    return Position(stream, row.entry_id, row.entries_read) if row else Position(stream)


def positions_of(engine: Engine) -> dict[str, Position]:
    """Return the position in every stream; those of new ones are made."""
    with engine.begin() as db:
        streams = (*POINTS_OF, *_ROWS_OF)
        new = [{"stream": s, "entry_id": BEGIN} for s in streams]
        db.execute(insert(db, positions).on_conflict_do_nothing(), new)
        return {s: _position(db, s) for s in streams}


def write(
    engine: Engine,
    portion: Portion,
    names: Names,
    redone: Redone,
    oldest: Oldest,
    write_profiles: Callable[[Connection], None],
) -> bool:
    """Write a portion and move the position behind it; False if another recorder has moved it.

    Moving it comes first, and locks its row: of two recorders one waits for the other's end, and
    finds the position moved. So nothing is added to a sum twice, nor is a result that was recorded
    before the server lost it.
    """
    with engine.begin() as db:
        if not _move(db, portion.start, portion.end):
            return False
        for gap in portion.missed:
            db.execute(insert(db, missed).on_conflict_do_nothing(), asdict(gap))
        if portion.rows:
            table, _ = _ROWS_OF[portion.start.stream]
            db.execute(insert(db, table).on_conflict_do_nothing(), portion.rows)
        if portion.points and portion.start.stream == keys.SCALARS:
            _refuse_new_names(db, portion)
        if portion.points:
            _write_points(db, portion.points, names, redone, oldest)
        write_profiles(db)
    return True


def _refuse_new_names(db: Connection, portion: Portion) -> None:
    """Move the readings under new names of machines that may get no more to `skipped`."""
    refused, portion.filled = without_room(db, portion.points)
    for p in (p for p in portion.points if (p.machine_id, p.quantity) in refused):
        why = TooManyScalars(p.machine_id, *name_and_unit(p.quantity), MOST_OF_MACHINE)
        portion.refuse(p, "too_many_scalars", why)
    portion.points = [p for p in portion.points if (p.machine_id, p.quantity) not in refused]


def _move(db: Connection, start: Position, end: Position) -> bool:
    at_start = (positions.c.stream == start.stream) & (positions.c.entry_id == start.entry_id)
    moved = update(positions).where(at_start)
    values = {"entry_id": end.entry_id, "entries_read": end.entries_read}
    return db.execute(moved.values(values)).rowcount == 1


def _write_points(
    db: Connection, points: list[Point], names: Names, redone: Redone, oldest: Oldest
) -> None:
    if points[0].quantity.startswith(PREFIX):
        # Looked up each time: a deletion, of another recorder too, takes those without rows.
        rows = of_records = unrecorded(db, Names().rows(db, points), oldest.records_ms)
    else:
        rows = names.rows(db, points)
        if known := redone.entries(db, rows):
            rows = [row for row in rows if (row.id_ms, row.id_seq) not in known]
            points = [p for p in points if (p.id_ms, p.id_seq) not in known]
        of_records = [
            row
            for row, point in zip(rows, points, strict=True)
            if point.quantity not in LINE_QUANTITIES
        ]
        add_energy(db, rows, points)
        add_starts(db, rows, points)
    # Old ones too, so that they are known if they come again: the next deletion takes them.
    if of_records:
        execute_many(db, insert(db, records).on_conflict_do_nothing(), of_records)
        redone.note(of_records)
    by_minute = minutes_of(rows)
    kept = {key: a for key, a in by_minute.items() if 1000 * key[1] >= oldest.minutes_ms}
    _add(db, minutes, kept)
    _add(db, hours, hours_of(by_minute))


def _add(db: Connection, table: Table, aggregates: Mapping[Key, Aggregate]) -> None:
    """Add to the rows of a table of minutes or hours."""
    if not aggregates:
        return
    statement = insert(db, table)
    old, new = table.c, statement.excluded
    smaller = (old.minimum.is_(None)) | (new.minimum < old.minimum)
    larger = (old.maximum.is_(None)) | (new.maximum > old.maximum)
    severer = (old.severity.is_(None)) | (new.severity > old.severity)
    merged = {
        "n": old.n + new.n,
        "n_values": old.n_values + new.n_values,
        "total": old.total + new.total,
        "minimum": case((smaller, new.minimum), else_=old.minimum),
        "maximum": case((larger, new.maximum), else_=old.maximum),
        "threshold": func.coalesce(new.threshold, old.threshold),
        "severity": case((severer, new.severity), else_=old.severity),
    }
    execute_many(
        db,
        statement.on_conflict_do_update(index_elements=table.primary_key, set_=merged),
        [(*key, *aggregate.columns()) for key, aggregate in aggregates.items()],
    )


def _points(stream: str, lines: LineSampler, entry_id: bytes, fields: RawFields) -> list[Point]:
    """Return the points of an entry."""
    points = list(POINTS_OF[stream](entry_id, fields))
    if stream == keys.RESULTS:
        points += [line for p in points for line in lines.points(p, fields)]
    return points


def _too_old(p: Point, oldest: Oldest) -> Unreadable:
    said = f"{p.machine_id} {p.quantity}: t {p.t_ms / 1000}, kept are readings from "
    return Unreadable("too_old", f"{said}{oldest.hours_ms / 1000} on (VTOX_KEEP__HISTORY_HOURS)")


def _row(stream: str, oldest: Oldest, entry_id: bytes, fields: RawFields) -> dict[str, Any] | None:
    """Return the row of an entry, None if it is none of ours, or too old."""
    numbers = entry_numbers(entry_id)
    if numbers is None or numbers[0] < oldest.hours_ms:
        return None
    _, row_of = _ROWS_OF[stream]
    if not (row := row_of(fields)):
        return None
    # PostgreSQL has no character 0; a foreign entry may.
    clean = {n: v.replace("\0", "") if isinstance(v, str) else v for n, v in row.items()}
    return {"id_ms": numbers[0], "id_seq": numbers[1], **clean}


def _alert_row(fields: RawFields) -> dict[str, Any]:
    a = codec.decode_fields(Alert, fields)
    names = ("machine_id", "fault", "level", "event", "t", "code", "reason")
    return {n: getattr(a, n) for n in names} | {
        "alert_id": a.id,
        "reason_values": codec.encode(dict(a.values)).decode(),
        "doubts": codec.encode(a.doubts).decode(),
    }


def _action_row(fields: RawFields) -> dict[str, Any] | None:
    a = decode_action(fields)
    if a is None:
        return None
    names = ("alarm_id", "machine_id", "fault", "key_id", "text", "until_ms", "outcome")
    return {n: getattr(a, n) for n in (*names, "request_id")} | {
        "action": a.name,
        "by_name": a.by,
        "t_ms": a.ms,
        **{n: getattr(a.work_order, n, None) for n in ("system", "reference", "url")},
    }


# Stream -> table, and the row of an entry, None if it is none of ours.
_ROWS_OF: Mapping[str, tuple[Table, Callable[[RawFields], dict[str, Any] | None]]] = {
    keys.ALERTS: (alerts, _alert_row),
    keys.ALARM_ACTIONS: (alarm_actions, _action_row),
}
