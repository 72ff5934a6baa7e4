"""Killing bridge, workers and server with -9 while windows flow loses and doubles nothing."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import psutil
import pytest
import redis

from tests.cluster import WINDOW_S, Cluster, answered, cluster, small_window
from vtox.motor.faults import FAMILIES, FAULTS
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client

pytestmark = pytest.mark.alone

MACHINES = 8
WINDOWS = 100  # of each machine


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Cluster]:
    hasty = {"VTOX_REDISPATCH_AFTER_S": "3", "VTOX_CLOCK_TOLERANCE_S": "1e12"}
    with cluster(tmp_path, "--without", "api", "--without", "flower", **hasty) as started:
        started.wait_for_workers(len(FAMILIES))
        yield started


def send_all(client: Client) -> None:
    """Send every window at least once: again if the dying server did not confirm it."""
    for seq in range(WINDOWS):
        for m in range(MACHINES):
            fields = small_window(f"M{m}", seq)
            persist(lambda fields=fields: client.xadd(keys.RAW, fields))
        time.sleep(WINDOW_S)


def persist(call, timeout_s: float = 30.0):  # type: ignore[no-untyped-def]
    """Call until the server answers."""
    end = time.monotonic() + timeout_s
    while True:
        try:
            return call()
        except redis.RedisError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def pid_of(running: Cluster, *words: str) -> int:
    """Return the process of the cluster whose command line has all the words."""
    for p in psutil.Process(running.pid).children(recursive=True):
        try:
            line = p.cmdline()
        except psutil.Error:
            continue
        if all(any(w in part for part in line) for w in words):
            return p.pid
    raise AssertionError(f"no process with {words}")


def test_nothing_lost_nothing_doubled(running: Cluster) -> None:
    client = running.client()
    sender = Thread(target=send_all, args=(running.client(),))
    sender.start()
    for words in (
        ["vtox", "bridge"],
        ["celery", "bearing"],
        ["valkey-server", "127.0.0.1"],
        ["celery", "broken_bar"],
        ["vtox", "bridge"],
    ):
        time.sleep(3)
        os.kill(pid_of(running, *words), signal.SIGKILL)
    sender.join(timeout=90)
    assert not sender.is_alive()

    total = MACHINES * WINDOWS
    end = time.monotonic() + 60
    while persist(lambda: int(client.hget(keys.COUNTERS, "windows_done") or 0)) < total:
        assert time.monotonic() < end, client.hgetall(keys.COUNTERS)
        time.sleep(0.2)

    counters = {k.decode(): int(v) for k, v in client.hgetall(keys.COUNTERS).items()}
    assert counters["windows_done"] == total
    assert counters["windows_in"] == total
    assert "windows_dead" not in counters
    assert {f: counters[f"windows:{f}"] for f in FAMILIES} == dict.fromkeys(FAMILIES, total)
    assert all(counters[f"in_flight_{w}:{f}"] == 0 for f in FAMILIES for w in ("windows", "bytes"))
    assert client.xpending(keys.RAW, keys.GROUP)["pending"] == 0
    assert client.xlen(keys.DEAD_LETTERS) == 0
    assert client.hlen(keys.PROGRESS) == 0

    assert answered(client) == {
        (f"M{m}", fault): list(range(WINDOWS)) for m in range(MACHINES) for fault in FAULTS
    }
