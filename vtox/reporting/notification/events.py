"""Events that are sent: one change of an alarm, from an entry of `system_alerts` or actions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256
from typing import Any, Literal, get_args

from vtox.motor.alarms.book import Action, ActionName, Book
from vtox.motor.alarms.health.alert_values import Alert, RaisedAlert
from vtox.motor.values import codec
from vtox.motor.values.codec import RawFields
from vtox.motor.values.domain import Reason, ReasonValue
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.alarms.alarm_actions import decode_action
from vtox.pipeline.store.machines.fleet import Place

EventName = Literal[
    "raised",
    "escalated",
    "cleared",
    "suppressed",
    "unsuppressed",
    "acknowledged",
    "commented",
    "shelved",
    "unshelved",
    "closed",
    "ordered",
    "assigned",
    "out_of_service",
    "in_service",
]
EVENTS: tuple[EventName, ...] = get_args(EventName)
_OF_ALERTS: tuple[EventName, ...] = EVENTS[:5]
# Events that wait while the alarm is suspended, and are not sent if it ends meanwhile.
SUSPENDABLE: frozenset[EventName] = frozenset({"raised", "escalated"})
_EVENT_OF_ACTION: Mapping[ActionName, EventName] = {
    "acknowledge": "acknowledged",
    "comment": "commented",
    "shelve": "shelved",
    "unshelve": "unshelved",
    "close": "closed",
    "work_order": "ordered",
    "assign": "assigned",
    "take_out_of_service": "out_of_service",
    "return_to_service": "in_service",
}


NOWHERE = Place()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmEvent:
    """A change of an alarm, or of a machine's service (then without `alarm_id`).

    `ms` is the time of writing, by the server's clock; `t` the time of the event, by the signal or
    by that clock (s). `action` is the act of an operator. A second notice has
    `unacknowledged_min`.
    """

    id: str
    ms: int
    name: EventName
    alarm_id: str
    machine_id: str
    fault: str
    level: str
    t: float
    place: Place = NOWHERE
    code: str = ""
    reason: str = ""
    values: Mapping[str, ReasonValue] = field(default_factory=dict)
    doubts: tuple[Reason, ...] = ()
    action: Action | None = None
    unacknowledged_min: float | None = None

    def unacknowledged(self, minutes: float) -> "AlarmEvent":
        """Return the event of a second notice, which is another message than the first."""
        return replace(self, id=f"{self.id}_unacknowledged", unacknowledged_min=minutes)


def alert_message_id(a: Alert) -> str:
    """Return the id of the message about an event of an alarm, without a full stop, as is signed.

    It is made of the event, not of its entry: a server that lost that has it again in another.
    """
    what = codec.encode([a.id, a.machine_id, a.fault, a.event, a.level, a.t])
    return f"vtox_alert_{sha256(what).hexdigest()[:32]}"


def action_message_id(entry_id: str) -> str:
    """Return the same about an action of an operator, which is not done again.

    >>> action_message_id("1764000000000-0")
    'vtox_action_1764000000000_0'
    """
    return f"vtox_action_{entry_id.replace('-', '_')}"


def event_of_entry(
    stream: str,
    entry_id: str,
    fields: RawFields,
    book: Book,
    places: Mapping[str, Place],
) -> AlarmEvent | None:
    """Return the event of an entry, None if it is none that this version knows.

    The book has the level of the alarm that an operator's action is about.
    """
    ms = int(entry_id.partition("-")[0])
    if stream == keys.ALARM_ACTIONS:
        action = decode_action(fields)
        about = {"id": action_message_id(entry_id), "ms": ms}
        found = _of_action(action, book, about) if action else None
    else:
        alert = codec.decode_fields(Alert, fields)
        found = _of_alert(alert, {"id": alert_message_id(alert), "ms": ms})
    return found and replace(found, place=places.get(found.machine_id, NOWHERE))


def event_of_message(message: Mapping[str, Any]) -> AlarmEvent:
    """Return the event of a message, with the fields that rules ask about."""
    data = message["data"]
    alarm = data["alarm"]
    place = Place(**{n: alarm[n] for n in ("vehicle_id", "site", "asset_path")})
    names = ("machine_id", "fault", "level")
    return AlarmEvent(
        id="",
        ms=0,
        name=data["event"],
        alarm_id=alarm["id"],
        t=0.0,
        place=place,
        **{n: alarm[n] for n in names},
    )


def _of_alert(a: Alert, about: Mapping[str, Any]) -> AlarmEvent | None:
    if not a.id or a.event not in _OF_ALERTS:
        return None
    return AlarmEvent(**{**_said(a), **about}, name=a.event, alarm_id=a.id)


def _of_action(action: Action, book: Book, about: Mapping[str, Any]) -> AlarmEvent | None:
    name = _EVENT_OF_ACTION.get(action.name)
    if name is None:
        return None
    alarm = book.alarms.get(action.alarm_id, RaisedAlert())
    own = {"machine_id": action.machine_id, "fault": action.fault, "t": action.ms / 1000}
    of = {**_said(alarm), **about, **own}
    return AlarmEvent(**of, name=name, alarm_id=action.alarm_id, action=action)


def _said(a: RaisedAlert) -> dict[str, Any]:
    """Return the fields of an event that are those of its alert."""
    return {f.name: getattr(a, f.name) for f in fields(RaisedAlert)}
