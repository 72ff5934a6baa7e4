"""The publisher: whole windows, numbered, refused in time, once though the server goes away."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import redis

from tests.integration.helpers import bridging, counters, eventually
from vtox.motor.errors import WireError
from vtox.motor.values.domain import Window
from vtox.pipeline.client.publisher import Publisher
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.errors import ServerFull, ServerUnavailable
from vtox.pipeline.store.ledger.retention import server_memory
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.stream.window_log import create_group
from vtox.pipeline.windows.wire import Limits, decode

T0 = 1_764_000_000.0
X = 10 * np.sin(np.arange(1000) * 0.3)


def window(seq: int) -> Window:
    return Window(
        machine_id="M1",
        seq=seq,
        t0=T0 + seq,
        fs_hz=1000.0,
        channels={"ia": X, "vibration": 0.1 * X},
        run="r1",
        speed_rpm=1450.0,
    )


def sent(client: Client) -> list[Window]:
    return [decode(fields) for _, fields in client.xrange(keys.RAW)]


def test_what_is_published_can_be_decoded(client: Client) -> None:
    windows = [window(0), window(1)]
    accepted = Publisher(client).publish(windows)
    for original, got in zip(windows, sent(client), strict=True):
        assert replace(got, channels={}) == replace(original, channels={})
        for name, x in original.channels.items():
            # Half a step of 16 bits.
            assert got.channels[name] == pytest.approx(x, abs=np.ptp(x) / 65534)
    ids = [i.decode() for i, _ in client.xrange(keys.RAW)]
    assert [(a.machine_id, a.run, a.seq) for a in accepted] == [("M1", "r1", 0), ("M1", "r1", 1)]
    assert [a.entry_id for a in accepted] == ids


def test_counts_of_a_converter_arrive_as_they_are(client: Client) -> None:
    counts = np.array([-32768, 0, 1, 32767])
    Publisher(client).send("M1", {"ia": counts}, t0=T0, fs_hz=1000, scale={"ia": 0.001})
    ((_, fields),) = client.xrange(keys.RAW)
    assert fields[b"ia"] == counts.astype("<i2").tobytes()
    assert fields[b"scale_ia"] == b"0.001"


def test_windows_are_numbered_by_machine(client: Client) -> None:
    with Publisher(client) as publisher:
        for second in range(3):
            for machine in ("M1", "M2"):
                publisher.send(machine, {"ia": X}, t0=T0 + second, fs_hz=1000)
    assert [(w.machine_id, w.seq) for w in sent(client)] == [
        (m, seq) for seq in range(3) for m in ("M1", "M2")
    ]
    assert {w.run for w in sent(client)} == {publisher.run}


def test_numbers_go_on_after_a_restart_and_a_repeat_has_its_own(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    for seconds in ((0, 1), (1, 2)):  # the sender cannot know whether 1 has arrived
        with Publisher(client, numbers=tmp_path / "numbers") as publisher:
            for second in seconds:
                publisher.send("M1", {"ia": X + second}, t0=T0 + second, fs_hz=1000)
    assert [w.seq for w in sent(client)] == [0, 1, 1, 2]
    assert len({w.run for w in sent(client)}) == 1
    with bridging(settings):
        eventually(lambda: counters(client).get("windows_in") == 3)
    assert counters(client)["windows_duplicate"] == 1


def test_a_batch_goes_when_it_is_full_or_flushed(client: Client) -> None:
    with Publisher(client, batch_s=60.0, batch_bytes=9000) as publisher:
        accepted = [
            len(publisher.send("M1", {"ia": X}, t0=T0 + seq, fs_hz=1000)) for seq in range(6)
        ]
        assert accepted == [0, 0, 0, 0, 5, 0], "2 kB each"
        assert client.xlen(keys.RAW) == 5
    assert client.xlen(keys.RAW) == 6


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"machine_id": "a b"}, "bad_machine_id"),
        ({"fs_hz": 50.0}, "bad_rate"),
        ({"channels": {"ia": np.array([1.0, np.nan])}}, "not_finite"),
        ({"channels": {"ia": X, "ib": X[1:]}}, "bad_length"),
        ({"channels": {"ia": X.reshape(2, -1)}}, "bad_length"),
        ({"channels": {"i1": X}}, "no_channels"),
        ({"channels": {"ia": np.array([40_000])}, "scale": {"ia": 1.0}}, "bad_dtype"),
        ({"channels": {"ia": np.array([0.5])}, "scale": {"ia": 1.0}}, "bad_dtype"),
        ({"channels": {"ia": np.zeros(101)}}, "too_large"),
    ],
)
def test_what_the_bridge_would_refuse_is_not_sent(
    client: Client, change: dict[str, object], code: str
) -> None:
    limits = Limits(max_samples=100) if code == "too_large" else None
    good = {"machine_id": "M1", "channels": {"ia": X}, "t0": T0, "fs_hz": 1000.0}
    with pytest.raises(WireError) as raised:
        Publisher(client, limits=limits).send(**(good | change))
    assert raised.value.code == code
    assert client.xlen(keys.RAW) == 0


def test_the_role_of_senders_suffices(server: EmbeddedServer, client: Client) -> None:
    url = server.address.role_url("ingest")
    with Publisher(url) as publisher:
        publisher.publish([window(seq) for seq in range(3)])
    assert client.xlen(keys.RAW) == 3


def test_a_wrong_password_is_said_at_once(server: EmbeddedServer) -> None:
    url = server.address.role_url("ingest").replace("ingest:", "ingest:x")
    with pytest.raises(ServerUnavailable, match="password"):
        Publisher(url).publish([window(0)])


def test_patience_ends_with_a_reason_and_the_windows_are_kept(client: Client) -> None:
    publisher = Publisher("redis://127.0.0.1:1/0", patience_s=0.1)
    with pytest.raises(ServerUnavailable, match="for 0 s"):
        publisher.send("M1", {"ia": X}, t0=T0, fs_hz=1000)
    publisher._delivery.client = client
    assert [a.seq for a in publisher.send("M1", {"ia": X}, t0=T0 + 1, fs_hz=1000)] == [0, 1]


def test_it_waits_while_the_workers_are_behind(client: Client) -> None:
    create_group(client, keys.RAW)
    publisher = Publisher(client, batch_bytes=10_000, ahead_bytes=20_000)
    for seq in range(20):  # 4 kB each
        publisher.collect(window(seq))
    delivery = publisher.deliver()
    assert next(delivery) == "behind"
    assert 4 <= client.xlen(keys.RAW) <= 6
    reply = client.xreadgroup(keys.GROUP, "w", {keys.RAW: ">"}, count=20)
    client.xack(keys.RAW, keys.GROUP, *(i for i, _ in reply[0][1]))
    assert next(delivery) == "behind"
    assert client.xlen(keys.RAW) > 6


@pytest.fixture
def full(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A server that has no memory for another window."""
    with EmbeddedServer(load(data_dir=tmp_path, redis_maxmemory_mb=64)) as server:
        with connect(server.url, "filler") as filler:
            for _ in range(68):
                filler.rpush("fill", bytes(1 << 20))
            yield server


def empty(client: Client) -> None:
    """Make room, and wait for it: the server frees a large key in its own thread."""
    client.delete("fill")
    eventually(lambda: server_memory(client).share < 0.5)


def test_a_full_server_is_said_or_waited_for(full: EmbeddedServer) -> None:
    windows = [window(0), window(1)]
    with connect(full.url, "test") as client:
        with Publisher(full.url, when_full="raise") as publisher:
            with pytest.raises(ServerFull) as raised:
                publisher.publish(windows)
            assert raised.value.waiting == 2
            assert client.xlen(keys.RAW) == 0
            empty(client)
            assert [a.seq for a in publisher.flush()] == [0, 1]
        for _ in range(68):
            client.rpush("fill", bytes(1 << 20))
        waiting = threading.Thread(target=Publisher(full.url).publish, args=([window(2)],))
        waiting.start()
        time.sleep(0.2)
        assert waiting.is_alive()
        empty(client)
        waiting.join(timeout=20)
        assert client.xlen(keys.RAW) == 3


class Slow(redis.connection.Connection):
    """A connection that takes no more than 10 kB at once in time."""

    def send_packed_command(self, command, check_health=True):  # type: ignore[no-untyped-def]
        parts = [command] if isinstance(command, bytes) else list(command)
        if sum(map(len, parts)) > 10_000:
            raise redis.TimeoutError("too slow")
        super().send_packed_command(parts, check_health)


def test_over_a_slow_link_it_sends_less_at_once(server: EmbeddedServer, client: Client) -> None:
    pool = redis.ConnectionPool.from_url(server.url, connection_class=Slow, retry=None)
    publisher = Publisher(redis.Redis(connection_pool=pool))
    publisher.publish([window(seq) for seq in range(12)])
    assert [w.seq for w in sent(client)] == list(range(12))


def test_windows_reach_a_server_that_was_killed(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path)
    with EmbeddedServer(settings) as first, connect(first.url, "test") as client:
        publisher = Publisher(client)
        publisher.publish([window(0)])
        os.kill(first.pid, signal.SIGKILL)
        sending = threading.Thread(target=publisher.publish, args=([window(1), window(2)],))
        sending.start()
        time.sleep(0.3)
        with EmbeddedServer(settings):
            sending.join(timeout=30)
            assert not sending.is_alive()
            assert {1, 2} <= {w.seq for w in sent(client)}
