"""Fleets in files: nameplates of machines as TOML, CSV or a sheet, and scalars as CSV."""

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from vtox.motor.errors import FileError, NameplateError, WireError
from vtox.motor.files.child import call
from vtox.motor.files.readers.excel import first_sheet
from vtox.motor.files.text_encoding import HEAD_BYTES, encoding_of
from vtox.motor.values.csv_writer import MARK, write_csv
from vtox.motor.values.domain import Motor
from vtox.motor.values.fleet_rows import fleet_of_rows, rows_of_fleet
from vtox.motor.values.nameplate import read_fleet
from vtox.motor.values.scalars import ScalarReading, checked

_WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
_DELIMITERS = ",;\t"


def read_fleet_file(path: Path) -> dict[str, Motor]:
    """Return machine id -> motor of a `fleet.toml`, a CSV or the first sheet of a workbook.

    Raises `NameplateError`: it is no such file, or a value in it is impossible; the error names
    file, row and field.
    """
    suffix = path.suffix.lower()
    if suffix == ".toml":
        return read_fleet(path)
    try:
        if suffix in _WORKBOOKS:
            path.open("rb").close()
            return fleet_of_rows(call("python_calamine", first_sheet, path))
        rows, decimal_comma = _csv(path)
        return fleet_of_rows(rows, decimal_comma=decimal_comma)
    except NameplateError as error:
        raise NameplateError(f"{path}: {error}", error.field) from error
    except FileNotFoundError as error:
        raise NameplateError(f"{path}: no such file, expected TOML, CSV or Excel") from error
    except OSError as error:
        raise NameplateError(f"{path}: {error.strerror}") from error


def read_scalars_file(path: Path) -> list[ScalarReading] | None:
    """Return the readings of a CSV with the columns of `ScalarReading`; None of another file.

    `t` is seconds since 1970, or a date and time with its zone.

    Raises `FileError`: a row is no reading; the error names it.
    """
    if path.suffix.lower() != ".csv" or not path.is_file():
        return None
    rows, decimal_comma = _csv(path)
    names = [n.strip().lower() for n in rows[0]] if rows else []
    if sorted(names) != sorted(ScalarReading._fields):
        return None
    found = []
    for number, row in enumerate(rows[1:], 2):
        cells = dict(zip(names, (MARK.sub(r"\1", cell.strip()) for cell in row), strict=False))
        if not any(cells.values()):
            continue
        try:
            t, value = (_number(cells.get(n, ""), decimal_comma) for n in ("t", "value"))
            machine_id, name, unit = (cells.get(n, "") for n in ("machine_id", "name", "unit"))
            found.append(checked(machine_id, t, name, value, unit))
        except WireError as error:
            raise FileError("damaged", path, f"row {number}: {error}") from error
    return found


def _number(text: str, decimal_comma: bool) -> float | str:
    """Return a number, or the seconds since 1970 of a time with its zone; else the text."""
    try:
        return float(text.replace(",", ".") if decimal_comma else text)
    except ValueError:
        pass
    try:
        t = datetime.fromisoformat(text)
    except ValueError:
        return text
    return t.timestamp() if t.tzinfo else text


def fleet_csv(fleet: Mapping[str, Motor | None]) -> bytes:
    """Return nameplates as CSV that spreadsheets open; of no machine, the template."""
    text = io.StringIO(newline="")
    write_csv(text, rows_of_fleet(fleet))
    return text.getvalue().encode()


def _csv(path: Path) -> tuple[list[list[str]], bool]:
    """Return the rows, and whether numbers have a comma: as where `;` separates the cells."""
    content = path.read_bytes()
    encoding = encoding_of(path, content[:HEAD_BYTES]).value
    try:
        text = content.decode(encoding, "replace" if encoding == "cp1252" else "strict")
    except UnicodeDecodeError as error:
        raise FileError("damaged", path, f"expected text in {encoding}: {error}") from error
    first = next((x for x in text.splitlines() if x.strip() and not x.startswith("#")), "")
    delimiter = max(_DELIMITERS, key=first.count)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)), delimiter == ";"
