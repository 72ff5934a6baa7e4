"""Queries of API and pages to the history: trends, lists of records. Nothing is changed here."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, cast

from sqlalchemy import BigInteger, Connection, RowMapping, func, literal_column, select, tuple_

from vtox.motor.alarms.health.alert_values import Alert
from vtox.motor.values import codec
from vtox.motor.values.domain import State
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.machines.points import HEALTH
from vtox.pipeline.store.stream.stream_reader import BEGIN
from vtox.reporting.history.downsampling import HOUR_S
from vtox.reporting.history.resolution import Grid
from vtox.reporting.history.schema import (
    alerts,
    hours,
    minutes,
    outcomes,
    positions,
    records,
    series,
)
from vtox.reporting.history.trend import StepOutcome, Trend, TrendRecord, record_trend, step_trend

# Time and id of a record, and the number of its series: in the order of a list.
Cursor = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class OutcomeCount:
    """Number of records of the page with one state and code."""

    state: State | Literal[""]
    code: str
    records: int


@dataclass(frozen=True, slots=True)
class Trends:
    """Trends by quantity, and how often each outcome came; `next` is where the next page begins."""

    series: dict[str, Trend]
    counts: dict[str, list[OutcomeCount]]
    next: Cursor | None = None


def recorded_until_s(db: Connection, stream: str = keys.RESULTS) -> float | None:
    """Return the time (s, server clock) of the last entry that was recorded, None for none."""
    of = select(positions.c.entry_id).where(positions.c.stream == stream)
    entry_id = db.execute(of).scalar_one_or_none() or BEGIN
    return None if entry_id == BEGIN else int(entry_id.partition("-")[0]) / 1000


def recorded_since_s(db: Connection, machine_id: str) -> float | None:
    """Return from when on the history has something of a machine, None if it has nothing.

    The hours decide; the minutes do if they begin within the first hour.
    """
    own = select(series.c.id).where(series.c.machine_id == machine_id)
    first_s, first_minute_s = (
        db.execute(select(func.min(t.c.t)).where(t.c.series_id.in_(own))).scalar_one()
        for t in (hours, minutes)
    )
    if first_s is None:
        return None
    within = first_minute_s is not None and first_minute_s < first_s + HOUR_S
    return float(first_minute_s if within else first_s)


def trends_of_steps(
    db: Connection,
    machine_id: str,
    quantities: Sequence[str],
    grid: Grid,
    first_s: int,
    end_s: int,
) -> Trends:
    """Return trends on a grid from `first_s` to before `end_s`, both multiples of its step."""
    names = _series_of(db, machine_id, quantities)
    table = minutes if grid.source == "minutes" else hours
    step_s = literal_column(str(int(grid.step_s)), BigInteger)
    start = (table.c.t // step_s * step_s).label("start")
    statement = (
        select(
            table.c.series_id,
            start,
            outcomes.c.state,
            outcomes.c.code,
            func.sum(table.c.n),
            func.sum(table.c.n_values),
            func.min(table.c.minimum),
            func.sum(table.c.total),
            func.max(table.c.maximum),
            func.max(table.c.threshold),
            func.max(table.c.severity),
        )
        .join(outcomes, outcomes.c.id == table.c.outcome_id)
        .where(table.c.series_id.in_(names), table.c.t >= first_s, table.c.t < end_s)
        .group_by(table.c.series_id, start, outcomes.c.state, outcomes.c.code)
    )
    groups: dict[int, list[StepOutcome]] = {number: [] for number in names}
    for number, t, state, code, n, n_values, *rest in db.execute(statement):
        groups[number].append(StepOutcome(float(t), state, code, int(n), int(n_values), *rest))
    return Trends(
        {names[i]: step_trend(of, first_s, end_s, grid.step_s) for i, of in groups.items()},
        {names[i]: _counts((g.state, g.code, g.n) for g in of) for i, of in groups.items()},
    )


def health_of_machines(
    db: Connection, machine_ids: Sequence[str], grid: Grid, first_s: int, end_s: int
) -> dict[str, Trend]:
    """Return the health of each machine that has any, on a grid, by one statement."""
    table = minutes if grid.source == "minutes" else hours
    step_s = literal_column(str(int(grid.step_s)), BigInteger)
    start = (table.c.t // step_s * step_s).label("start")
    statement = (
        select(
            series.c.machine_id,
            start,
            outcomes.c.state,
            func.sum(table.c.n),
            func.sum(table.c.n_values),
            func.min(table.c.minimum),
        )
        .join(table, table.c.series_id == series.c.id)
        .join(outcomes, outcomes.c.id == table.c.outcome_id)
        .where(series.c.machine_id.in_(machine_ids), series.c.quantity == HEALTH)
        .where(table.c.t >= first_s, table.c.t < end_s)
        .group_by(series.c.machine_id, start, outcomes.c.state)
    )
    groups: dict[str, list[StepOutcome]] = {}
    for machine_id, t, state, n, n_values, least in db.execute(statement):
        group = StepOutcome(
            float(t), state, "", int(n), int(n_values), least, 0.0, None, None, None
        )
        groups.setdefault(machine_id, []).append(group)
    return {m: step_trend(found, first_s, end_s, grid.step_s) for m, found in groups.items()}


def trends_of_records(
    db: Connection,
    machine_id: str,
    quantities: Sequence[str],
    from_ms: int,
    to_ms: int,
    after: Cursor | None,
    limit: int,
) -> Trends:
    """Return up to `limit` records between two times, or of these those after a cursor."""
    names = _series_of(db, machine_id, quantities)
    lists = [_records(db, number, from_ms, to_ms, after, limit + 1) for number in names]
    page = list(islice(heapq.merge(*lists, key=_cursor), limit + 1))
    more, page = len(page) > limit, page[:limit]
    by_series: dict[int, list[TrendRecord]] = {number: [] for number in names}
    for r in page:
        by_series[r.series_id].append(r)
    return Trends(
        {names[i]: record_trend(of) for i, of in by_series.items()},
        {names[i]: _counts((r.state, r.code, 1) for r in of) for i, of in by_series.items()},
        _cursor(page[-1]) if more else None,
    )


def alerts_before(
    db: Connection,
    before_id: str,
    *,
    machine_id: str | None = None,
    event: str | None = None,
    about: Literal["machine", "system"] | None = None,
    between_s: tuple[float, float] | None = None,
    limit: int,
) -> list[tuple[str, Alert]]:
    """Return ids and events of alerts before an entry, newest first, if they match.

    `between_s` are two times of the signal, s since 1970 (UTC).
    """
    c = alerts.c
    ms, _, seq = before_id.partition("-")
    where = [tuple_(c.id_ms, c.id_seq) < tuple_(int(ms), int(seq))]
    if machine_id is not None:
        where.append(c.machine_id == machine_id)
    if event is not None:
        where.append(c.event == event)
    if about is not None:
        where.append(c.machine_id != "" if about == "machine" else c.machine_id == "")
    if between_s is not None:
        where += [c.t >= between_s[0], c.t < between_s[1]]
    newest = select(alerts).where(*where).order_by(c.id_ms.desc(), c.id_seq.desc()).limit(limit)
    return [alert_of(row) for row in db.execute(newest).mappings()]


def alert_of(row: RowMapping) -> tuple[str, Alert]:
    """Return id and event of a row of alerts."""
    names = ("machine_id", "fault", "level", "event", "t", "code", "reason")
    alert = {"id": row["alert_id"], **{n: row[n] for n in names}}
    parts = {"values": row["reason_values"], "doubts": row["doubts"]}
    alert |= {n: codec.json_of_field(text.encode()) for n, text in parts.items() if text}
    return entry_id_of(row), codec.from_plain(Alert, alert)


def entry_id_of(row: RowMapping) -> str:
    """Return the id of the entry that a row is of."""
    return f"{row['id_ms']}-{row['id_seq']}"


def _records(
    db: Connection, number: int, from_ms: int, to_ms: int, after: Cursor | None, limit: int
) -> Iterator[TrendRecord]:
    """Yield the first records of a series; the key of the table has them in this order."""
    c = records.c
    where = [c.series_id == number, c.t_ms >= from_ms, c.t_ms < to_ms]
    if after is not None:
        last = tuple_(c.t_ms, c.id_ms, c.id_seq, c.series_id)
        # The first condition lets the key begin there, the second cuts the rows with the same time.
        where += [c.t_ms >= after[0], last > tuple_(*after)]
    statement = (
        select(
            c.t_ms,
            c.id_ms,
            c.id_seq,
            c.series_id,
            c.duration_ms,
            outcomes.c.state,
            outcomes.c.code,
            c.value,
            c.threshold,
            c.severity,
        )
        .join(outcomes, outcomes.c.id == c.outcome_id)
        .where(*where)
        .order_by(c.t_ms, c.id_ms, c.id_seq)
        .limit(limit)
    )
    for row in db.execute(statement):
        yield TrendRecord._make(row)


def _series_of(db: Connection, machine_id: str, quantities: Sequence[str]) -> dict[int, str]:
    """Return number -> quantity of those series of a machine that exist, in the order given."""
    c = series.c
    found = db.execute(
        select(c.quantity, c.id).where(c.machine_id == machine_id, c.quantity.in_(quantities))
    )
    numbers = {quantity: number for quantity, number in found}
    return {numbers[q]: q for q in quantities if q in numbers}


def _counts(outcomes_seen: Iterator[tuple[str, str, int]]) -> list[OutcomeCount]:
    counts: dict[tuple[str, str], int] = {}
    for state, code, n in outcomes_seen:
        counts[state, code] = counts.get((state, code), 0) + n
    found = [OutcomeCount(cast(State, state), code, n) for (state, code), n in counts.items()]
    return sorted(found, key=lambda c: (-c.records, c.state, c.code))


def _cursor(r: TrendRecord) -> Cursor:
    return r.t_ms, r.id_ms, r.id_seq, r.series_id
