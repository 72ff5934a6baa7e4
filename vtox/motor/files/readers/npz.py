"""`.npz` archives and `.npy` arrays as a table; arrays of Python objects are refused."""

import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from vtox.motor.errors import FileError
from vtox.motor.files.libraries import guard_library
from vtox.motor.files.table import MAX_BYTES, Column, Samples, Table, as_floats, check_values

MAX_COLUMNS = 64


def open_npz(path: Path) -> list[Table]:
    """Return the arrays of an archive: those of one dimension as columns, of two as a table each.

    Raises `FileError`: it is damaged, unpacks to more than `MAX_BYTES`, or holds Python objects.
    """
    columns: list[Column] = []
    scalars: dict[str, float] = {}
    for key, array in _arrays(path).items():
        if array.dtype.kind not in "fiu":
            continue
        if array.size == 1:
            scalars[key] = float(array.reshape(()))
        elif array.ndim == 1:
            columns.append(Column(key))
        elif array.ndim == 2 and array.shape[1] <= MAX_COLUMNS:
            columns += [Column(f"{key}:{i}") for i in range(1, array.shape[1] + 1)]
    return [Table(path=path, columns=tuple(columns), load=partial(_load, path), scalars=scalars)]


def _load(path: Path, names: Sequence[str]) -> dict[str, Samples]:
    arrays = _arrays(path)
    columns: dict[str, Samples] = {}
    for name in names:
        key, _, number = name.rpartition(":") if name not in arrays else (name, "", "")
        x = arrays[key][:, int(number) - 1] if number else arrays[key]
        columns[name] = as_floats(path, name, x)
    return columns


def _arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    with guard_library(path, ".npz or .npy"), path.open("rb") as file:
        if zipfile.is_zipfile(file):
            _check_archive(path, file)
        file.seek(0)
        try:
            # Without pickle, so that a file of arrays cannot contain code.
            content = np.load(file, allow_pickle=False)
            if isinstance(content, np.ndarray):
                check_values(path, content.size)
                return {"x": np.atleast_1d(content)}
            with content as archive:
                return {k: x for k, x in archive.items() if isinstance(x, np.ndarray)}
        except ValueError as error:
            if "allow_pickle" not in str(error):
                raise
            raise FileError(
                "pickled",
                path,
                "it holds Python objects, which could run code",
                remedy="save arrays of numbers, one for each channel",
            ) from error


def _check_archive(path: Path, file: IO[bytes]) -> None:
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
    if sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise FileError("too_large", path, f"unpacks to more than {MAX_BYTES >> 20} MiB")
    if not any(entry.filename.endswith(".npy") for entry in entries):
        raise FileError("unknown_format", path, "a zip archive without arrays")
