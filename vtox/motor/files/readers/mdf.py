"""MDF 3 and 4 of test benches and vehicle loggers as tables: one for each channel group."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from vtox.motor.files.libraries import guard_library, require_package
from vtox.motor.files.table import Column, Samples, Table, as_floats, check_values

EXTRA = "files"
TIME = "time"


def is_mdf(head: bytes) -> bool:
    """Whether a file begins as MDF, also as one that its recorder never completed."""
    return head.startswith((b"MDF     ", b"UnFinMF "))


def open_mdf(path: Path) -> list[Table]:
    """Return the tables in an MDF file.

    Raises `FileError`: it is damaged.
    """
    with require_package(path, "asammdf", extra=EXTRA):
        import asammdf
    with guard_library(path, "MDF"), asammdf.MDF(path) as file:
        start = file.start_time.isoformat()
        groups = list(file.groups)
        tables = (_table(path, file, n, start, len(groups) > 1) for n in range(len(groups)))
        return [t for t in tables if t]


def _table(path: Path, file: Any, number: int, start: str, several: bool) -> Table | None:
    group = file.groups[number].channel_group
    rows = int(group.cycles_nr)
    master = file.masters_db.get(number)
    names = [c.name for c in file.groups[number].channels]
    places = {
        f"{n} #{i}" if names.count(n) > 1 else n: i for i, n in enumerate(names) if i != master
    }
    if not rows or not places:
        return None
    units = {n: str(file.get_channel_unit(group=number, index=i) or "") for n, i in places.items()}
    columns = [Column(n, units[n]) for n in places]
    if master is not None:
        columns.insert(0, Column(TIME, "s", "time"))
    return Table(
        path=path,
        columns=tuple(columns),
        load=partial(_load, path, number, rows, places),
        name=(getattr(group, "acq_name", "") or f"group {number + 1}") if several else "",
        started=start,
    )


def _load(
    path: Path, group: int, rows: int, places: Mapping[str, int], names: Sequence[str]
) -> dict[str, Samples]:
    with require_package(path, "asammdf", extra=EXTRA):
        import asammdf
    check_values(path, rows * len(names))
    with guard_library(path, "MDF"), asammdf.MDF(path) as file:
        return {n: as_floats(path, n, _samples(file, group, places, n)) for n in names}


def _samples(file: Any, group: int, places: Mapping[str, int], name: str) -> Any:
    if name not in places:
        return file.get_master(group)
    return file.get(group=group, index=places[name]).samples
