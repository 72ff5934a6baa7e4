"""Queries of one alarm in the history: its alerts, and the actions of operators."""

from sqlalchemy import Connection, RowMapping, and_, or_, select

from vtox.motor.alarms.book import Action
from vtox.motor.alarms.health.alert_values import Alert
from vtox.pipeline.store.alarms.alarm_actions import work_order
from vtox.pipeline.store.stream.stream_reader import BEGIN
from vtox.reporting.history.queries import alert_of, entry_id_of
from vtox.reporting.history.schema import alarm_actions, alerts, positions


def alerts_of_alarm(db: Connection, alarm_id: str) -> list[tuple[int, Alert]]:
    """Return the alerts of an alarm, oldest first, each with the time it was written (ms)."""
    c = alerts.c
    found = select(alerts).where(c.alert_id == alarm_id).order_by(c.id_ms, c.id_seq)
    return [(row["id_ms"], alert_of(row)[1]) for row in db.execute(found).mappings()]


def actions_of_alarm(
    db: Connection, alarm_id: str, machine_id: str, since_ms: int
) -> list[tuple[str, Action]]:
    """Return ids and actions of an alarm, and of its machine since a time, oldest first."""
    if not db.dialect.has_table(db, alarm_actions.name):
        return []
    c = alarm_actions.c
    of_machine = and_(c.alarm_id == "", c.machine_id == machine_id, c.id_ms >= since_ms)
    wanted = c.alarm_id == alarm_id
    if machine_id:
        wanted = or_(wanted, of_machine)
    found = select(alarm_actions).where(wanted).order_by(c.id_ms, c.id_seq)
    return [(entry_id_of(row), _action(row)) for row in db.execute(found).mappings()]


def actions_of_machine(
    db: Connection, machine_id: str, from_s: float, to_s: float, limit: int
) -> list[tuple[str, Action]]:
    """Return ids and actions on a machine and its alarms between two times, newest first."""
    if not db.dialect.has_table(db, alarm_actions.name):
        return []
    c = alarm_actions.c
    between = (c.t_ms >= round(1000 * from_s), c.t_ms < round(1000 * to_s))
    found = select(alarm_actions).where(c.machine_id == machine_id, *between)
    newest = found.order_by(c.id_ms.desc(), c.id_seq.desc()).limit(limit)
    return [(entry_id_of(row), _action(row)) for row in db.execute(newest).mappings()]


def last_recorded(db: Connection, stream: str) -> str:
    """Return the id of the last entry of a stream that was recorded."""
    of = select(positions.c.entry_id).where(positions.c.stream == stream)
    return db.execute(of).scalar_one_or_none() or BEGIN


def _action(row: RowMapping) -> Action:
    names = ("machine_id", "alarm_id", "fault", "key_id", "text", "until_ms", "outcome")
    return Action(
        name=row["action"],
        ms=row["t_ms"],
        by=row["by_name"],
        work_order=work_order(*(row[n] or "" for n in ("system", "reference", "url"))),
        **{n: row[n] for n in (*names, "request_id")},
    )
