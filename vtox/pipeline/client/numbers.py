"""The `seq` of each window, kept in a small file so that it goes on after a restart.

The bridge knows a window by (`machine_id`, `run`, `seq`, `t0`). A sender that was killed cannot
know whether its last windows arrived, and sends them again: they must bear the numbers that they
had. So a number is on file before its window is sent, under machine and start; a window of the same
machine and start gets the same number again.

It is a file, not the server: a sender has the right to add windows and to read nothing. A number
read back from the server also says nothing of windows that are still on their way. SQLite, because
a process that is killed while it writes leaves a file that can be read. After a crash of the host
the last numbers may be missing; other windows then get them. The bridge takes this as a restart of
the sender: a new run, and nothing is dropped.
"""

import logging
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from vtox.pipeline.errors import SettingsError
from vtox.pipeline.store.system.damaged_sqlite import is_damage, put_aside

log = logging.getLogger(__name__)
T = TypeVar("T")

# As many as the bridge remembers by default (VTOX_DUPLICATE_HORIZON): a window that is repeated
# later counts again, under any number.
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

    Parameters
    ----------
    lends
        On a disk that is full, numbers go on in memory: a sender that is killed meanwhile restarts
        there.
    replaces
        A damaged file is put aside: to be given for a file that VTOX has named.

    Raises
    ------
    SettingsError
        The file cannot be used.
    """

    def __init__(self, path: Path, *, lends: bool = False, replaces: bool = False) -> None:
        self._path, self._lends, self._replaces = path, lends, replaces
        # Machine -> name of a window -> number and start, if the file does not have them yet.
        self._lent: dict[str, dict[str, tuple[int, float]]] = {}
        self.run = new_run()
        try:
            self._unless_damaged(self._open)
        except (OSError, sqlite3.Error) as error:
            raise SettingsError(
                f"{path}: cannot keep sequence numbers there ({error})",
                remedy="give its own file in a writable folder",
            ) from error

    def assign(self, windows: Sequence[tuple[str, str, float]]) -> list[tuple[int, float]]:
        """Return number and start of each window, given by machine, name and start.

        The name distinguishes it from others of its machine. A name that has a number already keeps
        it, with the start that it had then.
        """
        try:
            return self._unless_damaged(lambda: self._assign(windows))
        except (OSError, sqlite3.Error):
            if not self._lends:
                raise
        return [self._lend(*window) for window in windows]

    def _unless_damaged(self, do: Callable[[], T]) -> T:
        """Do something with the file; if that is damaged, with a new one of the same run."""
        try:
            return do()
        except sqlite3.DatabaseError as error:
            if not (self._replaces and is_damage(error)):
                raise
        self._db.close()
        kept = put_aside(self._path)
        log.warning("damaged sequence numbers are kept as %s; they begin again", kept)
        self._open()
        return do()

    def _assign(self, windows: Sequence[tuple[str, str, float]]) -> list[tuple[int, float]]:
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            for machine_id, lent in self._lent.items():
                for name, (seq, t0) in lent.items():
                    self._keep(machine_id, name, seq, t0)
            found = [self._number(*window) for window in windows]
        self._lent.clear()
        return found

    def _lend(self, machine_id: str, name: str, t0: float) -> tuple[int, float]:
        """Give a window a number that the file has no room for."""
        lent = self._lent.setdefault(machine_id, {})
        if name not in lent:
            known = self._look_up(machine_id, name)
            last = max((seq for seq, _ in lent.values()), default=None)
            lent[name] = known or (self._next(machine_id) if last is None else last + 1, t0)
            if len(lent) > KEPT:
                del lent[next(iter(lent))]
        return lent[name]

    def last_name(self, machine_id: str, beginning: str) -> str | None:
        """Return the last name of a machine that begins so, None if there is none."""
        row = self._db.execute(
            "SELECT window FROM numbers WHERE machine_id = ? AND substr(window, 1, ?) = ? "
            "ORDER BY seq DESC LIMIT 1",
            (machine_id, len(beginning), beginning),
        ).fetchone()
        return str(row[0]) if row else None

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _open(self) -> None:
        self._db = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        try:
            self.run = self._prepare()
        except sqlite3.Error:
            self._db.close()
            raise

    def _prepare(self) -> str:
        """Make the tables if they are not there; return the name of the run."""
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_TABLES)
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            if self._db.execute("SELECT 1 FROM run").fetchone() is None:
                self._db.execute("INSERT INTO run VALUES (?)", (self.run,))
        return str(self._db.execute("SELECT name FROM run").fetchone()[0])

    def _number(self, machine_id: str, name: str, t0: float) -> tuple[int, float]:
        known = self._look_up(machine_id, name)
        if known:
            return known
        seq = self._next(machine_id)
        self._keep(machine_id, name, seq, t0)
        return seq, t0

    def _look_up(self, machine_id: str, name: str) -> tuple[int, float] | None:
        known = self._db.execute(
            "SELECT seq, t0 FROM numbers WHERE machine_id = ? AND window = ?", (machine_id, name)
        ).fetchone()
        return (int(known[0]), float(known[1])) if known else None

    def _next(self, machine_id: str) -> int:
        last = self._db.execute(
            "SELECT MAX(seq) FROM numbers WHERE machine_id = ?", (machine_id,)
        ).fetchone()[0]
        return 0 if last is None else int(last) + 1

    def _keep(self, machine_id: str, name: str, seq: int, t0: float) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO numbers VALUES (?, ?, ?, ?)", (machine_id, name, seq, t0)
        )
        self._db.execute(
            "DELETE FROM numbers WHERE machine_id = ? AND seq <= ?", (machine_id, seq - KEPT)
        )
