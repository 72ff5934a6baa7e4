"""The kind of a zip archive: arrays of NumPy, a workbook, or a text file that was compressed."""

import zipfile
from pathlib import Path
from typing import cast

from vtox.motor.errors import FileError
from vtox.motor.files.csv_table import open_csv
from vtox.motor.files.libraries import guard_library
from vtox.motor.files.table import MAX_BYTES, Table, shortened

TEXTS = (".csv", ".tsv", ".txt", ".asc", ".dat")


def is_zip(head: bytes) -> bool:
    """Whether a file begins as a zip archive, also an empty one."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def names_in(path: Path) -> list[str]:
    """Return the names of the files in a zip archive, without folders.

    Raises `FileError`: it is damaged, or unpacks to more than `MAX_BYTES`.
    """
    with guard_library(path, "zip"), zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    if sum(e.file_size for e in entries) > MAX_BYTES:
        raise FileError("too_large", path, f"unpacks to more than {MAX_BYTES >> 20} MiB")
    return [e.filename for e in entries if e.filename and not e.is_dir()]


def open_compressed_text(path: Path) -> list[Table]:
    """Return the table in a zip archive of one text file.

    Raises `FileError`: it holds no text file or several, or as with `open_csv`.
    """
    names = names_in(path)
    texts = [n for n in names if n.lower().endswith(TEXTS) and not n.startswith("__MACOSX/")]
    if len(texts) != 1:
        observed = f"a zip archive of {shortened(names) or 'nothing'}, expected one text file"
        raise FileError("unknown_format", path, observed, remedy="unpack it")
    with guard_library(path, "zip"):
        # It opens and names itself as a path does, which is all that is asked of it.
        return open_csv(cast(Path, zipfile.Path(path, texts[0])))
