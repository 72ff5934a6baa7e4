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
from rich.table import Table

from vtox.cli.options import Json
from vtox.errors import InputError
from vtox.settings import load
from vtox.store import deadletters
from vtox.store.client import Client, check, connect
from vtox.store.deadletters import DeadLetter

# Longer values of an entry are samples.
SHOWN_BYTES = 64

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
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("id", "machine", "seq", "family", "code", "reason"):
        table.add_column(name, no_wrap=name == "id", overflow="fold")
    for d in found:
        cells = (d.id, d.machine_id, d.seq, d.family or "-", d.code, d.reason)
        table.add_row(*map(escape, cells))
    console.print(table)


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
            sent.append({"id": d.id, "stream_id": deadletters.replay(client, d)})
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
    time = datetime.fromtimestamp(d.t, UTC).isoformat(timespec="milliseconds")
    kept = {"replayable": bool(d.entry), "entry_bytes": d.entry_bytes}
    return data | {"time": time.replace("+00:00", "Z")} | kept


def _show(value: bytes) -> str:
    if len(value) <= SHOWN_BYTES and value.isascii() and value.decode().isprintable():
        return value.decode()
    return f"<{len(value)} bytes>"
