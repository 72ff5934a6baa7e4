"""`VTOX_CLUSTER_ENABLED=true uvicorn api.main:app` alone brings up one cluster, whatever dies."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from tests.system.processes import free_ports
from tests.system.test_up import alive, until


@contextmanager
def uvicorn(folder: Path, workers: int) -> Iterator[tuple[psutil.Process, int]]:
    """Run the API as its users do, without `vtox`."""
    api, coordinator, worker = free_ports(3)
    given = {
        "VTOX_CLUSTER_ENABLED": "true",
        "VTOX_DATA_DIR": str(folder / "data"),
        "VTOX_COORDINATOR_PORT": str(coordinator),
        "VTOX_WORKER_PORT": str(worker),
        "VTOX_CLUSTER_WORKERS": "1",
    }
    command = [sys.executable, "-m", "uvicorn", "api.main:app", "--port", str(api)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--workers", str(workers)],
            env=os.environ | given,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    mine = psutil.Process(process.pid)
    everyone = [mine]
    try:
        until(lambda: ready(api), 90)
        everyone += mine.children(recursive=True)
        yield mine, api
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
        until(lambda: not any(map(alive, everyone)), 15)


def ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200
    except httpx.HTTPError:
        return False


def supervisors(process: psutil.Process) -> list[psutil.Process]:
    """The cluster's supervisors below the API: there is to be one."""
    return [p for p in process.children(recursive=True) if "up" in p.cmdline()]


def test_one_cluster_for_all_workers_and_another_worker_takes_over(tmp_path: Path) -> None:
    with uvicorn(tmp_path, workers=3) as (process, port):
        (first,) = supervisors(process)
        elected = first.parent()
        assert elected
        elected.kill()
        until(lambda: not alive(first), 15)
        until(lambda: len(supervisors(process)) == 1, 30)
        until(lambda: ready(port), 60)


def test_a_killed_api_takes_its_cluster_along(tmp_path: Path) -> None:
    with uvicorn(tmp_path, workers=2) as (process, _):
        everyone = process.children(recursive=True)
        assert supervisors(process)
        process.kill()
        began = time.monotonic()
        until(lambda: not any(map(alive, everyone)), 20)
        assert time.monotonic() - began < 15
