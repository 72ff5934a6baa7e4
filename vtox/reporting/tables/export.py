"""Writes the tables of the history into a folder: CSV always, Parquet if DuckDB is installed."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, text

from vtox.motor.errors import InputError
from vtox.motor.values.csv_writer import MARK, write_csv
from vtox.reporting.history.views import TABLES, Kind
from vtox.reporting.tables.rows import Row, rows

_TYPES: Mapping[Kind, str] = {
    "text": "VARCHAR",
    "whole": "BIGINT",
    "number": "DOUBLE",
    "time": "TIMESTAMP WITH TIME ZONE",
}


@dataclass(frozen=True, slots=True)
class Written:
    """One table that was written: how many rows, and into which files."""

    table: str
    rows: int
    files: tuple[Path, ...]


def has_parquet() -> bool:
    """Return whether Parquet can be written: DuckDB does it."""
    return find_spec("duckdb") is not None


def export(
    db: Connection,
    folder: Path,
    machines: Sequence[str] = (),
    *,
    from_t: float = 0.0,
    parquet: bool = True,
    told: Callable[[str], None] = lambda table: None,
) -> Iterator[Written]:
    """Write each table into a folder, and yield the written files; `told` is called before each.

    Files that are there are replaced, each when the new one is whole. Times are UTC.

    Raises `InputError`: the folder cannot be written.
    """
    # The time that a query of the API may take is no limit here.
    if db.dialect.name == "postgresql":
        db.execute(text("SET LOCAL statement_timeout = 0"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Another user may have put links into the folder, but not into this new one.
        with TemporaryDirectory(prefix=".export-", dir=folder) as drafts:
            for name in TABLES:
                told(name)
                found = rows(db, name, machines, from_t=from_t)
                draft = Path(drafts) / f"{name}.csv"
                n = _write(draft, name, found)
                made = [draft, _as_parquet(draft, name)] if parquet else [draft]
                files = tuple(folder / file.name for file in made)
                for file, target in zip(made, files, strict=True):
                    os.replace(file, target)
                yield Written(name, n, files)
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror or error}") from error


def _write(path: Path, name: str, found: Iterator[Row]) -> int:
    """Write a table as CSV; return its rows without the header."""
    columns = TABLES[name].columns
    times = [i for i, kind in enumerate(columns.values()) if kind == "time"]
    with path.open("w", encoding="utf-8", newline="") as file:
        return write_csv(file, chain([columns], (_cells(row, times) for row in found))) - 1


def _cells(row: Row, times: Sequence[int]) -> list[Any]:
    cells = list(row)
    for i in times:
        cells[i] = _time(cells[i])
    return cells


def _time(t: float | None) -> str | None:
    return None if t is None else datetime.fromtimestamp(t, UTC).isoformat(" ", "milliseconds")


def _as_parquet(table: Path, name: str) -> Path:
    """Write a table that is CSV as Parquet next to it, with the texts as they were."""
    import duckdb

    target = table.with_suffix(".parquet")
    columns = TABLES[name].columns
    types = {name: _TYPES[kind] for name, kind in columns.items()}
    with duckdb.connect(config={"threads": 2}) as db:
        db.execute("SET TimeZone = 'UTC'")
        read = db.read_csv(str(table), header=True, delimiter=",", columns=types, parallel=False)
        cells = [_unmarked(n) if kind == "text" else n for n, kind in columns.items()]
        read.project(", ".join(cells)).write_parquet(str(target), compression="zstd")
    return target


def _unmarked(column: str) -> str:
    """Return the SQL of a column of texts without the marks for spreadsheets."""
    pattern = MARK.pattern.replace("'", "''")
    return f"regexp_replace({column}, '{pattern}', '\\1') AS {column}"
