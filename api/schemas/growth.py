"""Shapes of the severity of faults over time."""

from typing import Annotated

from api.schemas.common import ResponseModel, Time
from api.schemas.value_fields import After
from api.schemas.view import Reason, View
from vtox.motor.alarms.health import growth


class Growth(View, value=growth.Growth, without="why quantity unit", last="code values sentence"):
    """How the level of a fault moves; levels are in dB by `values.unit`.

    The slope is that of Theil and Sen over the history, at most 30 days, with its interval of 95 %.
    No remaining life follows from it (docs/explanation/remaining-life.md).
    """

    code: str
    """stable, for programs; documented in docs/reference/alarms.md"""


class FaultTime(View, value=growth.FaultGrowth, without="since_t"):
    """One fault of a machine over time: its state, since when, and how its level moves."""

    since: Annotated[Time | None, After("state")]
    """null if the history has no record of it"""
    held: Reason
    """how long the state has lasted, as far as the history says"""
    growth: Growth


class MachineGrowth(ResponseModel):
    """Every fault of a machine over time."""

    machine_id: str
    faults: list[FaultTime]
