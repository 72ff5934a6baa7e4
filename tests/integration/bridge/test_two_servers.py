"""Two servers that share the machines, each with a ledger, results and alerts of its own."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from tests.integration.helpers import T0, Worker, add_window, counters, eventually
from vtox import keys
from vtox.bridge.loop import Bridge
from vtox.bridge.partition_keeper import PartitionKeeper
from vtox.client.publisher import Publisher
from vtox.cluster.embedded_server import EmbeddedServer
from vtox.domain import Motor
from vtox.errors import InputError, SettingsError, SystemStateError
from vtox.partitions import Partition, Place, server_number
from vtox.settings import Settings, load
from vtox.store.client import Client, connect
from vtox.store.machines import register
from vtox.store.partition_table import number_in_force, require_place

MACHINES = [f"V{i:03d}" for i in range(1, 9)]
SERVERS = 2


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    with ExitStack() as stack:
        folders = [tmp_path_factory.mktemp(f"server-{i}") for i in range(SERVERS)]
        servers = [stack.enter_context(EmbeddedServer(load(data_dir=f))) for f in folders]
        yield [s.url for s in servers]


@pytest.fixture
def shared(urls: list[str], tmp_path: Path) -> Settings:
    return load(redis_urls=",".join(urls), stream_partitions=4, data_dir=tmp_path, batch_wait_ms=1)


@pytest.fixture
def clients(urls: list[str]) -> Iterator[list[Client]]:
    opened = [connect(url, "test") for url in urls]
    for client in opened:
        if names := list(client.scan_iter(count=1000)):
            client.unlink(*names)
    yield opened
    for client in opened:
        client.close()


@pytest.fixture
def bridged(shared: Settings, clients: list[Client]) -> Iterator[None]:
    """Bridges of all partitions of both servers, with workers that commit at once."""
    stop, threads = Event(), []
    own = [connect(url, "bridge", retries=0) for url in shared.server_urls()]
    for i, client in enumerate(own):

        def make(p: Partition, i: int = i, client: Client = client) -> Bridge:
            worker = Worker(connect(shared.server_urls()[i], "worker"), shared, p)
            place = Place(i, SERVERS)
            return Bridge(
                client, shared, worker.work, partition=p, stands_by=False, place=place, clients=own
            )

        keeper = PartitionKeeper(client, 2, make, Place(i, SERVERS))
        threads.append(Thread(target=keeper.run, args=(stop,)))
    for thread in threads:
        thread.start()
    yield
    stop.set()
    for thread in threads:
        thread.join(timeout=30)
    for client in own:
        client.close()


def done(clients: list[Client]) -> list[int]:
    return [counters(c).get("windows_done", 0) for c in clients]


@pytest.mark.usefixtures("bridged")
def test_each_window_is_done_once_on_the_server_of_its_machine(
    clients: list[Client], shared: Settings
) -> None:
    eventually(lambda: [number_in_force(c) for c in clients] == [2, 2])
    windows = 10
    with ExitStack() as stack:
        senders = [stack.enter_context(Publisher(url)) for url in shared.server_urls()]
        for seq in range(windows):
            for m in MACHINES:
                x = np.arange(1000, dtype="i2")
                own = senders[server_number(m, SERVERS)]
                own.send(m, {"ia": x}, t0=T0 + seq, fs_hz=1000, scale={"ia": 0.01})
    for seq in range(windows):  # who knows of one server only
        for m in MACHINES:
            add_window(clients[0], m, windows + seq)
            add_window(clients[0], m, windows + seq)
    there = [sum(server_number(m, SERVERS) == i for m in MACHINES) for i in range(SERVERS)]
    assert all(there)
    eventually(lambda: done(clients) == [2 * windows * n for n in there])
    assert sum(counters(c)["windows_duplicate"] for c in clients) == windows * len(MACHINES)
    for i, client in enumerate(clients):
        listed = {m.decode() for m in client.zrange(keys.MACHINES, 0, -1)}
        assert listed == {m for m in MACHINES if server_number(m, SERVERS) == i}


@pytest.mark.usefixtures("bridged")
def test_a_server_has_its_machines_only(clients: list[Client]) -> None:
    eventually(lambda: [number_in_force(c) for c in clients] == [2, 2])
    motor = Motor(pole_pairs=2)
    for m in MACHINES:
        own = server_number(m, SERVERS)
        register(clients[own], m, motor)
        with pytest.raises(InputError, match=f"on server {own + 1} of"):
            register(clients[1 - own], m, motor)
    with pytest.raises(SystemStateError, match="was number 1 of 2"):
        require_place(clients[0], Place(1, 2))


def test_what_works_with_one_server_says_so(shared: Settings, urls: list[str]) -> None:
    with pytest.raises(SettingsError, match="several servers"):
        shared.working_url()
    assert load(redis_urls=shared.redis_urls, redis_url=urls[1]).working_url() == urls[1]
    with pytest.raises(SettingsError, match="multiple of 2"):
        load(redis_urls=shared.redis_urls, stream_partitions=3)
