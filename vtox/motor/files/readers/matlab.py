"""MAT-files of MATLAB 5 to 7.3 as tables: one for each length of its variables."""

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vtox.motor.errors import FileError
from vtox.motor.files.libraries import guard_library, require_package
from vtox.motor.files.table import MAX_BYTES, Column, Samples, Table, as_floats, check_values

EXTRA = "files"
MAX_COLUMNS = 64
# Structures in structures, deeper than anybody writes them.
MAX_DEPTH = 8
_COMPRESSED = 15
# The names of the Case Western Reserve University bearing data: X097_DE_time, X097RPM.
_CWRU = re.compile(r"^X\d{3}_?(?=(?:DE|FE|BA)_time$|RPM$)")
Numbers = npt.NDArray[Any]


def is_matlab(head: bytes) -> bool:
    """Whether a file begins as a MAT-file of version 5 or later."""
    return head.startswith((b"MATLAB 5", b"MATLAB 7"))


def open_matlab(path: Path) -> list[Table]:
    """Return the tables in a MAT-file: its vectors of one length, matrices split into columns.

    Raises `FileError`: it is damaged, or unpacks to more than may be read.
    """
    with require_package(path, "pymatreader", extra=EXTRA):
        import pymatreader
    with guard_library(path, "MATLAB"):
        references = _check_size(path)
        content = pymatreader.read_mat(path, ignore_fields=references)
        arrays = dict(_arrays(content))
    return [
        table for name, group in _recordings(arrays).items() for table in _tables(path, group, name)
    ]


def _tables(path: Path, arrays: Mapping[str, Numbers], name: str) -> list[Table]:
    """Return the tables of one recording: one for each length of its variables."""
    short = _short_names(arrays)
    columns = {short[n]: x for n, x in arrays.items() if x.ndim == 1 and x.size > 1}
    for key, x in arrays.items():
        if x.ndim == 2:
            rows = x if x.shape[0] >= x.shape[1] else x.T
            if rows.shape[1] <= MAX_COLUMNS:
                columns |= {f"{short[key]}:{i}": y for i, y in enumerate(rows.T, start=1)}
    scalars = {
        short[n]: float(x.reshape(())) for n, x in arrays.items() if x.size == 1 and x.dtype != "O"
    }
    lengths = sorted({len(x) for x in columns.values()}, reverse=True)
    several = len(lengths) > 1
    return [
        Table(
            path=path,
            columns=tuple(Column(c) for c, x in columns.items() if len(x) == n),
            load=partial(_load, path, {c: x for c, x in columns.items() if len(x) == n}),
            name=", ".join(filter(None, (name, f"{n} samples" * several))),
            scalars=scalars,
        )
        for n in lengths
    ]


def _recordings(arrays: Mapping[str, Numbers]) -> dict[str, dict[str, Numbers]]:
    """Return the arrays of each recording, by the structure they are in.

    A file of recordings has structures with the same fields. Others are one recording, whatever
    structures its variables are in; numbers outside of the structures are of all recordings.
    """
    folders = {n: n.rpartition(".")[0] for n in arrays}
    fields: dict[str, set[str]] = {}
    for name, x in arrays.items():
        if x.size > 1:
            fields.setdefault(folders[name], set()).add(name.rpartition(".")[2])
    several = [f for f in fields if any(g != f and fields[g] == fields[f] for g in fields)]
    if not several:
        return {"": dict(arrays)}

    def belongs(name: str, folder: str) -> bool:
        above = arrays[name].size == 1 and f"{folder}.".startswith(f"{folders[name]}.".lstrip("."))
        return folders[name] == folder or above

    return {f: {n: x for n, x in arrays.items() if belongs(n, f)} for f in several}


def _load(path: Path, columns: Mapping[str, Numbers], names: Sequence[str]) -> dict[str, Samples]:
    return {n: as_floats(path, n, np.ascontiguousarray(columns[n])) for n in names}


def _arrays(content: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[Any]:
    """Yield the dotted names and the real numbers of a file, those of its structures too."""
    for key, value in content.items():
        name = f"{prefix}{_CWRU.sub('', key)}"
        if isinstance(value, Mapping) and depth < MAX_DEPTH:
            yield from _arrays(_elements(value), f"{name}.", depth + 1)
        elif isinstance(value, int | float | np.number | np.ndarray):
            x = np.asarray(value)
            if x.dtype.kind in "biuf" and x.ndim <= 2 and x.size:
                yield name, np.squeeze(x)


def _elements(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the elements of an array of structures, whose fields are lists of one length.

    They are named by the field with texts, all different, else by their numbers, from 1.
    """
    lists = {k: v for k, v in fields.items() if isinstance(v, list)}
    counts = {len(v) for v in lists.values()}
    if len(counts) != 1 or not (count := counts.pop()):
        return fields
    names = next((v for v in lists.values() if _are_names(v)), list(map(str, range(1, count + 1))))
    rows = {k: v for k, v in fields.items() if np.shape(v) == (count,) or k in lists}
    values = {k: v for k, v in rows.items() if not isinstance(v[0], str)}
    if len(values) == 1 and names in lists.values():
        return dict(zip(names, next(iter(values.values())), strict=True))
    return {n: {k: v[i] for k, v in values.items()} for i, n in enumerate(names)}


def _are_names(values: Sequence[Any]) -> bool:
    return all(isinstance(v, str) and v for v in values) and len(set(values)) == len(values)


def _short_names(arrays: Mapping[str, Numbers]) -> dict[str, str]:
    """Return names without the structures around them, if that leaves them different."""
    last = [n.rpartition(".")[2] for n in arrays]
    return {n: n.rpartition(".")[2] if last.count(n.rpartition(".")[2]) == 1 else n for n in arrays}


def _check_size(path: Path) -> list[str]:
    """Make sure that a file unpacks to no more than may be read.

    Returns the fields to leave alone: references of 7.3, as in cells, may lead anywhere and to the
    same array any number of times.
    """
    with path.open("rb") as file:
        if file.read(8) == b"MATLAB 7":
            return _check_hdf5(path)
    _check_compressed(path)
    return []


def _check_hdf5(path: Path) -> list[str]:
    with require_package(path, "h5py", extra=EXTRA):
        import h5py
    values, references = 0, set()

    def visit(name: str, item: Any) -> None:
        nonlocal values
        if isinstance(item, h5py.Dataset):
            values += item.size or 0
            check_values(path, values)
            if item.dtype.kind == "O":
                references.add(name.rpartition("/")[2])

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return sorted(references)


def _check_compressed(path: Path) -> None:
    """Unpack the variables of a file of version 5 once, in pieces, to learn how large they are."""
    total = 0
    with path.open("rb") as file:
        order = "little" if file.read(128)[126:128] == b"IM" else "big"
        while len(tag := file.read(8)) == 8:
            kind = int.from_bytes(tag[:4], order)  # type: ignore[arg-type]
            left = size = int.from_bytes(tag[4:], order)  # type: ignore[arg-type]
            unpacker = zlib.decompressobj() if kind == _COMPRESSED else None
            while left and (piece := file.read(min(left, 1 << 20))):
                left -= len(piece)
                while unpacker and piece:
                    total += len(unpacker.decompress(piece, 1 << 20))
                    piece = unpacker.unconsumed_tail
                    if total > MAX_BYTES:
                        raise FileError(
                            "too_large", path, f"unpacks to more than {MAX_BYTES >> 20} MiB"
                        )
            if left:
                raise FileError(
                    "damaged", path, f"breaks off {left} bytes before the end of {size}"
                )
