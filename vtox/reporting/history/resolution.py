"""Choice of the table of a trend, and the length of its steps. Pure."""

from dataclasses import dataclass
from typing import Literal

from vtox.reporting.history.downsampling import HOUR_S, MINUTE_S
from vtox.reporting.history.retention import Oldest

Resolution = Literal["auto", "raw", "minute", "hour"]
Source = Literal["records", "minutes", "hours"]

# Steps that a person reads easily, up to a week.
STEPS_S = (
    *(MINUTE_S * n for n in (1, 2, 5, 10, 15, 30)),
    *(HOUR_S * n for n in (1, 2, 4, 6, 12, 24, 48, 168)),
)
# No fault has records shorter than this; so a span of `points` seconds has at most so many.
RECORD_MIN_S = 1


@dataclass(frozen=True, slots=True)
class Grid:
    """A table, and the length of the steps into which its rows are gathered; 0: each record."""

    source: Source
    step_s: int


RECORDS, MINUTES, HOURS = Grid("records", 0), Grid("minutes", MINUTE_S), Grid("hours", HOUR_S)


def grid(resolution: Resolution, from_s: float, to_s: float, points: int, oldest: Oldest) -> Grid:
    """Return the table and the steps of a trend between two times.

    `auto` takes the shortest steps of which at most `points` fill the span, from a table that
    still has its beginning.
    """
    if resolution != "auto":
        return {"raw": RECORDS, "minute": MINUTES, "hour": HOURS}[resolution]
    span_s = to_s - from_s
    if span_s <= points * RECORD_MIN_S and 1000 * from_s >= oldest.records_ms:
        return RECORDS
    has_minutes = 1000 * from_s >= oldest.minutes_ms
    steps = [s for s in STEPS_S if has_minutes or s >= HOUR_S]
    step_s = next((s for s in steps if span_s <= points * s), STEPS_S[-1])
    return Grid("hours" if step_s >= HOUR_S else "minutes", step_s)
