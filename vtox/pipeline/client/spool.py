"""Windows on disk while the line to the server is down: oldest first, bounded in bytes and age.

The publisher puts each numbered window here before it is sent, and takes it out once the server has
it. SQLite, because a process that is killed while it writes leaves a file that can be read. After a
crash of the host the last windows may be missing.
"""

import json
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from vtox.pipeline.client.delivery import Entry, EntryFields
from vtox.pipeline.client.spool_file import FILE, ROW, TABLES, copy_readable, lock_folder
from vtox.pipeline.store.system.damaged_sqlite import is_damage

# Not structlog, which takes longer to load than all else that `vtox.pipeline.client` needs.
log = logging.getLogger(__name__)
T = TypeVar("T")

MAX_BYTES, MAX_AGE_S = 1 << 30, 7 * 86_400.0
# A gateway without a battery begins in the year 1970, which is no age: this is the year 2001.
CLOCK_SET_T = 1e9
BUSY_TIMEOUT_S = 10.0
# SQLite takes 32,766 values, older ones 999.
_AT_ONCE = 500
# The types of a field, and the errors raised by a row that has none.
_TYPES = (str, bytes)
_NO_WINDOW = (ValueError, TypeError, AttributeError, LookupError, RecursionError)


class Spool:
    """The windows in a folder, in the order in which they came.

    `dropped` counts the windows that went unsent, because the spool was full or they were too old;
    `unreadable` those lost by damage, or kept aside because they cannot be read.

    Raises
    ------
    SettingsError
        The folder cannot be used, or another sender uses it.
    """

    def __init__(
        self, folder: Path, *, max_bytes: int = MAX_BYTES, max_age_s: float = MAX_AGE_S
    ) -> None:
        self._max_bytes, self._max_age_s = max_bytes, max_age_s
        self._file = folder / FILE
        self.windows = self.nbytes = self.dropped = self.unreadable = 0
        # Sent, and still on a disk that is full.
        self._sent: set[int] = set()
        with lock_folder(folder) as self._lock:
            try:
                self._open()
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
                self._recover()

    def add(self, entries: Sequence[Entry]) -> None:
        """Keep windows behind the others; drop too old ones, and the oldest if there is no room.

        Raises
        ------
        sqlite3.Error
            They cannot be kept, as the disk is full; none of them is.
        """
        now = time.time()
        rows = [(now, e.machine_id, *_packed(e.fields)) for e in entries]
        rows_sized = [(*row, len(row[2]) + len(row[3])) for row in rows]
        self._undamaged(lambda: self._insert(rows_sized))
        self.windows += len(rows_sized)
        self.nbytes += sum(row[-1] for row in rows_sized)
        self._undamaged(lambda: self._make_room(now))

    def first(self, windows: int, nbytes: int) -> list[tuple[int, Entry]]:
        """Return the oldest windows with their ids: one, and more of so many bytes together."""
        return self._undamaged(lambda: self._first(windows, nbytes))

    def remove(self, ids: Sequence[int]) -> None:
        """Forget windows, as the server has them."""
        if ids or self._sent:
            self._undamaged(lambda: self._remove(ids))

    def close(self) -> None:
        """Close the file; the next publisher of the folder sends the windows in it."""
        self._db.close()
        os.close(self._lock)

    def _open(self) -> None:
        self._db = sqlite3.connect(self._file, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(TABLES)
            found = self._db.execute("SELECT COUNT(*), COALESCE(SUM(nbytes), 0) FROM windows")
            self.windows, self.nbytes = found.fetchone()
        except sqlite3.Error:
            self._db.close()
            raise

    def _undamaged(self, do: Callable[[], T]) -> T:
        """Do something with the file; if it is damaged, again with a new one of the rows left."""
        try:
            return do()
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
        self._recover()
        return do()

    def _recover(self) -> None:
        before = self.windows
        self._db.close()
        try:
            kept = copy_readable(self._file)
        except (OSError, sqlite3.Error):  # the disk is full: the next use tries again
            self._db = sqlite3.connect(self._file, timeout=BUSY_TIMEOUT_S, isolation_level=None)
            raise
        self._sent.clear()
        self._open()
        self.unreadable += max(before - self.windows, 0)
        log.warning("a damaged spool is kept as %s, %d windows are left", kept, self.windows)

    def _insert(self, rows: Sequence[tuple[float, str, str, bytes, int]]) -> None:
        with closing(self._db.cursor()) as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                db.executemany(
                    "INSERT INTO windows (kept_t, machine_id, header, samples, nbytes) "
                    "VALUES (?, ?, ?, ?, ?)",
                    rows,
                )
                db.execute("COMMIT")
            except sqlite3.Error:
                if self._db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def _first(self, windows: int, nbytes: int) -> list[tuple[int, Entry]]:
        while True:
            found, wrong = self._read(windows, nbytes)
            if not wrong:
                return found
            self._set_aside(wrong)

    def _read(self, windows: int, nbytes: int) -> tuple[list[tuple[int, Entry]], list[int]]:
        """Return the oldest windows with their ids, and the ids of rows that are none."""
        found: list[tuple[int, Entry]] = []
        wrong: list[int] = []
        size = 0
        rows = self._db.execute(
            "SELECT id, machine_id, header, samples, nbytes FROM windows WHERE id > ? "
            "ORDER BY id LIMIT ?",
            (self._sent_to, windows),
        )
        with closing(rows):
            for row_id, machine_id, header, samples, n in rows:
                try:
                    entry = Entry(str(machine_id), "", _unpacked(header, samples), n)
                    size += n
                except _NO_WINDOW:
                    wrong.append(row_id)
                    continue
                if found and size > nbytes:
                    break
                found.append((row_id, entry))
        return found, wrong

    def _set_aside(self, ids: Sequence[int]) -> None:
        """Keep rows that are no windows apart: they hold the others back no longer."""
        marks = ",".join("?" * len(ids))
        try:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.execute(
                    f"INSERT OR REPLACE INTO unreadable SELECT {ROW} FROM windows "
                    f"WHERE id IN ({marks})",
                    ids,
                )
                self._db.execute(f"DELETE FROM windows WHERE id IN ({marks})", ids)
        except sqlite3.Error as error:
            if is_damage(error):
                raise
            self._sent.update(ids)  # passed over until the disk has room
        self._count()
        self.unreadable += len(ids)
        log.warning("%d rows of %s are no windows, and are kept aside", len(ids), self._file)

    def _count(self) -> None:
        """Count the waiting rows: the size of a damaged row may be anything."""
        rows = "SELECT COUNT(*), COALESCE(SUM(nbytes), 0) FROM windows WHERE id > ?"
        found = self._db.execute(rows, (self._sent_to,))
        self.windows, self.nbytes = found.fetchone()

    def _remove(self, ids: Sequence[int]) -> None:
        """Delete rows; while the disk is full, pass them over and delete them later."""
        marks = ",".join("?" * len(ids))
        sizes = self._db.execute(f"SELECT nbytes FROM windows WHERE id IN ({marks})", ids)
        freed = [n for (n,) in sizes.fetchall()]
        self.windows -= len(freed)
        self.nbytes -= sum(freed)
        self._sent.update(ids)
        gone = list(self._sent)
        try:
            for start in range(0, len(gone), _AT_ONCE):
                part = gone[start : start + _AT_ONCE]
                marks = ",".join("?" * len(part))
                self._db.execute(f"DELETE FROM windows WHERE id IN ({marks})", part)
            self._sent.clear()
        except sqlite3.Error as error:
            if is_damage(error):
                raise

    @property
    def _sent_to(self) -> int:
        """The id up to which rows were sent: they go in their order."""
        return max(self._sent, default=-(1 << 63))

    def _make_room(self, now: float) -> None:
        """Drop the oldest windows until the others are few and young enough."""
        self._remove(())
        while self.windows and not self._sent:
            row = self._db.execute("SELECT id, kept_t FROM windows ORDER BY id LIMIT 1").fetchone()
            set_clock = isinstance(row[1], float) and row[1] > CLOCK_SET_T
            too_old = set_clock and now - row[1] > self._max_age_s
            if self.nbytes <= self._max_bytes and not too_old:
                return
            self._remove([row[0]])
            self.dropped += 1


def _packed(fields: EntryFields) -> tuple[str, bytes]:
    """Return the texts and names of fields as JSON, and their bytes one after the other."""
    blobs = {name: x for name, x in fields.items() if isinstance(x, bytes)}
    header = {name: len(blobs[name]) if name in blobs else [x] for name, x in fields.items()}
    return json.dumps(header), b"".join(blobs.values())


def _unpacked(header: str, samples: bytes) -> EntryFields:
    """Return the fields of a row; an error of `_NO_WINDOW` if it is none."""
    fields: EntryFields = {}
    place = 0
    for name, x in json.loads(header).items():
        if isinstance(x, list):
            (fields[name],) = x
        else:
            fields[name] = samples[place : place + x]
            place += x
    if (
        not fields
        or place != len(samples)
        or not all(isinstance(x, _TYPES) for x in fields.values())
    ):
        raise ValueError("no fields of a window")
    return fields
