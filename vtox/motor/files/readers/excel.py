"""Workbooks of Excel and LibreOffice: each sheet with numbers in columns is a table."""

from collections.abc import Iterator
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from vtox.motor.errors import FileError
from vtox.motor.files.csv_table import open_lines
from vtox.motor.files.libraries import guard_library, require_package
from vtox.motor.files.table import Remark, Table, check_values, shortened

EXTRA = "files"


def open_excel(path: Path) -> list[Table]:
    """Return the sheets of a workbook that have numbers in columns; the first is read unasked.

    Raises `FileError`: it is damaged, or no sheet has numbers in columns.
    """
    with require_package(path, "python-calamine", extra=EXTRA):
        import python_calamine
    with guard_library(path, "Excel"):
        book = python_calamine.CalamineWorkbook.from_path(path)
        sheets = {n: partial(_lines, path, book, n) for n in book.sheet_names}
    tables: list[Table] = []
    problem: FileError | None = None
    for name, lines in sheets.items():
        try:
            tables.append(open_lines(path, lines, name=name))
        except FileError as error:
            problem = error
    if not tables:
        raise problem or FileError("no_samples", path, "no sheet, expected one with samples")
    others = shortened([t.name for t in tables[1:]])
    return [_read_if(t, t is tables[0], others) for t in tables]


def first_sheet(path: Path) -> list[list[str]]:
    """Return the rows of the first sheet of a workbook as texts.

    Raises `FileError`: it is damaged, too large, or the library is missing.
    """
    with require_package(path, "python-calamine", extra=EXTRA):
        import python_calamine
    with guard_library(path, "Excel"):
        sheet = python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0)
        check_values(path, sheet.total_height * sheet.total_width)
        return [[_plain(c) for c in row] for row in sheet.to_python(skip_empty_area=False)]


def _plain(value: Any) -> str:
    return f"{value:.15g}" if isinstance(value, float) else _cell(value)


def _read_if(table: Table, first: bool, others: str) -> Table:
    remarks = [Remark("sheet", table.name, "stated")]
    if others and first:
        remarks.append(Remark("other sheets", others, "stated"))
    return table.with_facts(remarks=remarks, on_request=not first)


def _lines(path: Path, book: Any, name: str) -> Iterator[str]:
    """Yield the rows of a sheet as lines with tabs between their cells."""
    with guard_library(path, "Excel"):
        sheet = book.get_sheet_by_name(name)
        check_values(path, sheet.total_height * sheet.total_width)
        for row in sheet.iter_rows():
            yield "\t".join(map(_cell, row)) + "\n"


def _cell(value: Any) -> str:
    """Return a cell as text; numbers with all their digits."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value).replace("\t", " ").replace("\n", " ").replace("\r", " ")
