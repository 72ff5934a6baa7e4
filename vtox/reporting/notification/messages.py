"""Messages: an event, a digest or a test as JSON, with a title and a text for people.

The form is that of Standard Webhooks: `type`, `timestamp`, `data`. It is kept as it was made, so
that every attempt sends the same bytes.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import orjson

from vtox.motor.alarms.book import Action
from vtox.motor.alarms.health.growth import Growth
from vtox.motor.alarms.priority import Priority
from vtox.motor.values import codec
from vtox.motor.words import rendering
from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.languages import DEFAULT, Language
from vtox.reporting.notification.events import AlarmEvent

# The size that the specification recommends.
BODY_MAX_BYTES = 20_000
# Characters of a text, a comment or a reason, of a name: together they fit, three bytes each.
TEXT_MAX, NAME_MAX = 1200, 200
DIGEST_EVENTS_MAX = 30
Message = dict[str, Any]


def alarm_message(
    e: AlarmEvent,
    language: Language = DEFAULT,
    page: str = "",
    growth: Growth | None = None,
    priority: Priority | None = None,
) -> Message:
    """Return the message about an event; `growth` says whether its alarm grows."""
    why = rendering.full_reason(e, language)[:TEXT_MAX]
    advice = ""
    if e.name != "cleared":
        advice = rendering.advice(e.code, e.values, language, level=e.level)
    title = _title(e, language)
    lines = [
        _overdue(e, language),
        _action_name(priority, language),
        why,
        _grows(growth, language),
        _deed(e, language),
    ]
    if advice and e.action is None:
        lines.append(_say("what_to_do", language, advice=advice))
    growing = growth and {"code": growth.why.code} | {
        n: x for n, x in codec.plain(growth).items() if n != "why"
    }
    alarm = {
        "id": e.alarm_id[:NAME_MAX],
        "machine_id": e.machine_id[:NAME_MAX],
        "vehicle_id": e.place.vehicle_id,
        "site": e.place.site,
        "asset_path": e.place.asset_path,
        "fault": e.fault[:NAME_MAX],
        "level": e.level[:NAME_MAX],
        "code": e.code[:NAME_MAX],
        "values": dict(e.values),
        "doubts": codec.plain(e.doubts),
        "reason": why,
        "what_to_do": advice,
        "growth": growing,
        "priority": priority and priority.ratings,
    }
    data: dict[str, Any] = {
        "event": e.name,
        "unacknowledged_min": e.unacknowledged_min,
        "time": iso(1000 * e.t),
        "alarm": alarm,
        "operator": _operator(e.action),
        "title": title,
        "text": "\n".join(line for line in lines if line)[:TEXT_MAX],
        "url": _url(page, e.machine_id),
    }
    return {"type": f"alarm.{e.name}", "timestamp": iso(e.ms), "data": data}


def digest_message(
    gathered: Sequence[Message], to_ms: int, language: Language = DEFAULT, page: str = ""
) -> Message:
    """Return the message of a day, or of ends that came together, from those of its events."""
    cleared = all(m["data"]["event"] == "cleared" for m in gathered)
    shown = [_short(m) for m in gathered[:DIGEST_EVENTS_MAX]]
    lines = [f"{s['time']} {s['title']}" for s in shown]
    if left := len(gathered) - len(shown):
        lines.append(_say("left_out", language, count=left))
    data = {
        "count": len(gathered),
        "from": gathered[0]["timestamp"],
        "to": iso(to_ms),
        "events": shown,
        "title": _say("digest_cleared" if cleared else "digest", language, count=len(gathered)),
        "text": "\n".join(lines),
        "url": f"{page.rstrip('/')}/alarms" if page else "",
    }
    return {"type": "digest", "timestamp": iso(to_ms), "data": data}


def trial_message(now_ms: int, language: Language = DEFAULT) -> Message:
    """Return the message by which a target is tried."""
    data = {"title": _say("test", language), "text": _say("test_text", language), "url": ""}
    return {"type": "test", "timestamp": iso(now_ms), "data": data}


def encode(message: Message) -> bytes:
    """Return the bytes of a message: if they would be too many, without its texts and values."""
    body = orjson.dumps(message)
    if len(body) <= BODY_MAX_BYTES:
        return body
    data = message["data"] | {"text": "", "operator": None, "events": []}
    if "alarm" in data:
        data["alarm"] = data["alarm"] | {"reason": "", "what_to_do": "", "values": {}, "doubts": []}
    return orjson.dumps(message | {"data": data})


def iso(ms: float) -> str:
    """Return a time (ms since 1970) as RFC 3339 in UTC; of one that is none, an empty text."""
    try:
        moment = datetime.fromtimestamp(ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _say(key: str, language: Language, /, **values: object) -> str:
    return rendering.fill(catalogue(language).messages[key], values, language)


def _title(e: AlarmEvent, language: Language) -> str:
    who = e.machine_id or _say("system", language)
    fault = rendering.name_of("fault", e.fault, language)
    event = catalogue(language).events[e.name]
    level = rendering.name_of("state", e.level, language)
    shown = [fault, event, level if e.name in ("raised", "escalated") else ""]
    return f"{who}: {', '.join(s for s in shown if s)}"[:NAME_MAX]


def _grows(growth: Growth | None, language: Language) -> str:
    return rendering.render(growth.why.code, growth.why.values, language) if growth else ""


def _action_name(priority: Priority | None, language: Language) -> str:
    name = rendering.name_of("action", priority.action, language) if priority else ""
    return name[:1].upper() + name[1:]


def _overdue(e: AlarmEvent, language: Language) -> str:
    if e.unacknowledged_min is None:
        return ""
    return _say("unacknowledged", language, minutes=f"{e.unacknowledged_min:g}")


def _deed(e: AlarmEvent, language: Language) -> str:
    """Return the action of an operator in words; empty without one."""
    if e.action is None:
        return ""
    a = e.action
    if a.name == "assign":
        key = "assigned_to" if a.text else "assigned_to_nobody"
        return _say(key, language, assignee=a.text[:NAME_MAX], by=a.by)
    done = _say("by", language, by=a.by)
    if a.outcome:
        outcome = rendering.name_of("outcome", a.outcome, language)
        done = _say("closed_as", language, outcome=outcome, by=a.by)
    elif a.work_order:
        o = a.work_order
        done = _say("order", language, reference=o.reference, system=o.system, by=a.by)
    return f"{done} {a.text[:TEXT_MAX]}".strip()


def _operator(a: Action | None) -> dict[str, Any] | None:
    if a is None:
        return None
    order = a.work_order
    return {
        "by": a.by,
        "text": a.text[:TEXT_MAX],
        "outcome": a.outcome,
        "until": None if a.until_ms is None else iso(a.until_ms),
        "work_order": order
        and {"system": order.system, "reference": order.reference, "url": order.url},
    }


def _short(message: Mapping[str, Any]) -> dict[str, Any]:
    data = message["data"]
    alarm = data["alarm"]
    same = {n: alarm[n] for n in ("machine_id", "fault", "level")}
    event = {"event": data["event"], "time": data["time"], "title": data["title"]}
    return event | {"alarm_id": alarm["id"]} | same


def _url(page: str, machine_id: str) -> str:
    if not page:
        return ""
    where = f"machines/{quote(machine_id, safe='')}" if machine_id else "alarms"
    return f"{page.rstrip('/')}/{where}"
