"""LabVIEW measurement files (`.lvm`): each segment is a table."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from vtox.motor.errors import FileError
from vtox.motor.files.clock_times import iso_time
from vtox.motor.files.libraries import guard_library, require_package
from vtox.motor.files.table import Column, Samples, Table, check_values
from vtox.motor.values.domain import Array

EXTRA = "files"
# The library takes some twenty times as much memory as the file has bytes.
MAX_BYTES = 1 << 26


def is_labview(head: bytes) -> bool:
    """Whether a file begins as a LabVIEW measurement file."""
    return head.lstrip(b"\xef\xbb\xbf").startswith(b"LabVIEW Measurement")


def open_labview(path: Path) -> list[Table]:
    """Return the segments of a file; its step is that of the first channel.

    Raises `FileError`: it is damaged, or larger than `MAX_BYTES`.
    """
    with require_package(path, "lvm-read", extra=EXTRA):
        import lvm_read
    if path.stat().st_size > MAX_BYTES:
        observed = f"{path.stat().st_size >> 20} MiB, expected at most {MAX_BYTES >> 20} MiB of LVM"
        raise FileError("too_large", path, observed, remedy="cut it into shorter recordings")
    with guard_library(path, "LabVIEW"):
        content = lvm_read.read(str(path), read_from_pickle=False, dump_file=False)
        segments = [content[i] for i in range(content["Segments"])]
        return [
            _segment(path, content, s, f"segment {i}" if len(segments) > 1 else "")
            for i, s in enumerate(segments, start=1)
        ]


def _segment(
    path: Path, content: Mapping[str, Any], segment: Mapping[str, Any], name: str
) -> Table:
    names = [n.strip() for n in segment["Channel names"]]
    check_values(path, len(segment["data"]) * len(names))
    data = _whole_rows(np.asarray(segment["data"], dtype=np.float64), len(names))
    units = segment.get("Y_Unit_Label", [])
    steps = [s for s in segment.get("Delta_X", []) if s and s > 0]
    shift = 1 if content.get("X_Columns", "One") != "No" else 0
    columns = tuple(
        Column(n, "s", "time")
        if n == "X_Value"
        else Column(n, units[i - shift] if 0 <= i - shift < len(units) else "")
        for i, n in enumerate(names)
        if n and n != "Comment"
    )
    places = {c.name: names.index(c.name) for c in columns}
    day, time = segment.get("Date", content.get("Date")), segment.get("Time", content.get("Time"))
    return Table(
        path=path,
        columns=columns,
        load=partial(_load, data, places),
        name=name,
        fs_hz=1 / steps[0] if steps else None,
        rate_source="Delta_X",
        started=iso_time(f"{_first(day)} {_first(time)[:15]}"),
    )


def _whole_rows(data: Array, width: int) -> Array:
    """Return rows of a segment with nan for cells that they lack, as the library has it."""
    rows = data.reshape(len(data), -1 if data.size else 0)
    if rows.shape[1] >= width:
        return rows
    whole = np.full((len(rows), width), np.nan)
    whole[:, : rows.shape[1]] = rows
    return whole


def _first(value: Any) -> str:
    """Return a field of a header: of several channels, that of the first."""
    return str(value[0] if isinstance(value, Sequence) and not isinstance(value, str) else value)


def _load(data: Array, places: Mapping[str, int], names: Sequence[str]) -> dict[str, Samples]:
    return {n: data[:, places[n]] for n in names}
