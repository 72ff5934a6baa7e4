"""Shapes of the figures of the alarms."""

from pydantic import Field

from api.schemas.alarms import (
    Level,
)
from api.schemas.common import Number, ResponseModel, Time
from api.schemas.view import View
from vtox.motor.alarms.figures import (
    AlarmLoad,
    AlarmsOfDay,
    AlarmsOfMachine,
    Chatter,
    FrequentAlarm,
)
from vtox.motor.alarms.health.alert_values import RaisedAlert
from vtox.motor.alarms.life import State
from vtox.motor.alarms.promise import FalseAlarms

ASSESSED = "hours in which machines were assessed, as days"


class StandingAlarm(View, value=RaisedAlert, without="code reason values doubts t"):
    """An alarm that is not cleared."""

    level: Level
    state: State
    raised: Time
    stands_s: float


class ChatteringAlarm(View, value=Chatter, without="first_ms last_ms"):
    """An alarm that was raised three times or more in the time of 60 records of its fault."""

    first: Time
    """of that stretch"""
    last: Time


class AlarmFigures(ResponseModel):
    """Figures of all alarms that were raised in some days."""

    from_: Time = Field(alias="from")
    to: Time
    recorded_until: Time | None
    """null: nothing is recorded yet"""
    alarms: int
    """of machines"""
    system_alarms: int
    machine_days: float = Field(description=ASSESSED)
    per_machine_day: Number
    by_day: list[AlarmsOfDay]
    by_machine: list[AlarmsOfMachine]
    """the 20 with most alarms"""
    most_frequent: list[FrequentAlarm]
    """at most 10"""
    chattering: list[ChatteringAlarm]
    """at most 20"""
    standing: list[StandingAlarm]
    """alarms not cleared now, at most 20, longest first"""
    standing_for_a_day: int
    """how many stand longer than 24 h"""
    false_alarms: FalseAlarms
    load: AlarmLoad
