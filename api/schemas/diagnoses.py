"""Shapes of diagnoses, alerts, evidence and dead letters."""

from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.common import Address, Number, Page, ResponseModel, Time
from api.schemas.value_fields import After
from api.schemas.view import EMPTY_ADVICE, UNITS_IN_NAMES, Reason, ReasonValues, View
from vtox.motor.alarms.health.alert_values import EventName
from vtox.motor.values.domain import State, Value
from vtox.pipeline.store.stream import deadletters

# What several fields say of themselves.
CODE = "stable, for programs; documented in docs/faults; empty in entries written before codes"
DOUBTS = "what is said beside the code: mostly what weakens the diagnosis; part of `reason`"


class LatestDiagnosis(View):
    """The latest diagnosis of one fault of a machine."""

    fault: str
    family: str = ""
    state: State
    severity: Number = None
    """0 to 1; null where the state is unknown"""
    confidence: Number = None
    """0 to 1: how good the grounds are"""
    statistic: Number = None
    """the number that was compared"""
    threshold: Number = None
    """what the statistic was compared with"""
    code: str = Field("", description=CODE)
    values: ReasonValues = Field({}, description=UNITS_IN_NAMES)
    sentence: str = ""
    """`code` and `values` in words, without the doubts"""
    doubts: list[Reason] = Field([], description=DOUBTS)
    reason: str = ""
    """`sentence` and the sentences of `doubts` in one line"""
    what_to_do: str = Field("", description=EMPTY_ADVICE)
    indicators: dict[str, Value] = Field({}, description=UNITS_IN_NAMES)
    evidence: list[dict[str, Any]] = Field(
        [], description="frequencies looked at, alternatives, episodes"
    )
    run: str = ""
    first_seq: int | None = None
    last_seq: int | None = None
    t_start: Number = None
    t_end: Number = None
    start: Time | None = None
    end: Time | None = None


class DiagnosisEntry(LatestDiagnosis):
    """One diagnosis of a list."""

    stream_id: str
    """of its entry in `fault_diagnosis_results`"""
    machine_id: str
    latency_ms: Number = None
    source: Literal["stream", "history"]
    """the history keeps neither values, doubts, indicators nor evidence; the code then stands in
    `sentence` where that needs values"""


class Diagnoses(Page[DiagnosisEntry], use_attribute_docstrings=True):
    """Diagnoses of a machine, newest first, and the latest one of each fault."""

    latest: dict[str, LatestDiagnosis]


class RecordedDiagnoses(Page[DiagnosisEntry], use_attribute_docstrings=True):
    """Diagnoses of all machines as they are recorded, newest first."""

    recorded_until_t: Number
    """when the last entry arrived that is recorded; null: nothing is yet"""


class Alert(View):
    """One entry of `system_alerts`: an alert was raised, escalated or cleared."""

    stream_id: str
    id: str
    """of the alert: the same in all of its events"""
    machine_id: str
    """empty: an alarm of the system itself"""
    fault: str
    """a fault, `silent` or `clock`; of the system a condition of docs/reference/alarms.md"""
    level: str
    """warning or fault"""
    event: EventName
    t: Number
    """by the signal, s since 1970 (UTC)"""
    time: Time | None
    code: str = Field("", description=CODE)
    values: ReasonValues = Field({}, description=UNITS_IN_NAMES)
    doubts: list[Reason] = Field([], description=DOUBTS)
    reason: str
    what_to_do: str = Field("", description=EMPTY_ADVICE)


class OpenAlert(View):
    """An alert that was raised and is not cleared."""

    id: str
    machine_id: str
    """empty: an alarm of the system itself"""
    fault: str
    """a fault, `silent` or `clock`; of the system a condition of docs/reference/alarms.md"""
    level: Literal["warning", "fault"]
    t: Number
    """when it began, by the signal, s since 1970 (UTC)"""
    time: Time | None
    code: str = Field("", description=CODE)
    values: ReasonValues = Field(
        {}, description=f"of alarms of the system, as last observed; {UNITS_IN_NAMES}"
    )
    doubts: list[Reason] = Field([], description=DOUBTS)
    reason: str
    """of the latest diagnosis"""
    what_to_do: str = Field("", description=EMPTY_ADVICE)


class Waveform(View):
    """A record whose samples are stored as evidence of a new warning or fault."""

    record: str
    machine_id: str
    family: str
    t_start: float
    start: Time | None
    duration_s: float
    fs_hz: float
    channels: list[str]
    href: Address
    """its address on this host, an `.npz` file"""


class ReplayedLetter(ResponseModel):
    """A dead letter that was sent again."""

    id: str
    """of the dead letter, which is no more"""
    stream_id: str
    """of its window, in `motor_raw_data`"""


class DeadLetter(View, value=deadletters.DeadLetter, without="entry stream"):
    """One entry of `dead_letters`, without its samples."""

    time: Annotated[Time | None, After("t")]
    replayable: bool
    """whether the stream entry is stored with it"""
    entry_bytes: int
    """size of the stored stream entry, names and values"""
