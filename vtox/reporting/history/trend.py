"""The trend of one quantity as columns of equal length, in which a gap is None. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from vtox.motor.alarms.health.assessment import PUBLISH_EVERY_S

# From best to worst; a figure of the system has no state.
STATES = ("", "normal", "unknown", "warning", "fault")
# For an assessment, which has no length: two that were due are missing.
ASSESSMENT_GAP_MS = 3000 * PUBLISH_EVERY_S


class StepOutcome(NamedTuple):
    """Records of one step with one outcome."""

    t: float
    state: str
    code: str
    n: int
    n_values: int
    minimum: float | None
    total: float
    maximum: float | None
    threshold: float | None
    severity: float | None


class TrendRecord(NamedTuple):
    """One record of the list."""

    t_ms: int
    id_ms: int
    id_seq: int
    series_id: int
    duration_ms: int
    state: str
    code: str
    value: float | None
    threshold: float | None
    severity: float | None


@dataclass(slots=True)
class Trend:
    """Columns of equal length; `state` is the worst of a step, `code` its most frequent one."""

    t: list[float] = field(default_factory=list)
    """s since 1970 (UTC): start of the step; of single records their end"""
    state: list[str | None] = field(default_factory=list)
    code: list[str | None] = field(default_factory=list)
    n: list[int] = field(default_factory=list)
    """records in the step; 0: a gap"""
    minimum: list[float | None] = field(default_factory=list)
    mean: list[float | None] = field(default_factory=list)
    """the same"""
    maximum: list[float | None] = field(default_factory=list)
    threshold: list[float | None] = field(default_factory=list)
    """limit that the statistic was compared with"""
    severity: list[float | None] = field(default_factory=list)
    """largest of the step"""

    def append(self, t: float, groups: Sequence[StepOutcome]) -> None:
        """Append one step; without groups it is a gap."""
        n_values = sum(g.n_values for g in groups)
        worst = max(groups, key=lambda g: (STATES.index(g.state), g.n), default=None)
        self.t.append(t)
        self.state.append(worst.state if worst else None)
        self.code.append(worst.code if worst else None)
        self.n.append(sum(g.n for g in groups))
        self.minimum.append(min(_numbers(g.minimum for g in groups), default=None))
        self.mean.append(sum(g.total for g in groups) / n_values if n_values else None)
        self.maximum.append(max(_numbers(g.maximum for g in groups), default=None))
        self.threshold.append(max(_numbers(g.threshold for g in groups), default=None))
        self.severity.append(max(_numbers(g.severity for g in groups), default=None))


def step_trend(groups: Iterable[StepOutcome], first_s: int, end_s: int, step_s: int) -> Trend:
    """Return the trend on the grid of steps from `first_s` to before `end_s`."""
    by_step: dict[int, list[StepOutcome]] = {}
    for group in groups:
        by_step.setdefault(int(group.t), []).append(group)
    trend = Trend()
    for t in range(first_s, end_s, step_s):
        trend.append(float(t), by_step.get(t, ()))
    return trend


def record_trend(records: Iterable[TrendRecord]) -> Trend:
    """Return the trend of single records, oldest first, with a gap wherever one would have fit."""
    trend = Trend()
    last: TrendRecord | None = None
    for r in records:
        if last is not None and _gap_ms(last, r) > (r.duration_ms or ASSESSMENT_GAP_MS):
            trend.append((last.t_ms + _gap_ms(last, r) / 2) / 1000, ())
        n_values, total = (0, 0.0) if r.value is None else (1, r.value)
        group = StepOutcome(
            r.t_ms / 1000,
            r.state,
            r.code,
            1,
            n_values,
            r.value,
            total,
            r.value,
            r.threshold,
            r.severity,
        )
        trend.append(group.t, (group,))
        last = r
    return trend


def _gap_ms(before: TrendRecord, after: TrendRecord) -> int:
    return after.t_ms - after.duration_ms - before.t_ms


def _numbers(values: Iterable[float | None]) -> list[float]:
    return [v for v in values if v is not None]
