"""Senders faster than the workers on a small server: they are delayed, and nothing else is."""

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from threading import Thread

import pytest
import redis

from tests.cluster import Cluster, answered, cluster, small_window
from tests.waiting import eventually
from vtox.motor.faults import FAMILIES, FAULTS
from vtox.pipeline.configuration import keys
from vtox.pipeline.monitoring.readiness import checks
from vtox.pipeline.store.alarms.open_alerts import events_after
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system.status import snapshot

pytestmark = pytest.mark.alone

LIMIT_MB = 64
MACHINES = 4
# A field that VTOX does not read: much memory for little work.
BALLAST = bytes(200_000)
# Longest time without an accepted window while the server is full and windows are finished.
RESUME_S = 5.0
# Twice the capacity of the server.
WINDOWS = 2 * (LIMIT_MB << 20) // len(BALLAST) // MACHINES


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Cluster]:
    small = {"VTOX_REDIS_MAXMEMORY_MB": str(LIMIT_MB), "VTOX_CLOCK_TOLERANCE_S": "1e12"}
    small |= {"VTOX_MONITOR_INTERVAL_S": "1", "VTOX_KEEP__WINDOWS": "5s"}
    with cluster(tmp_path, "--without", "api", "--without", "flower", **small) as started:
        started.wait_for_workers(len(FAMILIES))
        yield started


def flood(client: Client, machine_id: str, windows: int, accepted: list[float]) -> Iterator[str]:
    """Send as fast as can be, and yield the text of each refusal."""
    for seq in range(windows):
        fields = small_window(machine_id, seq) | {"ballast": BALLAST}
        while True:
            try:
                client.xadd(keys.RAW, fields)
                accepted.append(time.monotonic())
                break
            except redis.OutOfMemoryError as error:
                yield str(error)
                time.sleep(0.01)


def wait_until_done(client: Client, windows: int) -> None:
    end = time.monotonic() + 60
    while int(client.hget(keys.COUNTERS, "windows_done") or 0) < windows:
        assert time.monotonic() < end, client.hgetall(keys.COUNTERS)
        time.sleep(0.1)


def memory_alarms(client: Client, event: str) -> set[str]:
    """The alarms of memory with such an event."""
    events, _ = events_after(client, "0-0")
    return {a.id for a in events if (a.fault, a.event) == ("memory", event)}


def test_senders_wait_and_the_work_goes_on(running: Cluster) -> None:
    client = running.client()
    refused: list[str] = []
    accepted: list[float] = []
    senders = [
        # A client of any other program.
        Thread(
            target=lambda m: refused.extend(
                flood(redis.Redis.from_url(running.settings.working_url()), m, WINDOWS, accepted)
            ),
            args=(f"M{k}",),
        )
        for k in range(MACHINES)
    ]
    for sender in senders:
        sender.start()
    eventually(lambda: len(refused) > 10, 30)
    (memory,) = (c for c in checks(snapshot(client)) if c.name == "server")
    assert memory.status != "pass", memory
    for sender in senders:
        sender.join(timeout=60)
        assert not sender.is_alive(), "the server never took the rest"
    assert "maxmemory" in refused[0]
    assert max(b - a for a, b in pairwise(sorted(accepted))) < RESUME_S

    wait_until_done(client, MACHINES * WINDOWS)
    now = snapshot(client)
    assert len(now.workers) == len(FAMILIES), "heartbeats went on"
    assert now.in_flight == 0
    assert now.counters["windows_in"] == MACHINES * WINDOWS
    assert now.counters.keys().isdisjoint({"windows_dead", "windows_refused", "windows_duplicate"})
    assert client.xlen(keys.DEAD_LETTERS) == 0
    assert client.hlen(keys.PROGRESS) == 0
    assert answered(client) == {
        (f"M{m}", fault): list(range(WINDOWS)) for m in range(MACHINES) for fault in FAULTS
    }
    eventually(lambda: memory_alarms(client, "raised") == memory_alarms(client, "cleared"))
    assert memory_alarms(client, "raised")
    said = running.log.read_text()
    assert "server is out of memory" in said
    assert "does not answer" not in said

    assert not list(flood(client, "LATER", 10, [])), "there is room again"
    wait_until_done(client, MACHINES * WINDOWS + 10)
