"""The channel map of a machine as it is kept: field `channel_map` of its hash."""

from collections.abc import Mapping
from typing import Any

from vtox.store.machines import learning_notes
from vtox.store.machines.machine_settings import SettingKind, store_setting
from vtox.store.server.client import Client
from vtox.values.channel_map import (
    NO_MAP,
    ChannelMap,
    Source,
    Sources,
    sources_from_dict,
)
from vtox.values.plain_data import known_fields


def set_channel_map(
    client: Client,
    machine_id: str,
    sources: Sources,
    *,
    by: str,
    expected_version: int | None = None,
) -> int:
    """Set which channel of a machine is which; return the version.

    A baseline that was learnt under another map is not used from now on (`is_of_other_channels` of
    `vtox.store.machines.baselines`), and what had been noted for the next one is forgotten.

    Raises
    ------
    UnknownMachine
        The machine is not known.
    SettingChanged
        The present version is not the one that was expected.
    """
    table = {"channels": sources}
    expected = {"expected_version": expected_version}
    version = store_setting(client, machine_id, CHANNEL_MAP.field, table, by=by, **expected)
    learning_notes.delete(client, [machine_id])
    return version


def _from_table(version: int, t: float, by: str, table: Mapping[str, Any]) -> ChannelMap:
    """Return a channel map that was kept as a table, without fields of a later version."""
    known = {name: known_fields(Source, source) for name, source in table["channels"].items()}
    return ChannelMap(version=version, t=t, by=by, sources=sources_from_dict(known))


CHANNEL_MAP = SettingKind("channel_map", NO_MAP, _from_table)
