"""Alarms of the HTTP API on a terminal."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from vtox.motor.words.rendering import name_of

_COLUMNS = ("priority", "state", "level", "machine", "fault", "assignee", "since", "id")
STYLES = {"warning": "yellow", "fault": "bold red"}


def print_alarms(console: Console, alarms: Iterable[dict[str, Any]]) -> None:
    """Print a line for each alarm of a supply or site, and for each single one.

    No line is cut or folded: who acts on an alarm copies its id.
    """
    rows = [_COLUMNS, *map(_row, sorted(alarms, key=_precedence))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = Text("", "dim" if row is _COLUMNS else "")
        for name, cell, width in zip(_COLUMNS, row, widths, strict=True):
            line.append(cell.ljust(width + 2), STYLES.get(cell, "") if name == "level" else "")
        line.rstrip()
        console.print(line, soft_wrap=True)


def print_alarm(console: Console, a: dict[str, Any]) -> None:
    """Print one alarm with its reason, and the actions of operators."""
    title = Text(f"{_machines(a)} {name_of('fault', a['fault'])}", "bold")
    title.append(f" · {a['level']} · {_life(a)}", "not bold")
    console.print(title, soft_wrap=True)
    console.print(Text(f"  {a['id']}"), soft_wrap=True)
    times = f"began {_time(a['time'])}"
    if a["outcome"]:
        times += f", {a['state']} since {_time(a['since'])}"
    still = "Closing does not clear the alert: it stays until the fault ends."
    priority = a["priority"]
    lines = (
        (times, "dim"),
        (name_of("action", priority["action"]) if priority else "", "bold"),
        (priority["sentence"] if priority else "", ""),
        (f"assigned to {a['assignee']}" if a["assignee"] else "", "dim"),
        (still if a["outcome"] and a["active"] else "", "yellow"),
        (f"when it was raised: {a['reason']}", ""),
        (a["what_to_do"], "italic"),
        *((_suspension(s), "") for s in a["suspensions"]),
        *((_action(x), "dim") for x in a["actions"]),
    )
    for text, style in lines:
        if text:
            console.print(Padding(Text(text, style), (0, 0, 0, 2)))


def _precedence(a: dict[str, Any]) -> tuple[float, ...]:
    """Return the place in the order of the API, which gives alarms and groups as two lists."""
    first = a["priority"] if a["open"] else None
    urgent = (-first["number"], -(first["cost_per_hour"] or 0)) if first else (0, 0)
    return (not a["open"], *urgent, -a["t"])


def _row(a: dict[str, Any]) -> tuple[str, ...]:
    number = str(a["priority"]["number"]) if a["priority"] and a["open"] else ""
    state = f"{a['state']}, closed" if a.get("outcome") else a["state"]
    who = a.get("assignee", "")
    return number, state, a["level"], _machines(a), a["fault"], who, _time(a["since"]), a["id"]


def _machines(a: dict[str, Any]) -> str:
    """Return the machine of an alarm, or the supply with how many of its machines alarm."""
    if "machine_ids" in a:
        site = a["site"] or "machines without a site"
        name = f"{a['supply']} ({site})" if a["supply"] else site
        return f"{name}: {a['machines']} of {a['of_machines']} machines"
    silent = f" (silent since {_time(a['silent_since'])})" if a["silent_since"] else ""
    return f"{a['machine_id']}{silent}" if a["machine_id"] else "system"


def _life(a: dict[str, Any]) -> str:
    if a["outcome"]:
        return f"closed as {a['outcome']} by {a['closed_by']} at {_time(a['closed'])}"
    return f"{a['state']} since {_time(a['since'])}"


def _suspension(s: dict[str, Any]) -> str:
    until = f" until {_time(s['until'])}" if s["until"] else ""
    by = f" by {s['by']}" if s["by"] else ""
    return f"{s['kind']}{until}{by}: {s['reason']}"


def _action(x: dict[str, Any]) -> str:
    outcome = f" as {x['outcome']}" if x["outcome"] else ""
    return f"{_time(x['time'])}  {x['by']}  {x['action']}{outcome}  {x['text']}".rstrip()


def _time(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}Z"
