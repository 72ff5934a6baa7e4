"""Alarms, suspensions and actions as the API shows them."""

from collections.abc import Mapping

from api.schemas import alarms as schemas
from api.schemas.alarms import Alarm, AlarmAction, Suspension
from api.schemas.common import rfc3339
from api.shapes.found_right import Proven, found_right_shape
from api.state.fleet_index import FleetView
from vtox.motor.alarms import book, life
from vtox.motor.alarms.priority import Priority


def alarm_time(ms: int) -> str:
    """Return a time of the server's clock as RFC 3339."""
    return rfc3339(ms / 1000) or ""


def suspension_shape(
    kind: life.SuspensionName, s: life.Suspension, machine_id: str, fault: str = ""
) -> Suspension:
    """Return a suspension as it is shown."""
    since = alarm_time(s.ms)
    return Suspension.of(s, kind=kind, machine_id=machine_id, fault=fault, since=since)


def alarm_shape(
    a: life.Alarm,
    of: book.Book,
    groups: Mapping[str, str],
    fleet: FleetView,
    urgent: Mapping[str, Priority],
    proven: Proven,
) -> Alarm:
    """Return an alarm of a book as it is shown.

    `groups` has id -> alarm of its supply, `urgent` id -> priority.
    """
    key = a.machine_id, a.fault
    row = fleet.rows.get(a.machine_id)
    shelved = of.shelved.get(key)
    return Alarm.of(
        a,
        silent_since=rfc3339(row.silent_since) if row else None,
        acknowledged=alarm_time(a.acknowledged_ms or 0) if a.acknowledged else None,
        closed=alarm_time(a.closed_ms or 0) if a.outcome else None,
        suspensions=[suspension_shape(n, s, *key) for n, s in a.suspensions.items()],
        group=groups.get(a.id, ""),
        shelved=suspension_shape("shelved", shelved, *key) if shelved else None,
        priority=priority_shape(urgent.get(a.id)),
        found_right=found_right_shape(a.fault, a.code, proven),
        growth=None,
    )


def priority_shape(p: Priority | None) -> schemas.Priority | None:
    """Return a priority as it is shown."""
    return None if p is None else schemas.Priority.of(p)


def action_shape(stream_id: str, a: book.Action) -> AlarmAction:
    """Return an action as it is shown."""
    return AlarmAction.of(
        a, stream_id=stream_id, action=a.name, t=a.ms / 1000, time=alarm_time(a.ms)
    )
