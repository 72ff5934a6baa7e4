"""`vtox export`: the tables of the history as CSV and Parquet."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from vtox.cli.shared.options import duration_s
from vtox.motor.errors import InputError
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.configuration.version import install_command

_Folder = Annotated[
    Path, typer.Option("--to", metavar="FOLDER", help="Folder of the files; made if missing.")
]
_Machines = Annotated[
    list[str] | None,
    typer.Option("--machine", metavar="ID", help="Only this machine. Can be repeated."),
]
_Last = Annotated[
    str,
    typer.Option(
        metavar="TIME",
        help="Only the last 12h, 90d or 8w up to the latest result; without it, all.",
    ),
]


def export_command(to: _Folder, machine: _Machines = None, last: _Last = "") -> None:
    """Write the history as tables: CSV, and Parquet if DuckDB is installed.

    Latest states, trends by hour, alarms, diagnoses, energy by quarter-hour and starts. The system
    may run meanwhile. Files of the same name are replaced.
    """
    # Not at the top: SQL takes a quarter of a second to import.
    from vtox.reporting.history.database import reading
    from vtox.reporting.tables.export import export, has_parquet
    from vtox.reporting.tables.rows import last_seconds

    settings, span_s = load(), duration_s(last, "--last")
    console = Console(highlight=False)
    parquet = has_parquet()
    with reading(settings) as db, console.status("") as status:
        if db is None:
            raise InputError("there is no history yet", remedy="the recorder of `vtox up` makes it")
        written = export(
            db,
            to,
            machine or (),
            from_t=last_seconds(db, span_s),
            parquet=parquet,
            told=lambda table: status.update(f"{table} ..."),
        )
        for w in written:
            names = ", ".join(f.name for f in w.files)
            console.print(f"{w.table:<14}{w.rows:>12,} rows  {names}", markup=False)
    if not parquet:
        how = f"no Parquet, which needs DuckDB: {install_command('tables')}"
        Console(stderr=True, highlight=False, soft_wrap=True).print(how, style="yellow")
