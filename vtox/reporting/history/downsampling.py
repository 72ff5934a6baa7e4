"""From points to minutes and hours: sums that can be added to, one for each outcome. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

MINUTE_S, HOUR_S = 60, 3600


class Row(NamedTuple):
    """A row of `records`: a point whose names are the ids of the tables. A tuple, as `Point`."""

    series_id: int
    t_ms: int
    id_ms: int
    id_seq: int
    outcome_id: int
    duration_ms: int
    value: float | None
    threshold: float | None
    severity: float | None
    marks: str | None = None
    confidence: float | None = None
    windows: str | None = None


@dataclass(slots=True)
class Aggregate:
    """Records of one stretch of time with one outcome: see `schema.minutes`."""

    n: int = 0
    n_values: int = 0
    minimum: float | None = None
    total: float = 0.0
    maximum: float | None = None
    threshold: float | None = None
    severity: float | None = None

    def add(self, row: Row) -> None:
        """Take in one record."""
        self.n += 1
        if row.threshold is not None:
            self.threshold = row.threshold
        self.severity = _larger(self.severity, row.severity)
        if row.value is not None:
            self.n_values += 1
            self.total += row.value
            self.minimum = _smaller(self.minimum, row.value)
            self.maximum = _larger(self.maximum, row.value)

    def merge(self, later: "Aggregate") -> None:
        """Take in all of a later one."""
        self.n += later.n
        self.n_values += later.n_values
        self.total += later.total
        self.minimum = _smaller(self.minimum, later.minimum)
        self.maximum = _larger(self.maximum, later.maximum)
        if later.threshold is not None:
            self.threshold = later.threshold
        self.severity = _larger(self.severity, later.severity)

    def columns(
        self,
    ) -> tuple[int, int, float | None, float, float | None, float | None, float | None]:
        """Return the columns after the key, in the order of the table."""
        return (
            self.n,
            self.n_values,
            self.minimum,
            self.total,
            self.maximum,
            self.threshold,
            self.severity,
        )


# Series, start of the stretch (s), outcome.
Key = tuple[int, int, int]


def minutes_of(rows: Iterable[Row]) -> dict[Key, Aggregate]:
    """Return the rows by series, minute and outcome."""
    found: dict[Key, Aggregate] = {}
    for row in rows:
        key = (row.series_id, row.t_ms // (1000 * MINUTE_S) * MINUTE_S, row.outcome_id)
        if (aggregate := found.get(key)) is None:
            found[key] = aggregate = Aggregate()
        aggregate.add(row)
    return found


def hours_of(minutes: dict[Key, Aggregate]) -> dict[Key, Aggregate]:
    """Return the minutes by series, hour and outcome."""
    found: dict[Key, Aggregate] = {}
    for (series_id, t, outcome_id), minute in minutes.items():
        found.setdefault((series_id, t // HOUR_S * HOUR_S, outcome_id), Aggregate()).merge(minute)
    return found


def _smaller(a: float | None, b: float | None) -> float | None:
    return b if a is None else a if b is None or a < b else b


def _larger(a: float | None, b: float | None) -> float | None:
    return b if a is None else a if b is None or a > b else b
