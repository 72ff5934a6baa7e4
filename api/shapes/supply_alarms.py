"""Alarms of one supply that came together, of the fleet as the list of it shows it."""

from collections.abc import Iterable, Mapping

from api.http.explanation import advice
from api.schemas.alarms import (
    SupplyAlarm,
)
from api.shapes.alarm_shapes import priority_shape
from api.state.backend import Backend
from vtox.motor.alarms import supplies
from vtox.motor.alarms.life import STATES, Alarm
from vtox.motor.alarms.precedence import priority_of
from vtox.motor.alarms.priority import Priority


def groups_of(backend: Backend, alarms: Iterable[Alarm]) -> list[supplies.SupplyAlarm]:
    """Return the alarms of supplies that these alarms form, the latest first."""
    rows = backend.server.fleet().rows.values()
    return supplies.supply_alarms(alarms, (r.supplied for r in rows))


def supply_alarm_shape(g: supplies.SupplyAlarm, urgent: Mapping[str, Priority]) -> SupplyAlarm:
    """Return an alarm of a supply as it is shown; `urgent` has alarm id -> priority."""
    return SupplyAlarm.of(
        g,
        site=g.supply.site,
        supply=g.supply.path,
        within_s=supplies.same_time_s(g.fault) if g.supply.path else None,
        counts={s: g.counts[s] for s in STATES if s in g.counts},
        alarms=[a.id for a in g.alarms],
        machine_ids=sorted({a.machine_id for a in g.alarms}),
        priority=priority_shape(priority_of(g, urgent)),
        what_to_do=advice(g.why.code, g.why.values),
    )
