"""Priority of alarms: criticality times severity times confidence, each from 1 to 5. Pure.

The monitoring priority number of ISO 13379-1:2012 (annex on FMSA) is a product of such ratings too.
It is made when monitoring is planned, from detection, severity, confidence of diagnosis and of
prognosis. Here an alarm is there already, so that detection says nothing, and VTOX makes no
prognosis. Criticality of the machine takes their place (docs/explanation/alarms.md, "What first").
"""

from dataclasses import dataclass
from math import ceil
from typing import Any, Literal, Protocol

from vtox.motor.alarms.health.assessment import FaultAssessment
from vtox.motor.faults import FAULTS, QUICK
from vtox.motor.values.domain import Reason, reason

ActionTime = Literal["now", "next_stop"]
# Five times five times five.
_MOST = 125
# An unknown quantity has the rating in the middle.
_MIDDLE = 3
# From here on an alarm needs action now. A clear warning on a machine that stops the plant has 60.
# A clear fault on one of middle criticality has 75, with some doubt 48.
_URGENT_PRIORITY = 60
# Ratings of severity by the level of an alarm: a fault is never rated below a warning.
_LEVELS = {"warning": (2, 4), "fault": (4, 5)}
# A condition that is no fault of a motor is certain and harms no motor: silence, a wrong clock.
_CONDITION_SEVERITY, _CERTAIN = 2, 5


@dataclass(frozen=True, slots=True)
class Importance:
    """Importance of a machine to its plant, by its nameplate; None: not stated."""

    criticality: int | None = None
    cost_per_hour: float | None = None


NOT_STATED = Importance()


@dataclass(frozen=True, slots=True, kw_only=True)
class Priority:
    """The product of three ratings, and whether it needs action now.

    `stated`: the criticality is that of the nameplate. The cost orders alarms of the same number.
    """

    criticality: int
    """from the nameplate; 3 if it has none, 5 for the system"""
    severity: int
    """by the level of the alarm and the records that raised it"""
    confidence: int
    """of the records that raised the alarm"""
    stated: bool
    cost_per_hour: float = 0.0
    """of a stop, by the nameplate; 0: not stated"""
    action: ActionTime
    """now, or it can wait for the next stop"""

    @property
    def number(self) -> int:
        """From 1 to `_MOST`."""
        return self.criticality * self.severity * self.confidence

    @property
    def ratings(self) -> dict[str, Any]:
        """Its number and the ratings behind it, as plain data."""
        names = ("number", "criticality", "severity", "confidence", "cost_per_hour", "action")
        return {name: getattr(self, name) for name in names}

    @property
    def order(self) -> tuple[int, float]:
        """The sort key among others, the most important first."""
        return -self.number, -self.cost_per_hour

    @property
    def why(self) -> Reason:
        """Its arithmetic."""
        names = ("number", "criticality", "severity", "confidence")
        ratings = {name: getattr(self, name) for name in names}
        return reason("priority" if self.stated else "priority_unrated", most=_MOST, **ratings)


class Concern(Protocol):
    """A problem of a machine, and its size: an alarm, an alert, or an event of one."""

    @property
    def machine_id(self) -> str:
        """Empty: the system itself."""

    @property
    def fault(self) -> str:
        """A fault, a flag, or a condition of the system."""

    @property
    def level(self) -> str:
        """Warning or fault."""


def alarm_priority(
    alarm: Concern, assessed: FaultAssessment | None, importance: Importance
) -> Priority:
    """Return the priority of an alarm; `assessed` is its fault as the alert was raised."""
    if not alarm.machine_id:  # the system watches no motor while it is down
        return _priority(alarm.level, alarm.fault, 1.0, _CERTAIN, Importance(_CERTAIN))
    if alarm.fault not in FAULTS:
        return _priority("", alarm.fault, None, _CERTAIN, importance)
    return fault_priority(alarm.fault, alarm.level, assessed, importance)


def fault_priority(
    fault: str, level: str, assessed: FaultAssessment | None, importance: Importance
) -> Priority:
    """Return the priority of a fault of a machine that has an open alert.

    Its ratings are those of the alert: no record moves them until it is raised to another level.
    """
    severity = assessed.alert_severity if assessed else None
    confidence = assessed.alert_confidence if assessed else None
    rated = _MIDDLE if confidence is None else _rating(confidence)
    return _priority(level, fault, severity, rated, importance)


def _rating(share: float) -> int:
    """Return 1 to 5 for 0 to 1, in equal steps.

    Examples
    --------
    >>> [_rating(x) for x in (0.0, 0.2, 0.21, 0.8, 0.81, 1.0)]
    [1, 1, 2, 4, 5, 5]
    """
    return min(max(ceil(5 * share - 1e-9), 1), 5)


def _priority(
    level: str, fault: str, severity: float | None, confidence: int, importance: Importance
) -> Priority:
    low, high = _LEVELS.get(level, (_CONDITION_SEVERITY, _CONDITION_SEVERITY))
    rated = min(max(_MIDDLE if severity is None else _rating(severity), low), high)
    criticality = importance.criticality or _MIDDLE
    quick = level == "fault" and fault in QUICK
    now = quick or criticality * rated * confidence >= _URGENT_PRIORITY
    return Priority(
        criticality=criticality,
        severity=rated,
        confidence=confidence,
        stated=importance.criticality is not None,
        action="now" if now else "next_stop",
        cost_per_hour=importance.cost_per_hour or 0.0,
    )
