"""The data folder of the demo: `demo` within the one that is set, so that a plant keeps its own."""

import fcntl
import os
from pathlib import Path

NAME = "demo"
# Held by `vtox up` or the demo, by an API that runs the cluster, and by a server.
LOCKS = ("cluster.lock", "api-cluster.lock", "server.lock")


def running_folder(folder: Path) -> Path:
    """Return the demo's folder while the demo runs and no other system uses `folder`."""
    demo = folder / NAME
    return demo if _is_used(demo) and not _is_used(folder) else folder


def _is_used(folder: Path) -> bool:
    return any(_is_held(folder / name) for name in LOCKS)


def _is_held(path: Path) -> bool:
    """Return whether a process holds the lock; leaves no file if there is none."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False
