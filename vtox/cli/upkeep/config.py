"""`vtox config show`: every setting with its value and the source of the value."""

import json
import secrets
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr
from pydantic_settings import (
    DotEnvSettingsSource,
    EnvSettingsSource,
    InitSettingsSource,
    SecretsSettingsSource,
)
from rich.console import Console
from rich.markup import escape

from vtox.cli.shared.columns import columns
from vtox.cli.shared.options import Json
from vtox.motor.errors import InputError, VtoxError
from vtox.pipeline.cluster.data_folder import open_private
from vtox.pipeline.cluster.server_config import read_address
from vtox.pipeline.cluster.server_users import GROUP_USERS, ROLES, acl_file, sha256
from vtox.pipeline.configuration.prices import PricePeriods
from vtox.pipeline.configuration.server_urls import mask
from vtox.pipeline.configuration.settings import (
    MODE_DEFAULTS,
    SECRETS,
    Settings,
    description,
    each,
    load,
    unknown_settings,
    variable,
)
from vtox.pipeline.configuration.values import Acknowledgement, KeptFor, SendLimit, WorkerCount

config = typer.Typer(
    help="Settings: show their values and sources; users for a server of your own.",
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
    origins = sources(settings)
    rows = {
        variable(*name): (_value(name[0], value, reveal), origins[name], description(name))
        for name, value in each(settings)
    }
    if reveal:
        rows["working_url"] = (_working_url(settings), "", "URL that clients connect to")
        if not settings.redis_url and (address := read_address(settings)):
            for role in ROLES:
                about = f"the same for {ROLES[role].about}"
                rows[f"{role}_url"] = (address.role_url(role), "", about)
    if as_json:
        text = {k: {"value": v, "source": s, "about": a} for k, (v, s, a) in rows.items()}
        typer.echo(json.dumps(text))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPE_COLUMNS
    names = ["setting", "value", "source", "what it is"][
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
    folder: Annotated[Path, typer.Argument(help="Where to write the two files.")],
) -> None:
    """Write users.acl for your own server, and the passwords of its users.

    Each role (ingest, bridge, worker, api ...) is a user with the least rights. SECURITY.md says
    where each password goes.
    """
    passwords = {name: secrets.token_urlsafe(32) for name in ("admin", *ROLES, *GROUP_USERS)}
    files = {
        "users.acl": acl_file({name: sha256(p) for name, p in passwords.items()}),
        "passwords.json": json.dumps(passwords, indent=2) + "\n",
    }
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, text in files.items():
            with open(folder / name, "x", opener=open_private) as file:
                file.write(text)
            typer.echo(f"{folder / name} written")
    except FileExistsError as error:
        raise InputError(f"{error.filename} exists", remedy="choose another folder") from error
    except OSError as error:
        raise InputError(f"{error.filename}: {error.strerror}") from error


def sources(settings: Settings) -> dict[tuple[str, ...], str]:
    """Return setting -> source of its value: the first place that has it."""
    none: dict[str, Any] = {}
    _, environment, dotenv, toml = Settings.settings_customise_sources(
        Settings,
        InitSettingsSource(Settings, none),
        EnvSettingsSource(Settings),
        DotEnvSettingsSource(Settings),
        SecretsSettingsSource(Settings),
    )
    places = [("environment", environment()), (".env", dotenv()), ("TOML file", toml())]
    places.append(("mode", MODE_DEFAULTS[settings.cluster_mode]))
    return {
        name: next((place for place, values in places if _has(values, name)), "default")
        for name, _ in each(settings)
    }


def _has(values: dict[str, Any], name: tuple[str, ...]) -> bool:
    return name[0] in values and (len(name) == 1 or name[1] in values[name[0]])


def _value(name: str, value: Any, reveal: bool) -> Any:
    written = Path | KeptFor | SendLimit | WorkerCount | Acknowledgement | PricePeriods
    if isinstance(value, written):
        return str(value)
    if isinstance(value, SecretStr):
        return value.get_secret_value() if reveal or not value else "***"
    if name in SECRETS and value and not reveal:
        return mask(value) if name.endswith("_url") else "***"
    return value


def _working_url(settings: Settings) -> str | None:
    try:
        return settings.working_url()
    except VtoxError:
        return None
