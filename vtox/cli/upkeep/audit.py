"""`vtox audit`: the changes, with author and origin."""

import json
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any

import typer
from rich.console import Console

from vtox.cli.shared.options import Json
from vtox.cli.shared.server_access import load_of_plant, running_or_embedded
from vtox.motor.values import codec
from vtox.motor.words.rendering import render
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.stream import outputs
from vtox.pipeline.store.system.audit import Deed

_READ_AT_ONCE = 500
_COLUMNS = ("time", "who", "from", "machine", "what")


def audit(
    limit: Annotated[
        int, typer.Option(metavar="N", min=1, help="Number of entries at most, newest first.")
    ] = 50,
    machine: Annotated[str, typer.Option(metavar="ID", help="Only those of this machine.")] = "",
    as_json: Json = False,
) -> None:
    """List who changed machines, settings and keys, sign-ins, and refused API keys.

    `vtox alarms show` lists the actions of operators on an alarm.
    """
    with running_or_embedded(load_of_plant(), "audit") as client:
        entries = outputs.newest_first(client, keys.AUDIT, "", read_at_once=_READ_AT_ONCE)
        every = (
            (entry_id.decode(), codec.decode_fields(Deed, fields)) for entry_id, fields in entries
        )
        found = list(islice((e for e in every if machine in ("", e[1].machine_id)), limit))
    if as_json:
        typer.echo(json.dumps([_as_json(*e) for e in found]))
        return
    console = Console(highlight=False)
    if not found:
        console.print("Nothing was changed yet.")
        return
    rows = [_COLUMNS, *(_row(*e) for e in found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        style = "dim" if row is _COLUMNS else ""
        console.print(line.rstrip(), style=style, markup=False, soft_wrap=True)


def _row(entry_id: str, deed: Deed) -> tuple[str, ...]:
    who = f"{deed.by} ({deed.key_id})".strip() if deed.key_id else deed.by
    return _time(entry_id), who or "-", deed.address or "-", deed.machine_id or "-", _sentence(deed)


def _as_json(entry_id: str, deed: Deed) -> dict[str, Any]:
    head = {"stream_id": entry_id, "time": _time(entry_id)}
    return {**head, **codec.plain(deed), "sentence": _sentence(deed)}


def _sentence(deed: Deed) -> str:
    try:
        return render(deed.code, deed.values)
    except (LookupError, TypeError, ValueError):  # of another version
        return deed.code


def _time(entry_id: str) -> str:
    moment = datetime.fromtimestamp(outputs.entry_order(entry_id)[0] / 1000, UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
