"""Shapes of the events of a machine: alerts, and actions of operators."""

from typing import Annotated, Literal

from api.schemas.common import Number, ResponseModel, Time
from api.schemas.value_fields import After
from api.schemas.view import View
from vtox.motor.alarms.book import Action, ActionName
from vtox.motor.alarms.health.alert_values import EventName


class MachineEvent(
    View,
    value=Action,
    without="name ms key_id machine_id until_ms request_id",
    last="by text outcome work_order alarm_id",
):
    """An event of an alert, or of an operator; for an alert `by` is empty and `text` its reason."""

    kind: Annotated[Literal["alert", "action"], After("")]
    event: Annotated[EventName | ActionName, After("kind")]
    t: Annotated[Number, After("event")]
    """of an alert by the signal, of an action by the server, s since 1970 (UTC)"""
    time: Annotated[Time | None, After("t")]
    level: Annotated[str, After("fault")]
    """warning or fault; empty: of an action"""
    code: Annotated[str, After("level")]
    """of an alert"""


class MachineEvents(ResponseModel):
    """Events between two times, newest first."""

    machine_id: str
    from_t: float
    to_t: float
    complete: bool
    """false: there are older ones in this time, left out"""
    events: list[MachineEvent]
