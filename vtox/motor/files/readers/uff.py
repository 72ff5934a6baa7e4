"""Universal files (data set 58, functions at nodes) as tables: one for each length and rate."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from vtox.motor.errors import FileError
from vtox.motor.files.libraries import guard_library, require_package
from vtox.motor.files.table import Column, Samples, Table, as_floats, check_values
from vtox.motor.values.domain import VIBRATIONS

EXTRA = "files"
# The library keeps the text of a file and its lines with the numbers.
MAX_BYTES = 1 << 28
_BEGINNING = re.compile(rb"\A[ ]*-1[ ]*\r?\n[ ]*\d+b?[ \r\n]")
_END = re.compile(rb"\n[ ]*-1\s*\Z")
TIME_RESPONSE, TIME, EVEN, ACCELERATION = 1, 17, 1, 12
_AXES = {1: 0, 2: 1, 3: 2}


def is_uff(head: bytes) -> bool:
    """Whether a file begins as a universal file: `-1`, then the number of a data set."""
    return bool(_BEGINNING.match(head))


def open_uff(path: Path) -> list[Table]:
    """Return the time responses of a universal file.

    Raises `FileError`: it is damaged, has no time response, or is larger than `MAX_BYTES`.
    """
    with require_package(path, "pyuff", extra=EXTRA):
        import pyuff
    if (size := path.stat().st_size) > MAX_BYTES:
        observed = f"{size >> 20} MiB, expected at most {MAX_BYTES >> 20} MiB of UFF"
        raise FileError("too_large", path, observed)
    _check_end(path)
    with guard_library(path, "UFF"):
        file = pyuff.UFF(str(path))
        numbers = [int(n) for n in np.flatnonzero(np.asarray(file.get_set_types()) == 58)]
        sets = {n: _first(file.read_sets(n)) for n in numbers}
        times = {n: s for n, s in sets.items() if s["func_type"] in (0, TIME_RESPONSE)}
        check_values(path, sum(len(s["data"]) for s in times.values()))
        for n, s in times.items():
            if len(s["data"]) != s["num_pts"]:
                raise FileError(
                    "damaged",
                    path,
                    f"data set {n + 1}: {len(s['data'])} values, expected {s['num_pts']}",
                )
    if not times:
        raise FileError("no_samples", path, "no time response among its data sets of type 58")
    groups: dict[tuple[int, float], dict[str, Any]] = {}
    for s in times.values():
        step = float(s["abscissa_inc"]) if s["abscissa_spacing"] == EVEN else 0.0
        group = groups.setdefault((len(s["data"]), step), {})
        group[_name(s, group)] = s
    return [
        Table(
            path=path,
            columns=tuple(_column(n, s) for n, s in sets.items()),
            load=partial(_load, path, sets),
            name=f"{length} samples" if len(groups) > 1 else "",
            fs_hz=1 / step if step > 0 else None,
            rate_source="abscissa increment",
            started="",
        )
        for (length, step), sets in groups.items()
    ]


def _check_end(path: Path) -> None:
    """Make sure that the last data set is closed: the library leaves out one that breaks off."""
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, 512), 2)
        if not _END.search(file.read()):
            raise FileError("damaged", path, "breaks off, expected -1 in its last line")


def _first(found: Any) -> dict[str, Any]:
    return dict(found[0] if isinstance(found, list) else found)


def _name(s: Mapping[str, Any], others: Mapping[str, Any]) -> str:
    name = str(s["id1"]).strip()
    if not name or name == "NONE":
        name = f"node {s['rsp_node']} direction {s['rsp_dir']}"
    return name if name not in others else f"{name} #{len(others) + 1}"


def _column(name: str, s: Mapping[str, Any]) -> Column:
    """Return the column of a data set; an acceleration in x, y or z says which channel it is."""
    unit = str(s["ordinate_axis_units_lab"]).strip()
    axis = _AXES.get(abs(int(s["rsp_dir"])))
    known = s["ordinate_spec_data_type"] == ACCELERATION and axis is not None
    quantity = VIBRATIONS[axis] if known and axis is not None else ""
    return Column(name, "" if unit == "NONE" else unit, quantity)


def _load(
    path: Path, sets: Mapping[str, Mapping[str, Any]], names: Sequence[str]
) -> dict[str, Samples]:
    return {n: as_floats(path, n, np.asarray(sets[n]["data"])) for n in names}
