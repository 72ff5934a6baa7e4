"""The records behind the figures of the alarms: alarms raised, outcomes, hours of machines."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import BigInteger, Connection, Select, func, literal_column, select

from vtox.motor.alarms.figures import RaisedAlarm
from vtox.motor.alarms.life import OUTCOMES, Outcome
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.machines.points import HEALTH
from vtox.reporting.history.downsampling import HOUR_S
from vtox.reporting.history.queries import recorded_until_s
from vtox.reporting.history.schema import alarm_actions, alerts, hours, series

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class RecordedAlarms:
    """Records between two times: alarms raised, outcomes, hours of assessed machines.

    Outcomes are by alarm id, hours by day (number since 1970, UTC), and by machine for machines
    that raised most.
    """

    alarms: Sequence[RaisedAlarm] = ()
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    hours_by_day: Mapping[int, int] = field(default_factory=dict)
    hours_by_machine: Mapping[str, int] = field(default_factory=dict)
    until_s: float | None = None

    @property
    def of_machines(self) -> list[RaisedAlarm]:
        """Alarms of machines, none of the system itself."""
        return [a for a in self.alarms if a.machine_id]

    @property
    def machine_days(self) -> float:
        """For how long machines were assessed, of all together."""
        return sum(self.hours_by_day.values()) / 24


def first_day(to_s: float, days: int) -> int:
    """Return the first of the days (number since 1970, UTC) that end with the one of a time."""
    return max(int(to_s // DAY_S) - days + 1, 0)


def recorded_alarms(
    db: Connection | None, from_s: float, to_s: float, most_machines: int
) -> RecordedAlarms:
    """Return the records between two times, with the hours of machines."""
    if db is None:
        return RecordedAlarms()
    from_ms = round(1000 * from_s)
    alarms = _raised_alarms(db, from_ms, round(1000 * to_s))
    most = [m for m, _ in Counter(a.machine_id for a in alarms).most_common(most_machines)]
    return RecordedAlarms(
        alarms,
        _alarm_outcomes(db, from_ms),
        _machine_hours_by_day(db, from_s, to_s),
        _hours_of_machines(db, most, from_s, to_s),
        recorded_until_s(db, keys.ALERTS),
    )


def _raised_alarms(db: Connection, from_ms: int, to_ms: int) -> list[RaisedAlarm]:
    """Return the alarms that were raised between two times, oldest first."""
    c = alerts.c
    raised = (
        select(c.alert_id, c.machine_id, c.fault, c.id_ms)
        .where(c.id_ms >= from_ms, c.id_ms < to_ms, c.event == "raised")
        .order_by(c.id_ms, c.id_seq)
    )
    return [RaisedAlarm(*row) for row in db.execute(raised)]


def _alarm_outcomes(db: Connection, from_ms: int) -> dict[str, Outcome]:
    """Return alarm id -> outcome of the alarms closed since a time: the last one given."""
    if not db.dialect.has_table(db, alarm_actions.name):
        return {}
    c = alarm_actions.c
    closed = (
        select(c.alarm_id, c.outcome)
        .where(c.id_ms >= from_ms, c.outcome.in_(OUTCOMES))
        .order_by(c.id_ms, c.id_seq)
    )
    return {alarm_id: outcome for alarm_id, outcome in db.execute(closed)}


def outcomes_by_code(db: Connection) -> dict[tuple[str, str], Counter[Outcome]]:
    """Return (fault, code of the alert) -> how many alarms were closed with each outcome.

    The last outcome of an alarm counts.
    """
    if not db.dialect.has_table(db, alarm_actions.name):
        return {}
    a, c = alerts.c, alarm_actions.c
    closed = (
        select(c.alarm_id, a.fault, a.code, c.outcome)
        .join(alerts, (a.alert_id == c.alarm_id) & (a.event == "raised"))
        .where(c.outcome.in_(OUTCOMES))
        .order_by(c.id_ms, c.id_seq)
    )
    last = {
        alarm_id: ((fault, code), outcome) for alarm_id, fault, code, outcome in db.execute(closed)
    }
    found: dict[tuple[str, str], Counter[Outcome]] = defaultdict(Counter)
    for of, outcome in last.values():
        found[of][outcome] += 1
    return dict(found)


def _machine_hours_by_day(db: Connection, from_s: float, to_s: float) -> dict[int, int]:
    """Return day (number since 1970, UTC) -> hours in which machines were assessed, of all."""
    one = _machine_hours(from_s, to_s).subquery()
    day = (one.c.t // literal_column(str(DAY_S), BigInteger)).label("day")
    return {int(d): n for d, n in db.execute(select(day, func.count()).group_by(day))}


def _hours_of_machines(
    db: Connection, machine_ids: Sequence[str], from_s: float, to_s: float
) -> dict[str, int]:
    """Return machine id -> hours in which it was assessed, of some machines."""
    one = _machine_hours(from_s, to_s).where(series.c.machine_id.in_(machine_ids)).subquery()
    counted = select(one.c.machine_id, func.count()).group_by(one.c.machine_id)
    return {machine_id: n for machine_id, n in db.execute(counted)}


def _machine_hours(from_s: float, to_s: float) -> Select[tuple[str, int]]:
    """Return the query of machine and hour, one row of each hour with an assessment."""
    return (
        select(series.c.machine_id, hours.c.t)
        .join(series, series.c.id == hours.c.series_id)
        .where(series.c.quantity == HEALTH, hours.c.t > from_s - HOUR_S, hours.c.t < to_s)
        .distinct()
    )
