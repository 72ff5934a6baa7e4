"""Limits of scalars tried on the history, and ranges of scalars in a week without alarms."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, select

from vtox.motor.values.scalars import PREFIX, LimitRun, ScalarLimit, name_and_unit
from vtox.reporting.history.schema import alerts, minutes, series

DAY_S = 86_400
# A week needs readings on so many of its days, and so many of them.
_WEEK_DAYS, _LEAST_DAYS, _LEAST_READINGS = 7, 5, 100
# Free room beyond the smallest and the largest value, over the distance between them.
_ROOM = 0.25
_Minute = tuple[int, int, float, float]


class LimitTrial(NamedTuple):
    """How often a limit would have raised its alarm in a time, s since 1970; null: no reading."""

    scalar_limit: ScalarLimit
    raised: int
    readings: int
    from_t: float | None
    to_t: float | None


class ScalarRange(NamedTuple):
    """Values of a scalar in a week without an alarm, and a range with room on both sides."""

    name: str
    unit: str
    minimum: float
    maximum: float
    low: float
    high: float
    readings: int
    from_t: float
    to_t: float


def limit_trial(db: Connection, machine_id: str, limit: ScalarLimit) -> LimitTrial:
    """Return the alarms that a limit would have raised in the stored minutes.

    A minute has the smallest and largest of its readings: all but one count as the value that is
    least beyond the limit, so that a delay asks the same as of single readings.
    """
    run, is_set, raised = LimitRun(limit), False, 0
    first = last = None
    readings = 0
    for t, n, minimum, maximum in _minutes(db, machine_id, f"{PREFIX}{limit.name}:{limit.unit}"):
        first, last, readings = first or t, t, readings + n
        mild, worst = (minimum, maximum) if limit.side == ">" else (maximum, minimum)
        for k, value in enumerate([mild] * min(n - 1, limit.readings) + [worst]):
            run.add(1000 * t + k, value)
            was, is_set = is_set, run.is_alarm(value, was=is_set)
            raised += is_set and not was
    return LimitTrial(limit, raised, readings, first, last and last + 60)


def _minutes(db: Connection, machine_id: str, quantity: str) -> Iterator[_Minute]:
    """Yield time, number, smallest and largest value of each minute with readings."""
    c = minutes.c
    own = _own(select(c.t, c.n_values, c.minimum, c.maximum), machine_id)
    stored = db.execute(own.where(series.c.quantity == quantity, c.n_values > 0).order_by(c.t))
    # A minute has a row for each state of its readings.
    for t, rows in groupby(stored, key=lambda row: int(row[0])):
        _, n, minimum, maximum = zip(*rows, strict=True)
        yield t, sum(n), min(minimum), max(maximum)


def healthy_ranges(db: Connection, machine_id: str, now_s: float) -> list[ScalarRange]:
    """Return the ranges of scalars in the latest week without an alarm; none without such a week.

    The week ends now, or up to seven whole days before.
    """
    end_s = next((e for e in _ends(now_s) if not _alarmed(db, machine_id, e)), None)
    if end_s is None:
        return []
    c, from_s = minutes.c, end_s - _WEEK_DAYS * DAY_S
    days = func.count(func.distinct(c.t // DAY_S))
    figures = (func.min(c.minimum), func.max(c.maximum), func.sum(c.n_values), days)
    found = _own(select(series.c.quantity, *figures), machine_id).where(
        series.c.quantity.startswith(PREFIX), c.t >= from_s, c.t < end_s, c.n_values > 0
    )
    ranges = []
    for quantity, low, high, n, with_readings in db.execute(found.group_by(series.c.quantity)):
        if with_readings >= _LEAST_DAYS and n >= _LEAST_READINGS:
            room = _ROOM * (high - low)
            ends = (low, high, low - room, high + room)
            ranges.append(ScalarRange(*name_and_unit(quantity), *ends, int(n), from_s, end_s))
    return sorted(ranges)


def _ends(now_s: float) -> Iterator[float]:
    return (now_s - k * DAY_S for k in range(_WEEK_DAYS + 1))


def _alarmed(db: Connection, machine_id: str, end_s: float) -> bool:
    """Return whether an alarm of a machine was open at any time in the week before."""
    c = alerts.c
    events = select(c.t, c.fault, c.level, c.event).where(c.machine_id == machine_id, c.t < end_s)
    last: dict[tuple[str, str], bool] = {}
    for t, fault, level, event in db.execute(events.order_by(c.t)):
        if t >= end_s - _WEEK_DAYS * DAY_S:
            return True
        last[fault, level] = event != "cleared"
    return any(last.values())


def _own(statement: Select[Any], machine_id: str) -> Select[Any]:
    joined = statement.join(series, series.c.id == minutes.c.series_id)
    return joined.where(series.c.machine_id == machine_id)
