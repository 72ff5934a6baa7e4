"""Shapes of what happened to a machine: alerts, and what operators did."""

from typing import Literal

from api.schemas.common import Number, ResponseModel, Time
from api.schemas.view import View
from vtox.motor.alarms.book import ActionName
from vtox.motor.alarms.health.alert_values import EventName
from vtox.motor.alarms.life import Outcome
from vtox.motor.alarms.work_orders import WorkOrder


class MachineEvent(View):
    """An event of an alert, or what an operator did."""

    kind: Literal["alert", "action"]
    event: EventName | ActionName
    t: Number
    """of an alert by the signal, of an action by the server, s since 1970 (UTC)"""
    time: Time | None
    fault: str
    """empty: about the whole machine"""
    level: str
    """warning or fault; empty: of an action"""
    code: str
    """of an alert"""
    by: str
    """who acted; empty: of an alert"""
    text: str
    """reason of an alert, in words; comment or reason of an operator, or the person it was assigned
    to"""
    outcome: Outcome | None
    work_order: WorkOrder | None
    alarm_id: str
    """empty: about the whole machine"""


class MachineEvents(ResponseModel):
    """What happened between two times, newest first."""

    machine_id: str
    from_t: float
    to_t: float
    complete: bool
    """false: there are older ones in this time, left out"""
    events: list[MachineEvent]
