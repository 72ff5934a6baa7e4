"""A real fail-over: all clients find the new primary, and windows that it lacks are sent again."""

import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import redis

from faults.sentinel_group import SentinelGroup, sentinel_group
from tests.cluster import free_ports
from tests.integration.helpers import bridging, eventually
from vtox.pipeline.client.publisher import Accepted, Publisher
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.server_urls import complete
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.queues import broker, celery_app
from vtox.pipeline.store.server.client import SOCKET_TIMEOUT_S, Client, connect
from vtox.pipeline.store.server.sentinels import IDLE_S

pytestmark = pytest.mark.long

T0 = 1_764_000_000.0
X = np.ones(200)


@pytest.fixture
def group(tmp_path: Path) -> Iterator[SentinelGroup]:
    """A primary, a replica, three sentinels that begin a fail-over after half a second."""
    with sentinel_group(
        tmp_path / "group", free_ports(5), replicas=1, down_after_ms=500
    ) as running:
        yield running


def publish(publisher: Publisher, seqs: Sequence[int]) -> list[Accepted]:
    return [a for n in seqs for a in publisher.send("M1", {"ia": X}, t0=T0 + n, fs_hz=1000.0)]


def admitted(client: Client) -> int:
    return int(client.hget(keys.COUNTERS, "windows_in") or 0)


def send_by_celery() -> None:
    with celery_app.app.connection_for_write(connect_timeout=2) as connection:
        celery_app.app.send_task("t", queue="bearing", connection=connection, retry=False)


def test_bridge_sender_and_celery_follow_a_fail_over(
    group: SentinelGroup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", group.url)
    settings = load(data_dir=tmp_path)
    url = settings.working_url()
    old = group.primary()
    assert old
    sender = Publisher(url, keep_s=30.0)
    with connect(url, "test") as client, sender, bridging(settings):
        publish(sender, range(3))
        eventually(lambda: admitted(client) == 3)
        send_by_celery()
        assert broker.product() == ""
        assert client.llen("vtox:bearing") == 1
        eventually(lambda: client.wait(1, 100))
        # As if the replica had been too slow: it has none of the next windows.
        (replica,) = group.replicas()
        replica.client().replicaof("127.0.0.1", 1)
        assert [a.seq for a in publish(sender, range(3, 5))] == [3, 4]
        old.kill()
        # Its place is taken, the two are sent again, and nothing of it is said twice.
        assert [a.seq for a in publish(sender, range(5, 6))] == [5]
        eventually(lambda: group.primary() is replica)  # as each sentinel learns by itself
        eventually(lambda: admitted(client) == 6)
        seqs = [int(fields[b"seq"]) for _, fields in client.xrange(keys.RAW)]
        assert seqs == [0, 1, 2, 0, 1, 2, 3, 4, 5]
        send_by_celery()
        assert client.llen("vtox:bearing") == 2


def test_idle_connections_leave_a_primary_that_hangs(group: SentinelGroup) -> None:
    old = group.primary()
    assert old
    url = complete("URL", group.url)
    with connect(url, "test") as client, connect(url, "probe") as probe:
        client.set("a", 1)
        client.wait(1, 1000)
        used_t = time.monotonic()
        old.signal(signal.SIGSTOP)
        # The probe asks the same sentinels in the same order as the client.
        eventually(lambda: primary_port(probe) not in (0, old.port), 30.0)
        # A connection that was used just now is taken for sound.
        time.sleep(max(0.0, used_t + IDLE_S + 0.1 - time.monotonic()))
        began = time.monotonic()
        assert client.get("a") == b"1"
        assert time.monotonic() - began < SOCKET_TIMEOUT_S


def primary_port(probe: Client) -> int:
    try:
        return int(probe.connection_pool.get_master_address()[1])
    except redis.RedisError:
        return 0
