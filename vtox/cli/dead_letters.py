"""`vtox dead-letters`: what could not be diagnosed, why, and another try."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
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

from vtox.cli.options import Json
from vtox.errors import InputError
from vtox.settings import load
from vtox.store import deadletters
from vtox.store.client import Client, check, connect
from vtox.store.deadletters import DeadLetter

# Longer values of an entry are samples.
SHOWN_BYTES = 64
HEAD = ("id", "machine", "seq", "family", "code")

group = typer.Typer(help="What could not be diagnosed: list, show, replay.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    app.add_typer(group, name="dead-letters")


@group.command("list")
def list_letters(
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 50,
    machine: Annotated[str, typer.Option(help="Of this machine only.")] = "",
    as_json: Json = False,
) -> None:
    """List dead letters with their reasons, newest first."""
    with _client() as client:
        every = (d for d in deadletters.newest_first(client) if machine in ("", d.machine_id))
        found = list(islice(every, limit))
    if as_json:
        typer.echo(json.dumps([_plain(d) for d in found]))
        return
    console = Console(highlight=False)
    if not found:
        console.print("No dead letters.")
        return
    # The reason has a line of its own: beside the rest it would be a column of single words.
    rows = [HEAD, *((d.id, d.machine_id, d.seq, d.family or "-", d.code) for d in found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    reasons = ["", *(d.reason for d in found)]
    for row, reason in zip(rows, reasons, strict=True):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        console.print(Text(line.rstrip(), "dim" if row is HEAD else ""), soft_wrap=True)
        if reason:
            console.print(Padding(Text(reason), (0, 0, 0, 2), expand=False))


@group.command("show")
def show_letter(
    letter: Annotated[str, typer.Argument(metavar="ID", help="Its id in `list`.")],
    as_json: Json = False,
) -> None:
    """Show one dead letter with the entry that was sent."""
    with _client() as client:
        found = deadletters.get(client, letter)
    if as_json:
        entry = {_show(k): _show(v) for k, v in found.entry.items()}
        typer.echo(json.dumps(_plain(found) | {"entry": entry}))
        return
    grid = Table.grid(padding=(0, 2))
    for name, value in _plain(found).items():
        grid.add_row(name, escape(str(value)) or "-")
    for field, content in found.entry.items():
        grid.add_row(escape(f"entry.{_show(field)}"), escape(_show(content)))
    Console(highlight=False).print(grid)


@group.command("replay")
def replay(
    letters: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Which.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that carry their entry.")] = False,
    as_json: Json = False,
) -> None:
    """Send dead letters again, each to the fault family that failed on it."""
    if bool(letters) == every:
        raise InputError("name the dead letters to replay, or give --all")
    sent = []
    with _client() as client:
        if every:
            chosen = [d for d in deadletters.newest_first(client) if d.entry]
        else:
            chosen = [deadletters.get(client, i) for i in letters or ()]
        # Oldest first: windows of one machine go out in their order.
        for d in sorted(chosen, key=lambda d: tuple(map(int, d.id.split("-")))):
            sent.append({"id": d.id, "stream_id": deadletters.resend(client, d)})
    if as_json:
        typer.echo(json.dumps(sent))
        return
    for s in sent:
        typer.echo(f"{s['id']} sent again as {s['stream_id']}")
    if not sent:
        typer.echo("no dead letter carries its entry")


@contextmanager
def _client() -> Iterator[Client]:
    with connect(load().working_url(), "cli") as client:
        check(client)
        yield client


def _plain(d: DeadLetter) -> dict[str, Any]:
    data = {k: v for k, v in asdict(d).items() if k not in ("entry", "t")}
    kept = {"replayable": bool(d.entry), "entry_bytes": d.entry_bytes}
    return data | {"time": None if d.t is None else _time(d.t)} | kept


def _time(t: float) -> str:
    time = datetime.fromtimestamp(t, UTC).isoformat(timespec="milliseconds")
    return time.replace("+00:00", "Z")


def _show(value: bytes) -> str:
    if len(value) <= SHOWN_BYTES and value.isascii() and value.decode().isprintable():
        return value.decode()
    return f"<{len(value)} bytes>"
