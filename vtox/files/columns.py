"""Files as named columns of numbers: CSV with a header line, and `.npz`.

`vtox.files.recordings` decides what the columns mean; here a file becomes arrays, or an error that
names the place.
"""

import csv
import io
import itertools
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vtox.errors import RecordingError

Column = npt.NDArray[np.float64] | npt.NDArray[np.float32]

SUFFIXES = (".csv", ".npz")
# Largest file, and largest archive unpacked, which may claim any size: half an hour of four
# channels at 10 kHz.
MAX_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Header:
    """What a file holds before its samples are read.

    `names` are the columns in file order, `scalars` the single numbers of an `.npz`. `first_line`
    is the line where the samples of a CSV begin, counted from 1.
    """

    path: Path
    names: tuple[str, ...]
    scalars: Mapping[str, float] = field(default_factory=dict)
    delimiter: str = ","
    decimal_comma: bool = False
    first_line: int = 1


def read_header(path: Path) -> Header:
    """Return what a file holds.

    Raises
    ------
    RecordingError
        The file cannot be opened or is neither CSV nor `.npz`.
    """
    if not path.is_file():
        problem = "not a file" if path.exists() else "no such file"
        raise RecordingError(f"{path}: {problem}, expected a recording")
    if path.suffix.lower() not in SUFFIXES:
        raise RecordingError(f"{path}: expected a file ending in {' or '.join(SUFFIXES)}")
    if path.stat().st_size > MAX_BYTES:
        size = path.stat().st_size >> 20
        raise RecordingError(f"{path}: {size} MiB, expected at most {MAX_BYTES >> 20} MiB")
    return _npz_header(path) if path.suffix.lower() == ".npz" else _csv_header(path)


def read_columns(header: Header, names: Sequence[str]) -> dict[str, Column]:
    """Return the columns `names` as arrays, shape (samples,), every value finite.

    Raises
    ------
    RecordingError
        A value is not a number; the error names column and line.
    """
    load = _npz_columns if header.path.suffix.lower() == ".npz" else _csv_columns
    columns = load(header, names)
    for name, x in columns.items():
        if not np.isfinite(x).all():
            where = int(np.flatnonzero(~np.isfinite(x))[0])
            raise RecordingError(
                f"{header.path}: column {name!r}, sample {where + 1}: {x[where]}, "
                "expected a finite number"
            )
    return columns


def _csv_header(path: Path) -> Header:
    number, line = next(
        ((i, text) for i, text in enumerate(_lines(path), start=1) if _has_cells(text)), (0, "")
    )
    if not line:
        raise RecordingError(f"{path}: empty, expected columns with a header line")
    delimiter = max(";\t,", key=line.count)
    cells = [c.strip() for c in next(csv.reader([line], delimiter=delimiter))]
    if all(_is_number(c) for c in cells):
        # Columns without names are mapped by their number.
        names, first = [str(i) for i in range(1, len(cells) + 1)], number
    else:
        names, first = [c or str(i) for i, c in enumerate(cells, start=1)], number + 1
    if repeated := next((n for n in names if names.count(n) > 1), None):
        raise RecordingError(
            f"{path}: line {number}: column {repeated!r} is there twice, expected different names"
        )
    return Header(
        path=path,
        names=tuple(names),
        delimiter=delimiter,
        decimal_comma=delimiter != "," and _has_decimal_comma(path, first),
        first_line=first,
    )


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from file
    except UnicodeDecodeError as error:
        raise RecordingError(f"{path}: expected a text file in UTF-8: {error.reason}") from error
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from error


def _has_decimal_comma(path: Path, first_line: int) -> bool:
    line = next((text for i, text in enumerate(_lines(path), 1) if i >= first_line), "")
    return "," in line


def _csv_columns(header: Header, names: Sequence[str]) -> dict[str, Column]:
    text = header.path.read_text(encoding="utf-8-sig")
    below = itertools.islice(io.StringIO(text), header.first_line - 1, None)
    if not any(_has_cells(line) for line in below):
        raise RecordingError(f"{header.path}: no samples, expected lines below the header")
    if header.decimal_comma:
        text = text.replace(",", ".")
    try:
        rows = np.loadtxt(
            io.StringIO(text),
            delimiter=header.delimiter,
            skiprows=header.first_line - 1,
            usecols=[header.names.index(n) for n in names],
            quotechar='"',
            ndmin=2,
        )
    except ValueError as error:
        raise _csv_error(header, names, text, error) from error
    return {n: np.ascontiguousarray(rows[:, i]) for i, n in enumerate(names)}


def _csv_error(
    header: Header, names: Sequence[str], text: str, error: ValueError
) -> RecordingError:
    """Return the error that names the first cell numpy could not read."""
    for number, line in enumerate(text.splitlines(), start=1):
        if number < header.first_line or not _has_cells(line):
            continue
        cells = next(csv.reader([line], delimiter=header.delimiter))
        for name in names:
            i = header.names.index(name)
            where = f"{header.path}: column {name!r}, line {number}"
            if i >= len(cells):
                return RecordingError(f"{where}: missing, expected more than {len(cells)} cells")
            if not _is_number(cells[i]):
                return RecordingError(f"{where}: {cells[i][:40]!r}, expected a number")
    return RecordingError(f"{header.path}: {error}")


def _has_cells(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _npz_header(path: Path) -> Header:
    names: list[str] = []
    scalars: dict[str, float] = {}
    for key, array in _npz_arrays(path).items():
        if array.dtype.kind not in "fiu":
            continue
        if array.size == 1:
            scalars[key] = float(array.reshape(()))
        elif array.ndim == 1:
            names.append(key)
        elif array.ndim == 2 and array.shape[1] <= 64:
            names += [f"{key}:{i}" for i in range(1, array.shape[1] + 1)]
    return Header(path=path, names=tuple(names), scalars=scalars)


def _npz_columns(header: Header, names: Sequence[str]) -> dict[str, Column]:
    arrays = _npz_arrays(header.path)
    columns: dict[str, Column] = {}
    for name in names:
        key, _, number = name.rpartition(":") if name not in arrays else (name, "", "")
        x = arrays[key][:, int(number) - 1] if number else arrays[key]
        columns[name] = x if x.dtype in (np.float32, np.float64) else x.astype(np.float64)
    lengths = {n: len(x) for n, x in columns.items()}
    if len(set(lengths.values())) > 1:
        raise RecordingError(f"{header.path}: columns differ in length, expected one: {lengths}")
    return columns


def _npz_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_BYTES:
            raise RecordingError(f"{path}: unpacks to more than {MAX_BYTES >> 20} MiB")
        # Without pickle, so that a file of arrays cannot contain code.
        with np.load(path, allow_pickle=False) as archive:
            return dict(archive)
    # MemoryError: the header of an array may claim any size.
    except (ValueError, OSError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        raise RecordingError(f"{path}: not a readable .npz archive: {error}") from error
