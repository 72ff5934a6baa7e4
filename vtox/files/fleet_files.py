"""Fleets in files: nameplates of many machines as TOML, CSV or a sheet of a workbook."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from vtox.errors import FileError, NameplateError
from vtox.files.readers.excel import first_sheet
from vtox.files.text_encoding import HEAD_BYTES, encoding_of
from vtox.values.csv_cells import MARK
from vtox.values.domain import Motor
from vtox.values.fleet_rows import fleet_of_rows, rows_of_fleet
from vtox.values.nameplate import read_fleet

_WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
_DELIMITERS = ",;\t"


def read_fleet_file(path: Path) -> dict[str, Motor]:
    """Return machine id -> motor of a `fleet.toml`, a CSV or the first sheet of a workbook.

    Raises
    ------
    NameplateError
        It is no such file, or a value in it is impossible; the error names file, row and field.
    """
    suffix = path.suffix.lower()
    if suffix == ".toml":
        return read_fleet(path)
    try:
        if suffix in _WORKBOOKS:
            return fleet_of_rows(first_sheet(path))
        rows, decimal_comma = _csv(path)
        return fleet_of_rows(rows, decimal_comma=decimal_comma)
    except NameplateError as error:
        raise NameplateError(f"{path}: {error}", error.field) from error
    except FileNotFoundError as error:
        raise NameplateError(f"{path}: no such file, expected TOML, CSV or Excel") from error
    except OSError as error:
        raise NameplateError(f"{path}: {error.strerror}") from error


def fleet_csv(fleet: Mapping[str, Motor | None]) -> str:
    """Return nameplates as CSV that spreadsheets open; of no machine, the template."""
    text = io.StringIO(newline="")
    text.write(MARK)
    csv.writer(text).writerows(rows_of_fleet(fleet))
    return text.getvalue()


def _csv(path: Path) -> tuple[list[list[str]], bool]:
    """Return the rows, and whether numbers have a comma: as where `;` stands between the cells."""
    content = path.read_bytes()
    encoding = encoding_of(path, content[:HEAD_BYTES]).value
    try:
        text = content.decode(encoding, "replace" if encoding == "cp1252" else "strict")
    except UnicodeDecodeError as error:
        raise FileError("damaged", path, f"expected text in {encoding}: {error}") from error
    first = next((x for x in text.splitlines() if x.strip() and not x.startswith("#")), "")
    delimiter = max(_DELIMITERS, key=first.count)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)), delimiter == ";"
