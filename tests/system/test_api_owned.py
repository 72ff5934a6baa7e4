"""`uvicorn api.main:app` alone: the whole system, whichever process is killed."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import psutil
import pytest
from structlog.testing import capture_logs

from tests.cluster import free_ports
from tests.waiting import eventually, is_alive
from vtox.motor.faults import FAULTS
from vtox.pipeline.cluster import api_owned as module
from vtox.pipeline.cluster import processes, restart
from vtox.pipeline.cluster.api_owned import ApiOwnedCluster
from vtox.pipeline.cluster.file_lock import try_lock
from vtox.pipeline.configuration.settings import Settings, load

UP = ["vtox", "up"]


@contextmanager
def service(folder: Path, workers: int, **settings: str) -> Iterator[tuple[psutil.Process, str]]:
    """Run uvicorn with an empty home; nothing of it is left afterwards."""
    api, coordinator, flower, worker = free_ports(4)
    given = {
        "HOME": str(folder),
        "VTOX_COORDINATOR_PORT": str(coordinator),
        "VTOX_FLOWER_PORT": str(flower),
        "VTOX_WORKER_PORT": str(worker),
    } | settings
    inherited = {k: v for k, v in os.environ.items() if k != "XDG_DATA_HOME"}
    command = ["uvicorn", "api.main:app", "--port", str(api), "--workers", str(workers)]
    with (folder / "api.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=inherited | given,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    parent = psutil.Process(process.pid)
    try:
        yield parent, f"http://127.0.0.1:{api}"
    finally:
        left = family(parent)
        process.kill()
        process.wait()
        for p in left:
            if p.is_running():
                p.kill()


def family(parent: psutil.Process) -> list[psutil.Process]:
    try:
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def clusters(parent: psutil.Process) -> list[psutil.Process]:
    """The supervisors among the descendants: each child of an API process."""
    found = []
    for p in family(parent):
        try:
            if p.cmdline()[3:6] == ["vtox.pipeline.cluster.parent_watch", *UP]:
                found.append(p)
        except psutil.Error:
            continue
    return found


def running(base: str) -> bool:
    try:
        return httpx.get(f"{base}/health/ready", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def until(condition: Callable[[], Any], timeout_s: float, folder: Path) -> None:
    """Wait for the condition; a failure shows the end of the API's log."""
    log = folder / "api.log"
    eventually(condition, timeout_s, lambda: log.read_text()[-4000:] if log.exists() else "")


@contextmanager
def owner(settings: Settings) -> Iterator[ApiOwnedCluster]:
    """An API process's part in it: the cluster object, in an event loop of a thread."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    cluster = ApiOwnedCluster(settings)
    try:
        asyncio.run_coroutine_threadsafe(cluster.__aenter__(), loop).result(10)
        yield cluster
    finally:
        asyncio.run_coroutine_threadsafe(cluster.__aexit__(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def ended(processes: list[psutil.Process]) -> bool:
    return not any(map(is_alive, processes))


@pytest.mark.long
def test_several_api_processes_share_one_cluster_and_take_it_over(tmp_path: Path) -> None:
    with service(tmp_path, workers=3, VTOX_CLUSTER_MODE="testing") as (parent, base):
        until(lambda: running(base), 90, tmp_path)
        (first,) = clusters(parent)
        os.kill(first.ppid(), signal.SIGKILL)
        until(lambda: clusters(parent) not in ([], [first]), 60, tmp_path)
        until(lambda: running(base), 90, tmp_path)
        assert len(clusters(parent)) == 1
        log = (tmp_path / "api.log").read_text()
        assert "waiting for its end" in log
        assert "cannot start" not in log
        everybody = family(parent)
        parent.kill()
        until(lambda: ended(everybody), 20, tmp_path)


@pytest.mark.long
def test_on_an_empty_home_the_api_alone_is_the_whole_system(tmp_path: Path) -> None:
    with service(tmp_path, workers=1) as (parent, base):
        until(lambda: running(base), 120, tmp_path)
        status = httpx.get(f"{base}/api/v1/cluster/status").json()["data"]
        assert status["state"] == "running"
        ports = {",".join(w["queues"]): w["port"] for w in status["workers"]}
        first = ports["turn_short"]
        assert ports == {"turn_short": first, "bearing": first + 1, "broken_bar": first + 2}
        for port in ports.values():
            assert httpx.get(f"http://127.0.0.1:{port}/health/live").status_code == 200
        machine = f"{base}/api/v1/machines/M1"
        window = {"seq": 0, "t0": 1.0, "fs_hz": 1000, "channels": {"ia": [0.0, 1.0] * 10_000}}
        assert httpx.post(f"{machine}/windows", json=window).status_code == 202
        until(lambda: len(faults_diagnosed(machine)) == len(FAULTS), 60, tmp_path)
        everybody = family(parent)
        parent.terminate()
        until(lambda: ended(everybody), 30, tmp_path)


def faults_diagnosed(machine: str) -> set[str]:
    answer = httpx.get(f"{machine}/diagnoses")
    # 404 until the window has registered its machine.
    return {d["fault"] for d in answer.json()["data"]} if answer.status_code != 404 else set()


@pytest.mark.long
def test_in_production_without_a_key_the_api_does_not_start(tmp_path: Path) -> None:
    with service(tmp_path, workers=1, VTOX_CLUSTER_MODE="production") as (parent, _):
        everybody = family(parent)
        until(lambda: ended(everybody), 60, tmp_path)
        assert parent.wait(5) not in (0, None)
    assert "vtox keys create" in (tmp_path / "api.log").read_text()


def test_a_cluster_that_cannot_start_reports_why(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TAKE_OVER_S", 0.5)
    settings = load(data_dir=tmp_path, cluster_enabled=True, cluster_mode="testing")
    held = try_lock(tmp_path / "cluster.lock")
    assert held is not None
    try:
        with capture_logs() as entries, owner(settings) as cluster:
            until(lambda: entries and cluster.start_error, 30, tmp_path)
    finally:
        os.close(held)
    assert cluster.start_error.startswith("another vtox runs on")
    (why,) = (line for line in entries if line["event"] == "the cluster cannot start")
    assert why["reason"] == cluster.start_error
    assert "another vtox runs on" in capfd.readouterr().err


@pytest.mark.parametrize("name", ["cluster.lock", "server.lock"])
def test_where_a_cluster_runs_already_the_api_reports_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(module, "TAKE_OVER_S", 0.2)
    held = try_lock(tmp_path / name)
    assert held is not None
    try:
        with capture_logs() as entries, owner(load(data_dir=tmp_path)) as cluster:
            until(lambda: not cluster.enabled, 30, tmp_path)
    finally:
        os.close(held)
    assert "reports only" in entries[-1]["event"]
    assert cluster.start_error == ""


@pytest.mark.parametrize(
    ("settings", "enabled"),
    [
        ({}, True),
        ({"redis_url": "redis://h"}, False),
        ({"redis_url": "redis://h", "cluster_enabled": True}, True),
        ({"cluster_enabled": False}, False),
    ],
)
def test_the_api_starts_a_cluster_where_no_server_is_set(
    settings: dict[str, Any], enabled: bool
) -> None:
    assert ApiOwnedCluster(load(**settings)).enabled == enabled


def test_an_unusable_data_folder_is_reported_and_the_api_lives_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = load(data_dir=tmp_path / "file", cluster_enabled=True)
    with capture_logs() as entries, owner(settings) as cluster:
        until(lambda: entries and cluster.start_error, 60, tmp_path)
    assert str(tmp_path / "file") in cluster.start_error


def test_a_process_that_cannot_be_started_is_reported_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing, works = [str(tmp_path / "none")], [sys.executable, "-c", ""]
    tries = iter((missing, works))
    monkeypatch.setattr(processes, "cluster_command", lambda _: next(tries, works))
    monkeypatch.setattr(restart, "PAUSE_MAX_S", 0.2)
    settings = load(data_dir=tmp_path, cluster_enabled=True)
    with capture_logs() as entries, owner(settings) as cluster:
        until(lambda: missing[0] in cluster.start_error, 60, tmp_path)
        until(lambda: pauses(entries), 60, tmp_path)


def test_after_a_run_that_was_ready_the_pauses_start_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = "import pathlib, sys, time; p = pathlib.Path(sys.argv[1]); "
    ends += "n = len(p.read_text()) if p.exists() else 0; p.write_text('x' * (n + 1)); "
    ends += "time.sleep(4 if n == 3 else 0)"
    command = [sys.executable, "-c", ends, str(tmp_path / "starts")]
    monkeypatch.setattr(processes, "cluster_command", lambda _: command)
    monkeypatch.setattr(module, "POLL_S", 0.1)
    monkeypatch.setattr(module, "READY_AFTER_S", 3.5)
    settings = load(data_dir=tmp_path, cluster_enabled=True)
    with capture_logs() as entries, owner(settings):
        until(lambda: len(pauses(entries)) >= 5, 30, tmp_path)
    assert pauses(entries)[:5] == [0.1, 0.2, 0.4, 0.1, 0.2]


def pauses(entries: Iterable[Any]) -> list[float]:
    return [line["in_s"] for line in entries if "starting it again" in line["event"]]
