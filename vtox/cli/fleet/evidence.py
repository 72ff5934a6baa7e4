"""`vtox evidence`: lists and saves the waveforms behind warnings and faults."""

import json
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vtox.cli.shared.options import Json
from vtox.cli.shared.server_access import running_server
from vtox.configuration.settings import load
from vtox.errors import InputError
from vtox.store.stream import evidence

group = typer.Typer(
    help="Waveforms behind new warnings and faults: list, save.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    app.add_typer(group, name="evidence")


@group.command("list")
def list_waveforms(
    limit: Annotated[
        int, typer.Option(metavar="N", min=1, help="Number of waveforms at most, newest first.")
    ] = 50,
    machine: Annotated[str, typer.Option(metavar="ID", help="Only those of this machine.")] = "",
    as_json: Json = False,
) -> None:
    """List the stored waveforms, newest first."""
    with running_server(load()) as client:
        found = evidence.newest_first(client, machine)
        rows = [w.summary() for w in islice(found, limit)]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    console = Console(highlight=False)
    if not rows:
        console.print("No waveforms: there has been no new warning or fault.")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("record", "start", "length", "rate", "channels"):
        table.add_column(name, no_wrap=name == "record", overflow="fold")
    for w in rows:
        start = datetime.fromtimestamp(w["t_start"], UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        length, rate = f"{w['duration_s']:g} s", f"{w['fs_hz']:g} Hz"
        cells = (w["record"], start, length, rate, " ".join(w["channels"]))
        table.add_row(*map(escape, cells))
    console.print(table)


@group.command("save")
def save(
    record: Annotated[
        str, typer.Argument(metavar="RECORD", help="Its name in `vtox evidence list`.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File to write; default: named after the record."),
    ] = None,
) -> None:
    """Save one waveform as `.npz`, in units, as `vtox diagnose` and `vtox replay` read it."""
    with running_server(load()) as client:
        waveform = evidence.get(client, record)
    path = out or Path(waveform.file_name)
    if path.exists():
        raise InputError(f"{path} exists already", remedy="choose another file with --out")
    path.write_bytes(waveform.npz())
    typer.echo(f"{path}: {waveform.duration_s:g} s of {', '.join(waveform.windows[0].channels)}")
