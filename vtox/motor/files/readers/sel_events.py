"""Compressed event reports of SEL relays (`.cev`), as a table.

Lines of comma-separated cells, each with a checksum at its end: identity, time, summary with
frequency and samples per cycle, names of the channels, samples, and the settings of the relay.
Source: SEL-351A and SEL-311L instruction manuals, appendix "Compressed ASCII Commands".
"""

import csv
import itertools
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from vtox.motor.errors import FileError
from vtox.motor.files.csv_table import open_lines
from vtox.motor.files.table import Table
from vtox.motor.files.text_encoding import text_lines

# A relay writes its filtered values, no waveform, with so many samples per cycle.
FILTERED = 4
_HEAD = 16


def is_sel_event(head: bytes) -> bool:
    """Whether a file begins as a compressed event report."""
    start = head.lstrip(b"\x02 \r\n").upper()
    return start.startswith((b'"FID"', b'"MONTH"', b"FID,")) and b'"' in start


def open_sel_event(path: Path) -> list[Table]:
    """Return the table in a compressed event report.

    Raises `FileError`: Frequency, samples per cycle or the names of the channels are missing.
    """
    rows = list(itertools.islice(_rows(path), _HEAD))
    summary = _pair(rows, "SAM/CYC_A")
    names = next((i for i, r in enumerate(rows) if "TRIG" in r), None)
    if names is None:
        raise FileError("damaged", path, "no line of channels, expected one with TRIG")
    try:
        cycle, supply_hz = float(summary["SAM/CYC_A"]), float(summary["FREQ"])
    except (KeyError, ValueError) as error:
        observed = "no samples per cycle, expected FREQ and SAM/CYC_A above the channels"
        raise FileError("no_rate", path, observed, remedy="give --rate HZ") from error
    doubts = {"filtered": f"{cycle:g}"} if cycle <= FILTERED else {}
    table = open_lines(path, partial(_samples, path, names))
    return [
        table.with_facts(
            fs_hz=cycle * supply_hz,
            rate_source="FREQ times SAM/CYC_A",
            rate_certainty="stated",
            started=_start(rows),
            doubts=doubts,
        )
    ]


def _rows(path: Path) -> Iterator[list[str]]:
    for line in text_lines(path, "latin-1"):
        cells = next(csv.reader([line.strip("\x02\x03\r\n ")]), [])
        yield [c.strip() for c in cells]


def _samples(path: Path, names: int) -> Iterator[str]:
    """Yield the line of names and those of samples, without trigger, relay word and checksum."""
    rows = itertools.islice(_rows(path), names, None)
    header = next(rows, [])
    width = header.index("TRIG") if "TRIG" in header else len(header)
    yield ",".join(header[:width]) + "\n"
    for row in rows:
        if len(row) <= width:
            return  # the settings of the relay follow
        yield ",".join(row[:width]) + "\n"


def _pair(rows: Sequence[list[str]], name: str) -> dict[str, str]:
    """Return the line below the one with `name` in it, by the names above its cells."""
    for above, below in itertools.pairwise(rows):
        if name in above:
            return dict(zip(above, below, strict=False))
    return {}


def _start(rows: Sequence[list[str]]) -> str:
    """Return the time that the report states, which is that of the trigger; empty without one."""
    when = {k.rstrip("_"): v for k, v in _pair(rows, "MONTH").items()}
    try:
        month, day, year, hour, minute, second = (
            int(when[k]) for k in ("MONTH", "DAY", "YEAR", "HOUR", "MIN", "SEC")
        )
        return datetime(
            year, month, day, hour, minute, second, 1000 * int(when.get("MSEC", 0))
        ).isoformat()
    except (KeyError, ValueError):
        return ""
