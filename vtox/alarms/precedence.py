"""The order of alarms in every list: what is open first, by level, then the latest. Pure."""

from typing import NamedTuple

from vtox.alarms.health.alerts import RANK
from vtox.alarms.life import Alarm
from vtox.alarms.supplies import SupplyAlarm


class Precedence(NamedTuple):
    """What sorts an alarm among others; of those that are not open the level does not count."""

    ended: bool
    level: int
    age: float
    id: str


def precedence(alarm: Alarm | SupplyAlarm) -> Precedence:
    """Return the place of an alarm, or of several that are one, in a list."""
    level = -RANK.get(alarm.level, 0) if alarm.open else 0
    return Precedence(not alarm.open, level, -alarm.t, alarm.id)
