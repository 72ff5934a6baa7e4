"""Deletions of unread windows are counted, except those by VTOX."""

from collections.abc import Callable

import pytest

from tests.integration.helpers import add_window, bridging, counters, eventually
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.window_log import create_group, deleted_unread, group_info, trim_raw


def read_all(client: Client, settings: Settings) -> None:
    """Let a bridge read on until nothing waits."""
    with bridging(settings):
        eventually(lambda: (g := group_info(client, keys.RAW)) is not None and g.lag == 0)
        eventually(lambda: group_info(client, keys.RAW).pending == client.hlen(keys.PROGRESS))


def by_length(client: Client, ids: list[str]) -> None:
    add_window(client, "V002", seq=0)
    client.xtrim(keys.RAW, maxlen=3, approximate=False)


def by_id(client: Client, ids: list[str]) -> None:
    client.xdel(keys.RAW, *ids[2:5])
    add_window(client, "V002", seq=0)


@pytest.mark.parametrize(("delete", "lost"), [(by_length, 6), (by_id, 3)])
def test_windows_deleted_before_they_were_read_are_counted_for_good(
    client: Client,
    settings: Settings,
    delete: Callable[[Client, list[str]], None],
    lost: int,
) -> None:
    for seq in range(4):
        add_window(client, seq=seq)
    add_window(client, seq=3)
    add_window(client, seq=4, fs_hz=0)
    read_all(client, settings)
    assert deleted_unread(client) == 0
    delete(client, [add_window(client, seq=seq) for seq in range(5, 13)])
    assert deleted_unread(client) == (lost if delete is by_length else None)
    read_all(client, settings)
    assert deleted_unread(client) == lost
    read_all(client, settings)
    assert deleted_unread(client) == lost


def test_what_was_read_is_not_deleted_unread(client: Client, settings: Settings) -> None:
    assert deleted_unread(client) is None
    create_group(client, keys.RAW)
    assert deleted_unread(client) == 0
    ids = [add_window(client, seq=seq) for seq in range(6)]
    assert deleted_unread(client) == 0
    read_all(client, settings)
    trim_raw(client, keys.RAW, 0)
    add_window(client, seq=6)
    assert deleted_unread(client) == 0
    client.xdel(keys.RAW, *ids)  # in hand: they become dead letters when they are needed again
    read_all(client, settings)
    assert deleted_unread(client) == 0
    assert counters(client)["windows_in"] == 7
