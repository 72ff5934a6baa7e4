"""File locks that end with the process that holds them, however it ends."""

import fcntl
import os
import time
from pathlib import Path

from vtox.motor.errors import SystemStateError
from vtox.pipeline.cluster.data_folder import open_private, translate_os_errors

POLL_S = 0.05


def try_lock(path: Path) -> int | None:
    """Return the descriptor that holds the lock on `path`, None if another process holds it.

    The lock ends when the last copy of the descriptor is closed: a child that inherits it keeps it.

    Raises `SettingsError`: the data folder, where the locks are, cannot be used.
    """
    with translate_os_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = open_private(str(path), os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        return None
    return fd


def write_holder(fd: int) -> None:
    """Write the pid of this process into the file that it has locked."""
    os.truncate(fd, 0)
    os.pwrite(fd, str(os.getpid()).encode(), 0)


def holder_pid(path: Path) -> int | None:
    """Return the pid of the process that holds a lock, None if none does or says so."""
    if not path.exists():
        return None
    if (fd := try_lock(path)) is not None:
        os.close(fd)
        return None
    text = path.read_text()
    return int(text) if text.isdigit() else None


def lock(path: Path, timeout_s: float, error: SystemStateError) -> int:
    """Return the descriptor that holds the lock on `path`, waiting for it if need be.

    Raises `SystemStateError`: `error`: another process still holds it after `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    while (fd := try_lock(path)) is None:
        if time.monotonic() >= deadline:
            raise error
        time.sleep(POLL_S)
    return fd
