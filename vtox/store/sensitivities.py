"""The sensitivity of a machine as it is kept: field `sensitivity` of its hash."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import structlog

from vtox import keys
from vtox.errors import InputError
from vtox.faults import FAULTS, Persistence
from vtox.health.sensitivity import (
    DEFAULT,
    FIELDS,
    Sensitivity,
    persistence_table,
    rules_from_dict,
)
from vtox.store.client import Client
from vtox.store.entries import loads
from vtox.store.machine_settings import setting_versions, store_setting

log = structlog.get_logger()

FIELD = "sensitivity"


def set_sensitivity(
    client: Client,
    machine_id: str,
    faults: Mapping[str, Persistence],
    *,
    by: str,
    expected_version: int | None = None,
) -> int:
    """Set when the faults of a machine alert; those left out have their defaults. Return version.

    Raises
    ------
    UnknownMachine
        The machine is not known.
    SettingChanged
        The present version is not the one that was expected.
    """
    table = {"faults": {fault: persistence_table(rule) for fault, rule in faults.items()}}
    expected = {"expected_version": expected_version}
    return store_setting(client, machine_id, FIELD, table, by=by, **expected)


def sensitivity(client: Client, machine_id: str) -> Sensitivity:
    """Return the present sensitivity of a machine."""
    return sensitivity_from_json(client.hget(keys.machine(machine_id), FIELD))


def sensitivity_versions(client: Client, machine_id: str) -> list[Sensitivity]:
    """Return the versions that are kept, the newest first."""
    found = setting_versions(client, machine_id, FIELD)
    return [sensitivity_from_table(table) for table in found]


@lru_cache(maxsize=4096)
def sensitivity_from_json(text: bytes | None) -> Sensitivity:
    """Return a stored sensitivity; the defaults where there is none, or it cannot be read."""
    if not text:
        return DEFAULT
    try:
        return sensitivity_from_table(loads(text))
    except (InputError, ValueError, TypeError, KeyError, AttributeError) as error:
        # Its records must not become poison: the machine has the defaults until it is set anew.
        log.error("a stored sensitivity cannot be read: set it anew", reason=repr(error))
        return DEFAULT


def sensitivity_from_table(table: Mapping[str, Any]) -> Sensitivity:
    """Return a sensitivity that was kept as a table; what a later version may set is left out."""
    known = {
        fault: {name: value for name, value in rule.items() if name in FIELDS}
        for fault, rule in table["faults"].items()
        if fault in FAULTS
    }
    return Sensitivity(
        version=int(table["version"]),
        t=float(table["t"]),
        by=str(table.get("by", "")),
        faults=rules_from_dict(known),
    )
