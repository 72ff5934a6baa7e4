"""Shapes of alarms: their fields, and the filter of a request."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from api.http.query import EmptyQuery
from api.schemas.common import Number, Page, ResponseModel, Time
from api.schemas.growth import Growth
from api.schemas.value_fields import After, From
from api.schemas.view import CODE, UNITS_IN_NAMES, ReasonValues, View
from vtox.motor.alarms import book, life, priority
from vtox.motor.alarms.life import State, SuspensionName

Level = Literal["warning", "fault"]
BY = "server clock, UTC"
# Ids of one action: those of a page, and of the groups on it.
IDS_AT_MOST = 20_000


class Suspension(
    View,
    value=life.Suspension,
    without="values doubts ms until_ms alarm_id request_id",
    last="reason code",
):
    """Why an alarm is not open for a time; `code` is empty if an operator decided it."""

    kind: Annotated[SuspensionName, After("")]
    since: Annotated[Time, After("kind")] = Field(description=BY)
    until: Annotated[Time | None, After("since")]
    """null: until an operator ends it"""
    machine_id: Annotated[str, After("reason")]
    fault: Annotated[str, After("machine_id")]
    """empty: every fault of the machine"""


class Priority(View, value=priority.Priority, without="stated"):
    """Rank among open alarms: the product of three ratings of 1 to 5."""

    number: Annotated[int, After("")]
    """criticality times severity times confidence, at most 125"""
    sentence: str
    """the arithmetic in words"""


class FoundRight(ResponseModel):
    """How often alarms of one fault and code were found right."""

    right: int
    """closed as `confirmed`"""
    inspected: int
    """these, and those closed as false or of another cause"""
    sentence: str


class Alarm(
    View,
    value=life.Alarm,
    without="raised_ms since_ms acknowledged_ms cleared_ms closed_ms requests ungrouped",
    last="code values doubts reason what_to_do",
):
    """One alarm, from the alert that raised it to its outcome."""

    state: Annotated[State, After("level")]
    """by the names of ANSI/ISA-18.2"""
    open: Annotated[bool, After("state")]
    """not closed, and unacknowledged, acknowledged or returned"""
    since: Annotated[Time, After("active")] = Field(
        description=f"when it came into this state, {BY}"
    )
    t: Annotated[Number, After("since_by")]
    """when it began, by the signal, s since 1970 (UTC)"""
    time: Annotated[Time | None, After("t")]
    cleared: Annotated[Time | None, After("time")]
    acknowledged: Annotated[Time | None, After("acknowledged_by")]
    closed: Annotated[Time | None, After("closed_by")]
    silent_since: Annotated[Time | None, After("assignee")]
    """when the last window of its machine arrived, if the machine is silent now"""
    suspensions: Annotated[list[Suspension], After("work_orders")]
    group: Annotated[str, After("suspensions")]
    """the alarm of its supply that it is part of; empty: none"""
    shelved: Annotated[Suspension | None, After("group")]
    """the shelving of this fault of the machine, though this alarm may have ended"""
    priority: Priority | None
    """only for an open alarm"""
    found_right: FoundRight | None
    """alarms of this fault and code so far; null: none was inspected"""
    growth: Growth | None = None
    """for an active fault of a machine; in lists, for the first 50 alarms of a page"""


class SupplyAlarm(View):
    """Alarms of one supply or site that came together, as one; they keep their states."""

    id: str
    """id of its earliest alarm; `group` of each of its alarms"""
    site: str
    supply: str
    """the asset path of its machines, but for the last level; empty: the whole site"""
    fault: str
    level: str
    """the highest of its alarms"""
    state: State
    """state of the alarm that most needs attention"""
    since: Time = Field(description=f"when it came into this state, {BY}")
    t: Number
    """when the earliest began, by the signal, s since 1970 (UTC); of a site, when most of it was
    silent"""
    time: Time | None
    within_s: float | None
    """alarms of this fault so close together are one; null: those of a site are, whenever each
    began"""
    machines: int
    """machines that alarm"""
    of_machines: int
    """machines of the supply, or of the site that have sent"""
    open: int
    """how many of its alarms are open"""
    active: int
    """how many of its alarms are not cleared"""
    counts: dict[State, int]
    alarms: list[str]
    """the ids of its alarms, the earliest first"""
    machine_ids: list[str]
    priority: Priority | None
    """the highest of its open alarms"""
    code: str = Field(description=CODE)
    values: ReasonValues = Field(description=UNITS_IN_NAMES)
    reason: str
    what_to_do: str


class Alarms(Page[Alarm], View, use_attribute_docstrings=True):
    """A page of alarms; `counts` are by state, of all that match but for the state."""

    groups: list[SupplyAlarm]
    """alarms of supplies among all alarms that match, on the first page"""
    counts: dict[State, int]
    open: int
    """how many of these are open"""
    open_grouped: int
    """number of open alarms if those of one supply count once"""
    assignees: dict[str, int]
    """number of these alarms by assignee; empty name: not assigned"""
    as_of: Time


class AlarmAction(View, value=book.Action, without="name ms until_ms request_id"):
    """An action of an operator: an entry of `alarm_actions`."""

    stream_id: Annotated[str, After("")]
    action: Annotated[book.ActionName, From("name"), After("stream_id")]
    t: Annotated[Number, After("action")]
    time: Annotated[Time | None, After("t")]
    until: Annotated[Time | None, After("text")]
    """the end of a shelving"""


class AlarmDetail(Alarm):
    """An alarm with the actions of operators, oldest first."""

    actions: list[AlarmAction]


class Suspensions(ResponseModel):
    """The suspensions that keep alarms from being open."""

    shelved: list[Suspension]
    out_of_service: list[Suspension]
    suppressed_by_design: list[Suspension]
    as_of: Time


class AlarmFilter(EmptyQuery):
    """The choice of alarms."""

    machine_id: str | None = Field(None, max_length=64, description="only alarms of this machine")
    fault: str | None = Field(None, max_length=64, description="only alarms of this fault")
    level: Level | None = Field(None, description="only alarms of this level")
    state: State | None = Field(None, description="only alarms in this state")
    open: bool | None = Field(None, description="only alarms that are open, or that are not")
    group: str | None = Field(
        None, max_length=300, description="only alarms that are part of this alarm of a supply"
    )
    assignee: str | None = Field(
        None, max_length=64, description="only alarms assigned to this person; empty: to nobody"
    )
    ids: frozenset[Annotated[str, Field(max_length=300)]] | None = Field(
        None, max_length=IDS_AT_MOST, description="only these alarms, each as its own parameter"
    )

    def matches(
        self, alarm: life.Alarm, groups: Mapping[str, str], *, whatever_state: bool = False
    ) -> bool:
        """Return whether an alarm matches; `groups` has id -> group."""
        if self.group is not None and groups.get(alarm.id) != self.group:
            return False
        if self.ids is not None and alarm.id not in self.ids:
            return False
        same = ("machine_id", "fault", "level", "assignee")
        wanted = {name: getattr(self, name) for name in same}
        if not whatever_state:
            wanted |= {"state": self.state}
        if any(v is not None and getattr(alarm, n) != v for n, v in wanted.items()):
            return False
        return whatever_state or self.open in (None, alarm.open)


class Service(ResponseModel):
    """Whether a machine is in service; if not, since when, by whom and why."""

    machine_id: str
    in_service: bool
    since: Time | None
    by: str
    reason: str


class Access(ResponseModel):
    """Permissions of the sender of this request."""

    name: str
    """name of the sender in actions; empty if a name must be sent"""
    may_operate: bool
    """alarms, service, dead letters"""
    may_engineer: bool
    """nameplates, sensitivities, channel maps"""
    name_needed: bool
    """no API key is used: actions need `by`"""
