"""A family whose worker was stopped: an alarm names its queue until a worker comes back."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster import Cluster, cluster, small_window
from tests.waiting import eventually
from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.alarms.open_alerts import events_after, open_alerts
from vtox.pipeline.store.alarms.system_alarms import load_watch
from vtox.pipeline.store.server.client import Client

pytestmark = pytest.mark.long

WINDOWS = 20


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Cluster]:
    alone = [a for role in ("workers", "api", "flower") for a in ("--without", role)]
    quick = {"VTOX_MONITOR_INTERVAL_S": "1", "VTOX_CLOCK_TOLERANCE_S": "1e12"}
    with cluster(tmp_path, *alone, **quick) as started:
        started.wait_for_workers(0)
        yield started


@contextmanager
def worker(served: Cluster, log: Path, *families: str) -> Iterator[None]:
    """Run a worker of some families, as a person would start it."""
    env = os.environ | {
        "VTOX_DATA_DIR": str(served.settings.data_dir),
        "VTOX_WORKER_PORT": str(served.settings.worker_port),
        # A worker of other terms than the bridge's does not start.
        "VTOX_CLOCK_TOLERANCE_S": str(served.settings.clock_tolerance_s),
    }
    command = [sys.executable, "-m", "celery", "-A", "vtox", "worker", "-Q", ",".join(families)]
    with log.open("ab") as out:
        process = subprocess.Popen(command, env=env, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def done(client: Client) -> int:
    return int(client.hget(keys.COUNTERS, "windows_done") or 0)


def test_an_alarm_names_the_queue_without_a_worker_until_one_comes_back(
    served: Cluster, tmp_path: Path
) -> None:
    client, (first, *others) = served.client(), FAMILIES
    with worker(served, tmp_path / "others.log", *others):
        with worker(served, tmp_path / "first.log", first):
            eventually(lambda: (w := load_watch(client)) and len(w.served) == len(FAMILIES))
            eventually(lambda: not open_alerts(client))
        for seq in range(WINDOWS):
            client.xadd(keys.RAW, small_window("M1", seq))
        (alarm,) = eventually(lambda: [a for a in open_alerts(client) if not a.machine_id])
        assert (alarm.fault, alarm.values["queue"]) == (f"workers:{first}", first)
        assert done(client) == 0
        eventually(lambda: client.hget(keys.COUNTERS, f"windows:{others[0]}") == b"%d" % WINDOWS)
        with worker(served, tmp_path / "first.log", first):
            eventually(lambda: done(client) == WINDOWS)
            eventually(lambda: not [a for a in open_alerts(client) if not a.machine_id])
    events = [a for a in events_after(client, "0-0")[0] if a.id == alarm.id]
    assert [a.event for a in events] == ["raised", "cleared"]
