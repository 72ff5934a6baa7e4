"""`VTOX_CLUSTER_ENABLED=true uvicorn api.main:app`: one cluster, whichever process is killed."""

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
from vtox.cluster import api_owned as module
from vtox.cluster import processes, restart
from vtox.cluster.api_owned import ApiOwnedCluster
from vtox.cluster.file_lock import try_lock
from vtox.settings import Settings, load

UP = ["vtox", "up"]


@contextmanager
def service(
    folder: Path, workers: int, mode: str = "testing"
) -> Iterator[tuple[psutil.Process, str]]:
    """Run uvicorn with the cluster enabled; nothing of it is left afterwards."""
    api, coordinator, flower, worker = free_ports(4)
    given = {
        "VTOX_CLUSTER_ENABLED": "true",
        "VTOX_CLUSTER_MODE": mode,
        "VTOX_DATA_DIR": str(folder / "data"),
        "VTOX_COORDINATOR_PORT": str(coordinator),
        "VTOX_FLOWER_PORT": str(flower),
        "VTOX_WORKER_PORT": str(worker),
    }
    command = ["uvicorn", "api.main:app", "--port", str(api), "--workers", str(workers)]
    with (folder / "api.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=os.environ | given,
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
            if p.cmdline()[3:6] == ["vtox.cluster.parent_watch", *UP]:
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


@pytest.mark.timeout(240)
def test_several_api_processes_share_one_cluster_and_take_it_over(tmp_path: Path) -> None:
    with service(tmp_path, workers=3) as (parent, base):
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


@pytest.mark.timeout(120)
def test_the_cluster_ends_with_the_service(tmp_path: Path) -> None:
    with service(tmp_path, workers=1) as (parent, base):
        until(lambda: running(base), 90, tmp_path)
        everybody = family(parent)
        parent.terminate()
        until(lambda: ended(everybody), 15, tmp_path)


def test_in_production_without_a_key_the_api_does_not_start(tmp_path: Path) -> None:
    with service(tmp_path, workers=1, mode="production") as (parent, _):
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
        until(lambda: pauses(entries), 60, tmp_path)
    assert missing[0] in cluster.start_error


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
