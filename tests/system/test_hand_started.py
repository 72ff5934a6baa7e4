"""Workers started one by one, by the commands of docs/howto/run-vtox.md; only a server runs."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cluster import Cluster, cluster
from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.ledger.heartbeats import live_workers


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Cluster]:
    alone = [
        a
        for role in ("bridge", "workers", "recorder", "api", "flower")
        for a in ("--without", role)
    ]
    with cluster(tmp_path, *alone) as started:
        yield started


@pytest.mark.long
def test_without_a_server_a_worker_ends_with_one_line(tmp_path: Path) -> None:
    env = os.environ | {"VTOX_DATA_DIR": str(tmp_path / "data")}
    env.pop("VTOX_REDIS_URL", None)
    for start in ([sys.executable, "-m", "celery"], [str(Path(sys.executable).parent / "celery")]):
        command = [*start, "-A", "vtox", "worker", "-Q", "bearing"]
        ended = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert ended.returncode == 1
        assert ended.stderr.startswith("vtox: no embedded server in ")
        assert ended.stderr.count("\n") == 1


def test_each_worker_has_its_queue_and_its_own_name(served: Cluster, tmp_path: Path) -> None:
    env = os.environ | {
        "VTOX_DATA_DIR": str(served.settings.data_dir),
        "VTOX_WORKER_PORT": str(served.settings.worker_port),
    }
    served.wait_for_workers(0)
    with ExitStack() as stack:
        for family in FAMILIES:
            command = [sys.executable, "-m", "celery", "-A", "vtox", "worker", "-Q", family]
            log = stack.enter_context((tmp_path / f"{family}.log").open("wb"))
            worker = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT)
            stack.callback(worker.wait, timeout=20)
            stack.callback(worker.terminate)
        served.wait_for_workers(len(FAMILIES))
        client = served.client()
        workers = live_workers(client)
        assert not client.exists(f"{keys.CELERY_PREFIX}_kombu.binding.celeryev"), "they gossip"
        inspect = [sys.executable, "-m", "celery", "-A", "vtox", "inspect", "-j", "active_queues"]
        reply = subprocess.run(inspect, env=env, capture_output=True, text=True, check=True).stdout
    nodes = json.loads(reply)
    assert sorted(q["name"] for queues in nodes.values() for q in queues) == sorted(FAMILIES)
    assert len(nodes) == len(FAMILIES), "Flower shows a line for each"
    assert {w.queues for w in workers} == {(f,) for f in FAMILIES}
    first = served.settings.worker_port
    ports = {w.port: w.queues[0] for w in workers}
    assert ports == {first + i: family for i, family in enumerate(FAMILIES)}
    for family in FAMILIES:
        log = (tmp_path / f"{family}.log").read_text()
        assert "worker ready" in log
        assert "mingle" not in log
