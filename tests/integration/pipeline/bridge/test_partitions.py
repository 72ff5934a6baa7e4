"""Partitions of the raw stream: shared by bridges, moved between them, made and retired."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Event, Thread

import pytest

from tests.integration.helpers import T0, Worker, add_window, counters, eventually
from vtox.pipeline.bridge import lease
from vtox.pipeline.bridge.loop import Bridge
from vtox.pipeline.bridge.partition_keeper import PartitionKeeper, share_size
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.configuration.tables import Keep
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.server.partition_table import join, number_in_force, served, set_number
from vtox.pipeline.store.system.status import snapshot
from vtox.pipeline.windows.partitions import Partition, partition_of

# One in each of four partitions.
MACHINES = ("V004", "V002", "V005", "V001")
WINDOWS = 12


@pytest.fixture
def hasty(settings: Settings) -> Settings:
    return settings.model_copy(update={"batch_wait_ms": 1, "keep": Keep(windows="0s")})


@contextmanager
def keeping(
    settings: Settings, tasks: list[tuple[int, str, list[str]]]
) -> Iterator[PartitionKeeper]:
    """Run a bridge process in threads; its tasks are collected."""
    client = connect(settings.working_url(), "bridge", retries=0)

    def make(p: Partition) -> Bridge:
        def send(family: str, ids: list[str]) -> None:
            tasks.append((p.number, family, ids))

        return Bridge(client, settings, send, partition=p, stands_by=False)

    keeper, stop = PartitionKeeper(client, settings.stream_partitions, make), Event()
    thread = Thread(target=keeper.run, args=(stop,))
    thread.start()
    try:
        yield keeper
    finally:
        stop.set()
        thread.join(timeout=30)
        assert not thread.is_alive()
        client.close()


def owned(keeper: PartitionKeeper) -> list[int]:
    return [p for p in list(keeper.served) if keeper.owns(p)]


def test_a_share_is_as_large_as_that_of_others() -> None:
    names = ["1 a", "2 b", "3 c"]
    assert [share_size(names, n, 4) for n in names] == [2, 1, 1]
    assert [share_size(names, n, 1) for n in names] == [1, 0, 0]


def test_processes_that_join_at_the_same_moment_are_two(client: Client) -> None:
    assert len({join(client) for _ in range(20)}) == 20


def test_bridges_share_the_partitions_and_take_over(
    client: Client, hasty: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LEASE_LIFE_MS", 600_000)  # no bridge waits for the end of one
    four = hasty.model_copy(update={"stream_partitions": 4})
    with ExitStack() as first_ends, keeping(hasty, []) as second:
        first = first_ends.enter_context(keeping(four, []))
        eventually(lambda: sorted(map(len, (owned(first), owned(second)))) == [2, 2])
        assert sorted(owned(first) + owned(second)) == [0, 1, 2, 3]
        assert snapshot(client).bridge_alive
        first_ends.close()
        eventually(lambda: len(owned(second)) == 4)


def test_windows_in_the_wrong_partition_are_moved_and_counted_once(
    client: Client, hasty: Settings
) -> None:
    set_number(client, 4)
    tasks: list[tuple[int, str, list[str]]] = []
    with keeping(hasty, tasks):
        for seq in range(WINDOWS):
            for m in MACHINES:
                add_window(client, m, seq)
            add_window(client, MACHINES[1], seq, t0=T0 + seq)  # sent twice
        expected = len(MACHINES) * WINDOWS
        eventually(lambda: counters(client).get("windows_in") == expected)
        entries = finish(client, hasty, tasks, expected)
    assert set(entries.values()) == {1}
    c = counters(client)
    assert c["windows_duplicate"] == WINDOWS
    elsewhere = [m for m in MACHINES if partition_of(m, 4).number]
    assert c["windows_moved"] >= len(elsewhere) * WINDOWS
    assert {p for p, _, _ in tasks} == {partition_of(m, 4).number for m in MACHINES}


def finish(
    client: Client, settings: Settings, tasks: list[tuple[int, str, list[str]]], windows: int
) -> Counter[tuple[int, str, str]]:
    """Work until all windows are done; return how often each entry was, by partition and family."""
    workers = {p.number: Worker(client, settings, p) for p in map(Partition, range(4))}
    entries: Counter[tuple[int, str, str]] = Counter()

    def all_done() -> bool:
        while tasks_left := tasks[len(done) :]:
            for number, family, ids in tasks_left:
                workers[number].work(family, ids)
                done.append(ids)
        return counters(client).get("windows_done") == windows

    done: list[list[str]] = []
    eventually(all_done)
    for number, worker in workers.items():
        entries.update({(number, i, f): n for (i, f), n in worker.entries.items()})
    return entries


def test_fewer_partitions_leave_nothing_behind(client: Client, hasty: Settings) -> None:
    set_number(client, 4)
    tasks: list[tuple[int, str, list[str]]] = []
    with keeping(hasty, tasks) as keeper:
        eventually(lambda: len(owned(keeper)) == 4)
        for seq in range(WINDOWS):
            for m in MACHINES:
                add_window(client, m, seq, raw=partition_of(m, 4).raw)
            if seq == WINDOWS // 2:
                set_number(client, 1)
        entries = finish(client, hasty, tasks, len(MACHINES) * WINDOWS)
        eventually(lambda: served(client) == (Partition(0),))
        assert owned(keeper) == [0]
        assert not client.exists(Partition(1).raw)
        # A sender that still works by the old number creates it again, and its windows arrive.
        add_window(client, "V001", WINDOWS, raw=Partition(3).raw)
        eventually(lambda: counters(client)["windows_in"] == len(MACHINES) * WINDOWS + 1)
    assert set(entries.values()) == {1}


def test_the_number_of_the_process_started_last_is_in_force(
    client: Client, hasty: Settings
) -> None:
    with keeping(hasty.model_copy(update={"stream_partitions": 2}), []):
        eventually(lambda: number_in_force(client) == 2)
        with keeping(hasty.model_copy(update={"stream_partitions": 3}), []):
            eventually(lambda: number_in_force(client) == 3)
            with keeping(hasty, []):
                eventually(lambda: client.zcard(keys.BRIDGES) == 3)
            assert number_in_force(client) == 3
