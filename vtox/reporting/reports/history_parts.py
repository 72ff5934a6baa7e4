"""The history of a machine in a report: events, and the trend of each fault."""

from collections.abc import Iterable
from dataclasses import fields
from math import ceil
from typing import Any

from sqlalchemy import Connection

from vtox.motor.alarms.book import Action
from vtox.motor.alarms.health.alert_values import Alert
from vtox.motor.faults import FAULTS
from vtox.motor.values import codec
from vtox.motor.values.domain import Motor
from vtox.motor.values.plain_data import plain
from vtox.motor.values.vibration_zones import VELOCITIES, MachineClass, machine_class
from vtox.pipeline.store.alarms.open_alerts import OpenAlert
from vtox.reporting.history import queries
from vtox.reporting.history.alarm_queries import actions_of_machine
from vtox.reporting.history.growth import alarm_growth, machine_growth
from vtox.reporting.history.resolution import MINUTES, grid
from vtox.reporting.history.retention import Oldest
from vtox.reporting.history.scalars import latest
from vtox.reporting.reports.contents import ReportedTrend, TrendColumns

# Largest number of alerts, and of actions: the newest ones.
MAX_EVENTS = 40
POINTS = 360
# Without `--from`.
SPAN_S = 30 * 86_400.0
LAST_ID = f"{(1 << 53) - 1}-0"


def events_between(
    db: Connection, machine_id: str, from_s: float, to_s: float
) -> list[dict[str, Any]]:
    """Return alerts and actions of a machine between two times, newest first."""
    found = queries.alerts_before(
        db, LAST_ID, machine_id=machine_id, between_s=(from_s, to_s), limit=MAX_EVENTS
    )
    actions = actions_of_machine(db, machine_id, from_s, to_s, MAX_EVENTS)
    alerts = [event_of_alert(a) for _, a in found]
    return newest_first([*alerts, *(_event_of_action(a) for _, a in actions)])


def event_of_alert(a: Alert) -> dict[str, Any]:
    """Return an alert as a row of events."""
    known = {"t": a.t, "fault": a.fault, "event": a.event, "level": a.level, "code": a.code}
    return known | {"values": plain(a.values), "doubts": plain(codec.plain(a.doubts))}


def growth_reasons(
    db: Connection | None, a: OpenAlert, now_s: float, oldest: Oldest
) -> list[dict[str, Any]]:
    """Return whether an open alert grows, as codes; of no fault nothing."""
    found = alarm_growth(db, a.machine_id, a.fault, a.t, now_s, oldest)
    if found is None:
        return []
    said: list[dict[str, Any]] = plain(codec.plain([found.why]))
    return said


def growth_of_faults(
    db: Connection, machine_id: str, now_s: float, oldest: Oldest
) -> dict[str, list[dict[str, Any]]]:
    """Return by fault how long its state has lasted and how its level moves, as codes."""
    found = machine_growth(db, machine_id, now_s, oldest)
    return {f.fault: plain(codec.plain([f.held, f.growth.why])) for f in found if f.since_t}


def latest_scalars(db: Connection, machine_id: str, motor: Motor | None) -> list[dict[str, Any]]:
    """Return the latest reading of each scalar, with its state and the zone of a velocity."""
    known = machine_class(motor)
    of_zone = known if isinstance(known, MachineClass) else None
    return [
        {"name": r.name, "value": r.value, "unit": r.unit, "t": r.t, "state": state}
        | ({"zone": of_zone.zone(r.value)} if of_zone and r.name in VELOCITIES else {})
        for r, state in latest(db, machine_id)
    ]


def newest_first(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return events in the order of a report."""
    return sorted(events, key=lambda e: -e["t"])


def trend_between(
    db: Connection, machine_id: str, from_s: float | None, to_s: float, oldest: Oldest
) -> ReportedTrend | None:
    """Return the trend of every fault as columns, None if the history has none.

    It begins where the history does, if that is later.
    """
    since_s = queries.recorded_since_s(db, machine_id)
    if since_s is None or since_s >= to_s:
        return None
    from_s = max(to_s - SPAN_S if from_s is None else from_s, since_s)
    made_of = grid("auto", from_s, to_s, POINTS, oldest)
    made_of = made_of if made_of.step_s else MINUTES
    step_s = made_of.step_s
    first_s, end_s = int(from_s) // step_s * step_s, ceil(to_s / step_s) * step_s
    found = queries.trends_of_steps(db, machine_id, list(FAULTS), made_of, first_s, end_s)
    series = {
        name: TrendColumns(**{f.name: getattr(t, f.name) for f in fields(TrendColumns)})
        for name, t in found.series.items()
    }
    return ReportedTrend(from_t=first_s, to_t=end_s, step_s=step_s, series=series)


def _event_of_action(a: Action) -> dict[str, Any]:
    known = {"t": a.ms / 1000, "fault": a.fault, "action": a.name, "by": a.by, "text": a.text}
    return known | {"outcome": a.outcome}
