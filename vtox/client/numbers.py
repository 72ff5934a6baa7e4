"""The `seq` of each window, kept in a small file so that it goes on after a restart.

The bridge knows a window by (`machine_id`, `run`, `seq`, `t0`). A sender that was killed cannot
know whether its last windows arrived, and sends them again: they must bear the numbers that they
had. So a number is on file before its window is sent, under machine and start; a window of the same
machine and start gets the same number again.

A file, and not the server: a sender has the right to add windows and to read nothing, and a number
that is read back says nothing of windows that are still on their way. SQLite, because a process
that is killed while it writes leaves a file that can be read. After a crash of the host the last
numbers may be missing; they are then given to other windows, which the bridge takes as a restart of
the sender: a new run, and nothing is dropped.
"""

import secrets
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from vtox.errors import SettingsError

# As many as the bridge remembers by default (VTOX_DUPLICATE_HORIZON): a window that is repeated
# later counts again, whatever its number.
KEPT = 256
# For another process that uses the same file.
BUSY_TIMEOUT_S = 10.0

_TABLES = """
CREATE TABLE IF NOT EXISTS run (name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS numbers (
    machine_id TEXT, window TEXT, seq INTEGER NOT NULL, t0 REAL NOT NULL,
    PRIMARY KEY (machine_id, window)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_seq ON numbers (machine_id, seq);
"""


def new_run() -> str:
    """Return a name for a run that no other sender has."""
    return f"p.{secrets.token_hex(4)}"


class SequenceNumbers:
    """The numbers of a file. `run` was drawn with the file: a sender that lost it begins a new run.

    Raises
    ------
    SettingsError
        The file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._db = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
            try:
                self.run = self._prepare()
            except sqlite3.Error:
                self._db.close()
                raise
        except sqlite3.Error as error:
            raise SettingsError(
                f"{path}: cannot keep sequence numbers there ({error})",
                remedy="give a file of its own in a folder that can be written",
            ) from error

    def assign(self, windows: Sequence[tuple[str, str, float]]) -> list[tuple[int, float]]:
        """Return number and start of each window, given by machine, name and start.

        The name distinguishes it from others of its machine. A name that has a number already keeps
        it, with the start that it had then.
        """
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            return [self._number(*window) for window in windows]

    def last_name(self, machine_id: str, beginning: str) -> str | None:
        """Return the last name of a machine that begins so, None where there is none."""
        row = self._db.execute(
            "SELECT window FROM numbers WHERE machine_id = ? AND substr(window, 1, ?) = ? "
            "ORDER BY seq DESC LIMIT 1",
            (machine_id, len(beginning), beginning),
        ).fetchone()
        return str(row[0]) if row else None

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _prepare(self) -> str:
        """Make the tables where they are not there; return the name of the run."""
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_TABLES)
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            if self._db.execute("SELECT 1 FROM run").fetchone() is None:
                self._db.execute("INSERT INTO run VALUES (?)", (new_run(),))
        return str(self._db.execute("SELECT name FROM run").fetchone()[0])

    def _number(self, machine_id: str, name: str, t0: float) -> tuple[int, float]:
        known = self._db.execute(
            "SELECT seq, t0 FROM numbers WHERE machine_id = ? AND window = ?", (machine_id, name)
        ).fetchone()
        if known:
            return int(known[0]), float(known[1])
        last = self._db.execute(
            "SELECT MAX(seq) FROM numbers WHERE machine_id = ?", (machine_id,)
        ).fetchone()[0]
        seq = 0 if last is None else int(last) + 1
        self._db.execute("INSERT INTO numbers VALUES (?, ?, ?, ?)", (machine_id, name, seq, t0))
        self._db.execute(
            "DELETE FROM numbers WHERE machine_id = ? AND seq <= ?", (machine_id, seq - KEPT)
        )
        return seq, t0
