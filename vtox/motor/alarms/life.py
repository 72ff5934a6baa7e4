"""The state of one alarm: an alarm and an event in, the alarm after it out. Pure.

States and events have the names of ANSI/ISA-18.2-2016 (IEC 62682). An alarm is one occurrence: a
fault that clears and comes back is another alarm. Closing with an outcome is no state of the
standard: it is kept with the state.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal, get_args

from vtox.motor.alarms.health.alert_values import RaisedAlert, Why
from vtox.motor.alarms.health.marks import RANK
from vtox.motor.alarms.work_orders import WorkOrder, add_work_order
from vtox.motor.errors import AlarmRefused

SuspensionName = Literal["out_of_service", "suppressed_by_design", "shelved"]
State = (
    Literal["normal", "unacknowledged", "acknowledged", "returned_unacknowledged"] | SuspensionName
)
Outcome = Literal["confirmed", "false_alarm", "other_cause", "not_inspected"]
EventName = Literal[
    "worsened",
    "cleared",
    "acknowledged",
    "commented",
    "shelved",
    "unshelved",
    "suppressed",
    "unsuppressed",
    "out_of_service",
    "in_service",
    "closed",
    "ungrouped",
    "ordered",
    "assigned",
]
# If several hold, the state is the first of them.
SUSPENSIONS: tuple[SuspensionName, ...] = get_args(SuspensionName)
STATES: tuple[State, ...] = (
    "unacknowledged",
    "acknowledged",
    "returned_unacknowledged",
    *SUSPENSIONS,
    "normal",
)
# States that wait for a person, or for the fault to end.
OPEN_STATES: tuple[State, ...] = STATES[:3]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
# A request that is repeated for want of an answer comes within minutes.
REQUESTS_REMEMBERED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension(Why):
    """Why an alarm is not shown as open for a time: who decided so, when, and until when.

    Times are of the server's clock, ms; without `until_ms` it lasts until it is ended. A
    suppression by design has the `code` of the diagnosis that says so, with `values` and `doubts`.
    """

    ms: int
    by: str = ""
    until_ms: int | None = None
    alarm_id: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmChange(Why):
    """Change of an alarm, at `ms` by the server's clock; `by` is the operator, empty for none.

    `level`, `code`, `reason`, `values` and `doubts` are those of an alert that worsens or is
    suppressed. `until_ms` is the end of a shelving, `text` its reason, a comment, or the person
    assigned.
    """

    name: EventName
    ms: int
    by: str = ""
    text: str = ""
    level: str = ""
    until_ms: int | None = None
    outcome: Outcome | None = None
    work_order: WorkOrder | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm(RaisedAlert):
    """One alarm. `t` is when it began by the signal (s); times in ms are of the server's clock.

    Only an active alarm has suspensions. `requests` are the last ones that changed it. `ungrouped`:
    never part of an alarm of its supply (`vtox.motor.alarms.supplies`).
    """

    raised_ms: int
    since_ms: int
    active: bool = True
    """whether its alert is not cleared"""
    since_by: str = ""
    """operator who brought it into its state; empty: no operator"""
    acknowledged: bool = False
    acknowledged_by: str = ""
    acknowledged_ms: int | None = None
    cleared_ms: int | None = None
    outcome: Outcome | None = None
    """null: not closed"""
    closed_by: str = ""
    closed_ms: int | None = None
    comments: int = 0
    last_comment: str = ""
    assignee: str = ""
    """the person who sees to it; empty: no person"""
    work_orders: tuple[WorkOrder, ...] = ()
    suspensions: Mapping[SuspensionName, Suspension] = field(default_factory=dict)
    requests: tuple[str, ...] = ()
    ungrouped: bool = False

    @property
    def state(self) -> State:
        """The state, as of the last event."""
        if self.suspensions:
            return next(name for name in SUSPENSIONS if name in self.suspensions)
        if self.active:
            return "acknowledged" if self.acknowledged else "unacknowledged"
        return "normal" if self.acknowledged else "returned_unacknowledged"

    @property
    def open(self) -> bool:
        """Whether it waits for somebody, or for the fault to end."""
        return self.outcome is None and self.state in OPEN_STATES


def at(alarm: Alarm, now_ms: int) -> Alarm:
    """Return the alarm at a time: without the suspensions that have ended until then."""
    if not alarm.suspensions:
        return alarm
    ends = [s.until_ms for s in alarm.suspensions.values() if s.until_ms and s.until_ms <= now_ms]
    if not ends:
        return alarm
    left = {n: s for n, s in alarm.suspensions.items() if not s.until_ms or s.until_ms > now_ms}
    return _suspended(alarm, left, max(ends), "")


def apply(alarm: Alarm, event: AlarmChange) -> Alarm:
    """Return the alarm after an event.

    Raises `AlarmRefused`: the alarm is in no state for it; an alert is never refused.
    """
    before = at(alarm, event.ms)
    if event.request_id and event.request_id in before.requests:
        return before
    after = _EFFECTS[event.name](before, event)
    if event.request_id:
        requests = (*after.requests, event.request_id)[-REQUESTS_REMEMBERED:]
        after = replace(after, requests=requests)
    return after if after.state == before.state else _since(after, event.ms, event.by)


def _worsen(alarm: Alarm, event: AlarmChange) -> Alarm:
    # A higher level than was acknowledged, or closed, needs somebody again.
    if not alarm.active or RANK.get(event.level, 0) <= RANK.get(alarm.level, 0):
        return alarm
    worse = replace(alarm, level=event.level, acknowledged=False, outcome=None)
    if not event.code:
        return worse
    return replace(
        worse, code=event.code, reason=event.reason, values=event.values, doubts=event.doubts
    )


def _clear(alarm: Alarm, event: AlarmChange) -> Alarm:
    if not alarm.active:
        return alarm
    # An alarm that ended while it was suspended needs no acknowledgement.
    acknowledged = alarm.acknowledged or bool(alarm.suspensions)
    return replace(
        alarm, active=False, cleared_ms=event.ms, acknowledged=acknowledged, suspensions={}
    )


def _acknowledge(alarm: Alarm, event: AlarmChange) -> Alarm:
    _refuse_closed(alarm)
    if alarm.suspensions:
        raise AlarmRefused("suspended", f"{alarm.id} is {alarm.state}: end that first")
    if alarm.acknowledged:
        by = f"by {alarm.acknowledged_by}" if alarm.acknowledged_by else "or it needs none"
        raise AlarmRefused("already_acknowledged", f"{alarm.id} is acknowledged already, {by}")
    return _commented(_acknowledged(alarm, event), event)


def _shelve(alarm: Alarm, event: AlarmChange) -> Alarm:
    _refuse_closed(alarm)
    if not alarm.active:
        raise AlarmRefused("not_active", f"the fault of {alarm.id} has ended: nothing to shelve")
    return _suspend("shelved", alarm, event)


def _close(alarm: Alarm, event: AlarmChange) -> Alarm:
    _refuse_closed(alarm)
    done = alarm if alarm.acknowledged else _acknowledged(alarm, event)
    closed = replace(done, outcome=event.outcome, closed_by=event.by, closed_ms=event.ms)
    return _commented(replace(closed, suspensions={}), event)


def _order(alarm: Alarm, event: AlarmChange) -> Alarm:
    if event.work_order is None:
        return alarm
    return replace(alarm, work_orders=add_work_order(alarm.work_orders, event.work_order))


def _ungroup(alarm: Alarm, event: AlarmChange) -> Alarm:
    if alarm.ungrouped:
        raise AlarmRefused("already_ungrouped", f"{alarm.id} is ungrouped already")
    return _commented(replace(alarm, ungrouped=True), event)


def _assign(alarm: Alarm, event: AlarmChange) -> Alarm:
    _refuse_closed(alarm)
    if alarm.assignee == event.text:
        who = event.text or "nobody"
        raise AlarmRefused("already_assigned", f"{alarm.id} is assigned to {who} already")
    return replace(alarm, assignee=event.text)


def _refuse_closed(alarm: Alarm) -> None:
    if alarm.outcome is not None:
        raise AlarmRefused(
            "already_closed",
            f"{alarm.id} is closed already, as {alarm.outcome} by {alarm.closed_by}",
        )


def _acknowledged(alarm: Alarm, event: AlarmChange) -> Alarm:
    return replace(alarm, acknowledged=True, acknowledged_by=event.by, acknowledged_ms=event.ms)


def _commented(alarm: Alarm, event: AlarmChange) -> Alarm:
    if not event.text:
        return alarm
    return replace(alarm, comments=alarm.comments + 1, last_comment=event.text)


def _suspend(name: SuspensionName, alarm: Alarm, event: AlarmChange) -> Alarm:
    if not alarm.active:
        return alarm
    suspension = Suspension(
        ms=event.ms,
        by=event.by,
        reason=event.text or event.reason,
        code=event.code,
        values=event.values,
        doubts=event.doubts,
        until_ms=event.until_ms,
        alarm_id=alarm.id,
        request_id=event.request_id,
    )
    return replace(alarm, suspensions={**alarm.suspensions, name: suspension})


def _resume(name: SuspensionName, alarm: Alarm, event: AlarmChange) -> Alarm:
    if name not in alarm.suspensions:
        return alarm
    left = {n: s for n, s in alarm.suspensions.items() if n != name}
    return _suspended(alarm, left, event.ms, event.by)


def _suspended(alarm: Alarm, left: Mapping[SuspensionName, Suspension], ms: int, by: str) -> Alarm:
    """Return the alarm with the suspensions that are left; after the last one it needs somebody."""
    acknowledged = alarm.acknowledged if left else alarm.outcome is not None
    after = replace(alarm, suspensions=left, acknowledged=acknowledged)
    return after if after.state == alarm.state else _since(after, ms, by)


def _since(alarm: Alarm, ms: int, by: str) -> Alarm:
    return replace(alarm, since_ms=ms, since_by=by)


_EFFECTS: Mapping[str, Callable[[Alarm, AlarmChange], Alarm]] = {
    "worsened": _worsen,
    "cleared": _clear,
    "acknowledged": _acknowledge,
    "commented": _commented,
    "shelved": _shelve,
    "unshelved": partial(_resume, "shelved"),
    "suppressed": partial(_suspend, "suppressed_by_design"),
    "unsuppressed": partial(_resume, "suppressed_by_design"),
    "out_of_service": partial(_suspend, "out_of_service"),
    "in_service": partial(_resume, "out_of_service"),
    "closed": _close,
    "ungrouped": _ungroup,
    "ordered": _order,
    "assigned": _assign,
}
