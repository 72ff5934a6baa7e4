"""Shapes of machines: list, nameplate, baseline, assessment."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from api.schemas.common import (
    OPTIONAL_FIELDS,
    DescribedBy,
    Number,
    PlainName,
    ResponseModel,
    Time,
)
from api.schemas.diagnoses import LatestDiagnosis
from api.schemas.nameplate import Nameplate
from api.schemas.value_fields import After, From
from api.schemas.view import Reason, View
from vtox.motor.alarms.health import assessment, dismissals
from vtox.motor.alarms.health.alert_values import Seen, Verdict
from vtox.motor.values.domain import State

SeenFaults = Annotated[
    list[str],
    Field(description="on which records agree and which no alarm says; `state` is without them"),
]
_OPEN = OPTIONAL_FIELDS | ConfigDict(extra="allow")


class LatestReason(View, value=Verdict, without="values doubts t", last="code reason time"):
    """The verdict of the latest record on a fault whose state rests on an earlier one."""

    state: State
    time: Time | None
    """when the record ended"""


class FaultReason(
    View, value=Verdict, without="state t", last="code values doubts reason time what_to_do"
):
    """Why a machine is in its state: one fault that is in the same state."""

    fault: Annotated[str, After("")]
    """empty: of the whole machine"""
    reason: str
    """the reason of the latest record that is in this state"""
    time: Time | None
    """when that record ended; null: not known"""
    latest: Annotated[LatestReason | None, After("time")]
    """null: that record is the latest one"""


class Sending(View):
    """How often a machine sends, and when it should send next."""

    every_s: Number
    """seconds from one window, snapshot or burst to the next; null: not known yet"""
    source: Literal["nameplate", "learned", "learning", ""]
    """source of the interval; `learning`: too few snapshots so far; empty: it has not sent"""
    next_window: Time | None
    """when the next one is due; null: not known"""
    silent_from: Time | None
    """from when on it is silent if nothing comes"""


class MachineSummary(View):
    """One machine in a list."""

    machine_id: str
    vehicle_id: PlainName | None
    """from its latest window that names one"""
    state: State
    """never normal while the machine is silent"""
    health: Number
    """0 to 100; null while nothing is decided"""
    reason: str
    """why the state is not normal; empty if it is"""
    reasons: list[FaultReason]
    """the same per fault; empty if the state is normal or nothing was diagnosed"""
    faults: dict[str, State]
    seen: SeenFaults
    registered: bool
    """whether a nameplate is registered"""
    baseline: bool
    """whether a baseline is learnt or given"""
    last_window: Time | None
    """when its last window arrived"""
    last_window_age_s: Number
    last_diagnosis: Time | None
    """when its latest diagnosed record ended"""
    silent: bool
    """whether it has sent before, but nothing for longer than it may pause"""
    sending: Sending


class Load(TypedDict):
    """A range of load in a baseline, positive-sequence A rms."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]

    state: Literal["ready", "stale", "learning", "refused"]
    low_a: float
    high_a: float
    learnt_t: NotRequired[float]
    records: NotRequired[int]
    reason: NotRequired[str]


class BaselineState(TypedDict):
    """The baseline of a machine; further fields if there is one."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]

    state: Literal["none", "learning", "ready", "stale", "refused"]
    code: NotRequired[str]
    records: NotRequired[int]
    source: NotRequired[str]
    learnt_t: NotRequired[float]
    version: NotRequired[int]
    loads: NotRequired[list[Load]]


class HeldVerdict(View, value=Verdict):
    """The verdict of the last record at the level of the open alert."""


class SeenFault(View, value=Seen):
    """A fault on which records agree and which days have not confirmed yet."""

    needs: list[Reason]
    """the conditions of an alarm"""


class FaultAssessment(
    View, value=assessment.FaultAssessment, last="alert_severity alert_confidence"
):
    """The assessed state of one fault; `last`, `t` and `reason` are of its latest diagnosis."""

    held: HeldVerdict | None
    """null without an open alert"""
    seen: SeenFault | None


class Assessment(View, value=assessment.Assessment):
    """The fused health of a machine from its latest diagnoses."""

    faults: dict[str, FaultAssessment]


class Dismissal(View, value=dismissals.Dismissal, without="t until_t level_db severity"):
    """An alarm that a person closed as false: it does not come again before it has grown."""

    closed: Annotated[Time, After("by")]
    until: Annotated[Time, After("closed")]
    """when it may come again as it was"""
    raised_from_db: Number
    """the level from which it comes again before that; null: it has none"""
    raised_from_severity: Number
    """the severity from which it comes again before that; null: its level decides"""


class NameplateCheck(ResponseModel):
    """A nameplate that was checked and not stored."""

    warnings: list[Reason]
    """values that contradict each other; empty: none do"""


class Machine(MachineSummary):
    """One machine with its nameplate, baseline, assessment and latest diagnoses."""

    # Otherwise fields that may be absent from an inner table would appear as always present.
    model_config = OPTIONAL_FIELDS

    nameplate: Annotated[dict[str, Any], DescribedBy(Nameplate)] | None
    nameplate_warnings: list[Reason]
    """values of the stored nameplate that contradict each other"""
    baseline_state: BaselineState
    assessment: Annotated[Assessment | None, From("health")]
    """null before the first diagnosis"""
    diagnoses: dict[str, LatestDiagnosis]
    dismissals: list[Dismissal]
    """alarms closed as false that do not come again; `.../dismissals/{alarm_id}/end` ends one"""
