"""Shapes of the severity of faults over time."""

from pydantic import Field

from api.schemas.common import Number, ResponseModel, Time
from api.schemas.view import UNITS_IN_NAMES, Reason, ReasonValues, View
from vtox.motor.alarms.health.growth import Course, Per
from vtox.motor.values.domain import State as Diagnosed


class Growth(View):
    """How the level of a fault moves; levels are in dB by `values.unit`.

    The slope is that of Theil and Sen over the history, at most 30 days, with its interval of 95 %.
    No remaining life follows from it (docs/explanation/remaining-life.md).
    """

    course: Course
    """unchanged: the interval has zero in it; unknown: the history has too few levels, and every
    number is null"""
    then_db: Number
    """when it was raised, else at the beginning"""
    now_db: Number
    """now"""
    slope_db: Number
    """dB a day or a week, by `per`"""
    low_db: Number
    """lower end of the interval of the slope"""
    high_db: Number
    """its upper end"""
    per: Per
    """week where the levels span two weeks"""
    code: str
    """stable, for programs; documented in docs/reference/alarms.md"""
    values: ReasonValues = Field(description=UNITS_IN_NAMES)
    sentence: str
    """code and values in words"""


class FaultTime(View):
    """One fault of a machine over time: its state, since when, and how its level moves."""

    fault: str
    state: Diagnosed
    """the level of its open alert; else normal where records decide, or unknown"""
    since: Time | None
    """null where the history has no record of it"""
    held: Reason
    """how long the state has lasted, as far as the history says"""
    growth: Growth


class MachineGrowth(ResponseModel):
    """Every fault of a machine over time."""

    machine_id: str
    faults: list[FaultTime]
