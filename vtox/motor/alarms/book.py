"""All alarms that are not forgotten, with the suspensions of those to come. Pure.

A shelving holds for one fault of one machine, a machine out of service for all of its faults: an
alarm that is raised meanwhile begins its life suspended.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from vtox.motor.alarms.health.alert_values import Alert
from vtox.motor.alarms.life import (
    Alarm,
    AlarmChange,
    EventName,
    Outcome,
    Suspension,
    SuspensionName,
    apply,
    at,
)
from vtox.motor.alarms.work_orders import WorkOrder
from vtox.motor.errors import AlarmRefused

ActionName = Literal[
    "acknowledge",
    "comment",
    "shelve",
    "unshelve",
    "close",
    "work_order",
    "ungroup",
    "assign",
    "take_out_of_service",
    "return_to_service",
]
# Event that an action is in the life of an alarm.
_EVENT_OF: Mapping[ActionName, EventName] = {
    "acknowledge": "acknowledged",
    "comment": "commented",
    "shelve": "shelved",
    "unshelve": "unshelved",
    "close": "closed",
    "work_order": "ordered",
    "ungroup": "ungrouped",
    "assign": "assigned",
    "take_out_of_service": "out_of_service",
    "return_to_service": "in_service",
}
_EVENT_OF_ALERT: Mapping[str, EventName] = {
    "escalated": "worsened",
    "cleared": "cleared",
    "suppressed": "suppressed",
    "unsuppressed": "unsuppressed",
}
DAY_MS = 86_400_000
# A holiday of two weeks and a weekend; who needs more shelves again, and so looks again.
SHELVED_AT_MOST_MS = 16 * DAY_MS
# An alarm that ended is at hand for a month, to be given an outcome; the history has it longer.
FINISHED_KEPT_MS = 30 * DAY_MS
FINISHED_AT_MOST = 5_000
# The codes by which an alert is cleared because its machine is no more.
MACHINE_REMOVAL_CODES = frozenset({"machine_retired", "machine_forgotten"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """The action of an operator, at `ms` by the server's clock: an entry of `alarm_actions`.

    `until_ms` is the end of a shelving.
    """

    name: ActionName
    ms: int
    by: str
    key_id: str = ""
    """id of the API key; empty if none was needed"""
    alarm_id: str = ""
    """empty: about the machine"""
    machine_id: str
    fault: str = ""
    """empty: about the whole machine"""
    text: str = ""
    """a comment, a reason, or the person it was assigned to"""
    until_ms: int | None = None
    outcome: Outcome | None = None
    work_order: WorkOrder | None = None
    request_id: str = ""


@dataclass(slots=True)
class Book:
    """Alarms by id, shelvings by machine and fault, machines out of service.

    Alarms are changed by `put` alone, which knows those of each machine.
    """

    alarms: dict[str, Alarm] = field(default_factory=dict)
    shelved: dict[tuple[str, str], Suspension] = field(default_factory=dict)
    out_of_service: dict[str, Suspension] = field(default_factory=dict)
    # Ids of the alarms that were put or dropped.
    changed: set[str] = field(default_factory=set, compare=False)
    _ids: dict[str, frozenset[str]] = field(default_factory=dict, compare=False)
    # Ids of the alarms with a suspension that ends by itself.
    _timed: set[str] = field(default_factory=set, compare=False)

    def copy(self) -> "Book":
        """Return a book that changes without this one."""
        return Book(
            dict(self.alarms),
            dict(self.shelved),
            dict(self.out_of_service),
            set(self.changed),
            dict(self._ids),
            set(self._timed),
        )

    def put(self, alarm: Alarm) -> None:
        """Keep an alarm, in place of the one with its id."""
        self.alarms[alarm.id] = alarm
        self.changed.add(alarm.id)
        self._ids[alarm.machine_id] = self._ids.get(alarm.machine_id, frozenset()) | {alarm.id}
        timed = any(s.until_ms is not None for s in alarm.suspensions.values())
        (self._timed.add if timed else self._timed.discard)(alarm.id)

    def drop(self, alarm_id: str) -> None:
        """Forget an alarm."""
        alarm = self.alarms.pop(alarm_id)
        self.changed.add(alarm_id)
        self._ids[alarm.machine_id] -= {alarm_id}
        if not self._ids[alarm.machine_id]:
            del self._ids[alarm.machine_id]
        self._timed.discard(alarm_id)

    def at(self, now_ms: int) -> "Book":
        """Return the book at a time: without the shelvings that have ended until then."""
        ended = [a for i in self._timed if (a := at(self.alarms[i], now_ms)) is not self.alarms[i]]
        holding = {k: s for k, s in self.shelved.items() if _holds(s, now_ms)}
        if not ended and len(holding) == len(self.shelved):
            return self
        present = self.copy()
        for alarm in ended:
            present.put(alarm)
        present.shelved = holding
        return present

    def next_end_ms(self) -> int | None:
        """Return when the next suspension ends by itself, None if none does."""
        kept = [s for i in self._timed for s in self.alarms[i].suspensions.values()]
        ends = (s.until_ms for s in (*kept, *self.shelved.values()))
        return min((ms for ms in ends if ms is not None), default=None)

    def note_alert(self, alert: Alert, ms: int) -> None:
        """Change the alarm of an alert, which was written at `ms` (server clock)."""
        known = self.alarms.get(alert.id)
        if alert.event == "raised":
            if known is None:
                self._raise(alert, ms)
        elif known and alert.code in MACHINE_REMOVAL_CODES:
            self.forget_machine(alert.machine_id)
        elif known and alert.event in _EVENT_OF_ALERT:
            event = AlarmChange(
                name=_EVENT_OF_ALERT[alert.event],
                ms=ms,
                level=alert.level,
                code=alert.code,
                reason=alert.reason,
                values=alert.values,
                doubts=alert.doubts,
            )
            self.put(apply(known, event))

    def act(self, action: Action) -> bool:
        """Apply an action; False for a request that was followed already.

        Raises `AlarmRefused`: it is not possible in this state; nothing is changed then.
        """
        if not action.alarm_id:
            return self._change_service(action)
        alarm = self.alarms[action.alarm_id]
        if action.request_id and action.request_id in alarm.requests:
            return False
        if action.work_order in alarm.work_orders:
            return False
        key = alarm.machine_id, alarm.fault
        if action.name == "unshelve":
            if not (key in self.shelved and _holds(self.shelved[key], action.ms)):
                raise AlarmRefused("not_shelved", f"{alarm.id} is not shelved")
            del self.shelved[key]
            for other in self._of(*key):
                self.put(apply(other, _event("unshelved", action)))
            return True
        after = apply(alarm, _event(_EVENT_OF[action.name], action))
        self.put(after)
        if action.name == "shelve":
            self.shelved[key] = after.suspensions["shelved"]
        return True

    def forget_machine(self, machine_id: str) -> None:
        """Forget all of a machine."""
        for alarm in self._of(machine_id):
            self.drop(alarm.id)
        for key in [k for k in self.shelved if k[0] == machine_id]:
            del self.shelved[key]
        self.out_of_service.pop(machine_id, None)

    def forget_finished(self, now_ms: int) -> None:
        """Forget alarms that ended long ago, or are too many, and shelvings that ended."""
        self.shelved = {k: s for k, s in self.shelved.items() if _holds(s, now_ms)}
        ended = sorted(
            (a for a in self.alarms.values() if not a.active), key=lambda a: -(a.cleared_ms or 0)
        )
        for i, alarm in enumerate(ended):
            age_ms = now_ms - max(alarm.since_ms, alarm.closed_ms or 0, alarm.cleared_ms or 0)
            if i >= FINISHED_AT_MOST or age_ms > FINISHED_KEPT_MS:
                self.drop(alarm.id)

    def _raise(self, alert: Alert, ms: int) -> None:
        # One fault of a machine has one alarm at a time: of the one before, the end was missed.
        for other in self._of(alert.machine_id, alert.fault):
            self.put(apply(other, AlarmChange(name="cleared", ms=ms)))
        names: dict[SuspensionName, Suspension | None] = {
            "shelved": self.shelved.get((alert.machine_id, alert.fault)),
            "out_of_service": self.out_of_service.get(alert.machine_id),
        }
        alarm = Alarm(
            id=alert.id,
            machine_id=alert.machine_id,
            fault=alert.fault,
            level=alert.level,
            t=alert.t,
            raised_ms=ms,
            since_ms=ms,
            code=alert.code,
            reason=alert.reason,
            values=alert.values,
            doubts=alert.doubts,
            suspensions={n: s for n, s in names.items() if s and _holds(s, ms)},
        )
        self.put(alarm)

    def _change_service(self, action: Action) -> bool:
        machine_id, out = action.machine_id, self.out_of_service
        present = out.get(machine_id)
        if action.name == "return_to_service":
            if present is None:
                raise AlarmRefused("in_service", f"machine {machine_id} is in service")
            del out[machine_id]
        elif present is None:
            out[machine_id] = Suspension(
                ms=action.ms, by=action.by, reason=action.text, request_id=action.request_id
            )
        elif action.request_id and action.request_id == present.request_id:
            return False
        else:
            detail = f"machine {machine_id} is out of service already, by {present.by}"
            raise AlarmRefused("already_out_of_service", detail)
        for alarm in self._of(machine_id):
            self.put(apply(alarm, _event(_EVENT_OF[action.name], action)))
        return True

    def _of(self, machine_id: str, fault: str = "") -> list[Alarm]:
        of_machine = [self.alarms[i] for i in sorted(self._ids.get(machine_id, ()))]
        return [a for a in of_machine if fault in ("", a.fault)]


def possible_actions(book: Book, actions: Iterable[Action]) -> tuple[list[Action], Counter[str]]:
    """Return the actions that change something, and why the others do not, by code."""
    trial, possible, refused = book.copy(), list[Action](), Counter[str]()
    for action in actions:
        try:
            trial.act(action)
        except AlarmRefused as error:
            refused[error.code] += 1
        else:
            possible.append(action)
    return possible, refused


def replay(alerts: Iterable[tuple[int, Alert]], actions: Iterable[Action]) -> Book:
    """Return the book that alerts, each with its time (ms), and actions lead to.

    An action refused then has no entry. One that is refused now belongs to an alarm whose beginning
    is not known any more, and is left out.
    """
    book = Book()
    steps = [(ms, 0, alert) for ms, alert in alerts] + [(a.ms, 1, a) for a in actions]
    for ms, _, step in sorted(steps, key=lambda s: s[:2]):
        if isinstance(step, Alert):
            book.note_alert(step, ms)
        elif not step.alarm_id or step.alarm_id in book.alarms:
            try:
                book.act(step)
            except AlarmRefused:
                continue
    return book


def _event(name: EventName, action: Action) -> AlarmChange:
    return AlarmChange(
        name=name,
        ms=action.ms,
        by=action.by,
        text=action.text,
        until_ms=action.until_ms,
        outcome=action.outcome,
        work_order=action.work_order,
        request_id=action.request_id,
    )


def _holds(suspension: Suspension, ms: int) -> bool:
    return suspension.until_ms is None or ms < suspension.until_ms
