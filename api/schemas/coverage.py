"""Shapes of coverage: the faults that machines are watched for, and those they are blind to."""

from pydantic import Field

from api.schemas.common import ResponseModel, Time
from api.schemas.view import CODE, EMPTY_ADVICE, View
from vtox.motor.alarms.coverage import coverage
from vtox.motor.alarms.coverage.unlocks import Unlock


class FaultCoverage(
    View,
    value=coverage.FaultCoverage,
    without="why",
    last="code values sentence what_to_do unlock",
):
    """Whether one fault of a machine is watched, and if not why."""


class MachineCoverage(ResponseModel):
    """The faults that one machine is watched for."""

    machine_id: str
    watched: int
    """how many of its faults"""
    faults: list[FaultCoverage]


class BlindReason(View):
    """A reason for which machines are blind to a fault."""

    code: str = Field(description=CODE)
    unlock: Unlock
    what_to_do: str = Field(description=EMPTY_ADVICE)
    machines: int
    example: str
    """one of these machines"""
    sentence: str
    """sentence of the example"""


class FleetFaultCoverage(ResponseModel):
    """Number of machines watched for one fault, and the reasons why the others are not."""

    fault: str
    watched: int
    blind: int
    watched_share: float | None
    """share of all machines; null without machines"""
    reasons: list[BlindReason]
    """most frequent first"""


class FleetCoverage(ResponseModel):
    """The machines that are watched, for each fault."""

    as_of: Time
    """when it was counted, some seconds ago at most"""
    machines: int
    faults: list[FleetFaultCoverage]
