"""The sensitivity of a machine as it is kept: field `sensitivity` of its hash."""

from collections.abc import Mapping
from typing import Any

from vtox.alarms.health.sensitivity import (
    DEFAULT,
    FIELDS,
    Sensitivity,
    persistence_table,
    rules_from_dict,
)
from vtox.faults import FAULTS, Persistence
from vtox.store.machines.machine_settings import SettingKind, store_setting
from vtox.store.server.client import Client


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
    return store_setting(client, machine_id, SENSITIVITY.field, table, by=by, **expected)


def _from_table(version: int, t: float, by: str, table: Mapping[str, Any]) -> Sensitivity:
    """Return a sensitivity that was kept as a table; what a later version may set is left out."""
    known = {
        fault: {name: value for name, value in rule.items() if name in FIELDS}
        for fault, rule in table["faults"].items()
        if fault in FAULTS
    }
    return Sensitivity(version=version, t=t, by=by, faults=rules_from_dict(known))


SENSITIVITY = SettingKind("sensitivity", DEFAULT, _from_table)
