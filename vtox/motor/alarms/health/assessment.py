"""The health of a machine, fused from the states of its faults. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from vtox.motor.alarms.health.alert_values import FaultHistory, Seen, Verdict
from vtox.motor.alarms.health.alerts import median_of
from vtox.motor.alarms.health.days import seen_of
from vtox.motor.alarms.health.dismissals import is_dismissed
from vtox.motor.alarms.health.marks import RANK, UNDECIDED
from vtox.motor.faults import FAULTS
from vtox.motor.values.codec import Number, Time
from vtox.motor.values.domain import Reason, ReasonValue, State

# An assessment is published when it changes, and at least this often.
PUBLISH_EVERY_S = 10.0
# A fault of which nothing was decided for this time is undecided: three of the longest records.
UNDECIDED_S = 120.0


# Not frozen, as that takes a third of the time.
@dataclass(slots=True)
class FaultAssessment:
    """One fault of a machine: its state now, and the verdict of its last record.

    `held` is the verdict of the last record that was at the level of the open alert; None without
    one. `seen` is a finding that days have not confirmed yet.
    """

    state: State
    severity: Number | None = None
    last: State | Literal[""] = ""
    """state by the last record"""
    code: str = ""
    reason: str = ""
    values: Mapping[str, ReasonValue] = field(default_factory=dict)
    doubts: tuple[Reason, ...] = ()
    t: float = 0.0
    """when that record ended, s since 1970 (UTC); 0: not known"""
    held: Verdict | None = None
    alert_severity: Number | None = None
    """with which the open alert was raised or escalated"""
    alert_confidence: Number | None = None
    """the same"""
    seen: Seen | None = None

    @property
    def latest(self) -> Verdict:
        """The verdict of the last record."""
        return Verdict(
            state=self.last,
            code=self.code,
            reason=self.reason,
            t=self.t,
            values=self.values,
            doubts=self.doubts,
        )

    @property
    def why(self) -> Verdict:
        """The verdict of the record on which the state rests."""
        return self.held or self.latest


# Not frozen, as that takes a third of the time.
@dataclass(slots=True)
class Published:
    """The assessment that was published last, the part that the next one is compared with."""

    t: float
    health: float | None
    state: State

    def is_due_after(self, last: "Published | None") -> bool:
        """Return whether it differs from the last one published, or is late."""
        if last is None or last.state != self.state:
            return True
        moved = abs((last.health or 0) - (self.health or 0)) >= 1
        return moved or abs(self.t - last.t) >= PUBLISH_EVERY_S


@dataclass(frozen=True, slots=True)
class Assessment:
    """The fused health of one machine at time `t`: 0 to 100, None if nothing is decided."""

    t: Time = 0.0
    health: Number | None = None
    state: State = "unknown"
    faults: Mapping[str, FaultAssessment] = field(default_factory=dict)

    @property
    def last_diagnosis_t(self) -> float | None:
        """When the latest diagnosed record ended; None before the first."""
        return max((f.t for f in self.faults.values() if f.t), default=None)

    @property
    def seen_faults(self) -> list[str]:
        """The faults on which records agree, and which no alarm says yet."""
        return [name for name, f in self.faults.items() if f.seen]


class Fused(NamedTuple):
    """The health and the state of a machine, and the state of each of its faults, in order."""

    health: float | None
    state: State
    faults: Mapping[str, State]

    @classmethod
    def of(
        cls, faults: Mapping[str, FaultHistory], t: float, missing: Collection[str] = ()
    ) -> "Fused":
        """Return the health at a time: 100 less the severity (%) of the worst fault with an alert.

        A fault without an open alert is `normal` if it was decided within `UNDECIDED_S`, else
        `unknown`; a machine of which nothing is decided has no health. Faults that are `missing`
        belong to packages that other hosts have.
        """
        states: dict[str, State] = {}
        worst = 0.0
        for fault in (*FAULTS, *missing):
            if h := faults.get(fault):
                states[fault] = h.level or ("normal" if _decided_lately(h, t) else "unknown")
                if h.level:
                    worst = max(worst, median_of(h.severities) or 0.0)
        state: State = max(states.values(), key=_ORDER.__getitem__, default="unknown")
        return cls(None if state == "unknown" else round(100 * (1 - worst), 1), state, states)

    def fingerprint(self, faults: Mapping[str, FaultHistory]) -> str:
        """Return the shown fields as one text: a machine whose text stays has not changed.

        Health is in whole per cent, and a code counts only if the last record was not normal:
        else every record of every machine would be a change.
        """
        text = self.state + ("|" if self.health is None else f"|{self.health:.0f}")
        for fault, state in self.faults.items():
            h = faults[fault]
            code = h.last_code if h.last_state != "normal" else ""
            text += f"|{fault}:{state}:{h.last_state}:{code}"
            if h.days and h.days.agreed and not h.level:
                text += f":{h.days.agreed.level}:{h.days.past}{h.days.today}"
                text += ":dismissed" * is_dismissed(h.rises)
        return text


_ORDER = {"unknown": -1, "normal": 0} | RANK


def assess(
    faults: Mapping[str, FaultHistory],
    t: float,
    missing: Collection[str] = (),
    fused: Fused | None = None,
) -> Assessment:
    """Return the health at a time, `fused` if given, with the last verdict on each fault."""
    health, state, states = fused or Fused.of(faults, t, missing)
    return Assessment(
        t, health, state, {f: _assess_fault(f, faults[f], s) for f, s in states.items()}
    )


def _assess_fault(fault: str, history: FaultHistory, state: State) -> FaultAssessment:
    return FaultAssessment(
        state,
        median_of(history.severities),
        history.last_state,
        history.last_code,
        history.last_reason,
        history.last_values,
        history.last_doubts,
        history.last_t,
        history.held,
        history.alert_severity if history.level else None,
        history.alert_confidence,
        seen_of(fault, history.level, history.days, dismissed=is_dismissed(history.rises)),
    )


def present_state(health: Assessment | None, *, silent: bool) -> State:
    """Return the state of a machine now: a normal one that sends nothing becomes unknown."""
    state: State = health.state if health else "unknown"
    return "unknown" if silent and state == "normal" else state


def _decided_lately(history: FaultHistory, t: float) -> bool:
    """Return whether a diagnosis of this fault decided lately: a dead sensor is not health."""
    slots = (history.days and history.days.agreed) or history
    decided = len(slots.marks.rstrip(UNDECIDED))
    return decided > 0 and t - slots.starts[decided - 1] <= UNDECIDED_S
