"""`vtox dead-letters`: lists, shows and sends again entries that could not be diagnosed."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from vtox.cli.shared.actor import actor
from vtox.cli.shared.options import Json
from vtox.cli.shared.server_access import running_server
from vtox.motor.errors import InputError
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.stream import deadletters
from vtox.pipeline.store.stream.deadletters import DeadLetter
from vtox.pipeline.store.stream.outputs import entry_order
from vtox.pipeline.store.system.deeds import resend_letter

# Longer values of an entry are samples, of which only the length is shown.
VALUE_MAX_BYTES = 64
COLUMNS = ("id", "machine", "seq", "family", "code")

dead_letters = typer.Typer(
    help="Records that could not be diagnosed: list, show, replay.", no_args_is_help=True
)


@dead_letters.command("list")
def list_letters(
    limit: Annotated[
        int, typer.Option(metavar="N", min=1, help="Number of dead letters at most, newest first.")
    ] = 50,
    machine: Annotated[str, typer.Option(metavar="ID", help="Only those of this machine.")] = "",
    as_json: Json = False,
) -> None:
    """List dead letters with their reasons, newest first."""
    with running_server(load()) as client:
        found = (d for d in deadletters.newest_first(client) if machine in ("", d.machine_id))
        letters = list(islice(found, limit))
    if as_json:
        typer.echo(json.dumps([_as_json(d) for d in letters]))
        return
    console = Console(highlight=False)
    if not letters:
        console.print("No dead letters.")
        return
    # The reason gets its own line: as a column it would be too narrow.
    rows = [COLUMNS, *((d.id, d.machine_id, d.seq, d.family or "-", d.code) for d in letters)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    reasons = ["", *(d.reason for d in letters)]
    for row, reason in zip(rows, reasons, strict=True):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        console.print(Text(line.rstrip(), "dim" if row is COLUMNS else ""), soft_wrap=True)
        if reason:
            console.print(Padding(Text(reason), (0, 0, 0, 2), expand=False))


@dead_letters.command("show")
def show_letter(
    letter: Annotated[
        str, typer.Argument(metavar="ID", help="Its id in `vtox dead-letters list`.")
    ],
    as_json: Json = False,
) -> None:
    """Show one dead letter with the entry that was sent."""
    with running_server(load()) as client:
        dead_letter = deadletters.get(client, letter)
    if as_json:
        entry = {_as_text(k): _as_text(v) for k, v in dead_letter.entry.items()}
        typer.echo(json.dumps(_as_json(dead_letter) | {"entry": entry}))
        return
    grid = Table.grid(padding=(0, 2))
    for name, value in _as_json(dead_letter).items():
        grid.add_row(name, escape(str(value)) or "-")
    for field, content in dead_letter.entry.items():
        grid.add_row(escape(f"entry.{_as_text(field)}"), escape(_as_text(content)))
    Console(highlight=False).print(grid)


@dead_letters.command("replay")
def replay(
    letters: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="Ids in `vtox dead-letters list`.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All that still have their entry.")] = False,
    as_json: Json = False,
) -> None:
    """Send dead letters again, each to the fault family that failed on it."""
    if bool(letters) == every:
        raise InputError("name the dead letters to replay, or give --all")
    sent, who = [], actor()
    with running_server(load()) as client:
        if every:
            selected = [d for d in deadletters.newest_first(client) if d.entry]
        else:
            selected = [deadletters.get(client, i) for i in letters or ()]
        # Oldest first: the windows of a machine are sent in their order.
        for d in sorted(selected, key=lambda d: entry_order(d.id)):
            sent.append({"id": d.id, "stream_id": resend_letter(client, who, d)})
    if as_json:
        typer.echo(json.dumps(sent))
        return
    for s in sent:
        typer.echo(f"{s['id']} sent again as {s['stream_id']}")
    if not sent:
        typer.echo("no dead letter still has its entry")


def _as_json(d: DeadLetter) -> dict[str, Any]:
    data = {k: v for k, v in asdict(d).items() if k not in ("entry", "t")}
    about_entry = {"replayable": bool(d.entry), "entry_bytes": d.entry_bytes}
    return data | {"time": None if d.t is None else _time(d.t)} | about_entry


def _time(t: float) -> str:
    time = datetime.fromtimestamp(t, UTC).isoformat(timespec="milliseconds")
    return time.replace("+00:00", "Z")


def _as_text(value: bytes) -> str:
    if len(value) <= VALUE_MAX_BYTES and value.isascii() and value.decode().isprintable():
        return value.decode()
    return f"<{len(value)} bytes>"
