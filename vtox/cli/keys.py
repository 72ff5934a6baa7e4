"""`vtox keys`: API keys for machines and people; required in production mode."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from vtox import settings as settings_module
from vtox.cli.options import Json
from vtox.cluster.embedded_server import EmbeddedServer
from vtox.errors import InputError, ServerUnavailable
from vtox.settings import Settings
from vtox.store import apikeys
from vtox.store.apikeys import ApiKey
from vtox.store.client import Client, check, connect

ScopeOption = Annotated[
    str,
    typer.Option(
        metavar="SCOPE",
        help="read: read everything; ingest: send windows; admin: both, and change machines.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    group = typer.Typer(help="API keys: create, list, revoke.", no_args_is_help=True)
    group.command("create")(create)
    group.command("list")(list_keys)
    group.command("revoke")(revoke)
    app.add_typer(group, name="keys")


def create(
    scope: ScopeOption = "read",
    name: Annotated[
        str, typer.Option(metavar="TEXT", help="Purpose of the key, shown in the list.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Make a key and print it; it is not stored and cannot be shown again."""
    if scope not in apikeys.SCOPES:
        raise InputError(f"--scope {scope}: expected one of {', '.join(apikeys.SCOPES)}")
    with _client() as client:
        text, record = apikeys.create(client, scope, name)
    if as_json:
        _print_json(_public(record) | {"key": text})
        return
    print(text)
    Console(stderr=True, highlight=False).print(
        f"[dim]Key {record.id}, scope {scope}: cannot be shown again. Send it as X-API-Key or as a "
        f"Bearer token; `vtox keys revoke {record.id}` revokes it.[/dim]"
    )


def list_keys(as_json: Json = False) -> None:
    """List the keys, without their secrets."""
    with _client() as client:
        records = apikeys.list_keys(client)
    if as_json:
        _print_json([_public(r) for r in records])
        return
    if not records:
        print("No keys: `vtox keys create --scope read` makes one.")
        return
    table = Table("id", "scope", "name", "created", box=None, pad_edge=False)
    for r in records:
        table.add_row(r.id, r.scope, r.name, _time(r.created_t))
    Console(highlight=False).print(table)


def revoke(
    key_id: Annotated[str, typer.Argument(help="Its id in `vtox keys list`.")],
    as_json: Json = False,
) -> None:
    """Revoke a key, at once."""
    with _client() as client:
        if not apikeys.revoke(client, key_id):
            raise InputError(f"no key has the id {key_id!r}", remedy="`vtox keys list` shows all")
    if as_json:
        _print_json({"id": key_id, "revoked": True})
    else:
        print(f"key {key_id} is revoked")


@contextmanager
def _client() -> Iterator[Client]:
    """Connect; if no server runs, start the embedded one for the duration of the command.

    In production mode the first key must exist before the first start.
    """
    settings = settings_module.load()
    try:
        with connect(settings.working_url(), "keys") as client:
            check(client)
            yield client
            return
    except ServerUnavailable:
        if settings.redis_url:
            raise
    with _embedded(settings) as client:
        yield client


@contextmanager
def _embedded(settings: Settings) -> Iterator[Client]:
    # The log lines of the server's start and end would hide the key.
    logging.getLogger("vtox.cluster.embedded_server").setLevel(logging.ERROR)
    with EmbeddedServer(settings) as server, connect(server.url, "keys") as client:
        yield client


def _public(record: ApiKey) -> dict[str, Any]:
    public = {k: v for k, v in asdict(record).items() if k not in ("sha256", "created_t")}
    return public | {"created": _time(record.created_t)}


def _time(t: float) -> str:
    return datetime.fromtimestamp(t, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _print_json(value: Any) -> None:
    print(json.dumps(value))
