"""The file of a spool: its tables, the lock of its folder, and its repair."""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from vtox.motor.errors import InputError
from vtox.pipeline.errors import SettingsError
from vtox.pipeline.store.system.damaged_sqlite import (
    is_whole,
    open_damaged,
    put_aside,
    read_both_ends,
)

FILE = "windows.sqlite"
# The gateway before this one may be ending.
TAKE_OVER_S, _POLL_S = 5.0, 0.05
_LOCK = "spool.lock"
ROW = "id, kept_t, machine_id, header, samples, nbytes"
_COLUMNS = """
    id INTEGER PRIMARY KEY AUTOINCREMENT, kept_t REAL NOT NULL, machine_id TEXT NOT NULL,
    header TEXT NOT NULL, samples BLOB NOT NULL, nbytes INTEGER NOT NULL
"""
# Rows that are no windows wait in `unreadable` for a person.
_NAMES = ("windows", "unreadable")
TABLES = "".join(f"CREATE TABLE IF NOT EXISTS {name} ({_COLUMNS});" for name in _NAMES)


@contextmanager
def lock_folder(folder: Path) -> Iterator[int]:
    """Make a folder and lock it; give the descriptor that holds the lock, closed after an error.

    Raises `SettingsError`: the folder cannot be used, or another sender uses it.
    """
    fd = -1
    try:
        folder.mkdir(parents=True, exist_ok=True)
        fd = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _lock(fd, folder)
        yield fd
    except (OSError, sqlite3.Error) as error:
        _close(fd)
        raise SettingsError(
            f"{folder}: cannot keep windows there ({error})",
            remedy="give its own writable folder",
        ) from error
    except BaseException:
        _close(fd)
        raise


def _lock(fd: int, folder: Path) -> None:
    deadline = time.monotonic() + TAKE_OVER_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() >= deadline:
                owner = os.pread(fd, 20, 0).decode("ascii", "replace") or "unknown"
                raise SettingsError(
                    f"{folder}: process {owner} keeps its windows there",
                    remedy="give each sender its own folder, or end that process",
                ) from None
            time.sleep(_POLL_S)
    # A disk that is full has room for no name, which is no reason to send nothing.
    try:
        os.truncate(fd, 0)
        os.pwrite(fd, str(os.getpid()).encode(), 0)
    except OSError:
        pass


def _close(fd: int) -> None:
    if fd >= 0:
        os.close(fd)


def copy_readable(file: Path) -> Path:
    """Put a damaged file aside, and a new one of the rows that can be read in its place.

    Returns the name that the damaged one has now.
    """
    copy = file.with_name(f"{file.stem}-repair{file.suffix}")
    copy.unlink(missing_ok=True)
    marks = ", ".join("?" * len(ROW.split()))
    with closing(open_damaged(file)) as source, closing(sqlite3.connect(copy)) as new:
        new.executescript(TABLES)
        for name in _NAMES:
            rows = read_both_ends(source, f"SELECT {ROW} FROM {name} NOT INDEXED", ["rowid"])
            with new:
                new.executemany(f"INSERT OR IGNORE INTO {name} VALUES ({marks})", rows)
    kept = put_aside(file)
    copy.rename(file)
    return kept


def repair(folder: Path) -> tuple[Path | None, dict[str, int]]:
    """Recover the rows of a damaged spool; return the damaged file, and the rows that are there.

    None in place of the file if nothing is damaged.

    Raises `InputError`: there is no spool. `SettingsError`: a sender uses it.
    """
    file = folder / FILE
    if not file.exists():
        raise InputError(f"there is no file {file} to repair")
    with lock_folder(folder) as fd:
        kept = None if is_whole(file) else copy_readable(file)
        with closing(sqlite3.connect(file)) as db:
            db.executescript(TABLES)
            counts = {n: int(db.execute(f"SELECT COUNT(*) FROM {n}").fetchone()[0]) for n in _NAMES}
        os.close(fd)
    return kept, counts
