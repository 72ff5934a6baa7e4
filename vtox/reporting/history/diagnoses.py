"""Lists of recorded diagnoses, newest first: of one machine, or of all."""

import time
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select, tuple_

from vtox.motor.faults import FAULTS
from vtox.pipeline.store.stream.entries import Result
from vtox.reporting.history.schema import outcomes, records, series

# A page of all machines is looked for in stretches of time, for the table has its rows by machine.
# The first stretch is as long as a page takes with a record every 3 s of each fault (the mean of
# VTOX's own machines), and holds one of each. With a filter it has as many rows as SQLite reads in
# some 50 ms. The next stretches are longer.
RECORD_EVERY_MS = 3000
FILTERED_ROWS = 50_000
GROWTH = 4
CHEAP_S = 0.03
# Then a page ends, short, and says where the next one goes on: after this CPU time (SQLite works in
# this thread), or, of a database elsewhere, after this time.
CPU_FOR_A_PAGE_S, TIME_FOR_A_PAGE_S = 0.1, 1.0


class PagePosition(NamedTuple):
    """Position of a record in the list: the next page has the records before it."""

    t_ms: int
    id_ms: int
    id_seq: int
    series_id: int


class RecordedDiagnosis(NamedTuple):
    """The fields of a diagnosis that the history keeps, and its place in the list."""

    place: PagePosition
    result: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Filter of diagnoses; None: all. `arrived_before` are the numbers of the id of an entry."""

    machine_id: str | None = None
    fault: str | None = None
    state: str | None = None
    code: str | None = None
    arrived_before: tuple[int, int] | None = None


def recorded_diagnoses(
    db: Connection, wanted: Wanted, before: PagePosition, oldest_ms: int, limit: int
) -> tuple[list[RecordedDiagnosis], PagePosition | None]:
    """Return diagnoses before a place, newest first, and where the next page begins; None: nowhere.

    Records older than `oldest_ms` are not looked for: the retention deletes them.
    """
    found: list[RecordedDiagnosis] = []
    began, began_cpu = time.monotonic(), time.thread_time()
    stretch_ms, end = _first_stretch_ms(db, wanted, limit), before
    while len(found) <= limit and end.t_ms > oldest_ms:
        turn, turn_cpu = time.monotonic(), time.thread_time()
        start_ms = end.t_ms - stretch_ms
        found += _stretch(db, wanted, max(start_ms, oldest_ms), end, limit + 1 - len(found))
        end = PagePosition(start_ms, 0, 0, 0)
        now, now_cpu = time.monotonic(), time.thread_time()
        is_late = now_cpu - began_cpu > CPU_FOR_A_PAGE_S or now - began > TIME_FOR_A_PAGE_S
        if is_late and len(found) <= limit:
            return found, end if start_ms > oldest_ms else None
        if now_cpu - turn_cpu < CHEAP_S and now - turn < TIME_FOR_A_PAGE_S / 4:
            stretch_ms *= GROWTH
    return found[:limit], found[limit - 1].place if len(found) > limit else None


def _first_stretch_ms(db: Connection, wanted: Wanted, limit: int) -> int:
    names = select(func.count()).select_from(series).where(*_series_conditions(wanted))
    rows = limit + 1 if wanted.state is None and wanted.code is None else FILTERED_ROWS
    return max(RECORD_EVERY_MS * rows // max(db.execute(names).scalar_one(), 1), RECORD_EVERY_MS)


def _stretch(
    db: Connection, wanted: Wanted, start_ms: int, end: PagePosition, limit: int
) -> list[RecordedDiagnosis]:
    c = records.c
    place = (c.t_ms, c.id_ms, c.id_seq, c.series_id)
    statement = (
        select(
            *place,
            c.duration_ms,
            series.c.machine_id,
            series.c.quantity.label("fault"),
            outcomes.c.state,
            outcomes.c.code,
            c.value.label("statistic"),
            c.threshold,
            c.severity,
            c.confidence,
        )
        .join(records, c.series_id == series.c.id)
        .join(outcomes, outcomes.c.id == c.outcome_id)
        # The first condition lets the key begin there, the second cuts the rows with the same time.
        .where(c.t_ms >= start_ms, c.t_ms <= end.t_ms, tuple_(*place) < tuple_(*end))
        .where(*_conditions(wanted))
        .order_by(*(column.desc() for column in place))
        .limit(limit)
    )
    return [_diagnosis(dict(row)) for row in db.execute(statement).mappings()]


def _diagnosis(row: dict[str, Any]) -> RecordedDiagnosis:
    place = PagePosition(*(row.pop(name) for name in PagePosition._fields))
    end_s = place.t_ms / 1000
    start_s = end_s - row.pop("duration_ms") / 1000
    family = FAULTS[row["fault"]].name
    return RecordedDiagnosis(place, Result(**row, family=family, t_start=start_s, t_end=end_s))


def _series_conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    c = series.c
    fault = c.quantity.in_(FAULTS) if wanted.fault is None else c.quantity == wanted.fault
    return [fault] if wanted.machine_id is None else [fault, c.machine_id == wanted.machine_id]


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions = _series_conditions(wanted)
    if wanted.state is not None:
        conditions.append(outcomes.c.state == wanted.state)
    if wanted.code is not None:
        conditions.append(outcomes.c.code == wanted.code)
    if wanted.arrived_before is not None:
        numbers = tuple_(records.c.id_ms, records.c.id_seq)
        conditions.append(numbers < tuple_(*wanted.arrived_before))
    return conditions
