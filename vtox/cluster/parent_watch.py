"""Ends a process with the one that started it, however that ended.

A death signal (`PR_SET_PDEATHSIG`) spares grandchildren and is Linux only; looking every half
second at who the parent is works everywhere and costs nothing that can be measured. Every process
that the supervisor starts is wrapped: `python -m vtox.cluster.parent_watch <module> <arguments>`.
"""

import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Mapping
from types import MappingProxyType

# The one variable read outside the settings: it is addressed to a single process, not to VTOX.
PARENT = "VTOX_PARENT_PID"
LOOK_S = 0.5
# A process has this long to end in order once its parent is gone.
GRACE_S = 5.0


def child_environment(more: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """Return our environment and `more`, for a child that shall end with us."""
    return {**os.environ, **more, PARENT: str(os.getpid())}


def wrapped(*command: str) -> list[str]:
    """Return the command line that runs a Python module as a child that watches us.

    `-P` keeps the working folder off the module path: a folder `api` lying there is not ours.
    """
    return [sys.executable, "-P", "-m", "vtox.cluster.parent_watch", *command]


def watch_parent(pid: int | None = None) -> None:
    """End this process when `pid` is no longer its parent; without `pid`, as told by our starter.

    A process that was told nothing lives on, as one started with nohup should.
    """
    told = os.environ.pop(PARENT, None)
    if pid is None and told is None:
        return
    parent = pid if pid is not None else int(told or 0)
    threading.Thread(target=_watch, args=(parent,), name="parent_watch", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_S)
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
