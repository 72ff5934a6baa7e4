"""`vtox evidence`: the waveforms behind warnings and faults, to look at and to keep."""

import json
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vtox.cli.options import Json
from vtox.errors import InputError
from vtox.settings import load
from vtox.store import evidence
from vtox.store.client import check, connect

group = typer.Typer(
    help="The waveforms behind new warnings and faults: list, save.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    app.add_typer(group, name="evidence")


@group.command("list")
def list_waveforms(
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 50,
    machine: Annotated[str, typer.Option(help="Of this machine only.")] = "",
    as_json: Json = False,
) -> None:
    """List the waveforms that are kept, newest first."""
    with connect(load().working_url(), "cli") as client:
        check(client)
        found = [w.summary() for w in islice(evidence.newest_first(client, machine), limit)]
    if as_json:
        typer.echo(json.dumps(found))
        return
    console = Console(highlight=False)
    if not found:
        console.print("No waveform is kept: there was no new warning or fault.")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("record", "start", "length", "rate", "channels"):
        table.add_column(name, no_wrap=name == "record", overflow="fold")
    for w in found:
        start = datetime.fromtimestamp(w["t_start"], UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        length, rate = f"{w['duration_s']:g} s", f"{w['fs_hz']:g} Hz"
        cells = (w["record"], start, length, rate, " ".join(w["channels"]))
        table.add_row(*map(escape, cells))
    console.print(table)


@group.command("save")
def save(
    record: Annotated[str, typer.Argument(metavar="RECORD", help="Its name in `list`.")],
    out: Annotated[Path | None, typer.Option(help="The file; default: from its name.")] = None,
) -> None:
    """Save one waveform as `.npz`, in units, as `vtox diagnose` and `vtox replay` read it."""
    with connect(load().working_url(), "cli") as client:
        check(client)
        found = evidence.get(client, record)
    path = out or Path(found.file_name)
    if path.exists():
        raise InputError(f"{path}: exists already, choose another with --out")
    path.write_bytes(found.npz())
    typer.echo(f"{path}: {found.duration_s:g} s of {', '.join(found.windows[0].channels)}")
