"""Shapes of scalars: the values sent of a machine, and its latest readings."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.common import Address, PlainName, ResponseModel, Time
from api.schemas.view import Reason, View
from api.schemas.windows import SCALARS, Scalars
from vtox.motor.values.domain import State
from vtox.motor.values.scalars import ScalarLimit
from vtox.motor.values.vibration_zones import Zone
from vtox.reporting.history.limit_trials import LimitTrial, ScalarRange


class ScalarsIn(BaseModel):
    """Readings of one time."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"t": 1764000000.25, "scalars": {"oil_pressure": [2.1, "bar"]}}]
        }
    )

    t: float | None = Field(
        None,
        gt=0,
        lt=1e11,
        description="when they were measured, s since 1970 (UTC); sent twice, a reading counts "
        "once. Without it the time of arrival, and what is sent again counts again",
    )
    scalars: Scalars = Field(description=SCALARS)
    machine_id: PlainName | None = Field(None, description="if given, the same as in the address")


class AcceptedScalars(ResponseModel):
    """The entries of the readings; the history has them some seconds later."""

    machine_id: str
    t: float
    stream_ids: list[str]


class Limit(View, value=ScalarLimit, without="name unit"):
    """A limit of a scalar: of the nameplate, or the end of a zone of vibration."""


class NamedLimit(View, value=ScalarLimit):
    """A limit with the scalar that it is of."""


class TriedLimit(View, value=LimitTrial, without="scalar_limit"):
    """A limit tried on the stored minutes, by the rule that raises its alarm."""

    scalar_limit: NamedLimit


class LearntRange(View, value=ScalarRange):
    """Values of a scalar in the latest week without an alarm; a suggestion, never set by itself.

    `low` and `high` leave a quarter of the distance between both values as room.
    """


class LimitTrials(ResponseModel):
    """Limits of the scalars of a machine on its stored minutes, and suggested ranges."""

    machine_id: str
    limits: list[TriedLimit]
    ranges: list[LearntRange]
    """empty without such a week of five days with readings"""


class LatestScalar(View):
    """The latest reading of a scalar."""

    name: str
    unit: str
    value: float
    time: Time | None
    state: State | None
    """state by its limits; null if it has none"""
    zone: Zone | None
    """of a vibration velocity, by the class of the machine"""
    limits: list[Limit]


class VibrationClass(View):
    """The class of a machine for its vibration velocity, 10 Hz to 1 kHz."""

    group: int
    """1: above 300 kW; 2: above 15 up to 300 kW"""
    support: Literal["rigid", "flexible"]
    ends_mm_s: list[float]
    """upper ends of the zones A, B and C, mm/s rms"""
    source: str


class MachineScalars(ResponseModel):
    """The latest scalars of a machine."""

    machine_id: str
    scalars: list[LatestScalar]
    """by name; those of which a record is kept"""
    vibration_class: VibrationClass | None
    why_no_velocity: Reason | None
    """why no velocity is computed from its vibration; null if one was"""


class ScalarsPage(ResponseModel):
    """A page of the latest scalars of a machine."""

    data: MachineScalars
    next: Address | None = None
    """address of the next page, relative to this host; null at the end"""
