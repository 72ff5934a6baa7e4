"""Writes the tables of the history into a folder: CSV always, Parquet where DuckDB is installed."""

import csv
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Connection, text

from vtox.errors import InputError
from vtox.records.tables.rows import Row, rows
from vtox.records.tables.views import TABLES, Kind
from vtox.values.csv_cells import MARK

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
    """Write each table into a folder, and yield what was written; `told` is called before each.

    Files that are there are replaced, each when the new one is whole. Times are UTC.

    Raises `InputError`: the folder cannot be written.
    """
    # The time that a query of the API may take is no limit here.
    if db.dialect.name == "postgresql":
        db.execute(text("SET LOCAL statement_timeout = 0"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in TABLES:
            told(name)
            found = rows(db, name, machines, from_t=from_t)
            yield _write(folder, name, found, parquet=parquet)
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror or error}") from error


def _write(folder: Path, name: str, found: Iterator[Row], *, parquet: bool) -> Written:
    columns = TABLES[name].columns
    target, part = folder / f"{name}.csv", folder / f".{name}.csv.part"
    times = [i for i, kind in enumerate(columns.values()) if kind == "time"]
    n = 0
    with part.open("w", encoding="utf-8", newline="") as file:
        file.write(MARK)
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in found:
            cells = list(row)
            for i in times:
                cells[i] = _time(cells[i])
            writer.writerow(cells)
            n += 1
    os.replace(part, target)
    files = [target]
    if parquet:
        files.append(_as_parquet(target, columns))
    return Written(name, n, tuple(files))


def _time(t: float | None) -> str | None:
    return None if t is None else datetime.fromtimestamp(t, UTC).isoformat(" ", "milliseconds")


def _as_parquet(table: Path, columns: Mapping[str, Kind]) -> Path:
    """Write a table that is CSV as Parquet next to it."""
    import duckdb

    target = table.with_suffix(".parquet")
    part = target.with_name(f".{target.name}.part")
    types = {name: _TYPES[kind] for name, kind in columns.items()}
    with duckdb.connect(config={"threads": 2}) as db:
        db.execute("SET TimeZone = 'UTC'")
        read = db.read_csv(str(table), header=True, delimiter=",", columns=types, parallel=False)
        read.write_parquet(str(part), compression="zstd")
    os.replace(part, target)
    return target
