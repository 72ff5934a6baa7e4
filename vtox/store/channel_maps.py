"""The channel map of a machine as it is kept: field `channel_map` of its hash."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import structlog

from vtox import keys
from vtox.channel_map import NO_MAP, ChannelMap, Sources, sources_from_dict, sources_table
from vtox.errors import InputError
from vtox.store.client import Client
from vtox.store.entries import loads
from vtox.store.machine_settings import setting_versions, store_setting

log = structlog.get_logger()

FIELD = "channel_map"


def set_channel_map(
    client: Client,
    machine_id: str,
    sources: Sources,
    *,
    by: str,
    expected_version: int | None = None,
) -> int:
    """Set which channel of a machine is which; return the version.

    Raises
    ------
    UnknownMachine
        The machine is not known.
    SettingChanged
        The present version is not the one that was expected.
    """
    table = {"channels": sources_table(sources)}
    return store_setting(client, machine_id, FIELD, table, by=by, expected_version=expected_version)


def channel_map(client: Client, machine_id: str) -> ChannelMap:
    """Return the present channel map of a machine."""
    return channel_map_from_json(client.hget(keys.machine(machine_id), FIELD))


def channel_map_versions(client: Client, machine_id: str) -> list[ChannelMap]:
    """Return the versions that are kept, the newest first."""
    return [_from_table(table) for table in setting_versions(client, machine_id, FIELD)]


@lru_cache(maxsize=4096)
def channel_map_from_json(text: bytes | None) -> ChannelMap:
    """Return a stored channel map; none where there is none, or it cannot be read."""
    if not text:
        return NO_MAP
    try:
        return _from_table(loads(text))
    except (InputError, ValueError, TypeError, KeyError, AttributeError) as error:
        # Its records must not become poison: the channels are as sent until it is set anew.
        log.error("a stored channel map cannot be read: set it anew", reason=repr(error))
        return NO_MAP


def _from_table(table: Mapping[str, Any]) -> ChannelMap:
    return ChannelMap(
        version=int(table["version"]),
        t=float(table["t"]),
        by=str(table.get("by", "")),
        sources=sources_from_dict(table["channels"]),
    )
