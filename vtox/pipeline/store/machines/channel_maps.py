"""The channel map of a machine as it is kept: field `channel_map` of its hash."""

from vtox.motor.values.channel_map import NO_MAP, ChannelMap, Sources
from vtox.pipeline.store.machines import learning_notes
from vtox.pipeline.store.machines.machine_settings import SettingKind, store_setting
from vtox.pipeline.store.server.client import Client


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
    `vtox.pipeline.store.machines.baselines`), and the notes for the next one are forgotten.

    Raises `UnknownMachine`: the machine is not known. `SettingChanged`: the present version is not
    the one that was expected.
    """
    table = {"channels": sources}
    expected = {"expected_version": expected_version}
    version = store_setting(client, machine_id, CHANNEL_MAP, table, by=by, **expected)
    learning_notes.delete(client, [machine_id])
    return version


CHANNEL_MAP = SettingKind("channel_map", ChannelMap, NO_MAP)
