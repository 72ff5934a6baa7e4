"""Shapes of operators' actions on alarms and machines, on one or on many at once."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, model_validator

from api.http.query import Matching
from api.schemas.alarms import AlarmFilter
from api.schemas.common import ResponseModel
from vtox.motor.alarms.book import SHELVED_AT_MOST_MS
from vtox.motor.alarms.life import Outcome

# A line break is part of a comment; other control characters are no text.
Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2000),
    Matching(r"[^\x00-\x08\x0b-\x1f\x7f]*", "a text without control characters but line breaks"),
]
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=64),
    Matching(r"[^\x00-\x1f\x7f]*", "a line of text without control characters"),
]
Url = Annotated[
    str,
    StringConstraints(max_length=1000),
    Matching(
        r"https?://[^\x00-\x20\x7f\"<>\\^`{|}]+",
        "an address that begins with http:// or https://, without spaces and quotes",
    ),
]
SHELVED_AT_MOST_S = SHELVED_AT_MOST_MS // 1000


class OperatorIn(BaseModel, extra="forbid"):
    """The operator of an action."""

    by: Line | None = Field(
        None, description="the name of who acts, where no API key is used; else that of the key"
    )
    request_id: Line | None = Field(
        None, description="of your choice: the same request sent again does nothing more"
    )


class AcknowledgeIn(OperatorIn):
    """Acknowledge an alarm."""

    comment: Text | None = None


class CommentIn(OperatorIn):
    """Comment on an alarm."""

    comment: Text


class ShelveIn(OperatorIn):
    """Shelve the fault of an alarm's machine: until a time, or for so long."""

    reason: Text
    until: AwareDatetime | None = Field(None, description="RFC 3339, with the offset to UTC")
    for_s: int | None = Field(None, ge=60, le=SHELVED_AT_MOST_S)

    @model_validator(mode="after")
    def _has_one_end(self) -> "ShelveIn":
        if (self.until is None) == (self.for_s is None):
            raise ValueError("expected either until or for_s")
        return self


class UnshelveIn(AcknowledgeIn):
    """End a shelving."""


class UngroupIn(AcknowledgeIn):
    """Take an alarm out of its group."""


class CloseIn(AcknowledgeIn):
    """Close an alarm with its outcome."""

    outcome: Outcome


class WorkOrderIn(OperatorIn):
    """The work order that an alarm led to."""

    system: Line
    reference: Line
    url: Url | None = None
    outcome: Outcome | None = Field(
        None, description="what it found: closes the alarm; it feeds `found_right`"
    )


class AssignIn(OperatorIn):
    """Assign an alarm to a person."""

    assignee: Line | None = Field(description="the person's name; null: nobody")


class OutOfServiceIn(OperatorIn):
    """Take a machine out of service."""

    reason: Text


class InServiceIn(AcknowledgeIn):
    """Return a machine to service."""


class BulkIn(OperatorIn):
    """One action on all alarms that match; the fields of the action are those at its address.

    Ask first by `dry_run` how many it would change, and send that as `expected_count`.
    """

    filter: AlarmFilter
    action: Literal["acknowledge", "comment", "shelve", "unshelve", "close", "ungroup", "assign"]
    dry_run: bool = False
    expected_count: int | None = Field(None, ge=0)
    comment: Text | None = None
    reason: Text | None = None
    until: AwareDatetime | None = None
    for_s: int | None = None
    outcome: Outcome | None = None
    assignee: Line | None = None

    @model_validator(mode="after")
    def _is_limited(self) -> "BulkIn":
        f = self.filter
        named = f.assignee is not None or f.ids is not None
        if not any((f.machine_id, f.fault, f.level, f.state, f.group, named)):
            expected = "machine_id, fault, level, state, group, assignee and ids"
            raise ValueError(f"filter: expected one of {expected} at least")
        if not self.dry_run and self.expected_count is None:
            raise ValueError("expected_count: expected the count that dry_run gives")
        return self


class BulkResult(ResponseModel):
    """The result of an action on many alarms."""

    matched: int
    """alarms that match the filter"""
    count: int
    """number of the matching alarms that the action changes"""
    refused: dict[str, int]
    """why it does not change the others, by code"""
    done: bool
    """false after dry_run"""
