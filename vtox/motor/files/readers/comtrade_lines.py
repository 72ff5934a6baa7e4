"""The wrong line of a COMTRADE configuration, and the line that the standard expects there.

Source: IEEE C37.111-1999, clause 5.
"""

import re
from collections.abc import Callable, Iterator
from itertools import repeat

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.IGNORECASE)
_COUNTS = re.compile(r"\s*\d+\s*,\s*(\d+)\s*A\s*,\s*(\d+)\s*D\s*", re.IGNORECASE)
_TIME = re.compile(r"\s*\d+/\d+/\d+\s*,\s*\d+:\d+:\d+(?:\.\d*)?\s*")
_FORMATS = ("ASCII", "BINARY", "BINARY32", "FLOAT32")
_ANALOG = "an analog channel, as in 1,IA,A,,A,0.01,0,0,-32767,32767"
# Whether a line is right, and the expected line.
_Rule = tuple[Callable[[list[str]], bool], str]


def wrong_line(cfg: str) -> str:
    """Return the error of the first line that breaks the standard, empty if there is none."""
    lines = cfg.splitlines()
    for number, (rule, line) in enumerate(
        zip(_rules(lines), [*lines, *repeat("", 1)], strict=False), 1
    ):
        fits, expected = rule
        if not fits([c.strip() for c in line.split(",")]):
            return f"line {number} of the configuration: {line.strip()[:60]!r}, expected {expected}"
    return ""


def _rules(lines: list[str]) -> Iterator[_Rule]:
    """Yield the rule of each line, from the first on."""
    yield lambda c: len(c) >= 1, "station, device and revision"
    counts = _COUNTS.fullmatch(lines[1]) if len(lines) > 1 else None
    yield lambda c: counts is not None, "the numbers of channels, as in 8,6A,2D"
    if not counts:
        return
    yield from repeat((_is_analog, _ANALOG), int(counts[1]))
    digital = "a digital channel, as in 1,TRIP,,,0"
    yield from repeat((lambda c: len(c) >= 2 and c[0].isdecimal(), digital), int(counts[2]))
    yield lambda c: c == [""] or _is_number(c[0]), "the frequency of the supply, as in 50"
    place = 3 + int(counts[1]) + int(counts[2])
    yield lambda c: c[0].isdecimal(), "how many sampling rates there are, as in 1"
    rates = int(lines[place].split(",")[0]) if place < len(lines) else 0
    rate = "a sampling rate and its last sample, as in 3200,6400"
    yield from repeat((_is_rate, rate), max(1, rates))
    time = "a date and a time, as in 28/11/2026,10:15:00.000000"
    yield from repeat((lambda c: _TIME.fullmatch(",".join(c)) is not None, time), 2)
    yield lambda c: c[0].upper() in _FORMATS, f"the format of the data: {', '.join(_FORMATS)}"


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None


def _is_analog(cells: list[str]) -> bool:
    return len(cells) >= 10 and cells[0].isdecimal() and all(map(_is_number, cells[5:7]))


def _is_rate(cells: list[str]) -> bool:
    return len(cells) >= 2 and _is_number(cells[0]) and cells[1].isdecimal()
