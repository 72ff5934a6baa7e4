"""Alarms, suspensions and actions as the API shows them."""

from collections.abc import Mapping
from datetime import UTC, datetime

from api.schemas import alarms as schemas
from api.schemas.alarms import (
    Alarm,
    AlarmAction,
    Suspension,
    WorkOrder,
)
from api.schemas.common import rfc3339
from api.shapes.explanation import advice, doubts_with_sentences, reason, sentence
from api.shapes.found_right import Proven, found_right_shape
from api.state.fleet_index import FleetView
from vtox.motor.alarms import book, life, work_orders
from vtox.motor.alarms.priority import Priority


def alarm_time(ms: int) -> str:
    """Return a time of the server's clock as RFC 3339."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _or_null(ms: int | None) -> str | None:
    return None if ms is None else alarm_time(ms)


def suspension_shape(
    kind: life.SuspensionName, s: life.Suspension, machine_id: str, fault: str = ""
) -> Suspension:
    """Return a suspension as it is shown."""
    return Suspension(
        kind=kind,
        since=alarm_time(s.ms),
        until=_or_null(s.until_ms),
        by=s.by,
        reason=reason(s),
        machine_id=machine_id,
        fault=fault,
        code=s.code,
    )


def work_order_shape(order: work_orders.WorkOrder) -> WorkOrder:
    """Return a work order as it is shown."""
    return WorkOrder(system=order.system, reference=order.reference, url=order.url)


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
    return Alarm(
        **a.common_fields,
        code=a.code,
        values=a.values,
        since=alarm_time(a.since_ms),
        time=rfc3339(a.t),
        cleared=_or_null(a.cleared_ms),
        silent_since=rfc3339(row.silent_since) if row else None,
        acknowledged=_or_null(a.acknowledged_ms if a.acknowledged else None),
        closed=_or_null(a.closed_ms if a.outcome else None),
        suspensions=[suspension_shape(n, s, *key) for n, s in a.suspensions.items()],
        work_orders=[work_order_shape(o) for o in a.work_orders],
        group=groups.get(a.id, ""),
        shelved=suspension_shape("shelved", shelved, *key) if shelved else None,
        doubts=doubts_with_sentences(a.doubts),
        reason=reason(a),
        what_to_do=advice(a.code, a.values, a.level),
        priority=priority_shape(urgent.get(a.id)),
        found_right=found_right_shape(a.fault, a.code, proven),
    )


def priority_shape(p: Priority | None) -> schemas.Priority | None:
    """Return a priority as it is shown."""
    if p is None:
        return None
    return schemas.Priority(**p.ratings, sentence=sentence(p.why.code, p.why.values))


def action_shape(stream_id: str, a: book.Action) -> AlarmAction:
    """Return an action as it is shown."""
    return AlarmAction(
        stream_id=stream_id,
        action=a.name,
        t=a.ms / 1000,
        time=alarm_time(a.ms),
        until=_or_null(a.until_ms),
        work_order=work_order_shape(a.work_order) if a.work_order else None,
        **a.common_fields,
    )
