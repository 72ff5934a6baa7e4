"""Whether an alarm is one that a person closed as false: such a one does not come again. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from numbers import Real
from statistics import median
from typing import Any

from vtox.motor.alarms.health.alert_values import Days, FaultHistory, RaisedAlert, Why
from vtox.motor.alarms.health.impact_orders import share_an_order
from vtox.motor.alarms.health.marks import FOUND, Slots, evidence_of
from vtox.motor.faults import FAULTS, QUICK
from vtox.motor.values.codec import Number, Time
from vtox.motor.values.domain import Answer, Diagnosis

# A decision of a person holds for so long: then the machine may have become another one.
DISMISSED_S = 30 * 86_400
# A fault has grown that is stronger by this: twice the amplitude, or a fifth of all severity.
GROWN_DB = 6.0
GROWN_SEVERITY = 0.2
# Half the width of a line in the shortest record of a cage, 10 s. A line that moved with the load
# further than this is new evidence, which that person did not have.
LINE_TOLERANCE_HZ = 0.25
# The most for one machine; the oldest are dropped.
MOST_DISMISSALS = 8
_LEVELS = ("level_dbc", "lower_sideband_dbc", "upper_sideband_dbc", "level_db")
# The rise of a finding that is none of those dismissed, and the most that is remembered.
_ANOTHER = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dismissal:
    """An alarm that a person closed as false, from `t` until `until_t` (s, server clock).

    Its `severity` counts if `level_db` is None.
    """

    alarm_id: str
    fault: str
    codes: tuple[str, ...]
    """all codes of the alarm"""
    t: Time
    until_t: Time
    by: str = ""
    """the operator who closed it"""
    orders: tuple[Number, ...] = ()
    """shaft orders of its impacts; it is another alarm at any other order"""
    distance_hz: Number | None = None
    """of its line from the supply; it is another alarm at any other distance; null: no line"""
    level_db: Number | None = None
    severity: Number = 0.0

    def is_same_finding(self, shown: "Shown") -> bool:
        """Return whether this shows the same: its code, at its line or order."""
        if shown.code not in self.codes:
            return False
        if self.orders and shown.orders:
            return share_an_order(self.orders, shown.orders)
        if self.distance_hz is not None and shown.distance_hz is not None:
            return abs(self.distance_hz - shown.distance_hz) <= LINE_TOLERANCE_HZ
        return True

    @property
    def raised_from(self) -> tuple[float | None, float | None]:
        """The level (dB) or the severity from which it comes again; the other is None."""
        if self.level_db is not None:
            return round(self.level_db + GROWN_DB, 1), None
        return None, round(self.severity + GROWN_SEVERITY, 3)

    def rise(self, shown: "Shown") -> float:
        """Return how far it has grown: 1 is as much as an alarm needs to come again."""
        if self.level_db is not None and shown.level_db is not None:
            return (shown.level_db - self.level_db) / GROWN_DB
        return (shown.severity - self.severity) / GROWN_SEVERITY


@dataclass(frozen=True, slots=True, kw_only=True)
class Dismissals:
    """The alarms of a machine that people closed as false; version 0: none was."""

    version: int = 0
    t: float = 0.0
    by: str = ""
    alarms: tuple[Dismissal, ...] = ()

    def at(self, t: float) -> tuple[Dismissal, ...]:
        """Return the ones in force at a time of the server's clock.

        Records that waited arrived before the close. A clock that was far ahead at the close ends
        the hold once it is right, as it would last for years.
        """
        return self.alarms and tuple(d for d in self.alarms if d.t - DISMISSED_S <= t < d.until_t)

    def with_one(self, dismissal: Dismissal) -> tuple[Dismissal, ...]:
        """Return them with one more, in place of that of the same alarm."""
        return (*self.without(dismissal.alarm_id), dismissal)[-MOST_DISMISSALS:]

    def without(self, alarm_id: str) -> tuple[Dismissal, ...]:
        """Return them without that of an alarm."""
        return tuple(d for d in self.alarms if d.alarm_id != alarm_id)


NO_DISMISSALS = Dismissals()


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding of a record or an alarm: code and place, level and severity."""

    code: str
    orders: tuple[float, ...]
    distance_hz: float | None
    level_db: float | None
    severity: float


def shown_of(
    code: str, values: Mapping[str, Any], orders: tuple[float, ...], severity: float | None
) -> Shown:
    """Return the finding, from the values of its code and the orders of its impacts.

    >>> shown_of("bearing_defect", {"order": 3.05}, (), 0.4).orders
    (3.05,)
    """
    order, distance_hz = _number(values.get("order")), _number(values.get("distance_hz"))
    levels = [x for n in _LEVELS if (x := _number(values.get(n))) is not None]
    if not orders and order is not None:
        orders = (order,)
    return Shown(code, orders, distance_hz, max(levels, default=None), _number(severity) or 0.0)


def dismissal_of(
    alarm: RaisedAlert, history: FaultHistory | None, t: float, by: str
) -> Dismissal | None:
    """Return the dismissal of an alarm closed as false at `t`, None if it may never be one.

    While its alert is open the last record at its level counts: that was seen by who closed it.
    """
    if alarm.fault not in FAULTS or alarm.fault in QUICK:
        return None
    h = history or FaultHistory()
    now: Why = alarm
    orders, severity = tuple[float, ...](), h.alert_severity
    if h.alert == alarm.id:
        now = h.held or alarm
        orders, severity = h.orders, median(h.severities) if h.severities else severity
    shown = shown_of(now.code, now.values, orders, severity)
    return Dismissal(
        alarm_id=alarm.id,
        fault=alarm.fault,
        codes=tuple(sorted({alarm.code, now.code})),
        t=t,
        until_t=t + DISMISSED_S,
        by=by,
        orders=shown.orders,
        distance_hz=shown.distance_hz,
        level_db=shown.level_db,
        severity=shown.severity,
    )


def rises_after(
    rises: tuple[float, ...],
    dismissals: Iterable[Dismissal],
    d: Diagnosis | Answer,
    said: Slots,
    orders: tuple[float, ...],
    n: int,
) -> tuple[float, ...]:
    """Return how far the last `n` findings of a fault have grown over those dismissed.

    None if no alarm of the fault is dismissed now. `orders` are those of the impacts of `d`.
    """
    holding = [x for x in dismissals if x.fault == d.fault and x.fault not in QUICK]
    if not holding:
        return ()
    if FOUND.isdisjoint(said.marks.lower()):
        return rises
    sign, code = evidence_of(d, "weak_sign") or {}, d.code
    if sign:
        code = "weak_lines_risen" if "rise_db" in sign else "weak_lines_stay"
    shown = shown_of(code, d.values, orders, d.severity or sign.get("severity"))
    rise = min((x.rise(shown) for x in holding if x.is_same_finding(shown)), default=_ANOTHER)
    return (*rises, round(min(rise, _ANOTHER), 2))[-n:]


def without_dismissed(
    history: FaultHistory, dismissals: Iterable[Dismissal], t: float, n: int
) -> FaultHistory:
    """Return the history without its open warning if a person closed that as false.

    The fault is seen since `t` then, and an alarm again once most of the next `n` findings are
    stronger.
    """
    if history.level != "warning" or all(x.alarm_id != history.alert for x in dismissals):
        return history
    days = (history.days or Days())._replace(agreed=history.slots, since=t)
    return replace(
        history,
        level="",
        marks="",
        starts=(),
        alert="",
        held=None,
        alert_confidence=None,
        days=days,
        rises=(0.0,) * n,
    )


def is_dismissed(rises: tuple[float, ...]) -> bool:
    """Return whether findings show an alarm that was closed as false, and has not grown."""
    return bool(rises) and median(rises) < _ANOTHER


def _number(value: Any) -> float | None:
    known = isinstance(value, Real) and not isinstance(value, bool) and isfinite(value)
    return float(value) if known else None
