"""`vtox recorder --repair`: a damaged history of SQLite, copied where it can be read."""

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from vtox.cluster.data_folder import translate_os_errors
from vtox.configuration.settings import Settings
from vtox.errors import InputError
from vtox.records.history import copying, database
from vtox.records.history.file_watch import LOGS
from vtox.records.history.migrations.upgrade import migrate
from vtox.records.history.schema import hours, metadata, minutes, records, series

# Read series by series: damage costs rows of the series that it is in.
_OF_SERIES = (records, minutes, hours)
Row = tuple[Any, ...]


def repair(settings: Settings) -> tuple[Path, dict[str, int]] | None:
    """Move the file aside and make one of what can be read; None where nothing is damaged.

    Returns where the damaged file is now, and how many rows of each table could be read. No process
    may write the history meanwhile.

    Raises `InputError`: there is no file.
    """
    file = settings.history_file
    if settings.database_url or not file.exists():
        raise InputError(f"there is no file {file} to repair")
    if _is_whole(file):
        return None
    kept = file.with_name(f"{file.stem}-damaged-{time.strftime('%Y%m%d-%H%M%S')}{file.suffix}")
    with (
        translate_os_errors(settings.data_dir),
        tempfile.TemporaryDirectory(dir=settings.data_dir, prefix="repair-") as name,
    ):
        rows = _copy(file, copying.at(settings, Path(name)))
        file.rename(kept)
        for suffix in LOGS:
            log = Path(f"{file}{suffix}")
            if log.exists():
                log.rename(f"{kept}{suffix}")
        copying.put_in_place(settings, Path(name))
    return kept, rows


def _is_whole(file: Path) -> bool:
    try:
        with closing(_open(file)) as db:
            return bool(db.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",))
    except sqlite3.DatabaseError:
        return False


def _copy(damaged: Path, target: Settings) -> dict[str, int]:
    """Copy the rows that can be read into a new file; return how many of each table."""
    engine = database.engine_to_write(target)
    migrate(engine)
    engine.dispose()
    with closing(_open(damaged)) as source, closing(sqlite3.connect(target.history_file)) as new:
        return {table.name: _copy_rows(source, new, table) for table in metadata.sorted_tables}


def _copy_rows(source: sqlite3.Connection, new: sqlite3.Connection, table: Table) -> int:
    """Copy the columns that the damaged file has, of an older version too."""
    try:
        there = {row[1] for row in source.execute(f"PRAGMA table_info({table.name})")}
    except sqlite3.DatabaseError:
        there = set()
    names = [c.name for c in table.columns if c.name in there]
    if not names:
        return 0
    with new:
        # A row that a table does not take is damaged.
        marks = ", ".join("?" * len(names))
        insert = f"INSERT OR IGNORE INTO {table.name} ({', '.join(names)}) VALUES ({marks})"
        return new.executemany(insert, _readable(source, table, names)).rowcount


def _readable(source: sqlite3.Connection, table: Table, names: list[str]) -> Iterator[Row]:
    """Yield the rows that can be read, some of them twice."""
    columns = ", ".join(names)
    select = f"SELECT {columns} FROM {table.name} NOT INDEXED"
    if table not in _OF_SERIES:
        yield from _from_both_ends(source, select, ["rowid"])
        return
    order = [c.name for c in table.primary_key]
    numbers = _from_both_ends(source, f"SELECT id FROM {series.name} NOT INDEXED", ["rowid"])
    for (number,) in numbers:
        yield from _from_both_ends(source, f"{select} WHERE series_id = {number}", order)


def _from_both_ends(source: sqlite3.Connection, select: str, order: list[str]) -> Iterator[Row]:
    """Yield rows up to the first damage, then those after the last."""
    for direction in ("", " DESC"):
        by = ", ".join(name + direction for name in order)
        try:
            yield from source.execute(f"{select} ORDER BY {by}")
            return
        except sqlite3.DatabaseError:
            pass  # here it is damaged


def _open(file: Path) -> sqlite3.Connection:
    """Open a file to read it, with what its log has, and change neither."""
    db = sqlite3.connect(f"file:{file.absolute()}?mode=ro", uri=True)
    db.text_factory = lambda text: text.decode("utf-8", "replace")
    return db
