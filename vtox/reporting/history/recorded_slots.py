"""The slots of one fault that the history keeps for a back-test, and the hours without any."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, case, func, select

from vtox.motor.alarms.health.alarm_level import CHANGES_OF_LEVEL, Event
from vtox.motor.alarms.health.alert_values import Level
from vtox.motor.alarms.health.backtest import Backtest, backtest
from vtox.motor.alarms.health.marks import Slots
from vtox.motor.faults import PERSISTENCE, Persistence
from vtox.reporting.history.downsampling import HOUR_S
from vtox.reporting.history.schema import alerts, hours, outcomes, records, series

FOUND_STATES = ("warning", "fault")
# A day of records of 1 s has 86,400; each takes some 10 us for each sensitivity that is tried.
MOST_DIAGNOSES = 100_000


class RecordedHours(NamedTuple):
    """Hours of a time, by the detail of the records kept."""

    raw: float
    """every diagnosis is kept: they are tried again"""
    quiet: float
    """only sums are left, and nothing was found: no sensitivity raises anything"""
    undecidable: float
    """only sums are left, and something was found: its alarms cannot be known"""
    empty: float
    """nothing was recorded"""


@dataclass(frozen=True, slots=True)
class RecordedSlots:
    """The diagnoses of one fault that can be tried again.

    They begin at `from_t` (s), None if there is none; `level` is that of its alarm then.
    """

    slots: tuple[Slots, ...]
    from_t: float | None
    level: Level
    hours: RecordedHours

    def tried(self, rule: Persistence, to_s: float) -> Backtest:
        """Return the alarms that they raise and clear by a rule, until a time."""
        from_s = to_s if self.from_t is None else self.from_t
        return backtest(self.slots, rule, self.level, from_s, to_s)


def nothing_recorded(from_s: float, to_s: float) -> RecordedSlots:
    """Return no slots: the history has no diagnosis of this fault."""
    return RecordedSlots((), None, "", RecordedHours(0.0, 0.0, 0.0, (to_s - from_s) / HOUR_S))


def recorded_slots(
    db: Connection, machine_id: str, fault: str, from_s: float, to_s: float
) -> RecordedSlots:
    """Return the recorded slots of a fault between two times, s."""
    of = select(series.c.id).where(series.c.machine_id == machine_id, series.c.quantity == fault)
    number = db.execute(of).scalar_one_or_none()
    if number is None:
        return nothing_recorded(from_s, to_s)
    slots = tuple(_slots(db, number, fault, from_s, to_s))
    begin = min((s.t_start for s in slots), default=None)
    return RecordedSlots(
        slots,
        begin,
        _level_at(db, machine_id, fault, begin) if begin is not None else "",
        _hours(db, number, from_s, to_s, to_s if begin is None else max(begin, from_s)),
    )


def recorded_events(
    db: Connection, machine_id: str, fault: str, from_s: float, to_s: float
) -> list[Event]:
    """Return the recorded alerts between two times, in the order of the stream."""
    c = alerts.c
    statement = (
        select(c.event, c.level, c.t)
        .where(c.machine_id == machine_id, c.fault == fault, c.t >= from_s, c.t < to_s)
        .where(c.event.in_(CHANGES_OF_LEVEL))
        .order_by(c.id_ms, c.id_seq)
    )
    return [Event(name, level, t) for name, level, t in db.execute(statement)]


def _slots(db: Connection, number: int, fault: str, from_s: float, to_s: float) -> Iterator[Slots]:
    """Yield the last of them as the alarm took them: in the order of the stream."""
    c = records.c
    statement = (
        select(c.id_ms, c.id_seq, c.marks, c.t_ms - c.duration_ms, c.severity, c.confidence)
        .where(c.series_id == number, c.t_ms >= 1000 * from_s, c.t_ms < 1000 * to_s)
        .where(c.marks.is_not(None))
        .order_by(c.t_ms.desc())
        .limit(MOST_DIAGNOSES)
    )
    slot_s = PERSISTENCE[fault].slot_s
    in_order = sorted(tuple(row) for row in db.execute(statement))
    for _, _, marks, start_ms, severity, confidence in in_order:
        yield Slots(marks, start_ms / 1000, slot_s, severity, confidence)


def _level_at(db: Connection, machine_id: str, fault: str, t: float) -> Level:
    c = alerts.c
    last = (
        select(c.event, c.level)
        .where(c.machine_id == machine_id, c.fault == fault, c.t < t)
        .order_by(c.id_ms.desc(), c.id_seq.desc())
        .limit(1)
    )
    row = db.execute(last).one_or_none()
    level: Level = row.level if row and row.event != "cleared" else ""
    return level


def _hours(
    db: Connection, number: int, from_s: float, to_s: float, raw_from_s: float
) -> RecordedHours:
    """Return the hours before the raw diagnoses by their sums; the hours after are raw."""
    c, first_s = hours.c, raw_from_s // HOUR_S * HOUR_S
    found = func.max(case((outcomes.c.state.in_(FOUND_STATES), 1), else_=0))
    statement = (
        select(c.t, found, func.sum(c.n))
        .join(outcomes, outcomes.c.id == c.outcome_id)
        .where(c.series_id == number, c.t > from_s - HOUR_S, c.t < raw_from_s)
        .group_by(c.t)
    )
    spent = {False: 0.0, True: 0.0}
    for t, any_found, n in db.execute(statement):
        if t == first_s and n == _raw_count(db, number, first_s):
            continue  # the raw ones are the first of this hour: before them it was empty
        spent[bool(any_found)] += min(t + HOUR_S, raw_from_s) - max(t, from_s)
    raw, total = to_s - raw_from_s, to_s - from_s
    quiet, undecidable = spent[False], spent[True]
    empty = max(total - raw - quiet - undecidable, 0.0)
    return RecordedHours(raw / HOUR_S, quiet / HOUR_S, undecidable / HOUR_S, empty / HOUR_S)


def _raw_count(db: Connection, number: int, hour_s: float) -> int:
    c = records.c
    within = (c.t_ms >= 1000 * hour_s) & (c.t_ms < 1000 * (hour_s + HOUR_S))
    of = select(func.count()).where(c.series_id == number, within, c.marks.is_not(None))
    return int(db.execute(of).scalar() or 0)
