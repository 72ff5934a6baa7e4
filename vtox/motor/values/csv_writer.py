"""The one writer of CSV: tables that a spreadsheet opens without running a cell as a formula."""

import csv
import re
from collections.abc import Iterable
from typing import Any, TextIO

# Excel recognises UTF-8 only after it.
_BYTE_ORDER_MARK = "\ufeff"
# A spreadsheet runs a text that begins with one of these signs.
_SIGNS = r"=+\-@\t\r"
_MARK = "'"
# Marks of the original text count too: each text has its own cell, and reading takes one mark off.
_FORMULA = re.compile(rf"{_MARK}*[{_SIGNS}]")
# A cell that the writer has marked. The rest is the original text.
MARKED = rf"\A{_MARK}({_MARK}*[{_SIGNS}])"
_MARKED = re.compile(MARKED)


def write_table(file: TextIO, rows: Iterable[Iterable[Any]]) -> int:
    """Write rows as CSV and return their number; only texts get a mark, numbers stay numbers."""
    file.write(_BYTE_ORDER_MARK)
    writer, n = csv.writer(file), 0
    for row in rows:
        writer.writerow([_marked(v) if isinstance(v, str) else v for v in row])
        n += 1
    return n


def original(cell: str) -> str:
    """Return the text of a cell, without the mark of the writer."""
    return cell[1:] if _MARKED.match(cell) else cell


def _marked(text: str) -> str:
    return f"{_MARK}{text}" if _FORMULA.match(text) else text
