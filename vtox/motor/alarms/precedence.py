"""The order of alarms in every list: open ones first, by priority, then the latest. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from vtox.motor.alarms.life import Alarm
from vtox.motor.alarms.priority import Priority
from vtox.motor.alarms.supplies import SupplyAlarm


class Precedence(NamedTuple):
    """The sort key of an alarm; the priority of one that is not open does not count."""

    ended: bool
    number: int
    cost: float
    age: float
    id: str


def precedence(alarm: Alarm | SupplyAlarm, priorities: Mapping[str, Priority]) -> Precedence:
    """Return the place of an alarm, or of several that are one, in a list.

    `priorities` has alarm id -> priority.
    """
    first = priority_of(alarm, priorities)
    order = first.order if first and alarm.open else (0, 0.0)
    return Precedence(not alarm.open, *order, -alarm.t, alarm.id)


def priority_of(alarm: Alarm | SupplyAlarm, priorities: Mapping[str, Priority]) -> Priority | None:
    """Return the priority of an alarm, of several that are one the highest of those open."""
    if isinstance(alarm, Alarm):
        return priorities.get(alarm.id)
    members = [a for a in alarm.alarms if a.open] or alarm.alarms
    known = [p for a in members if (p := priorities.get(a.id))]
    return min(known, key=lambda p: p.order, default=None)
