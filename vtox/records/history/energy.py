"""What meters counted, by quarter-hour and by day: written with the results, read as exact sums."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Table, func, select

from vtox.records.history.database import execute_many, insert
from vtox.records.history.downsampling import Row
from vtox.records.history.schema import energy_days, energy_quarters, series
from vtox.store.machines.points import Point
from vtox.values.energy import NOTHING, QUARTER_S, MeterCounts, counts_from_text

DAY_S = 86_400
# Larger ones are of no machine, and a sum of them would not fit.
_LARGEST = 1 << 52


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was counted of one machine from `t` on, s since 1970."""

    machine_id: str
    t: int
    counts: MeterCounts


def add_energy(db: Connection, rows: Sequence[Row], points: Sequence[Point]) -> None:
    """Add what the records of points counted to their quarter-hours and days.

    A record counts where it begins, by its sender's clock, but no later than it arrived.
    """
    by_quarter: dict[tuple[int, int], MeterCounts] = {}
    for row, point in zip(rows, points, strict=True):
        counts = _counts(point.energy)
        if counts is not None:
            begins_s = max(row.t_ms - row.duration_ms, 0) // 1000
            key = (row.series_id, begins_s // QUARTER_S * QUARTER_S)
            by_quarter[key] = by_quarter.get(key, NOTHING).plus(counts)
    by_day: dict[tuple[int, int], MeterCounts] = {}
    for (number, t), counts in by_quarter.items():
        key = (number, t // DAY_S * DAY_S)
        by_day[key] = by_day.get(key, NOTHING).plus(counts)
    for table, sums in ((energy_quarters, by_quarter), (energy_days, by_day)):
        if sums:
            _add(db, table, sums)


def _counts(text: bytes | None) -> MeterCounts | None:
    if text is None:
        return None
    try:
        counts = counts_from_text(text.decode())
    except ValueError:
        return None
    return counts if any(counts) and all(abs(n) < _LARGEST for n in counts) else None


def _add(db: Connection, table: Table, sums: dict[tuple[int, int], MeterCounts]) -> None:
    statement = insert(db, table)
    merged = {name: table.c[name] + statement.excluded[name] for name in MeterCounts._fields}
    execute_many(
        db,
        statement.on_conflict_do_update(index_elements=table.primary_key, set_=merged),
        [(*key, *counts) for key, counts in sums.items()],
    )


def quarters(db: Connection, machine_id: str, from_s: int, to_s: int, step_s: int) -> list[Stretch]:
    """Return what one machine counted from one time to another, in steps of whole quarter-hours."""
    c = energy_quarters.c
    begins = c.t - c.t % step_s
    statement = (
        select(begins, *_sums(energy_quarters))
        .join(series, series.c.id == c.series_id)
        .where(series.c.machine_id == machine_id, c.t >= from_s, c.t < to_s)
        .group_by(begins)
        .order_by(begins)
    )
    return [Stretch(machine_id, int(t), _row(row)) for t, *row in db.execute(statement)]


def fleet(db: Connection, from_s: int, to_s: int) -> list[Stretch]:
    """Return what each machine counted from one time to another, in any order.

    Whole days come from their own rows: a quarter of a thousand machines is 90,000 of them.
    """
    first_day, last_day = -(-from_s // DAY_S) * DAY_S, to_s // DAY_S * DAY_S
    if first_day >= last_day:
        parts = [(energy_quarters, from_s, to_s)]
    else:
        parts = [
            (energy_quarters, from_s, first_day),
            (energy_days, first_day, last_day),
            (energy_quarters, last_day, to_s),
        ]
    found: dict[str, MeterCounts] = {}
    for table, start, end in parts:
        for machine_id, *row in db.execute(_of_machines(table, start, end)) if start < end else ():
            found[machine_id] = found.get(machine_id, NOTHING).plus(_row(row))
    return [Stretch(machine_id, from_s, counts) for machine_id, counts in found.items()]


def fleet_days(db: Connection, from_s: int, to_s: int) -> list[Stretch]:
    """Return what all machines together counted on each day."""
    c = energy_days.c
    statement = (
        select(c.t, *_sums(energy_days))
        .where(c.t >= from_s, c.t < to_s)
        .group_by(c.t)
        .order_by(c.t)
    )
    return [Stretch("", int(t), _row(row)) for t, *row in db.execute(statement)]


def _of_machines(table: Table, start: int, end: int):  # type: ignore[no-untyped-def]
    summed = (
        select(table.c.series_id, *_sums(table))
        .where(table.c.t >= start, table.c.t < end)
        .group_by(table.c.series_id)
        .subquery()
    )
    counted = (summed.c[name] for name in MeterCounts._fields)
    return select(series.c.machine_id, *counted).join(summed, summed.c.series_id == series.c.id)


def _sums(table: Table) -> list:  # type: ignore[type-arg]
    return [func.sum(table.c[name]).label(name) for name in MeterCounts._fields]


def _row(row: Iterable[object]) -> MeterCounts:
    # PostgreSQL sums whole numbers as decimals.
    return MeterCounts(*(int(n) for n in row))  # type: ignore[call-overload]
