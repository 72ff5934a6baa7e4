"""Shapes of a back-test: the alarms that another sensitivity would have raised."""

from typing import Literal

from pydantic import Field

from api.schemas.common import ResponseModel, Time
from api.schemas.sensitivity import FaultSensitivity
from api.schemas.view import View
from vtox.motor.alarms.health.alert_values import EventName
from vtox.reporting.history.recorded_slots import RecordedHours


class BacktestHours(View, value=RecordedHours):
    """The hours asked for, by how much is known of them."""


class BacktestEvent(ResponseModel):
    """One change of the alarm."""

    event: EventName
    level: Literal["warning", "fault"]
    at: Time


class BacktestOutcome(ResponseModel):
    """The alarms that one sensitivity raises and clears on the diagnoses."""

    sensitivity: FaultSensitivity
    raised: int
    escalated: int
    cleared: int
    open_s: float
    """how long the alarm was open"""
    level_at_end: Literal["", "warning", "fault"]
    """empty: no alarm is open"""
    events: list[BacktestEvent]
    """the last 100, newest first"""


class RecordedEvents(ResponseModel):
    """Numbers of alarms actually raised, escalated and cleared."""

    raised: int
    escalated: int
    cleared: int


class SensitivityBacktest(ResponseModel):
    """Alarms that two sensitivities raise and clear on recorded diagnoses of one fault."""

    machine_id: str
    fault: str
    from_: Time = Field(alias="from")
    to: Time
    raw_from: Time | None
    """every diagnosis from then on is kept and tried; null: none is kept"""
    level_at_raw_from: Literal["", "warning", "fault"]
    """level of the alarm then; both trials begin with it"""
    hours: BacktestHours
    diagnoses: int
    """so many were tried"""
    days_only: bool
    """whether alarms by a line that moves with the load are left out: it is not kept"""
    in_force: BacktestOutcome
    proposed: BacktestOutcome
    recorded: RecordedEvents
    """from `raw_from` on, by the sensitivity in force then"""
    recorded_in_all: RecordedEvents
    """the same of all the days"""
