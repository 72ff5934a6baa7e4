"""`vtox doctor`: checks the system, and gives the remedy of each failure."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vtox.cli.shared.options import Json
from vtox.cli.upkeep.status import STYLES
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.configuration.version import with_vtox_command
from vtox.pipeline.monitoring.doctor import inspect

Machines = Annotated[
    int | None,
    typer.Option("--machines", metavar="N", min=1, help="Resources of so many machines."),
]
Hosts = Annotated[
    int,
    typer.Option(
        "--hosts",
        metavar="M",
        min=1,
        help="On so many hosts like this one: the first with server and bridge, then of workers.",
    ),
]
LABELS = {"pass": "ok", "warn": "warning", "fail": "FAIL"}


def doctor(machines: Machines = None, hosts: Hosts = 1, as_json: Json = False) -> None:
    """Check server, ports, bridge, workers, clock and versions. Exit status 1: a check failed.

    It also gives the load on this box of the machines that send, or of as many as you name, and how
    many machines it carries.
    """
    checks = list(inspect(load(), machines, hosts))
    failed = any(c.status == "fail" for c in checks)
    if as_json:
        document = {"status": "fail" if failed else "pass", "checks": [asdict(c) for c in checks]}
        typer.echo(json.dumps(document))
        raise typer.Exit(int(failed))
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for c in checks:
        text = Text(c.observed)
        if c.remedy:
            text.append(f"\n{with_vtox_command(c.remedy)}", "bold")
        table.add_row(Text(LABELS[c.status], STYLES[c.status]), c.name, text)
    Console(highlight=False).print(table)
    raise typer.Exit(int(failed))
