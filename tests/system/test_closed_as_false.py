"""An alarm closed as false stays away although its worker is killed and its tasks come twice."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.cluster import free_ports
from tests.integration.conftest import serving
from tests.integration.helpers import add_window, bridging, counters
from tests.paths import ROOT
from tests.system.judging_worker import AT_WORK, HOLD
from tests.waiting import eventually
from vtox.motor.alarms.health.sensitivity import rules_from_dict
from vtox.motor.values.domain import Motor
from vtox.pipeline.cluster import parent_watch
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.queues.task_queues import TaskQueues
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.machines.machine_settings import SENSITIVITY, store_setting
from vtox.pipeline.store.server.client import Client

pytestmark = pytest.mark.alone

QUEUE = "bearing"
START = time.time() - 60
TEN_YEARS_S = 10 * 365 * 86_400


@contextmanager
def worker(settings: Settings, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker until the block ends with its death."""
    environment = parent_watch.child_environment(
        {
            "VTOX_REDIS_URL": settings.working_url(),
            "VTOX_REDISPATCH_AFTER_S": "1",
            "VTOX_WORKER_PORT": str(free_ports(1)[0]),
            "PYTHONPATH": str(ROOT),
        }
    )
    command = [sys.executable, "-m", "tests.system.judging_worker", "-Q", QUEUE, "-P", "solo"]
    with (folder / "worker.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def send_record(client: Client, first: int, severity: float, ahead_s: float = 0.0) -> None:
    counts = np.full(1000, round(1000 * severity), "<i2").tobytes()
    for seq in (first, first + 1):
        t0 = START + ahead_s + seq
        add_window(client, "M1", seq, t0=t0, run="a", ia=counts, scale_ia=1)


def wait_for(client: Client, windows: int, folder: Path) -> None:
    log = (folder / "worker.log").read_text
    eventually(lambda: counters(client).get(f"windows:{QUEUE}") == windows, 60, log)


def events(client: Client) -> list[str]:
    found = [e for _, e in client.xrange(keys.ALERTS) if e[b"fault"] == QUEUE.encode()]
    return [e[b"event"].decode() for e in found]


def close_as_false(http: httpx.Client) -> str:
    alarm_id: str = http.get(f"/api/v1/alarms?fault={QUEUE}").json()["data"][0]["id"]
    how = {"by": "Ada", "outcome": "false_alarm"}
    http.post(f"/api/v1/alarms/{alarm_id}/close", json=how).raise_for_status()
    return alarm_id


def test_it_stays_away_until_it_grows_and_comes_again_when_that_ends(
    client: Client, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    machines.register(client, "M1", Motor())
    rules = rules_from_dict({QUEUE: {"k": 1, "n": 1, "clear": 1, "days": 1}})
    store_setting(client, "M1", SENSITIVITY, {"faults": rules}, by="Ada")
    hasty = load(redis_url=settings.redis_url, redispatch_after_s=1.0, batch_wait_ms=1)
    queues, sent = TaskQueues(), list[list[str]]()

    def send(family: str, record_ids: list[str]) -> None:
        if family == QUEUE:
            sent.append(record_ids)
            queues.send(family, record_ids)

    with bridging(hasty, send, queues.waiting_tasks), serving(settings) as http:
        with worker(settings, tmp_path) as first:
            send_record(client, 0, 0.4)
            wait_for(client, 2, tmp_path)
            alarm_id = close_as_false(http)
            (tmp_path / HOLD).touch()
            send_record(client, 2, 0.4)
            eventually((tmp_path / AT_WORK).exists, 30)
            first.kill()
            (tmp_path / HOLD).unlink()
        with worker(settings, tmp_path):
            wait_for(client, 4, tmp_path)
            before = client.hgetall(keys.machine("M1"))
            for ids in list(sent):
                queues.send(QUEUE, ids)
            send_record(client, 4, 0.55, ahead_s=TEN_YEARS_S)
            wait_for(client, 6, tmp_path)
            send_record(client, 6, 0.5)
            wait_for(client, 8, tmp_path)
            assert before[b"dismissals"] == client.hget(keys.machine("M1"), "dismissals")
            assert events(client) == ["raised", "cleared"]
            http.post(
                f"/api/v1/machines/M1/dismissals/{alarm_id}/end", json={"by": "Bob"}
            ).raise_for_status()
            send_record(client, 8, 0.4)
            wait_for(client, 10, tmp_path)
            assert events(client) == ["raised", "cleared", "raised"]
            close_as_false(http)
            send_record(client, 10, 0.0)
            send_record(client, 12, 0.7)
            wait_for(client, 14, tmp_path)
            assert events(client) == ["raised", "cleared"] * 2 + ["raised"]
        deeds = [d["code"] for d in http.get("/api/v1/audit").json()["data"]]
        assert deeds.count("dismissal_ended") == 1
