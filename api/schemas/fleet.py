"""Shapes of the fleet as a list: machines in order, their groups, small trends."""

from typing import Literal

from api.schemas.alarms import (
    Priority,
)
from api.schemas.common import Address, Number, PlainName, ResponseModel, Time
from api.schemas.machines import FaultReason, SeenFaults
from vtox.motor.alarms.coverage.unlocks import Unlock
from vtox.motor.values.domain import State


class FleetRow(ResponseModel):
    """One machine in the list."""

    machine_id: str
    vehicle_id: PlainName | None
    """from its latest window that names one"""
    site: str
    """site of its nameplate; empty if it has none"""
    asset_path: str
    """the same"""
    state: State
    """never normal while the machine is silent"""
    health: Number
    """0 to 100; null while nothing is decided"""
    silent_since: Time | None
    """when the last window of a silent machine arrived; null while it sends"""
    faults: dict[str, State]
    seen: SeenFaults
    priority: Priority | None
    """the highest of its open alerts; null: none"""
    blind: list[str]
    """faults for which it is not watched"""
    unlocks: dict[str, Unlock]
    """for each of them, the condition that would make the diagnosis possible"""
    last_diagnosis: Time | None
    """when its latest diagnosed record ended, to the minute; null: none yet"""
    reasons: list[FaultReason]
    """reasons of its state; empty if that is normal"""


class FleetGroup(ResponseModel):
    """Machines of one site or asset path, which are together in the list."""

    name: str
    """empty: machines without one, at the end"""
    start: int
    """index of its first machine in the list"""
    machines: int
    silent: int
    """how many of them send nothing"""
    states: dict[State, int]


class Fleet(ResponseModel):
    """A part of the list of the fleet."""

    machines: int
    """all that are known"""
    states: dict[State, int]
    """how many of them are in each state"""
    silent: dict[State, int]
    """how many of these send nothing, by state"""
    seen: int
    """how many have a fault that is seen and that no alarm says yet"""
    matching: int
    """length of the list: those that the filter lets through"""
    matching_states: dict[State, int]
    sites: list[str]
    """of all machines; at most 200, in order"""
    groups: list[FleetGroup]
    """of the list, in order; empty without `group`, and where there are more than 1,000, whose
    machines are in order nevertheless"""
    offset: int
    """index of the first machine of this part in the list"""
    rows: list[FleetRow]


class FleetPage(ResponseModel):
    """A page of the list."""

    data: Fleet
    next: Address | None = None
    """address of the next page, relative to this host; null at the end"""


class FleetTrend(ResponseModel):
    """Health of one machine in steps: columns of equal length."""

    state: list[State | None]
    """worst of the step; null: no record"""
    health: list[Number]
    """least of the step"""


class FleetTrends(ResponseModel):
    """Small trends of some machines, all on the same steps."""

    span: Literal["hour", "day", "week"]
    from_t: float
    """start of the first step, s since 1970 (UTC)"""
    step_s: int
    recorded_until_t: Number
    """when the last entry arrived that is recorded; null: nothing is yet"""
    series: dict[str, FleetTrend]
    """by machine; absent: it has no history"""
