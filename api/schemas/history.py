"""Shapes of the history: trends as columns, gaps, counts."""

from typing import Annotated, Literal

from pydantic import Field

from api.schemas.common import Address, Number, ResponseModel
from api.schemas.value_fields import After, From
from api.schemas.view import View
from vtox.motor.values.domain import State
from vtox.reporting.history.queries import OutcomeCount
from vtox.reporting.history.trend import Trend

Column = list[float | None]
STEP = "null: nothing was recorded in the step, or nothing between two records"


class TrendColumns(View, value=Trend, without="minimum maximum"):
    """One quantity over time: columns of equal length."""

    state: list[State | Literal[""] | None] = Field(
        description=f"worst of the step: normal, unknown, warning, fault in this order; {STEP}; "
        "empty: a figure has none"
    )
    code: list[str | None] = Field(description=f"most frequent one of that state; {STEP}")
    min: Annotated[Column, After("n")]
    """of the statistic, the health or the figure; null: no number"""
    max: Annotated[Column, After("mean")]
    """the same"""


class MissedEntries(View):
    """Entries of a stream that were trimmed while no recorder ran: not a gap of one machine."""

    stream: str
    from_t: Annotated[float, From("after_s")]
    """arrival of the last entry before them, s since 1970 (UTC)"""
    to_t: Annotated[float, From("before_s")]
    """arrival of the next one"""
    entries: int | None
    """of all machines together; null: not known"""


class History(View):
    """Recorded values between two times, gathered into steps or record by record."""

    machine_id: str
    """empty: figures of the system"""
    from_t: float
    """of this page, s since 1970 (UTC)"""
    to_t: float
    source: Literal["records", "minutes", "hours"]
    """table of the steps; each table is kept longer than the one before"""
    step_s: float
    """0: every record is a point of its own"""
    recorded_until_t: Number
    """when the last entry arrived that is recorded; null: nothing is yet"""
    series: dict[str, TrendColumns]
    """by fault, `health`, or figure of `performance_metrics`; series without records are absent"""
    counts: dict[str, list[OutcomeCount]]
    """the same records, counted"""
    missed: list[MissedEntries]


class HistoryPage(ResponseModel):
    """A page of the history, which goes on in time at `next`; then with the next scalars."""

    data: History
    next: Address | None = None
    """address of the next page, relative to this host; null at the end"""
