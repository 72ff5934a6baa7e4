"""Fifty vehicles at a known rate: the API's figures of them, from each of its three sources."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.cluster import Cluster, cluster
from tests.integration.conftest import serving
from vtox.pipeline.configuration import keys
from vtox.pipeline.monitoring.throughput import AVERAGE_S

pytestmark = pytest.mark.long

VEHICLES = 50
FS_HZ = 1000
# Until the average has left out the start, when the first records were still open.
SETTLED_S = AVERAGE_S + 20
CATCH_UP_S = 60


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Cluster]:
    calm = {"VTOX_CLUSTER_MODE": "testing", "VTOX_CLOCK_TOLERANCE_S": "1e12"}
    with cluster(tmp_path, "--without", "flower", **calm) as started:
        started.wait_for_workers(2)
        yield started


def drive(running: Cluster, stop: threading.Event) -> None:
    """Send a window of one second from each vehicle every second, evenly spread."""
    client = running.client()
    t = np.arange(FS_HZ) / FS_HZ
    phases = {"ia": 0.0, "ib": -2 * np.pi / 3, "ic": 2 * np.pi / 3}
    waves = {
        c: (10_000 * np.sin(2 * np.pi * 50 * t + p)).astype("<i2").tobytes()
        for c, p in phases.items()
    }
    begin = time.monotonic()
    n = 0
    while not stop.wait(max(begin + n / VEHICLES - time.monotonic(), 0)):
        seq, vehicle = divmod(n, VEHICLES)
        head = {"machine_id": f"V{vehicle:03}", "seq": seq, "t0": 1_764_000_000 + seq}
        form = {"fs_hz": FS_HZ, "dtype": "i2", "scale_ia": 1e-3, "scale_ib": 1e-3, "scale_ic": 1e-3}
        client.xadd(keys.RAW, head | form | waves)
        n += 1


@pytest.fixture
def driven(running: Cluster) -> Iterator[Cluster]:
    stop = threading.Event()
    thread = threading.Thread(target=drive, args=(running, stop))
    thread.start()
    time.sleep(SETTLED_S)
    yield running
    stop.set()
    thread.join()


def reported(http: httpx.Client) -> tuple[str, float, float]:
    answer = http.get("/api/v1/cluster/status").raise_for_status()
    figures = answer.json()["data"]["performance_metrics"]
    return figures["throughput_source"], figures["throughput"], figures["throughput_age_s"]


def settles(read: Callable[[], tuple[str, float, float]], source: str, within: float) -> float:
    """Return the age of the figure once it is right: a busy machine catches up for a while.

    The monitor may write between the deletion of its figures and the reading.
    """
    end = time.monotonic() + CATCH_UP_S
    while True:
        told, rate, age = read()
        if told == source and rate == pytest.approx(VEHICLES, rel=within):
            return age
        assert time.monotonic() < end, f"{told} says {rate}, not {source} {VEHICLES} windows/s"
        time.sleep(1)


@pytest.mark.timeout(360)
def test_the_reported_rate_is_the_real_one(driven: Cluster) -> None:
    s = driven.settings

    def without_the_monitor(http: httpx.Client) -> tuple[str, float, float]:
        driven.client().delete(keys.METRICS)
        time.sleep(0.3)
        return reported(http)

    with httpx.Client(base_url=f"http://127.0.0.1:{s.api_port}", timeout=10) as http:
        age = settles(lambda: reported(http), "performance_metrics", 0.05)
        assert age <= 3 * s.monitor_interval_s
        age = settles(lambda: without_the_monitor(http), "stream_activity", 0.05)
        assert age <= 9

    def of_a_fresh_service() -> tuple[str, float, float]:
        # It has no two readings of the stream yet: only the workers are left.
        with serving(s) as fresh:
            return without_the_monitor(fresh)

    assert settles(of_a_fresh_service, "workers", 0.1) < 15
