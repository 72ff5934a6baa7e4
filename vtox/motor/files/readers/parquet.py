"""Parquet as a table; units are taken from the metadata of its fields."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vtox.motor.files.libraries import guard_library, require_package
from vtox.motor.files.table import Column, Samples, Table, as_floats, check_values

EXTRA = "files"
# A time of NumPy that is none.
_NO_TIME = -(2**63)


def open_parquet(path: Path) -> list[Table]:
    """Return the table in a Parquet file: its columns of numbers and of times.

    Raises `FileError`: it is damaged.
    """
    with require_package(path, "pyarrow", extra=EXTRA):
        import pyarrow.parquet
    with guard_library(path, "Parquet"), pyarrow.parquet.ParquetFile(path) as file:
        fields = [f for f in file.schema_arrow if _is_numeric(f.type)]
        names = tuple(f.name for f in fields)
        scalars = _scalars(file.schema_arrow.metadata)
        rows = file.metadata.num_rows
    return (
        [
            Table(
                path=path,
                columns=tuple(_column(f) for f in fields),
                load=partial(_load, path, rows),
                scalars=scalars,
            )
        ]
        if names
        else []
    )


def _is_numeric(kind: Any) -> bool:
    text = str(kind)
    return text.startswith(("int", "uint", "float", "double", "halffloat", "timestamp"))


def _column(field: Any) -> Column:
    if str(field.type).startswith("timestamp"):
        return Column(field.name, "s", "time")
    metadata = field.metadata or {}
    unit = next((metadata[k] for k in (b"unit", b"units", b"Unit") if k in metadata), b"")
    return Column(field.name, unit.decode("utf-8", "replace"))


def _scalars(metadata: dict[bytes, bytes] | None) -> dict[str, float]:
    """Return the numbers among the metadata of the file, as `fs_hz`."""
    numbers = {}
    for key, text in (metadata or {}).items():
        try:
            numbers[key.decode()] = float(text)
        except ValueError:
            continue
    return numbers


def _load(path: Path, rows: int, names: Sequence[str]) -> dict[str, Samples]:
    with require_package(path, "pyarrow", extra=EXTRA):
        import pyarrow.parquet
    check_values(path, rows * len(names))
    with guard_library(path, "Parquet"), pyarrow.parquet.ParquetFile(path) as file:
        table = file.read(columns=list(names), use_threads=False)
        return {n: as_floats(path, n, _numbers(table.column(n))) for n in names}


def _numbers(column: Any) -> npt.NDArray[Any]:
    """Return a column of numbers or times.

    Its own `to_numpy` imports pandas: 1.4 s of the 2 s that a small file may take.
    """
    if times := str(column.type).startswith("timestamp"):
        unit, column = column.type.unit, column.cast("int64")
    x = _concatenate(column.drop_null())
    if column.null_count:
        there = _concatenate(column.is_valid().cast("uint8")) > 0
        values, x = x, np.full(len(there), _NO_TIME if times else np.nan)
        x[there] = values
    return x.astype("i8").view(f"M8[{unit}]") if times else x


def _concatenate(column: Any) -> npt.NDArray[Any]:
    parts = [np.from_dlpack(chunk) for chunk in column.chunks]
    return np.concatenate(parts) if parts else np.empty(0)
