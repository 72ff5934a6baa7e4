"""Ends a process when its parent has ended, however that happened.

A death signal (`PR_SET_PDEATHSIG`) is Linux only and does not reach grandchildren. Comparing the
parent's pid every half second works everywhere, at no measurable cost. The supervisor starts each
process so: `python -m vtox.cluster.parent_watch <module> <arguments>`.
"""

import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

# The one variable read outside the settings: it is meant for a single process, not for VTOX.
PARENT_PID_VARIABLE = "VTOX_PARENT_PID"
POLL_S = 0.5
# A process has this long to stop by itself once its parent is gone.
GRACE_S = 5.0
# Linux takes the niceness of sessions from ordinary users ten times a second, of all together.
AUTOGROUP_TRIES, AUTOGROUP_PAUSE_S = 20, 0.05
_NICE = "--nice="


def child_environment(more: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """Return our environment and `more`, for a child that must end with us."""
    return {**os.environ, **more, PARENT_PID_VARIABLE: str(os.getpid())}


def command_watching_parent(*command: str, niceness: int = 0) -> list[str]:
    """Return the command line that runs a Python module as a child that watches us.

    `-P` keeps the working folder off the module path: a folder `api` there is not ours. By
    `niceness` more than us it lets others have a core first.
    """
    options = [f"{_NICE}{niceness}"] if niceness else []
    return [sys.executable, "-P", "-m", "vtox.cluster.parent_watch", *options, *command]


def watch_parent(pid: int | None = None) -> None:
    """End this process when its parent is no longer `pid` (default: the pid our parent gave us).

    Without a parent pid the process is not watched, so that one started with nohup lives on.
    """
    given = os.environ.pop(PARENT_PID_VARIABLE, None)
    if pid is None and given is None:
        return
    parent = pid if pid is not None else int(given or 0)
    threading.Thread(target=_watch, args=(parent,), name="parent_watch", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(1)


def be_nice(niceness: int) -> None:
    """Let others have a core that this process, which leads its session, wants too.

    Its threads and children follow.
    """
    os.nice(niceness)
    # Where Linux shares cores between sessions first (sched(7), "The autogroup feature"), a process
    # of another session is not held up by that.
    for _ in range(AUTOGROUP_TRIES):
        try:
            Path("/proc/self/autogroup").write_text(str(niceness))
        except BlockingIOError:
            time.sleep(AUTOGROUP_PAUSE_S)
        except OSError:  # not Linux, or without that feature
            return
        else:
            return


def main() -> None:
    """Run the module named first on the command line, watching the parent."""
    watch_parent()
    sys.argv = sys.argv[1:]
    if sys.argv[0].startswith(_NICE):
        be_nice(int(sys.argv.pop(0).removeprefix(_NICE)))
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
