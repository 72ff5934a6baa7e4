"""How a table is laid out in text: delimiter, decimal sign, header, and where samples begin."""

import csv
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from vtox.motor.files.channel_names import meaning
from vtox.motor.files.clock_times import is_clock_time, is_date
from vtox.motor.files.units import is_unit

# In the order in which they are preferred if two explain as much; the last is any white space.
DELIMITERS = (";", "\t", ",", "|", " ")
_POINT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf)", re.IGNORECASE)
_COMMA = re.compile(r"[+-]?(?:\d*,\d+)(?:[eE][+-]?\d+)?")
_COMMENT = "#"
# Kind of a row above the header, in its first cell.
_KEY = re.compile(r"label|unit|name|source|channel|einheit|kanal|unité|unidad|单位|名称")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is laid out; lines are counted from 1.

    `clocks` and `dates` are the numbers, from 0, of the columns with times of day and with dates.
    `header_line` is 0 if the columns have no names: they bear their numbers, from 1. `decimals`
    is how many digits the numbers of the last column have behind the decimal sign, 0 if that
    differs.
    """

    delimiter: str
    decimal_comma: bool
    names: tuple[str, ...]
    units: tuple[str, ...]
    header_line: int
    first_line: int
    preamble: tuple[str, ...]
    first_cells: tuple[str, ...]
    clocks: tuple[int, ...]
    dates: tuple[int, ...]
    decimals: int


def cells_of(line: str, delimiter: str) -> list[str]:
    """Return the cells of a line, without the blanks around them."""
    if delimiter == " ":
        return line.split()
    try:
        return [c.strip() for c in next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter), [])]
    except csv.Error:
        return [line]


def is_number(cell: str, *, decimal_comma: bool = False) -> bool:
    """Whether a cell is a number in the notation of its file."""
    cell = cell.strip()
    return bool(_POINT.fullmatch(cell) or (decimal_comma and _COMMA.fullmatch(cell)))


def has_cells(line: str) -> bool:
    """Whether a line is neither blank nor a comment."""
    return bool(line.strip()) and not line.startswith(_COMMENT)


@dataclass(frozen=True)
class _Split:
    """The first lines of a file, cut at one delimiter."""

    lines: Sequence[str]
    delimiter: str

    @cached_property
    def rows(self) -> list[list[str]]:
        """The cells of each line, none of a blank line or a comment."""
        return [cells_of(x, self.delimiter) if has_cells(x) else [] for x in self.lines]

    @cached_property
    def kinds(self) -> list[tuple[str, ...]]:
        """The kinds of the cells of each line: number, clock, date, text."""
        return [tuple(self._kind(c) for c in row) for row in self.rows]

    def _kind(self, cell: str) -> str:
        if is_number(cell, decimal_comma=self.delimiter != ","):
            return "number"
        if is_clock_time(cell):
            return "clock"
        return "date" if is_date(cell) else "text"

    @cached_property
    def pattern(self) -> tuple[str, ...]:
        """The kinds of the cells of samples: the most frequent pattern with a number in it."""
        counts = Counter(k for k in self.kinds if "number" in k)
        best = max(counts, key=lambda k: (counts[k], k.count("number")), default=())
        return best

    @cached_property
    def first(self) -> int:
        """Number of the first line of samples, from 0."""
        return self.kinds.index(self.pattern)

    @cached_property
    def header(self) -> int | None:
        """Number of the header line, from 0: the one above the samples that has as many cells."""
        above = [i for i in range(self.first) if self.lines[i].strip()]
        below = [i for i in above if self.rows[i]] or above
        if not below:
            return None
        cells = self.cells(below[-1])
        fits = len([c for c in cells if c]) > 0 and len(cells) <= len(self.pattern) + 1
        return below[-1] if fits and len(cells) >= len(self.pattern) - 1 else None

    def cells(self, i: int) -> list[str]:
        """Return the cells of a line, also of a comment: some programs write the header as one."""
        return self.rows[i] or cells_of(self.lines[i].lstrip("# "), self.delimiter)

    @property
    def rank(self) -> tuple[float, bool, bool, int]:
        """How well this delimiter explains the lines."""
        if not self.pattern:
            return (0.0, False, False, 0)
        known = sum(k != "text" for k in self.pattern) / len(self.pattern)
        header = self.header
        fits = header is None or len(self.cells(header)) == len(self.pattern)
        return (known, fits, self.delimiter != " ", len(self.pattern))


def layout_of(lines: Sequence[str]) -> Layout | None:
    """Return how the table in the first lines of a file is laid out, None if there is none."""
    split = max((_Split(lines, d) for d in DELIMITERS), key=lambda s: s.rank)
    if not split.pattern:
        return None
    names, units, header = _names(split)
    first = split.rows[split.first]
    samples = [r for r, k in zip(split.rows, split.kinds, strict=True) if k == split.pattern]
    # The last line of a short file may be cut.
    decimals = {_decimals(row[-1]) for row in samples[:-1]}
    return Layout(
        delimiter=split.delimiter,
        decimal_comma=split.delimiter != ","
        and any("," in c for row in samples for c in row if is_number(c, decimal_comma=True)),
        names=names,
        units=units,
        header_line=0 if header is None else header + 1,
        first_line=split.first + 1,
        preamble=tuple(x.strip() for x in lines[: header if header is not None else split.first]),
        first_cells=tuple(first),
        clocks=tuple(i for i, k in enumerate(split.pattern) if k == "clock"),
        dates=tuple(i for i, k in enumerate(split.pattern) if k == "date"),
        decimals=next(iter(decimals)) if len(decimals) == 1 and len(samples) > 2 else 0,
    )


def breaks_off(layout: Layout, end: str) -> bool:
    """Whether a file breaks off in its last line: no line end, and fewer cells or digits.

    Many programs write no end after the last line. Digits are compared only if the samples that
    were looked at all have the same number behind the decimal sign.
    """
    if not end or end[-1] in "\r\n":
        return False
    cells = cells_of(end, layout.delimiter)
    if len(cells) < len(layout.first_cells):
        return True
    return layout.decimals > 0 and _decimals(cells[-1]) < layout.decimals


def _decimals(cell: str) -> int:
    """Return how many digits follow the decimal sign of a number without exponent, else 0."""
    match = re.fullmatch(r"[+-]?\d+[.,](\d*)", cell.strip())
    return len(match[1]) if match else 0


def _names(split: _Split) -> tuple[tuple[str, ...], tuple[str, ...], int | None]:
    """Return names and units of the columns and the number of the line of the names, from 0."""
    count, header = len(split.pattern), split.header
    units: list[str] = []
    if header is None:
        return tuple(str(i + 1) for i in range(count)), ("",) * count, None
    cells = split.cells(header)
    above = next((i for i in range(header - 1, -1, -1) if split.rows[i]), None)
    if above is not None and _all_units(cells) and len(split.rows[above]) == len(cells):
        units, header = [c.strip("[]()") for c in cells], above
        cells = split.rows[above]
    rows = [r for r in split.rows[:header] if abs(len(r) - count) <= 1]
    cells = _labelled((cells + [""] * count)[:count], rows)
    units = units or next((_without_key(r) for r in rows if _all_units(_without_key(r))), [])
    units = (units + [""] * count)[:count]
    return tuple(c or str(i) for i, c in enumerate(cells, start=1)), tuple(units), header


def _labelled(names: list[str], rows: Sequence[list[str]]) -> list[str]:
    """Return names, in their place the labels above them if only those mean something.

    Oscilloscopes number their channels in the header (`CH1`) and have the labels of the user in a
    line above it.
    """

    def count_meanings(cells: Sequence[str]) -> int:
        found = (meaning(c) for c in cells)
        return sum(m is not None and m.quantity != "time" for m in found)

    best = max(map(_without_key, rows), key=count_meanings, default=[])
    if count_meanings(names) or not count_meanings(best):
        return names
    return [b or n for b, n in itertools.zip_longest(best[: len(names)], names, fillvalue="")]


def _without_key(row: list[str]) -> list[str]:
    """Return a row with its first cell empty if that is the kind of the row, as `Label`."""
    is_key = bool(row) and _KEY.search(row[0].lower()) is not None
    return ["", *row[1:]] if is_key else row


def _all_units(cells: Sequence[str]) -> bool:
    return any(cells) and all(is_unit(c) for c in cells if c)
