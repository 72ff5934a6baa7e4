"""Alarms of one supply that came together, of the fleet as the list of it shows it."""

from collections.abc import Iterable, Mapping

from api.schemas.alarms import (
    SupplyAlarm,
)
from api.schemas.common import rfc3339
from api.shapes.alarm_shapes import alarm_time, priority_shape
from api.shapes.explanation import advice, sentence
from api.state.backend import Backend
from vtox.motor.alarms import supplies
from vtox.motor.alarms.life import STATES, Alarm
from vtox.motor.alarms.precedence import priority_of
from vtox.motor.alarms.priority import Priority


def groups_of(backend: Backend, alarms: Iterable[Alarm]) -> list[supplies.SupplyAlarm]:
    """Return what of these alarms is one alarm of a supply, the latest first."""
    rows = backend.server.fleet().rows.values()
    return supplies.supply_alarms(alarms, (r.supplied for r in rows))


def supply_alarm_shape(g: supplies.SupplyAlarm, urgent: Mapping[str, Priority]) -> SupplyAlarm:
    """Return an alarm of a supply as it is shown; `urgent` has alarm id -> priority."""
    why = g.why
    return SupplyAlarm(
        **g.common_fields,
        site=g.supply.site,
        supply=g.supply.path,
        since=alarm_time(g.since_ms),
        t=g.t,
        time=rfc3339(g.t),
        within_s=supplies.same_time_s(g.fault) if g.supply.path else None,
        counts={s: g.counts[s] for s in STATES if s in g.counts},
        alarms=[a.id for a in g.alarms],
        machine_ids=sorted({a.machine_id for a in g.alarms}),
        priority=priority_shape(priority_of(g, urgent)),
        code=why.code,
        values=dict(why.values),
        reason=sentence(why.code, why.values),
        what_to_do=advice(why.code, why.values),
    )
