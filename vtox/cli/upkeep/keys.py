"""`vtox keys`: API keys for programs and people; once there is one, requests must carry one."""

import json
import re
import sys
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vtox.cli.shared.actor import actor
from vtox.cli.shared.options import Json, duration_s
from vtox.cli.shared.server_access import load_of_plant, running_or_embedded
from vtox.motor.errors import InputError
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.system import apikeys
from vtox.pipeline.store.system.apikeys import ApiKey, Scope
from vtox.pipeline.store.system.deeds import create_key, revoke_key

PATTERN = re.compile(r"[A-Za-z0-9._:*?-]{1,64}")

Name = Annotated[str, typer.Argument(help="The person or program that gets the key.")]
Scopes = Annotated[
    str,
    typer.Option(
        "--scopes",
        "--scope",
        metavar="SCOPES",
        help="read: read everything; operate: read, handle alarms, replay dead letters; engineer: "
        "operate, add machines, set sensitivities and channel maps; ingest: send windows; admin: "
        "all of these, and retire machines; proxy: name the people it has signed in. Several with "
        "commas between.",
    ),
]
Machines = Annotated[
    str,
    typer.Option(
        metavar="PATTERNS",
        help="Machines for which `ingest` sends, * and ? for any characters: 'V0*,PUMP-1'. "
        "Without it: all.",
    ),
]
Expires = Annotated[
    str, typer.Option(metavar="TIME", help="When it ends: 12h, 90d, 8w. Without it: never.")
]


keys = typer.Typer(help="API keys: create, list, revoke.", no_args_is_help=True)


@keys.command("create")
def create(
    name: Name,
    scopes: Scopes = "read",
    machines: Machines = "",
    expires: Expires = "",
    as_json: Json = False,
) -> None:
    """Make a key and print it; it is not stored and cannot be shown again."""
    if not name.strip():
        raise InputError("NAME is empty: expected the person or program that gets the key")
    wanted, lifetime_s = _for_machines(_scopes(scopes), machines), duration_s(expires, "--expires")
    with _client() as client:
        text, record = create_key(client, actor(), wanted, name.strip(), lifetime_s=lifetime_s)
    if as_json:
        _print_json(_public(record, None) | {"key": text})
        return
    print(text)
    Console(stderr=True, highlight=False).print(
        f"[dim]Key {record.id}, scopes {', '.join(record.scopes)}, expires "
        f"{_time(record.expires_t)}: cannot be shown again. Send it as X-API-Key or as a Bearer "
        f"token; `vtox keys revoke {record.id}` revokes it.[/dim]"
    )


@keys.command("list")
def list_keys(as_json: Json = False) -> None:
    """List the keys with their last use, without their secrets."""
    with _client() as client:
        records, uses = apikeys.list_keys(client), apikeys.last_uses(client)
        damaged, now = apikeys.unreadable(client), server_time(client)
    for key_id in damaged:
        print(f"key {key_id}: damaged, opens nothing: `vtox keys revoke {key_id}`", file=sys.stderr)
    if as_json:
        _print_json([_public(r, uses.get(r.id)) for r in records])
        return
    if not records:
        print("No keys: `vtox keys create NAME --scopes read` makes one.")
        return
    table = Table("id", "name", "scopes", "created", "expires", "last use", box=None)
    table.pad_edge = False
    for r in records:
        expires = "expired" if r.expired(now) else _time(r.expires_t)
        scopes = ", ".join(r.scopes)
        used = _time(uses.get(r.id))
        table.add_row(r.id, escape(r.name), escape(scopes), _time(r.created_t), expires, used)
    Console(highlight=False).print(table)


@keys.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="Its id in `vtox keys list`.")],
    as_json: Json = False,
) -> None:
    """Revoke a key, at once."""
    with _client() as client:
        if not revoke_key(client, actor(), key_id):
            raise InputError(f"no key has the id {key_id!r}", remedy="`vtox keys list` shows all")
    if as_json:
        _print_json({"id": key_id, "revoked": True})
    else:
        print(f"key {key_id} is revoked")


def _client() -> AbstractContextManager[Client]:
    """Return a client; in production mode the first key must exist before the first start."""
    return running_or_embedded(load_of_plant(), "keys")


def _scopes(text: str) -> list[Scope]:
    names = [s.strip() for s in text.split(",") if s.strip()]
    wrong = [s for s in names if s not in apikeys.SCOPES]
    if wrong or not names:
        raise InputError(
            f"--scopes {text}: expected one or more of {', '.join(apikeys.SCOPES)}, with commas "
            "between"
        )
    return [scope for scope in apikeys.SCOPES if scope in names]


def _for_machines(scopes: list[Scope], text: str) -> list[str]:
    """Return the scopes with `ingest` limited to the machines that the patterns name."""
    patterns = [p.strip() for p in text.split(",") if p.strip()]
    if not text:
        return list(scopes)
    wrong = [p for p in patterns if not PATTERN.fullmatch(p)]
    if wrong or not patterns:
        raise InputError(
            f"--machines {text}: expected machine ids, with * and ? for any characters and commas "
            "between, as in 'V0*,PUMP-1'"
        )
    if "ingest" not in scopes or "admin" in scopes:
        raise InputError("--machines limits the scope ingest: add it, and leave out admin")
    others: list[str] = [s for s in scopes if s != "ingest"]
    return others + [f"ingest:{p}" for p in patterns]


def _public(record: ApiKey, used_t: float | None) -> dict[str, Any]:
    hidden = ("sha256", "created_t", "expires_t")
    public = {k: v for k, v in asdict(record).items() if k not in hidden}
    times = {"created": record.created_t, "expires": record.expires_t, "last_use": used_t}
    return public | {k: None if t is None else _time(t) for k, t in times.items()}


def _time(t: float | None) -> str:
    if t is None:
        return "never"
    return datetime.fromtimestamp(t, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _print_json(value: Any) -> None:
    print(json.dumps(value))
