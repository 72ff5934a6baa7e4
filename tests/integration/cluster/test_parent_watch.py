"""A process ends with its parent, in order if it can, by force if it will not."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

PARENT = """
import subprocess, sys, time
from vtox.cluster import parent_watch
child = subprocess.Popen(parent_watch.wrapped(*sys.argv[1:]), env=parent_watch.child_environment())
print(child.pid, flush=True)
time.sleep(60)
"""


def start_parent(*command: str) -> tuple[subprocess.Popen[str], int]:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, *command], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    with parent.stdout:
        return parent, int(parent.stdout.readline())


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until_ready(file: Path) -> None:
    while not file.exists():
        time.sleep(0.02)


@pytest.fixture
def child_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder on the path of child processes, for modules to run."""
    monkeypatch.setenv("PYTHONPATH", f"{os.getcwd()}{os.pathsep}{tmp_path}")
    return tmp_path


@pytest.mark.parametrize(
    ("on_term", "gone_within_s"),
    [("pass", 2.0), ("signal.signal(signal.SIGTERM, signal.SIG_IGN)", 7.0)],
    ids=["willing", "deaf"],
)
def test_child_ends_with_a_killed_parent(
    child_module: Path, on_term: str, gone_within_s: float
) -> None:
    (child_module / "sleeper.py").write_text(
        f"import signal, sys, time\n{on_term}\nopen(sys.argv[1], 'w').close()\ntime.sleep(60)\n"
    )
    ready = child_module / "ready"
    parent, child = start_parent("sleeper", str(ready))
    until_ready(ready)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    killed = time.monotonic()
    while alive(child) and time.monotonic() - killed < gone_within_s:
        time.sleep(0.05)
    assert not alive(child)


def test_wrapped_module_sees_its_own_arguments_and_no_working_folder(
    child_module: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (child_module / "teller.py").write_text("import os, sys; print(sys.argv[1:], os.environ)")
    stranger = tmp_path_factory.mktemp("stranger")
    (stranger / "teller.py").write_text("print('stranger')")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "vtox.cluster.parent_watch", "teller", "-a", "b"],
        capture_output=True,
        text=True,
        cwd=stranger,
        env=dict(os.environ, VTOX_PARENT_PID=str(os.getpid())),
        check=True,
    )
    assert done.stdout.startswith("['-a', 'b']")
    assert "VTOX_PARENT_PID" not in done.stdout


def test_process_that_was_told_nothing_lives_on(child_module: Path) -> None:
    (child_module / "counter.py").write_text("import threading; print(threading.active_count())")
    done = subprocess.run(
        [sys.executable, "-m", "vtox.cluster.parent_watch", "counter"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "1\n"
