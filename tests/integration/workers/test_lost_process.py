"""A worker whose pool process is lost: it is replaced, and meanwhile the worker is not ready."""

from pathlib import Path

import httpx
import psutil
import pytest

from tests.integration.helpers import eventually
from tests.worker import QUEUE, worker
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.monitoring.readiness import checks
from vtox.pipeline.store.ledger.heartbeats import live_workers
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system.status import snapshot

pytestmark = pytest.mark.long

# Each process of the pool starts only while this file is there.
HOLD = """
import os, time
from celery.signals import worker_process_init

@worker_process_init.connect
def hold(**_):
    while not os.path.exists(os.environ["GO"]):
        time.sleep(0.02)
"""


def test_a_worker_is_not_ready_until_its_lost_process_is_replaced(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "held_pool.py").write_text(HOLD)
    go = tmp_path / "go"
    go.touch()
    given = {
        "VTOX_REDIS_URL": settings.working_url(),
        "PYTHONPATH": str(tmp_path),
        "GO": str(go),
    }

    def at_the_port() -> tuple[int, str]:
        (port,) = (w.port for w in live_workers(client))
        response = httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=20)
        return response.status_code, response.json()["output"]

    def check() -> tuple[str, str]:
        found = next(c for c in checks(snapshot(client)) if c.name == f"workers:{QUEUE}")
        return found.status, found.code

    with worker(client, tmp_path / "worker.log", "-I", "held_pool", **given) as process:
        eventually(lambda: at_the_port() == (200, ""))
        eventually(lambda: check() == ("pass", "workers_live"))
        go.unlink()
        (lost,) = psutil.Process(process.pid).children()
        lost.kill()
        eventually(lambda: at_the_port() == (503, "worker_without_process"))
        eventually(lambda: check() == ("fail", "worker_without_process"))
        go.touch()
        eventually(lambda: at_the_port() == (200, ""))
        eventually(lambda: check() == ("pass", "workers_live"))
        assert [w.pool_processes for w in live_workers(client)] == [1]
