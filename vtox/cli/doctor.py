"""`vtox doctor`: is everything as it must be, and what to do where it is not."""

import json
from dataclasses import asdict

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vtox.cli.options import Json
from vtox.cli.status import STYLES
from vtox.monitoring.doctor import inspect
from vtox.settings import load

WORDS = {"pass": "ok", "warn": "look", "fail": "BAD"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(as_json: Json = False) -> None:
    """Check server, ports, group, workers, clock and versions. Exit status 1: something is bad."""
    found = list(inspect(load()))
    bad = any(c.status == "fail" for c in found)
    if as_json:
        text = {"status": "fail" if bad else "pass", "checks": [asdict(c) for c in found]}
        typer.echo(json.dumps(text))
        raise typer.Exit(int(bad))
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for c in found:
        said = Text(c.observed)
        if c.remedy:
            said.append(f"\n{c.remedy}", "bold")
        table.add_row(Text(WORDS[c.status], STYLES[c.status]), c.name, said)
    Console(highlight=False).print(table)
    raise typer.Exit(int(bad))
