"""A damaged file of SQLite: distinguished from other trouble, kept, and read if possible."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

# SQLite's log of the changes that are not in the file yet, and its index.
LOGS = ("-wal", "-shm")
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
Row = tuple[Any, ...]


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether an error is of the file itself; a retry changes nothing."""
    return (getattr(error, "sqlite_errorname", None) or "").startswith(_DAMAGED)


def is_whole(file: Path) -> bool:
    """Check all pages of a file."""
    try:
        with closing(open_damaged(file)) as db:
            return bool(db.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",))
    except sqlite3.DatabaseError:
        return False


def open_damaged(file: Path) -> sqlite3.Connection:
    """Open a file with its log to read it, and change neither."""
    db = sqlite3.connect(f"file:{file.absolute()}?mode=ro", uri=True)
    db.text_factory = lambda text: text.decode("utf-8", "replace")
    return db


def read_both_ends(source: sqlite3.Connection, select: str, order: Sequence[str]) -> Iterator[Row]:
    """Yield rows up to the first damage, then those after the last; some of them twice."""
    for direction in ("", " DESC"):
        by = ", ".join(name + direction for name in order)
        try:
            yield from source.execute(f"{select} ORDER BY {by}")
            return
        except sqlite3.DatabaseError:
            pass  # here it is damaged


def put_aside(file: Path) -> Path:
    """Rename a file and its logs by the time; return the name it has now."""
    name = f"{file.stem}-damaged-{time.strftime('%Y%m%d-%H%M%S')}"
    kept, n = file.with_name(name + file.suffix), 1
    while kept.exists():
        n += 1
        kept = file.with_name(f"{name}-{n}{file.suffix}")
    file.rename(kept)
    for suffix in LOGS:
        log = Path(f"{file}{suffix}")
        if log.exists():
            log.rename(f"{kept}{suffix}")
    return kept
