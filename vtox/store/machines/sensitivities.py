"""The sensitivity of a machine as it is kept: field `sensitivity` of its hash."""

from collections.abc import Mapping

from vtox.alarms.health.sensitivity import DEFAULT, Sensitivity
from vtox.faults import Persistence
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
    table = {"faults": faults}
    expected = {"expected_version": expected_version}
    return store_setting(client, machine_id, SENSITIVITY.field, table, by=by, **expected)


SENSITIVITY = SettingKind("sensitivity", Sensitivity, DEFAULT)
