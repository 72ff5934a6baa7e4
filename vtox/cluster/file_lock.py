"""File locks that end with the process that holds them, however it dies."""

import os
import sys
import time
from pathlib import Path

from vtox.cluster.data_folder import explained
from vtox.errors import SystemStateError

if sys.platform == "win32":
    import msvcrt

    def _lock(fd: int) -> None:
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def try_lock(path: Path) -> int | None:
    """Return the descriptor that holds the lock on `path`, or None where another process has it.

    The lock ends when the last copy of the descriptor is closed: a child that inherits it keeps it.

    Raises
    ------
    SettingsError
        The data folder, where the locks are, cannot be used.
    """
    with explained(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(fd)
    except OSError:
        os.close(fd)
        return None
    return fd


def lock(path: Path, wait_s: float, taken: str) -> int:
    """Return the descriptor that holds the lock on `path`, waiting for it if need be.

    Raises
    ------
    SystemStateError
        With the text `taken`: another process still has it after `wait_s`.
    """
    deadline = time.monotonic() + wait_s
    while (fd := try_lock(path)) is None:
        if time.monotonic() >= deadline:
            raise SystemStateError(taken)
        time.sleep(0.05)
    return fd
