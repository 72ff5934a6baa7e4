"""Values of a fault and of its alert, and the memory of a machine about it, each with a JSON.

`vtox.motor.alarms.health.alerts` makes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from vtox.motor.alarms.health.asymmetry_mean import AsymmetryMean
from vtox.motor.alarms.health.sideband_mean import SidebandMean
from vtox.motor.values.codec import Time
from vtox.motor.values.domain import Reason, ReasonValue, State

Level = Literal["", "warning", "fault"]
EventName = Literal["raised", "escalated", "cleared", "suppressed", "unsuppressed"]


# A named tuple is made in a third of the time of a frozen dataclass.
class SlotHistory(NamedTuple):
    """The last slots of a fault (a mark and a start each), and the level that they have led to."""

    level: Level = ""
    marks: str = ""
    starts: tuple[float, ...] = ()


class Day(NamedTuple):
    """The day under way of a fault: when it began, and its slots so far. Times of the signal, s.

    `before_s` is how long before its start the last slot of the day before was. `found` counts the
    slots with the fault, `faults` those at the level `fault`, `passing` those in doubt. `searched`
    were undecided although the fault was searched; they are none of `slots`. `last` is the start of
    the last slot.
    """

    start: int
    before_s: int
    slots: int = 0
    found: int = 0
    faults: int = 0
    passing: int = 0
    searched: int = 0
    last: int = 0


class LineSums(NamedTuple):
    """Sums of log distance `y` over log slip `x`, of the records that show a line."""

    n: int = 0
    mean_x: float = 0.0
    mean_y: float = 0.0
    xx: float = 0.0
    xy: float = 0.0
    yy: float = 0.0


class Line(NamedTuple):
    """How the line of a fault moves with the slip: since `start`, and in the weeks before.

    `missed` counts the records since `start` that were decided and did not show it.
    """

    start: int
    now: LineSums = LineSums()
    before: LineSums = LineSums()
    missed: int = 0


class Days(NamedTuple):
    """The days of a slow fault (`vtox.motor.alarms.health.days`).

    `past` has a letter for each of the last days, `today` that of the present one: `n`, `w`, `f`,
    or `u` if too few records decided.

    `needed` are `days` and `of_days` of the rule. `agreed` are the slots on which records agree,
    kept only if their level is not that of the alarm, which has them otherwise. They agree since
    `since`, s. `dropped`: the days before were of a clock that was ahead.
    """

    past: str = ""
    today: str = ""
    day: Day | None = None
    needed: tuple[int, int] = (1, 1)
    agreed: SlotHistory | None = None
    since: float = 0.0
    line: Line | None = None
    dropped: bool = False


# Not frozen, as that takes a third of the time.
@dataclass(slots=True, kw_only=True)
class Seen:
    """A fault on which records agree, and which no alarm says yet.

    `needs` says for people how many days show it, and which questions are open.
    """

    level: Level
    t: float
    """when its first record ended, s since 1970 (UTC)"""
    shown: int
    """so many of the last days show it"""
    judged: int
    """of so many"""
    days: int
    """an alarm needs so many"""
    of_days: int
    """of so many"""
    needs: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why something is so: `code` and its `values` for programs, `reason` in words.

    `doubts` are what else is said with it: mostly what weakens the diagnosis.
    """

    code: str = ""
    reason: str = ""
    values: Mapping[str, ReasonValue] = field(default_factory=dict)
    doubts: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict(Why):
    """Verdict of one record on a fault; `t` is when it ended. JSON has the names of its fields."""

    state: State | Literal[""]
    t: float


# Not frozen, as that takes a third of the time.
@dataclass(slots=True)
class FaultHistory:
    """History of one fault on a machine, with the names and in the order of its JSON.

    `severities` are those of the last decided records; their median is that of the fault.
    `confidences` are those of the last records that found something. `level`, `marks` and `starts`
    are its last slots, `alert` the id of its open alert, empty without one. `alert_severity` and
    `alert_confidence` are the medians when that alert was raised or escalated. `alert_severity`
    stays after it has ended.

    `last_values` are those of the code, `orders` the shaft orders of the impacts found last. `held`
    is the verdict of the last record at the level of the open alert; the latest may say something
    else. `days` is None if records alone decide the fault. `rises` are how far the last findings
    have grown over alarms that people closed as false (`vtox.motor.alarms.health.dismissals`).
    `sidebands` and `asymmetry` are means over its records, which decide some that are open alone
    (`vtox.motor.alarms.health.sideband_mean`, `asymmetry_mean`).
    """

    last_state: State | Literal[""] = ""
    last_code: str = ""
    last_reason: str = ""
    last_t: float = 0.0
    load_a: float | None = None
    severities: tuple[float, ...] = ()
    level: Level = ""
    marks: str = ""
    starts: tuple[float, ...] = ()
    alert: str = ""
    last_values: Mapping[str, ReasonValue] = field(default_factory=dict)
    orders: tuple[float, ...] = ()
    last_doubts: tuple[Reason, ...] = ()
    held: Verdict | None = None
    confidences: tuple[float, ...] = ()
    alert_severity: float | None = None
    alert_confidence: float | None = None
    days: Days | None = None
    rises: tuple[float, ...] = ()
    sidebands: SidebandMean | None = None
    asymmetry: AsymmetryMean | None = None

    @property
    def slots(self) -> SlotHistory:
        """Its last slots, and the level that they have led to."""
        apart = self.days and self.days.agreed
        return apart or SlotHistory(self.level, self.marks, self.starts)

    @property
    def latest(self) -> Verdict:
        """The verdict of the last record."""
        return Verdict(
            state=self.last_state,
            code=self.last_code,
            reason=self.last_reason,
            t=self.last_t,
            values=self.last_values,
            doubts=self.last_doubts,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedAlert(Why):
    """Description of an alert in each of its events, in its alarm, and while it is open.

    Its `id` is machine:fault:ms of the onset. `fault` may be the name of a flag
    (`vtox.pipeline.store.alarms.flags`), of an alarm of the system itself it is a condition
    (`vtox.pipeline.monitoring.conditions`).
    """

    id: str = ""
    """of the alert and its alarm: the same in all of its events"""
    machine_id: str = ""
    """empty: an alarm of the system itself"""
    fault: str = ""
    """a fault, `silent` or `clock`; of the system a condition of docs/reference/alarms.md"""
    level: str = ""
    """warning or fault"""
    t: Time = 0.0
    """by the signal, s since 1970 (UTC): of an event when it came, else when the alert began"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert(RaisedAlert):
    """One event of an alert."""

    event: EventName | Literal[""] = ""
