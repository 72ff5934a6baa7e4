"""`vtox config show`: every setting with its value and the source of the value."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from vtox.cli.shared.columns import columns
from vtox.cli.shared.options import Json
from vtox.motor.errors import VtoxError
from vtox.pipeline.cluster.server_config import read_address
from vtox.pipeline.cluster.server_users import ROLES, write_users
from vtox.pipeline.configuration.listing import SettingRow, setting_rows
from vtox.pipeline.configuration.settings import Settings, load, unknown_settings

config = typer.Typer(
    help="Settings: show their values and sources; write users for your own server.",
    no_args_is_help=True,
)
# On a narrower terminal the descriptions are left out.
DESCRIPTION_MIN_COLUMNS = 91
# In a pipe no line is folded: a program reads the URLs.
PIPE_COLUMNS = 10_000


@config.command("show")
def show(
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show secrets, and the URL of the embedded server.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show every setting with its value and the source of the value."""
    settings = load()
    rows = setting_rows(settings, reveal=reveal)
    if reveal:
        about = "URL that clients connect to"
        rows["working_url"] = SettingRow(_working_url(settings), "", about)
        if not settings.redis_url and (address := read_address(settings)):
            for role in ROLES:
                about = f"the same for {ROLES[role].about}"
                rows[f"{role}_url"] = SettingRow(address.role_url(role), "", about)
    if as_json:
        text = {k: {"value": v, "source": s, "about": a} for k, (v, s, a) in rows.items()}
        typer.echo(json.dumps(text))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPE_COLUMNS
    names = ["setting", "value", "source", "meaning"][
        : 4 if console.width >= DESCRIPTION_MIN_COLUMNS else 3
    ]
    table = columns(*names, wrapped=set(names) - {"setting", "source"})
    for name, (value, source, about) in rows.items():
        cells = (name, "-" if value is None else str(value), source, about)
        style = "" if source in ("default", "mode") else "bold"
        table.add_row(*map(escape, cells[: len(names)]), style=style)
    console.print(table)
    for unknown in unknown_settings():
        console.print(f"\n{escape(str(unknown))}", style="yellow", soft_wrap=True)


@config.command("users")
def users(
    folder: Annotated[Path, typer.Argument(help="Folder for the two files.")],
) -> None:
    """Write users.acl for your own server, and the passwords of its users.

    Each role (ingest, bridge, worker, api ...) is a user with the least rights. SECURITY.md says
    where each password goes.
    """
    for path in write_users(folder):
        typer.echo(f"{path} written")


def _working_url(settings: Settings) -> str | None:
    try:
        return settings.working_url()
    except VtoxError:
        return None
