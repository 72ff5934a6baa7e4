"""A publisher of several servers: each machine on its own, and none waits for the others."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.integration.helpers import T0, bridging, eventually
from vtox import keys
from vtox.client import Publisher, Reader
from vtox.cluster.embedded_server import EmbeddedServer
from vtox.errors import ServerFull, ServerUnavailable, SettingsError
from vtox.partitions import Place, server_number
from vtox.settings import load
from vtox.store.client import SOCKET_TIMEOUT_S, Client
from vtox.store.partition_table import require_place
from vtox.store.retention import server_memory
from vtox.store.servers import connect_servers

MACHINES = ["V001", "V002", "V003", "V004"]
FIRST, SECOND = ([m for m in MACHINES if server_number(m, 2) == i] for i in range(2))
X = np.arange(1000, dtype="i2")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[EmbeddedServer]]:
    with ExitStack() as stack:
        folders = [tmp_path_factory.mktemp(f"server-{i}") for i in range(2)]
        settings = [load(data_dir=f, redis_maxmemory_mb=64) for f in folders]
        yield [stack.enter_context(EmbeddedServer(s)) for s in settings]


@pytest.fixture
def urls(servers: list[EmbeddedServer]) -> str:
    return ",".join(s.url for s in servers)


@pytest.fixture
def clients(servers: list[EmbeddedServer]) -> Iterator[list[Client]]:
    with connect_servers([s.url for s in servers], "test") as opened:
        for client in opened:
            client.unlink("none", *client.scan_iter(count=1000))
        yield list(opened)


@contextmanager
def stopped(server: EmbeddedServer) -> Iterator[None]:
    """Hold a server: connections are taken, and nothing is answered."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


@contextmanager
def full(client: Client) -> Iterator[None]:
    for _ in range(68):
        client.rpush("fill", bytes(1 << 20))
    yield
    client.delete("fill")
    eventually(lambda: server_memory(client).share < 0.5)


def send(publisher: Publisher, machine: str, seq: int) -> list[str]:
    """Send a window; return the machines of those that a server has now."""
    scale = {"ia": 0.01}
    news = publisher.send(machine, {"ia": X}, t0=T0 + seq, fs_hz=1000, scale=scale)
    return [a.machine_id for a in news]


def sent(client: Client) -> list[tuple[str, int]]:
    rows = [fields for _, fields in client.xrange(keys.RAW)]
    return sorted((f[b"machine_id"].decode(), int(f[b"seq"])) for f in rows)


def test_each_window_goes_to_the_server_of_its_machine(urls: str, clients: list[Client]) -> None:
    with Publisher(urls, batch_s=60) as publisher:
        for seq in range(3):
            for m in MACHINES:
                assert send(publisher, m, seq) == []
        news = publisher.flush()
    for i, (client, machines) in enumerate(zip(clients, (FIRST, SECOND), strict=True)):
        assert machines
        assert sent(client) == [(m, seq) for m in machines for seq in range(3)]
        assert {(a.machine_id, a.seq) for a in news if a.server == i} == set(sent(client))


def test_a_server_that_hangs_holds_up_one_send_and_gets_its_windows_later(
    servers: list[EmbeddedServer], urls: str, clients: list[Client]
) -> None:
    with Publisher(urls) as publisher:
        for m in MACHINES:
            assert send(publisher, m, 0) == [m]
        with stopped(servers[1]):
            began = time.monotonic()
            for seq in range(1, 21):
                for m in MACHINES:
                    assert send(publisher, m, seq) == ([m] if m in FIRST else [])
            took_s = time.monotonic() - began
            assert took_s < SOCKET_TIMEOUT_S, "one attempt takes as long"
            assert publisher.waiting == 20 * len(SECOND)
        news = publisher.flush()
        assert publisher.waiting == 0
    assert [(a.machine_id, a.seq) for a in news] == [(m, s) for s in range(1, 21) for m in SECOND]
    assert sent(clients[1]) == [(m, seq) for m in SECOND for seq in range(21)]


@pytest.mark.usefixtures("clients")
def test_what_waits_for_a_server_is_bounded(servers: list[EmbeddedServer]) -> None:
    urls = f"{servers[0].url},redis://127.0.0.1:1/0"
    publisher = Publisher(urls, hold_bytes=5000, patience_s=1.0)
    for seq in range(2):  # 2 kB each
        assert send(publisher, SECOND[0], seq) == []
        assert send(publisher, FIRST[0], seq) == [FIRST[0]]
    with pytest.raises(ServerUnavailable, match="server 2 of 2 accepted no window for 1 s"):
        send(publisher, SECOND[0], 2)
    assert publisher.waiting == 3, "they are kept"
    publisher.close()


def test_a_full_server_is_said_after_the_others_have_theirs(
    urls: str, clients: list[Client]
) -> None:
    with Publisher(urls, when_full="raise", batch_s=60) as publisher:
        with full(clients[1]):
            for m in MACHINES:
                send(publisher, m, 0)
            with pytest.raises(ServerFull) as raised:
                publisher.flush()
            assert raised.value.waiting == len(SECOND)
            assert sent(clients[0]) == [(m, 0) for m in FIRST]
        assert len(publisher.flush()) == len(MACHINES)
    assert sent(clients[1]) == [(m, 0) for m in SECOND]


def test_a_reader_of_one_server_tells_what_that_one_refused(
    servers: list[EmbeddedServer], urls: str, clients: list[Client], tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="reads from one server"):
        Reader(urls)
    with ExitStack() as stack:
        for i, (server, client) in enumerate(zip(servers, clients, strict=True)):
            require_place(client, Place(i, 2))
            settings = load(redis_url=server.url, data_dir=tmp_path, max_samples=100)
            stack.enter_context(bridging(settings))
        publisher = stack.enter_context(Publisher(urls))
        for m in MACHINES:
            send(publisher, m, 0)
        for server, client, machines in zip(servers, clients, (FIRST, SECOND), strict=True):
            count = len(machines)
            eventually(lambda c=client, n=count: c.xlen(keys.DEAD_LETTERS) == n)
            reader = stack.enter_context(Reader(server.address.role_url("reader")))
            letters = reader.refusals(publisher, quiet_s=0.3)
            assert sorted(i.value.machine_id for i in letters) == machines
