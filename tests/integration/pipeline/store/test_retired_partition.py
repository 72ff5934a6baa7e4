"""A partition that is no longer in force goes once nothing of it is left, and no sooner."""

import pytest

from vtox.pipeline.configuration import keys
from vtox.pipeline.errors import LeaseLost
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.partition_table import retire, set_number
from vtox.pipeline.store.stream.window_log import create_group, read_new
from vtox.pipeline.windows.partitions import Partition

SECOND, TOKEN = Partition(1), "token"


@pytest.fixture
def left(client: Client) -> Client:
    """A server whose second partition is not in force, with one window that is finished."""
    set_number(client, 1)
    client.set(SECOND.lease, TOKEN)
    create_group(client, SECOND.raw)
    client.xack(SECOND.raw, keys.GROUP, read_window(client))
    return client


def read_window(client: Client) -> bytes:
    client.xadd(SECOND.raw, {"machine_id": "M1"})
    [(entry_id, _)] = read_new(client, 1, 1, SECOND.raw)
    return entry_id


def test_a_partition_whose_windows_are_finished_goes(left: Client) -> None:
    assert retire(left, TOKEN, SECOND, 0.0)
    assert not left.exists(SECOND.raw)


def test_a_partition_with_a_window_that_nobody_has_read_stays(left: Client) -> None:
    left.xadd(SECOND.raw, {"machine_id": "M1"})
    assert not retire(left, TOKEN, SECOND, 0.0)


def test_a_partition_with_a_window_in_work_stays(left: Client) -> None:
    read_window(left)
    assert not retire(left, TOKEN, SECOND, 0.0)


def test_a_partition_with_windows_that_are_kept_stays(left: Client) -> None:
    assert not retire(left, TOKEN, SECOND, 60.0)


def test_a_partition_in_force_stays(left: Client) -> None:
    set_number(left, 2)
    assert not retire(left, TOKEN, SECOND, 0.0)


def test_who_has_lost_the_lease_retires_nothing(left: Client) -> None:
    with pytest.raises(LeaseLost):
        retire(left, "other", SECOND, 0.0)
