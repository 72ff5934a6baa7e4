"""Shapes of diagnoses, alerts, evidence and dead letters."""

from typing import Annotated, Literal

from pydantic import Field

from api.schemas.common import Address, Number, Page, ResponseModel, Time
from api.schemas.value_fields import After
from api.schemas.view import EMPTY_ADVICE, View
from vtox.motor.alarms.health import alert_values
from vtox.motor.alarms.health.alert_values import EventName, RaisedAlert
from vtox.pipeline.store.stream import deadletters
from vtox.pipeline.store.stream.entries import Result


class LatestDiagnosis(View, value=Result, without="machine_id closed marks latency_ms"):
    """The latest diagnosis of one fault of a machine."""

    family: Annotated[str, After("fault")]
    sentence: Annotated[str, After("values")]
    """`code` and `values` in words, without the doubts"""
    reason: Annotated[str, After("doubts")]
    """`sentence` and the sentences of `doubts` in one line"""
    what_to_do: Annotated[str, After("reason")] = Field(description=EMPTY_ADVICE)
    start: Time | None
    end: Time | None


class DiagnosisEntry(LatestDiagnosis):
    """One diagnosis of a list."""

    stream_id: str
    """id of its entry in `fault_diagnosis_results`"""
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


class Alert(View, value=alert_values.Alert, last="time code values doubts reason what_to_do"):
    """One entry of `system_alerts`: an alert was raised, escalated or cleared."""

    stream_id: Annotated[str, After("")]
    event: Annotated[EventName, After("level")]


class OpenAlert(View, value=RaisedAlert, last="time code values doubts reason what_to_do"):
    """An alert that was raised and is not cleared.

    `reason` is that of the latest diagnosis; `values` of an alarm of the system are as last
    observed.
    """

    level: Literal["warning", "fault"]


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
    """id of the dead letter, which is removed"""
    stream_id: str
    """id of the entry of its window in `motor_raw_data`"""


class DeadLetter(View, value=deadletters.DeadLetter, without="entry stream"):
    """One entry of `dead_letters`, without its samples."""

    time: Annotated[Time | None, After("t")]
    replayable: bool
    """whether the stream entry is stored with it"""
    entry_bytes: int
    """size of the stored stream entry, names and values"""
