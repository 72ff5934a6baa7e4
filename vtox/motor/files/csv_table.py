"""Text in columns, as loggers, spreadsheets and oscilloscopes write it, as a table."""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vtox.motor.errors import FileError
from vtox.motor.files.clock_times import is_clock_time, is_date, iso_time, seconds_after_first
from vtox.motor.files.csv_layout import (
    Layout,
    breaks_off,
    cells_of,
    has_cells,
    is_number,
    layout_of,
)
from vtox.motor.files.preamble import preamble_rate
from vtox.motor.files.table import Column, Remark, Samples, Table, check_values
from vtox.motor.files.text_encoding import HEAD_BYTES, encoding_of, last_line, text_lines

# The table is looked for in so many lines, of so many characters together.
HEAD_LINES = 200
# Lines parsed at once: 100,000 of 100 characters are 10 MB.
CHUNK = 100_000
Lines = Callable[[], Iterator[str]]
_Clocks = dict[int | str, Callable[[str], float]]
_DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", " ": "blanks", "|": "bar"}


def open_csv(path: Path) -> list[Table]:
    """Return the table in a text file.

    Raises `FileError`: it is no text, or has no numbers in columns.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head.strip():
        raise FileError("no_samples", path, "empty, expected columns with a header line")
    encoding = encoding_of(path, head)
    end = last_line(path, encoding.value)
    return [open_lines(path, partial(text_lines, path, encoding.value), end, remarks=(encoding,))]


def open_lines(
    path: Path, lines: Lines, end: str = "\n", *, name: str = "", remarks: Sequence[Remark] = ()
) -> Table:
    """Return the table in lines of text.

    Parameters
    ----------
    lines : callable
        Returns the lines from the first on, each time that it is called.
    end : str
        The last line, with its end if it has one.
    name : str
        Name of the table, if a file holds several.
    remarks : sequence of Remark
        Facts that are known of the file.

    Raises
    ------
    FileError
        There are no numbers in columns, or two columns have one name.
    """
    layout = layout_of(_head(lines()))
    if layout is None:
        raise FileError("no_samples", path, "no samples, expected lines of numbers")
    if repeated := next((n for n in layout.names if layout.names.count(n) > 1), None):
        raise FileError(
            "ambiguous_channel",
            path,
            f"line {layout.header_line}: column {repeated!r} is there twice, expected different "
            "names",
            channel=repeated,
        )
    found = preamble_rate(layout.preamble)
    broken = breaks_off(layout, end)
    return Table(
        path=path,
        columns=tuple(_column(layout, i) for i in range(len(layout.names))),
        load=partial(_load, path, layout, lines, broken),
        name=name,
        fs_hz=found.fs_hz if found else None,
        rate_source=found.source if found else "",
        rate_certainty=found.certainty if found else "likely",
        started=_started(layout),
        remarks=(*remarks, *_remarks(layout)),
        doubts={"breaks_off": end.strip()[:40]} if broken else {},
    )


def _head(lines: Iterator[str]) -> list[str]:
    head: list[str] = []
    size = 0
    for line in itertools.islice(lines, HEAD_LINES):
        head.append(line)
        size += len(line)
        if size > HEAD_BYTES:
            break
    return head


def _column(layout: Layout, i: int) -> Column:
    if i in layout.clocks:
        return Column(layout.names[i], "s", "time")
    return Column(layout.names[i], layout.units[i])


def _remarks(layout: Layout) -> Iterator[Remark]:
    yield Remark("delimiter", _DELIMITER_NAMES[layout.delimiter], "likely")
    if layout.decimal_comma:
        yield Remark("decimal_sign", "comma", "likely")
    if not layout.header_line:
        yield Remark("header", "none", "likely", f"line {layout.first_line} has numbers only")
    elif layout.preamble:
        source = f"{len(layout.preamble)} lines are above it"
        yield Remark("header", f"line {layout.header_line}", "likely", source)


def _started(layout: Layout) -> str:
    """Return when the recording began: by its columns of times, else by the text above them."""
    cells = layout.first_cells
    day = cells[layout.dates[0]] + " " if layout.dates else ""
    if layout.clocks:
        return iso_time(day + cells[layout.clocks[0]])
    for line in layout.preamble:
        for text in re.findall(r"\d[\d\-/.年月日]+[T ]+\d{1,2}:[\d:.]+", line):
            if found := iso_time(text):
                return found
    return iso_time(day.strip())


def _load(
    path: Path, layout: Layout, lines: Lines, broken: bool, names: Sequence[str]
) -> dict[str, Samples]:
    """Return columns; the last line is left out of a file that breaks off in it."""
    places = [layout.names.index(n) for n in names]
    clocks: _Clocks = {i: seconds_after_first() for i in places if i in layout.clocks}
    samples = itertools.islice(enumerate(lines(), start=1), layout.first_line - 1, None)
    numbered = (x for x in samples if has_cells(x[1]) and not (broken and x[1][-1] != "\n"))
    chunks: list[npt.NDArray[np.float64]] = []
    rows = 0
    while chunk := list(itertools.islice(numbered, CHUNK)):
        rows += len(chunk)
        check_values(path, rows * len(places))
        chunks.append(_numbers(path, layout, chunk, places, clocks))
    return {n: np.concatenate([c[:, k] for c in chunks]) for k, n in enumerate(names)}


def _numbers(
    path: Path,
    layout: Layout,
    chunk: Sequence[tuple[int, str]],
    places: Sequence[int],
    clocks: _Clocks,
) -> npt.NDArray[np.float64]:
    """Return the cells of some lines as numbers, shape (lines, places)."""
    texts = [line.replace(",", ".") if layout.decimal_comma else line for _, line in chunk]
    try:
        rows = np.loadtxt(
            texts,
            delimiter=None if layout.delimiter == " " else layout.delimiter,
            usecols=places,
            quotechar='"',
            converters=clocks or None,
            ndmin=2,
            dtype=np.float64,
        )
    except (ValueError, OverflowError) as error:
        raise _cell_error(path, layout, chunk, places, error) from error
    if len(rows) != len(chunk):
        observed = f"line {chunk[0][0]} and below: quotation marks do not close"
        raise FileError("damaged", path, observed)
    return rows


def _cell_error(
    path: Path,
    layout: Layout,
    chunk: Sequence[tuple[int, str]],
    places: Sequence[int],
    error: Exception,
) -> FileError:
    """Return the error that names the first cell which is no number."""
    for number, line in chunk:
        cells = cells_of(line, layout.delimiter)
        for i in places:
            name = layout.names[i]
            where = f"column {name!r}, line {number}"
            if i >= len(cells):
                observed = f"{where}: missing, expected more than {len(cells)} cells"
                return FileError("not_a_number", path, observed, channel=name)
            expected = "a time" if i in layout.clocks else "a number"
            fits = (
                is_clock_time(cells[i]) and not is_date(cells[i])
                if i in layout.clocks
                else is_number(cells[i], decimal_comma=layout.decimal_comma)
            )
            if not fits:
                observed = f"{where}: {cells[i][:40]!r}, expected {expected}"
                return FileError("not_a_number", path, observed, channel=name)
    return FileError("damaged", path, f"lines {chunk[0][0]} to {chunk[-1][0]}: {error}")
