"""Ends a process when its parent has ended, however that happened.

A death signal (`PR_SET_PDEATHSIG`) is Linux only and does not reach grandchildren. Comparing the
parent's pid every half second works everywhere, at no measurable cost. The supervisor starts each
process so: `python -m vtox.pipeline.cluster.parent_watch <module> <arguments>`.
"""

import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Mapping
from types import MappingProxyType

# The one variable read outside the settings: it is for a single process, not for VTOX.
PARENT_PID_VARIABLE = "VTOX_PARENT_PID"
POLL_S = 0.5
# A process has this long to stop by itself once its parent is gone.
GRACE_S = 5.0


def child_environment(more: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """Return our environment and `more`, for a child that must end with us."""
    return {**os.environ, **more, PARENT_PID_VARIABLE: str(os.getpid())}


def command_watching_parent(*command: str) -> list[str]:
    """Return the command line that runs a Python module as a child that watches us.

    `-P` keeps the working folder off the module path: a folder `api` there is not ours.
    """
    return [sys.executable, "-P", "-m", "vtox.pipeline.cluster.parent_watch", *command]


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


def main() -> None:
    """Run the module named first on the command line, watching the parent."""
    watch_parent()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
