"""Settings of a machine that have versions: the present one, and those before it.

Each is a field of the machine's hash, a JSON table with `version`, `t` (s, server clock), `by` and
what was set; `<field>:<version>` are the same of the last versions. With the machine they are saved
by a backup and deleted.
"""

from typing import Any

from vtox import keys
from vtox.errors import SettingChanged, UnknownMachine
from vtox.store import scripts
from vtox.store.client import Client
from vtox.store.entries import json_bytes, loads

# Of each setting of a machine; the earliest are dropped.
VERSIONS_KEPT = 50


def store_setting(
    client: Client,
    machine_id: str,
    field: str,
    table: dict[str, Any],
    *,
    by: str,
    expected_version: int | None = None,
) -> int:
    """Keep a setting as its next version; return the version.

    Raises
    ------
    UnknownMachine
        The machine is not known.
    SettingChanged
        The present version is not the one that was expected: somebody has changed it meanwhile.
    """
    text = json_bytes({"by": by, **table})
    expected = "" if expected_version is None else expected_version
    args = [machine_id, field, text, VERSIONS_KEPT, expected]
    where = [keys.MACHINES, keys.machine(machine_id)]
    reply = int(
        client.register_script(scripts.source("set_machine_setting"))(keys=where, args=args)
    )
    if reply == 0:
        raise UnknownMachine(machine_id)
    if reply < 0:
        raise SettingChanged(field, -reply - 1)
    return reply


def setting_versions(client: Client, machine_id: str, field: str) -> list[dict[str, Any]]:
    """Return the versions of a setting that are kept, the newest first."""
    key = keys.machine(machine_id)
    newest = int(client.hget(key, f"{field}_version") or 0)
    oldest = max(newest - VERSIONS_KEPT + 1, 1)
    names = [f"{field}:{version}" for version in range(newest, oldest - 1, -1)]
    return [loads(text) for text in (client.hmget(key, names) if names else []) if text]
