"""The rows of the tables that are taken out, read from the history as they come."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple
from typing import Any

from sqlalchemy import Connection, select, text

from vtox.motor.errors import InputError
from vtox.reporting.history.queries import recorded_until_s
from vtox.reporting.history.schema import series, start_parts
from vtox.reporting.history.starts import starts
from vtox.reporting.history.views import TABLES, KeptTable

Row = tuple[Any, ...]
# Rows that are in memory at once.
_AT_ONCE = 10_000
_T_END = 4_102_444_800.0  # 2100-01-01


def rows(
    db: Connection,
    table: str,
    machines: Sequence[str] = (),
    *,
    from_t: float = 0.0,
) -> Iterator[Row]:
    """Yield the rows of a table in the order of its columns, by machine and time.

    Parameters
    ----------
    table
        One of `TABLES`.
    machines
        Only of these; of all without any.
    from_t
        From when on, s since 1970 (UTC).

    Raises
    ------
    InputError
        There is no such table.
    """
    of = table_of(table)
    if table == "starts":
        yield from _starts(db, machines, from_t)
        return
    named = {f"m{i}": m for i, m in enumerate(machines)}
    only = f"AND machine_id IN ({', '.join(f':{n}' for n in named)})" if named else ""
    statement = text(
        f"SELECT {', '.join(of.columns)} FROM ({of.query}) v "
        f"WHERE {of.time} >= :from_t {only} ORDER BY machine_id, {of.time}"
    )
    found = db.execution_options(yield_per=_AT_ONCE).execute(statement, {"from_t": from_t, **named})
    for row in found:
        yield tuple(row)


def table_of(name: str) -> KeptTable:
    """Return the table that has a name.

    Raises `InputError`: there is no such table.
    """
    if name not in TABLES:
        raise InputError(f"no table {name!r}, expected one of {', '.join(TABLES)}")
    return TABLES[name]


def last_seconds(db: Connection, span_s: float | None) -> float:
    """Return the start of the last `span_s` of the records, s since 1970; None: all of them."""
    until_s = recorded_until_s(db)
    return 0.0 if span_s is None or until_s is None else max(until_s - span_s, 0.0)


def _starts(db: Connection, machines: Sequence[str], from_t: float) -> Iterator[Row]:
    c = series.c
    known = (
        select(c.machine_id)
        .where(c.id.in_(select(start_parts.c.series_id).distinct()))
        .distinct()
        .order_by(c.machine_id)
    )
    for machine_id in db.scalars(known).all():
        if not machines or machine_id in machines:
            for start in starts(db, machine_id, from_t, _T_END):
                yield (machine_id, *astuple(start))
