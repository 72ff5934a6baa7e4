"""The one writer of CSV: tables that a spreadsheet opens without running a cell as a formula."""

import csv
import re
from collections.abc import Iterable
from typing import Any, TextIO

# Excel recognises UTF-8 only after it.
_BYTE_ORDER_MARK = "\ufeff"
# A spreadsheet runs a text that begins with one of these signs. Marks of the text count
# too: each text has its own cell, and reading takes one mark off.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
# A cell that the writer has marked; `MARK.sub(r"\1", cell)` is the original text.
MARK = re.compile(r"\A'('*[=+\-@\t\r])")
# The first character decides on most texts, faster than a pattern.
_FIRST = frozenset("'=+-@\t\r")


def write_csv(file: TextIO, rows: Iterable[Iterable[Any]]) -> int:
    """Write rows as CSV and return their number; only texts get a mark, numbers stay numbers."""
    file.write(_BYTE_ORDER_MARK)
    writer, n = csv.writer(file), 0
    for row in rows:
        writer.writerow([_marked(v) if isinstance(v, str) and v[:1] in _FIRST else v for v in row])
        n += 1
    return n


def _marked(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text
