"""TDMS of LabVIEW and FlexLogger as tables: one for each group, length and rate."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from vtox.motor.errors import FileError
from vtox.motor.files.libraries import guard_library, require_package
from vtox.motor.files.table import Column, Remark, Samples, Table, as_floats, check_values

EXTRA = "files"


def open_tdms(path: Path) -> list[Table]:
    """Return the tables in a TDMS file.

    Raises `FileError`: it is damaged.
    """
    with require_package(path, "nptdms", extra=EXTRA):
        import nptdms
    with guard_library(path, "TDMS"), path.open("rb") as raw, nptdms.TdmsFile.open(raw) as file:
        early = file.file_status.incomplete_final_segment
        tables: dict[tuple[str, int, float], list[Any]] = {}
        for group in file.groups():
            for channel in group.channels():
                if channel.dtype.kind in "biufM":
                    step = float(channel.properties.get("wf_increment", 0) or 0)
                    # In an interrupted file each channel of a rate has as many samples as the
                    # shortest.
                    length = 0 if early else len(channel)
                    tables.setdefault((group.name, length, step), []).append(channel)
        return [
            _table(path, group, min(map(len, channels)), step, channels, early)
            for (group, _, step), channels in tables.items()
            if any(map(len, channels))
        ]


def _table(
    path: Path, group: str, length: int, step_s: float, channels: Sequence[Any], early: bool
) -> Table:
    if not length:
        raise FileError("damaged", path, f"breaks off before the samples of some of {group!r}")
    first: Mapping[str, Any] = channels[0].properties
    start = first.get("wf_start_time")
    return Table(
        path=path,
        columns=tuple(_column(c) for c in channels),
        load=partial(_load, path, group, length),
        name=group,
        scalars={
            k: float(v)
            for k, v in first.items()
            if isinstance(v, int | float) and not isinstance(v, bool)
        },
        fs_hz=1 / step_s if step_s > 0 else None,
        rate_source="wf_increment",
        remarks=(Remark("end", "early, read as far as it goes", "stated"),) if early else (),
        started="" if start is None or step_s <= 0 else str(start),
    )


def _column(channel: Any) -> Column:
    if channel.dtype.kind == "M":
        return Column(channel.name, "s", "time")
    return Column(channel.name, str(channel.properties.get("unit_string", "") or ""))


def _load(path: Path, group: str, length: int, names: Sequence[str]) -> dict[str, Samples]:
    with require_package(path, "nptdms", extra=EXTRA):
        import nptdms
    check_values(path, length * len(names))
    with guard_library(path, "TDMS"), path.open("rb") as raw, nptdms.TdmsFile.open(raw) as file:
        return {n: as_floats(path, n, file[group][n][:length]) for n in names}
