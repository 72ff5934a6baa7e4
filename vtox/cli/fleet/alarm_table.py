"""Alarms on a terminal, and as plain data with the names that the API gives."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from vtox.cli.shared.status_table import span
from vtox.motor.alarms.book import Action
from vtox.motor.alarms.life import Alarm, Suspension
from vtox.motor.alarms.precedence import priority_of
from vtox.motor.alarms.priority import Priority
from vtox.motor.alarms.supplies import SupplyAlarm
from vtox.motor.values import codec
from vtox.motor.words.rendering import advice, full_reason, name_of, render
from vtox.pipeline.store.machines.fleet import FleetState

_COLUMNS = ("priority", "state", "level", "machine", "fault", "assignee", "since", "id")
STYLES = {"warning": "yellow", "fault": "bold red"}


def _utc(ms: float | None) -> str | None:
    """Return a time in ms as RFC 3339, in UTC."""
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def alarm_as_json(
    a: Alarm, fleet: FleetState, priority: Priority | None, group: str = ""
) -> dict[str, Any]:
    """Return an alarm as plain data; `group` is the alarm of its supply."""
    silent_since = fleet.silent.get(a.machine_id)
    return a.common_fields | {
        "silent_since": None if silent_since is None else _utc(1000 * silent_since),
        "since": _utc(a.since_ms),
        "time": _utc(1000 * a.t),
        "cleared": _utc(a.cleared_ms),
        "acknowledged": _utc(a.acknowledged_ms) if a.acknowledged else None,
        "closed": _utc(a.closed_ms) if a.outcome else None,
        **_why(a),
        "suspensions": [
            {"kind": n, "since": _utc(s.ms), "until": _utc(s.until_ms), "by": s.by, **_why(s)}
            for n, s in a.suspensions.items()
        ],
        "group": group,
        "priority": _first(priority) if priority else None,
        "what_to_do": advice(a.code, a.values, level=a.level),
    }


def _first(p: Priority) -> dict[str, Any]:
    return p.ratings | {"sentence": render(p.why.code, p.why.values)}


def supply_alarm_as_json(g: SupplyAlarm) -> dict[str, Any]:
    """Return an alarm of a supply as plain data."""
    return g.common_fields | {
        "site": g.supply.site,
        "supply": g.supply.path,
        "since": _utc(g.since_ms),
        "counts": dict(g.counts),
        "alarms": [a.id for a in g.alarms],
        "code": g.why.code,
        "values": dict(g.why.values),
        "reason": render(g.why.code, g.why.values),
        "what_to_do": advice(g.why.code, g.why.values),
    }


def action_as_json(stream_id: str, a: Action) -> dict[str, Any]:
    """Return what an operator did as plain data."""
    return {"stream_id": stream_id, "action": a.name, "time": _utc(a.ms)} | a.common_fields


def print_alarms(
    console: Console,
    alarms: Iterable[Alarm | SupplyAlarm],
    fleet: FleetState,
    priorities: Mapping[str, Priority],
) -> None:
    """Print a line for each alarm of a supply or site, and for each single one.

    No line is cut or folded: who acts on an alarm copies its id.
    """
    rows = [_COLUMNS]
    for a in alarms:
        if isinstance(a, SupplyAlarm):
            where, state, who = _members(a), str(a.state), ""
        else:
            where, who = _machine(a, fleet), a.assignee
            state = f"{a.state}, closed" if a.outcome else a.state
        first = priority_of(a, priorities)
        number = str(first.number) if first and a.open else ""
        rows.append((number, state, a.level, where, a.fault, who, _time(a.since_ms), a.id))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = Text("", "dim" if row is _COLUMNS else "")
        for name, cell, width in zip(_COLUMNS, row, widths, strict=True):
            line.append(cell.ljust(width + 2), STYLES.get(cell, "") if name == "level" else "")
        line.rstrip()
        console.print(line, soft_wrap=True)


def print_alarm(
    console: Console,
    a: Alarm,
    fleet: FleetState,
    priority: Priority | None,
    actions: Iterable[Action],
) -> None:
    """Print one alarm with its reason, and what operators did."""
    where = _machine(a, fleet)
    title = Text(f"{where} {name_of('fault', a.fault)}", "bold").append(
        f" · {a.level} · ", "not bold"
    )
    console.print(title.append(_life(a), "not bold"), soft_wrap=True)
    console.print(Text(f"  {a.id}"), soft_wrap=True)
    times = f"raised {_time(a.raised_ms)}"
    if a.outcome:
        times += f", {a.state} since {_time(a.since_ms)}"
    still = "Closing does not clear the alert: it stays until the fault ends."
    lines = (
        (times, "dim"),
        (name_of("action", priority.action) if priority else "", "bold"),
        (render(priority.why.code, priority.why.values) if priority else "", ""),
        (f"assigned to {a.assignee}" if a.assignee else "", "dim"),
        (still if a.outcome and a.active else "", "yellow"),
        (f"when it was raised: {full_reason(a)}", ""),
        (advice(a.code, a.values, level=a.level), "italic"),
    )
    for text, style in lines:
        if text:
            console.print(Padding(Text(text, style), (0, 0, 0, 2)))
    for name, s in a.suspensions.items():
        until = f" until {_time(s.until_ms)}" if s.until_ms else ""
        why = f"{name}{until}{f' by {s.by}' if s.by else ''}: {full_reason(s)}"
        console.print(Padding(Text(why), (0, 0, 0, 2)))
    for x in actions:
        outcome = f" as {x.outcome}" if x.outcome else ""
        line = f"{_time(x.ms)}  {x.by}  {x.name}{outcome}  {x.text}"
        console.print(Padding(Text(line.rstrip(), "dim"), (0, 0, 0, 2)))


def _members(g: SupplyAlarm) -> str:
    name = g.supply.name or "machines without a site"
    return f"{name}: {g.machines} of {g.of_machines} machines"


def _machine(a: Alarm, fleet: FleetState) -> str:
    since = fleet.silent.get(a.machine_id)
    silent = "" if since is None else f" (silent for {span(fleet.t - since)})"
    return f"{a.machine_id}{silent}" if a.machine_id else "system"


def _life(a: Alarm) -> str:
    if a.outcome and a.closed_ms is not None:
        return f"closed as {a.outcome} by {a.closed_by} at {_time(a.closed_ms)}"
    return f"{a.state} since {_time(a.since_ms)}"


def _why(said: Alarm | Suspension) -> dict[str, Any]:
    return {
        "code": said.code,
        "values": dict(said.values),
        "doubts": [
            d
            | {
                "sentence": render(d["code"], d["values"]),
                "what_to_do": advice(d["code"], d["values"]),
            }
            for d in codec.plain(said.doubts)
        ],
        "reason": full_reason(said),
    }


def _time(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}Z"
