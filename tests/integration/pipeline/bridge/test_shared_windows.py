"""Windows that bridge and workers share in memory: used where they are there, missed nowhere."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.integration.helpers import Worker, add_window, bridging, counters, eventually
from vtox.motor.values.domain import Record
from vtox.pipeline.bridge.loop import Bridge
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.ledger.ledger_rows import record_from_json
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.stream import shared_windows
from vtox.pipeline.store.stream.shared_windows import SharedReader
from vtox.pipeline.store.stream.windows import entries_of, fetch

WINDOWS = 10
SHORT = "turn_short"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of this test's own in place of the host's shared memory."""
    place = tmp_path / "shm"
    place.mkdir()
    for function in (shared_windows.SharedWindows.__init__, SharedReader.__init__):
        monkeypatch.setattr(function, "__defaults__", (place,))
    return place


@pytest.fixture
def hasty(settings: Settings) -> Settings:
    return load(redis_url=settings.redis_url, batch_wait_ms=1, shared_windows_mb=64)


def rows(client: Client, family: str = SHORT) -> list[Record]:
    return [record_from_json(row) for row in client.hvals(keys.ledger(family))]


def fetches(client: Client) -> int:
    """How often a window was asked of the server."""
    return int(client.info("commandstats").get("cmdstat_xrange", {"calls": 0})["calls"])


@contextmanager
def owning(hasty: Settings) -> Iterator[Bridge]:
    """A bridge that owns the stream, and makes a turn only on call."""
    client = connect(hasty.working_url(), "bridge", retries=0)
    bridge = Bridge(client, hasty, lambda *_: None)
    assert bridge.take_over()
    yield bridge
    bridge.release()
    client.close()


def test_workers_beside_the_bridge_ask_the_server_for_no_window(
    client: Client, hasty: Settings, folder: Path
) -> None:
    ids = [add_window(client, seq=k, temperature_c=k) for k in range(WINDOWS)]
    with bridging(hasty):
        eventually(lambda: len(rows(client)) == WINDOWS)
        before = fetches(client)
        found = fetch(client, keys.RAW, rows(client))
        assert fetches(client) == before
        found_on_server = fetch(client, keys.RAW, [_unshared(r) for r in rows(client)])
    assert fetches(client) == before + WINDOWS
    for here, there in zip(found, found_on_server, strict=True):
        assert here is not None
        assert there is not None
        np.testing.assert_array_equal(here.channels["ia"], there.channels["ia"])
        assert here.temperature_c == there.temperature_c
    # Side by side, so that the diagnosers need not copy them.
    assert len({id(x.base) for r in found if r for x in r.channels.values()}) == 1
    assert {r.ids for r in rows(client)} == set(ids)


def _unshared(row: Record) -> Record:
    return replace(row, shared="")


@pytest.mark.parametrize("megabytes", [0, 64])
def test_windows_are_finished_once_with_and_without_the_ring(
    client: Client, settings: Settings, folder: Path, megabytes: int
) -> None:
    hasty = load(redis_url=settings.redis_url, batch_wait_ms=1, shared_windows_mb=megabytes)
    for k in range(WINDOWS):
        add_window(client, seq=k)
    worker = Worker(client, hasty)
    with bridging(hasty, worker.work):
        eventually(lambda: counters(client).get(f"windows:{SHORT}") == WINDOWS)
        assert len(list(folder.iterdir())) == bool(megabytes)
    assert list(folder.iterdir()) == []


def test_records_of_a_killed_bridge_are_fetched_from_the_server(
    client: Client, hasty: Settings, folder: Path
) -> None:
    for k in range(WINDOWS):
        add_window(client, seq=k)
    with owning(hasty) as killed:
        _serve(killed, client)
        left = rows(client)
        client.delete(keys.LEASE)
        os.close(killed.shared.fd)  # as the kernel does when a process ends
        killed.shared.fd = -1
        with owning(hasty) as successor:
            assert len(list(folder.iterdir())) == 1
            add_window(client, seq=WINDOWS)
            eventually(lambda: successor.serve_once() or len(rows(client)) == WINDOWS + 1)
            with SharedReader() as reader:
                assert [reader.windows(r) for r in left] == [[None]] * WINDOWS
                (newest,) = [r for r in rows(client) if r not in left]
                assert reader.windows(newest) == entries_of(client, keys.RAW, newest)
            before = fetches(client)
            assert all(fetch(client, keys.RAW, rows(client)))
            assert fetches(client) == before + WINDOWS


def test_a_bridge_that_lost_the_stream_while_it_was_stopped_changes_no_ring_but_its_own(
    client: Client, hasty: Settings, folder: Path
) -> None:
    for k in range(WINDOWS):
        add_window(client, seq=k)
    with owning(hasty) as stopped:
        _serve(stopped, client)
        client.delete(keys.LEASE)
        with owning(hasty) as owner:
            add_window(client, seq=WINDOWS)
            eventually(lambda: owner.serve_once() or len(rows(client)) == WINDOWS + 1)
            # It wakes in the middle of its turn, with entries in its hands that are no more.
            foreign = {b"machine_id": b"V001", b"ia": b"\0" * 8}
            stopped.shared.add((r.ids.encode(), foreign) for r in rows(client))
            for row in rows(client):
                with SharedReader() as reader:
                    found = reader.windows(row)
                assert found == entries_of(client, keys.RAW, row)
                assert (owner.shared.name in row.shared) == (row.first_seq == WINDOWS)


def test_the_same_ids_on_an_emptied_server_lead_to_the_new_windows(
    client: Client, hasty: Settings, folder: Path
) -> None:
    ids = [f"{1000 + k}-7" for k in range(WINDOWS)]
    with bridging(hasty):
        for generation in (1, 2):
            for k, entry_id in enumerate(ids):
                add_window(client, seq=k, entry_id=entry_id, temperature_c=generation)
            eventually(lambda: len(rows(client)) == WINDOWS)
            with SharedReader() as reader:
                windows = [reader.windows(r) for r in rows(client)]
            assert [w and w[0][b"temperature_c"] for w in windows] == [b"%d" % generation] * WINDOWS
            client.unlink(*client.scan_iter(count=1000))


def test_a_host_without_shared_memory_works_from_the_server(
    client: Client, hasty: Settings, folder: Path
) -> None:
    folder.rmdir()
    for k in range(WINDOWS):
        add_window(client, seq=k)
    worker = Worker(client, hasty)
    with bridging(hasty, worker.work):
        eventually(lambda: counters(client).get(f"windows:{SHORT}") == WINDOWS)


def test_a_window_with_no_family_left_is_not_kept(
    client: Client, hasty: Settings, folder: Path
) -> None:
    add_window(client, seq=0, ia=b"odd")
    add_window(client, seq=1)
    with owning(hasty) as bridge:
        eventually(lambda: bridge.serve_once() or rows(client))
        assert client.xlen(keys.DEAD_LETTERS) == 1
        assert list(bridge.shared._places) == [r.ids for r in rows(client)]


def _serve(bridge: Bridge, client: Client) -> None:
    eventually(lambda: bridge.serve_once() or len(rows(client)) == WINDOWS)
