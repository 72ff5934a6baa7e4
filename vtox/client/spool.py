"""Windows on disk while the line to the server is down: oldest first, bounded in bytes and age.

The publisher puts each numbered window here before it is sent, and takes it out once the server has
it. SQLite, because a process that is killed while it writes leaves a file that can be read. After a
crash of the host the last windows may be missing.
"""

import json
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from vtox.client.delivery import Entry, EntryFields
from vtox.errors import SettingsError

MAX_BYTES, MAX_AGE_S = 1 << 30, 7 * 86_400.0
# A gateway without a battery begins in the year 1970, which is no age: this is the year 2001.
CLOCK_SET_T = 1e9
BUSY_TIMEOUT_S = 10.0
FILE = "windows.sqlite"

_TABLE = """
CREATE TABLE IF NOT EXISTS windows (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kept_t REAL NOT NULL, machine_id TEXT NOT NULL,
    header TEXT NOT NULL, samples BLOB NOT NULL, nbytes INTEGER NOT NULL
);
"""


class Spool:
    """The windows in a folder, in the order in which they came.

    `dropped` counts the windows that went unsent, because the spool was full or they were too old.

    Raises
    ------
    SettingsError
        The folder cannot be used.
    """

    def __init__(
        self, folder: Path, *, max_bytes: int = MAX_BYTES, max_age_s: float = MAX_AGE_S
    ) -> None:
        self._max_bytes, self._max_age_s = max_bytes, max_age_s
        self.windows = self.nbytes = self.dropped = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(folder / FILE, timeout=BUSY_TIMEOUT_S, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(_TABLE)
        except (OSError, sqlite3.Error) as error:
            raise SettingsError(
                f"{folder}: cannot keep windows there ({error})",
                remedy="give a folder of its own that can be written",
            ) from error
        found = self._db.execute("SELECT COUNT(*), COALESCE(SUM(nbytes), 0) FROM windows")
        self.windows, self.nbytes = found.fetchone()

    def add(self, entries: Sequence[Entry]) -> None:
        """Keep windows behind the others; the oldest go where there is no room, or of too old ones.

        Raises
        ------
        sqlite3.Error
            They cannot be kept, as the disk is full; none of them is.
        """
        now = time.time()
        rows = [(now, e.machine_id, *_packed(e.fields)) for e in entries]
        rows_sized = [(*row, len(row[2]) + len(row[3])) for row in rows]
        with closing(self._db.cursor()) as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                db.executemany(
                    "INSERT INTO windows (kept_t, machine_id, header, samples, nbytes) "
                    "VALUES (?, ?, ?, ?, ?)",
                    rows_sized,
                )
                db.execute("COMMIT")
            except sqlite3.Error:
                if self._db.in_transaction:
                    db.execute("ROLLBACK")
                raise
        self.windows += len(rows_sized)
        self.nbytes += sum(row[-1] for row in rows_sized)
        self._make_room(now)

    def first(self, windows: int, nbytes: int) -> list[tuple[int, Entry]]:
        """Return the oldest windows with their ids: one, and more of so many bytes together."""
        found: list[tuple[int, Entry]] = []
        size = 0
        rows = self._db.execute(
            "SELECT id, machine_id, header, samples, nbytes FROM windows ORDER BY id LIMIT ?",
            (windows,),
        )
        with closing(rows):
            for row_id, machine_id, header, samples, n in rows:
                if found and size + n > nbytes:
                    break
                found.append((row_id, Entry(machine_id, "", _unpacked(header, samples), n)))
                size += n
        return found

    def remove(self, ids: Sequence[int]) -> None:
        """Forget windows, as the server has them."""
        if not ids:
            return
        marks = ",".join("?" * len(ids))
        sizes = self._db.execute(f"SELECT nbytes FROM windows WHERE id IN ({marks})", ids)
        freed = [n for (n,) in sizes.fetchall()]
        self._db.execute(f"DELETE FROM windows WHERE id IN ({marks})", ids)
        self.windows -= len(freed)
        self.nbytes -= sum(freed)

    def close(self) -> None:
        """Close the file; what it holds is sent by the next publisher of the folder."""
        self._db.close()

    def _make_room(self, now: float) -> None:
        """Drop the oldest windows until the others are few and young enough."""
        while self.windows:
            row = self._db.execute("SELECT id, kept_t FROM windows ORDER BY id LIMIT 1").fetchone()
            too_old = row[1] > CLOCK_SET_T and now - row[1] > self._max_age_s
            if self.nbytes <= self._max_bytes and not too_old:
                return
            self.remove([row[0]])
            self.dropped += 1


def _packed(fields: EntryFields) -> tuple[str, bytes]:
    """Return the texts and names of fields as JSON, and their bytes one after the other."""
    blobs = {name: x for name, x in fields.items() if isinstance(x, bytes)}
    header = {name: len(blobs[name]) if name in blobs else [x] for name, x in fields.items()}
    return json.dumps(header), b"".join(blobs.values())


def _unpacked(header: str, samples: bytes) -> EntryFields:
    fields: EntryFields = {}
    place = 0
    for name, x in json.loads(header).items():
        if isinstance(x, list):
            fields[name] = x[0]
        else:
            fields[name] = samples[place : place + x]
            place += x
    return fields
