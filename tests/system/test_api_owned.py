"""`VTOX_CLUSTER_ENABLED=true uvicorn api.main:app`: one cluster, whoever dies."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from structlog.testing import capture_logs

from tests.cluster import free_ports
from vtox.cluster import api_owned as module
from vtox.cluster import processes
from vtox.cluster.api_owned import Cluster
from vtox.cluster.file_lock import try_lock
from vtox.settings import load

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


def until(condition: Callable[[], Any], timeout_s: float, what: str, folder: Path) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        log = folder / "api.log"
        said = log.read_text()[-4000:] if log.exists() else ""
        assert time.monotonic() < end, f"not {what} after {timeout_s:g} s\n{said}"
        time.sleep(0.2)


def gone(processes: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


@pytest.mark.timeout(240)
def test_several_api_processes_share_one_cluster_and_inherit_it(tmp_path: Path) -> None:
    with service(tmp_path, workers=3) as (parent, base):
        until(lambda: running(base), 90, "running", tmp_path)
        (first,) = clusters(parent)
        os.kill(first.ppid(), signal.SIGKILL)
        until(lambda: clusters(parent) not in ([], [first]), 60, "inherited", tmp_path)
        until(lambda: running(base), 90, "running again", tmp_path)
        assert len(clusters(parent)) == 1
        said = (tmp_path / "api.log").read_text()
        assert "waiting for its end" in said
        assert "cannot start" not in said
        everybody = family(parent)
        parent.kill()
        until(lambda: gone(everybody), 20, "gone with the killed parent", tmp_path)


@pytest.mark.timeout(120)
def test_the_cluster_ends_with_the_service(tmp_path: Path) -> None:
    with service(tmp_path, workers=1) as (parent, base):
        until(lambda: running(base), 90, "running", tmp_path)
        everybody = family(parent)
        parent.terminate()
        until(lambda: gone(everybody), 15, "gone", tmp_path)


def test_without_a_key_production_ends_with_a_word_how_to_make_one(tmp_path: Path) -> None:
    with service(tmp_path, workers=1, mode="production") as (parent, _):
        everybody = family(parent)
        until(lambda: gone(everybody), 60, "gone", tmp_path)
        assert parent.wait(5) not in (0, None)
    assert "vtox keys create" in (tmp_path / "api.log").read_text()


def test_a_cluster_that_cannot_start_says_why(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TAKE_OVER_S", 0.5)
    settings = load(data_dir=tmp_path, cluster_enabled=True, cluster_mode="testing")
    held = try_lock(tmp_path / "cluster.lock")
    assert held is not None
    try:
        with capture_logs() as said, Cluster(settings) as cluster:
            until(lambda: said and cluster.refusal, 30, "refused", tmp_path)
    finally:
        os.close(held)
    assert cluster.refusal.startswith("another vtox runs on")
    (why,) = (line for line in said if line["event"] == "the cluster cannot start")
    assert why["reason"] == cluster.refusal
    assert "another vtox runs on" in capfd.readouterr().err


def test_a_data_folder_that_is_none_is_told_and_the_api_lives_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = load(data_dir=tmp_path / "file", cluster_enabled=True)
    with capture_logs() as said, Cluster(settings) as cluster:
        until(lambda: said and cluster.refusal, 10, "refused", tmp_path)
    assert "is a file, not a folder" in cluster.refusal


def test_a_process_that_cannot_be_started_is_told_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing, works = [str(tmp_path / "none")], [sys.executable, "-c", ""]
    tries = iter((missing, works))
    monkeypatch.setattr(processes, "cluster_command", lambda _: next(tries, works))
    monkeypatch.setattr(module, "BACKOFF_MAX_S", 0.2)
    with capture_logs() as said, Cluster(load(data_dir=tmp_path, cluster_enabled=True)) as cluster:
        until(lambda: pauses(said), 10, "started again", tmp_path)
    assert missing[0] in cluster.refusal


def test_a_cluster_that_ran_well_for_a_while_has_its_past_forgiven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = "import pathlib, sys, time; p = pathlib.Path(sys.argv[1]); "
    ends += "n = len(p.read_text()) if p.exists() else 0; p.write_text('x' * (n + 1)); "
    ends += "time.sleep(4 if n == 3 else 0)"
    command = [sys.executable, "-c", ends, str(tmp_path / "starts")]
    monkeypatch.setattr(processes, "cluster_command", lambda _: command)
    monkeypatch.setattr(module, "LOOK_S", 0.1)
    monkeypatch.setattr(module, "STEADY_S", 3.5)
    with capture_logs() as said, Cluster(load(data_dir=tmp_path, cluster_enabled=True)):
        until(lambda: len(pauses(said)) >= 5, 30, "started again", tmp_path)
    assert pauses(said)[:5] == [0.1, 0.2, 0.4, 0.1, 0.2]


def pauses(said: Iterable[Any]) -> list[float]:
    return [line["in_s"] for line in said if "starting it again" in line["event"]]
