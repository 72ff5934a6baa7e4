"""`vtox recorder --repair`: a damaged history of SQLite, copied where it can be read."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import Table

from vtox.motor.errors import InputError
from vtox.pipeline.cluster.data_folder import translate_os_errors
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.system.damaged_sqlite import (
    Row,
    is_whole,
    open_damaged,
    put_aside,
    read_both_ends,
)
from vtox.reporting.history import copying, database
from vtox.reporting.history.migrations.upgrade import migrate
from vtox.reporting.history.schema import hours, metadata, minutes, records, series

# Read series by series: damage costs rows of the series that it is in.
_OF_SERIES = (records, minutes, hours)


def repair(settings: Settings) -> tuple[Path, dict[str, int]] | None:
    """Move the file aside and rebuild it from its readable rows; None if nothing is damaged.

    Returns the new place of the damaged file, and how many rows of each table could be read. No
    process may write the history meanwhile.

    Raises `InputError`: there is no file.
    """
    file = settings.history_file
    if settings.database_url or not file.exists():
        raise InputError(f"there is no file {file} to repair")
    if is_whole(file):
        return None
    with (
        translate_os_errors(settings.data_dir),
        tempfile.TemporaryDirectory(dir=settings.data_dir, prefix="repair-") as name,
    ):
        rows = _copy(file, copying.at(settings, Path(name)))
        kept = put_aside(file)
        copying.put_in_place(settings, Path(name))
    return kept, rows


def _copy(damaged: Path, target: Settings) -> dict[str, int]:
    """Copy the rows that can be read into a new file; return how many of each table."""
    engine = database.engine_to_write(target)
    migrate(engine)
    engine.dispose()
    with (
        closing(open_damaged(damaged)) as source,
        closing(sqlite3.connect(target.history_file)) as new,
    ):
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
        yield from read_both_ends(source, select, ["rowid"])
        return
    order = [c.name for c in table.primary_key]
    numbers = read_both_ends(source, f"SELECT id FROM {series.name} NOT INDEXED", ["rowid"])
    for (number,) in numbers:
        yield from read_both_ends(source, f"{select} WHERE series_id = {number}", order)
