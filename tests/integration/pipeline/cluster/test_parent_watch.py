"""A process ends with its parent: by SIGTERM, and by force if it ignores that."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import eventually, is_alive
from vtox.pipeline.cluster import parent_watch

PARENT = """
import subprocess, sys, time
from vtox.pipeline.cluster import parent_watch
command = parent_watch.command_watching_parent(*sys.argv[1:])
child = subprocess.Popen(command, env=parent_watch.child_environment())
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


@pytest.fixture
def child_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder on the path of child processes, for modules to run."""
    monkeypatch.setenv("PYTHONPATH", f"{os.getcwd()}{os.pathsep}{tmp_path}")
    return tmp_path


@pytest.mark.parametrize(
    ("on_term", "gone_within_s"),
    [("pass", parent_watch.GRACE_S), ("signal.signal(signal.SIGTERM, signal.SIG_IGN)", 20.0)],
    ids=["default", "ignoring_sigterm"],
)
def test_child_ends_with_a_killed_parent(
    child_module: Path, on_term: str, gone_within_s: float
) -> None:
    (child_module / "sleeper.py").write_text(
        f"import signal, sys, time\n{on_term}\nopen(sys.argv[1], 'w').close()\ntime.sleep(60)\n"
    )
    ready = child_module / "ready"
    parent, child = start_parent("sleeper", str(ready))
    eventually(ready.exists)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    eventually(lambda: not is_alive(child), gone_within_s)


def test_a_watching_module_gets_its_arguments_and_not_the_working_folder(
    child_module: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (child_module / "printer.py").write_text("import os, sys; print(sys.argv[1:], os.environ)")
    foreign = tmp_path_factory.mktemp("foreign")
    (foreign / "printer.py").write_text("print('foreign')")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "vtox.pipeline.cluster.parent_watch", "printer", "-a", "b"],
        capture_output=True,
        text=True,
        cwd=foreign,
        env=dict(os.environ, VTOX_PARENT_PID=str(os.getpid())),
        check=True,
    )
    assert done.stdout.startswith("['-a', 'b']")
    assert "VTOX_PARENT_PID" not in done.stdout


def test_without_a_parent_pid_nothing_is_watched(child_module: Path) -> None:
    (child_module / "counter.py").write_text("import threading; print(threading.active_count())")
    done = subprocess.run(
        [sys.executable, "-m", "vtox.pipeline.cluster.parent_watch", "counter"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "1\n"
