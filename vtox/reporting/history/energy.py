"""Counts of meters by quarter-hour and by day: written with the results, read as exact sums."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Case, Connection, Table, and_, case, func, or_, select

from vtox.motor.values.arrays import Bool, Int
from vtox.motor.values.energy import COUNTS_FORM, NOTHING, QUARTER_S, MeterCounts, counts_of, in_kwh
from vtox.pipeline.configuration.prices import QUARTERS_A_WEEK, quarters_ahead
from vtox.pipeline.configuration.tables import EnergyPrice
from vtox.pipeline.store.machines.points import Point
from vtox.reporting.history.database import execute_many, insert
from vtox.reporting.history.downsampling import Row
from vtox.reporting.history.schema import energy_days, energy_quarters, series

DAY_S = 86_400
# Larger ones are of no machine, and the sum of many would not fit.
_LARGEST = 1 << 44
# Counts as this version keeps them are read at once.
_PACKED = len(MeterCounts.pack(NOTHING))


# Quantities with a price: energy at the terminals, and the parts of it that became heat.
PRICED = ("energy_j", "lost_j", "unbalance_j", "harmonic_j")


class Cost(NamedTuple):
    """Cost of energy, in the currency of its price: fields in the order of `PRICED`."""

    energy: float
    """active energy at the terminals"""
    lost: float
    unbalance: float
    harmonic: float
    """energy of harmonics"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Counts of one machine from `t` on, s since 1970."""

    machine_id: str
    t: int
    counts: MeterCounts


def add_energy(db: Connection, rows: Sequence[Row], points: Sequence[Point]) -> None:
    """Add the counts in the records of points to their quarter-hours and days.

    A record counts where it begins, by its sender's clock, but no later than it arrived.
    """
    counting = [(r, p.energy) for r, p in zip(rows, points, strict=True) if p.energy is not None]
    if not counting:
        return
    begins = (max(r.t_ms - r.duration_ms, 0) // 1000 for r, _ in counting)
    keys = [
        (r.series_id, t // QUARTER_S * QUARTER_S)
        for (r, _), t in zip(counting, begins, strict=True)
    ]
    counted, usable = _counts([kept for _, kept in counting])
    if not usable.any():
        return
    by_quarter = _summed(list(compress(keys, usable.tolist())), counted[usable])
    by_day = [(number, t // DAY_S * DAY_S) for number, t in by_quarter]
    _add(db, energy_quarters, by_quarter)
    _add(db, energy_days, _summed(by_day, np.array([*by_quarter.values()])))


def _counts(kept: Sequence[bytes]) -> tuple[Int, Bool]:
    """Return kept counts, shape (records, counts), and which of them count anything."""
    if all(len(k) == _PACKED and k[:1] == COUNTS_FORM for k in kept):
        whole = np.frombuffer(b"".join(kept), np.uint8).reshape(len(kept), _PACKED)
        table = np.ascontiguousarray(whole[:, 1:]).view("<i8")
    else:
        table = np.array([_one(k) for k in kept], np.int64)
    possible = (table > -_LARGEST) & (table < _LARGEST)
    return table, np.asarray(possible.all(axis=1) & table.any(axis=1))


def _one(kept: bytes) -> MeterCounts:
    """Return kept counts that may be of another version, or anything."""
    try:
        counts = MeterCounts(*counts_of(kept)[: len(NOTHING)])
    except ValueError:
        return NOTHING
    return counts if -_LARGEST < min(counts) and max(counts) < _LARGEST else NOTHING


def _summed(keys: list[tuple[int, int]], counted: Int) -> dict[tuple[int, int], Int]:
    """Return the sum of the rows of each key; half a million of `_LARGEST` fit."""
    place: dict[tuple[int, int], int] = {}
    of_rows = np.array([place.setdefault(key, len(place)) for key in keys])
    order = of_rows.argsort(kind="stable")
    begins = np.searchsorted(of_rows[order], np.arange(len(place)))
    return dict(zip(place, np.add.reduceat(counted[order], begins), strict=True))


def _add(db: Connection, table: Table, sums: dict[tuple[int, int], Int]) -> None:
    rows = [(*key, *counts.tolist()) for key, counts in sums.items()]
    key = db.dialect.name, table.name
    if key not in _STATEMENTS:
        _STATEMENTS[key] = _adding(db, table)
    execute_many(db, _STATEMENTS[key], rows)


# Made once by database and table: to make one and its text takes as long as 50 rows.
_STATEMENTS: dict[tuple[str, str], Any] = {}


def _adding(db: Connection, table: Table) -> Any:
    statement = insert(db, table)
    merged = {name: table.c[name] + statement.excluded[name] for name in MeterCounts._fields}
    return statement.on_conflict_do_update(index_elements=table.primary_key, set_=merged)


def quarters(db: Connection, machine_id: str, from_s: int, to_s: int, step_s: int) -> list[Stretch]:
    """Return the counts of one machine between two times, in steps of whole quarter-hours."""
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
    """Return the counts of each machine from one time to another, in any order.

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
    """Return the counts of all machines together on each day."""
    c = energy_days.c
    statement = (
        select(c.t, *_sums(energy_days))
        .where(c.t >= from_s, c.t < to_s)
        .group_by(c.t)
        .order_by(c.t)
    )
    return [Stretch("", int(t), _row(row)) for t, *row in db.execute(statement)]


def costs(
    db: Connection, found: Sequence[Stretch], from_s: int, to_s: int, price: EnergyPrice
) -> list[Cost | None]:
    """Return the cost of the energy of each of these machines from one time to another.

    None if it has no price. `found` has the counts of each in that time.
    """
    if price.per_kwh is None:
        return [None] * len(found)
    only = found[0].machine_id if len(found) == 1 else ""
    dearer = _at_other_prices(db, from_s, to_s, price, only)
    prices = [p.per_kwh - price.per_kwh for p in price.periods.periods]
    return [
        Cost(
            *(
                price.per_kwh * in_kwh(getattr(s.counts, name))
                + sum(prices[k] * in_kwh(joules[i]) for k, *joules in dearer.get(s.machine_id, ()))
                for i, name in enumerate(PRICED)
            )
        )
        for s in found
    ]


def _at_other_prices(
    db: Connection, from_s: int, to_s: int, price: EnergyPrice, machine_id: str
) -> dict[str, list[tuple[int, ...]]]:
    """Return the number of each period of another price, and J of `PRICED` in it, by machine."""
    spans = list(price.periods.spans())
    if not spans or from_s >= to_s:
        return {}
    c = energy_quarters.c
    period = _period(price, spans, from_s, to_s).label("period")
    inner = select(c.series_id, period, *(c[n] for n in PRICED)).where(c.t >= from_s, c.t < to_s)
    if machine_id:
        of_machine = select(series.c.id).where(series.c.machine_id == machine_id)
        inner = inner.where(c.series_id.in_(of_machine))
    rows = inner.subquery()
    statement = (
        select(series.c.machine_id, rows.c.period, *(func.sum(rows.c[n]) for n in PRICED))
        .join(rows, rows.c.series_id == series.c.id)
        .where(rows.c.period >= 0)
        .group_by(series.c.machine_id, rows.c.period)
    )
    found: dict[str, list[tuple[int, ...]]] = {}
    for name, *row in db.execute(statement):
        found.setdefault(name, []).append(tuple(map(int, row)))
    return found


def _period(
    price: EnergyPrice, spans: list[tuple[int, int, int]], from_s: int, to_s: int
) -> Case[int]:
    """Return the number of the period in which a quarter-hour lies, -1 in none."""
    t = energy_quarters.c.t
    starts = quarters_ahead(price.time_zone, from_s, to_s)
    ends = [start for start, _ in starts[1:]] + [to_s]
    whens = []
    for (start, ahead), end in zip(starts, ends, strict=True):
        of_week = (t // QUARTER_S + ahead) % QUARTERS_A_WEEK
        for number in sorted({k for *_, k in spans}):
            inside = or_(*(of_week.between(q, last - 1) for q, last, k in spans if k == number))
            whens.append((and_(t >= start, t < end, inside), number))
    return case(*whens, else_=-1)


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
