"""Time that the history keeps each kind of data, and the deletion of older data."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, Connection, Engine, Table, bindparam, delete, exists, select

from vtox.motor.values.scalars import PREFIX
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.ledger.retention_clock import KeptTime, RetentionClock, first_time
from vtox.pipeline.store.server.client import server_time
from vtox.reporting.history.schema import (
    alarm_actions,
    alerts,
    energy_days,
    energy_quarters,
    hours,
    minutes,
    missed,
    positions,
    records,
    retention_clock,
    series,
    start_parts,
)

# A transaction deletes of so many series: a few ms in which the recorder or another one waits.
SERIES_PER_TRANSACTION = 500


@dataclass(frozen=True, slots=True)
class Oldest:
    """From when on (ms, server clock) each table keeps rows."""

    records_ms: int
    minutes_ms: int
    hours_ms: int


def oldest_kept(settings: Settings, now_ms: int) -> Oldest:
    """Return from when on each table keeps rows.

    Hours stay at least as long as minutes, and these as long as records: a trend has no hole where
    one ends and the next begins.
    """
    records_ms = now_ms - round(1000 * settings.keep.history_records.s)
    minutes_ms = min(records_ms, now_ms - round(1000 * settings.keep.history_minutes.s))
    hours_ms = min(minutes_ms, now_ms - round(1000 * settings.keep.history_hours.s))
    return Oldest(max(records_ms, 0), max(minutes_ms, 0), max(hours_ms, 0))


def keep_time(engine: Engine, clock: RetentionClock) -> float:
    """Take the time on by which the history deletes; return it, s since 1970.

    It is never later than the server's clock, and kept in the history. A server with another clock,
    or without a kept one, therefore does not change the records.
    """
    server_t = server_time(clock.client)
    with engine.begin() as db:
        row = db.execute(select(retention_clock)).mappings().one_or_none()
        ids = db.execute(select(positions.c.entry_id)).scalars().all()
    kept = KeptTime(row["t"], row["ahead_s"], row["lasted_s"]) if row else first_time(ids, server_t)
    # Not in the transaction, which others wait for, as it asks the server.
    found = clock.advance_clock(kept)
    with engine.begin() as db:
        db.execute(delete(retention_clock))
        db.execute(retention_clock.insert(), {"id": 0} | asdict(found))
    return min(found.t, server_t)


def delete_older(engine: Engine, oldest: Oldest) -> int:
    """Delete data past its retention, some series at a time; return how many rows."""
    with engine.begin() as db:
        quantities = db.execute(select(series.c.id, series.c.quantity)).all()
        deleted = 0
        for table in (alerts, alarm_actions):
            deleted += db.execute(delete(table).where(table.c.id_ms < oldest.hours_ms)).rowcount
        _delete_missed(db, oldest)
    every = [i for i, _ in quantities]
    of_scalars = [i for i, quantity in quantities if quantity.startswith(PREFIX)]
    others = [i for i, quantity in quantities if not quantity.startswith(PREFIX)]
    c, records_ms = records.c, oldest.records_ms
    for table, older, ids in (
        (records, c.t_ms < records_ms, others),
        # A late reading stays for as long after its arrival: it is known if it comes again.
        (records, (c.t_ms < records_ms) & (c.id_ms < records_ms), of_scalars),
        (minutes, minutes.c.t < oldest.minutes_ms // 1000, every),
        *(
            (t, t.c.t < oldest.hours_ms // 1000, every)
            for t in (hours, energy_quarters, energy_days)
        ),
        (start_parts, start_parts.c.t_ms < oldest.hours_ms, every),
    ):
        for start in range(0, len(ids), SERIES_PER_TRANSACTION):
            with engine.begin() as db:
                part = ids[start : start + SERIES_PER_TRANSACTION]
                deleted += _delete_of_series(db, table, older, part)
    for start in range(0, len(of_scalars), SERIES_PER_TRANSACTION):
        with engine.begin() as db:
            some = series.c.id.in_(of_scalars[start : start + SERIES_PER_TRANSACTION])
            deleted += db.execute(delete(series).where(some, *_WITHOUT_ROWS)).rowcount
    return deleted


# A sender makes up the names of scalars: one of which nothing is left makes room for another.
_WITHOUT_ROWS = tuple(
    ~exists().where(t.c.series_id == series.c.id) for t in (records, minutes, hours)
)


def _delete_of_series(
    db: Connection, table: Table, older: ColumnElement[bool], ids: Sequence[int]
) -> int:
    statement = delete(table).where(table.c.series_id == bindparam("one"), older)
    return db.execute(statement, [{"one": i} for i in ids]).rowcount


def _delete_missed(db: Connection, oldest: Oldest) -> None:
    rows = db.execute(select(missed.c.stream, missed.c.after_id, missed.c.before_id)).all()
    for stream, after_id, before_id in rows:
        if int(before_id.partition("-")[0]) < oldest.hours_ms:
            this = (missed.c.stream == stream) & (missed.c.after_id == after_id)
            db.execute(delete(missed).where(this))
