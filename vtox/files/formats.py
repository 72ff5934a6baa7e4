"""Which format a file has: by its content, then by the ending of its name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vtox.errors import FileError
from vtox.files.csv_table import open_csv
from vtox.files.npz import open_npz
from vtox.files.table import MAX_BYTES, Table


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its endings, what its files begin with (nothing for text), and its reader."""

    name: str
    suffixes: tuple[str, ...]
    beginnings: tuple[bytes, ...]
    open: Callable[[Path], list[Table]]


CSV = Format("CSV", (".csv", ".tsv", ".txt", ".asc", ".dat"), (), open_csv)
FORMATS = (
    Format("NumPy", (".npz", ".npy"), (b"PK\x03\x04", b"PK\x05\x06", b"\x93NUMPY"), open_npz),
    CSV,
)
SUFFIXES = tuple(s for f in FORMATS for s in f.suffixes)
# Files that people have and VTOX does not read, by their beginning.
FOREIGN = (
    (b"\xd0\xcf\x11\xe0", "an Excel workbook (.xls)", "save the sheet as CSV"),
    (b"\x1f\x8b", "compressed with gzip", "unpack it"),
    (b"7z\xbc\xaf", "a 7-Zip archive", "unpack it"),
    (b"Rar!", "a RAR archive", "unpack it"),
    (b"%PDF", "a PDF document", "export the samples as CSV"),
    (b"\x89PNG", "a picture", "export the samples as CSV"),
)
HEAD = 512


def format_of(path: Path) -> Format:
    """Return the format of a file.

    Raises
    ------
    FileError
        There is no such file, it is too large, or it is not what its name says.
    """
    if not path.is_file():
        problem = "not a file" if path.exists() else "no such file"
        raise FileError("no_such_file", path, f"{problem}, expected a recording")
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise FileError("no_such_file", path, f"{error.strerror}") from error
    if size > MAX_BYTES:
        observed = f"{size >> 20} MiB, expected at most {MAX_BYTES >> 20} MiB"
        raise FileError("too_large", path, observed, remedy="cut it into shorter recordings")
    return _by_content(path, head) or _by_name(path)


def tables_in(path: Path) -> list[Table]:
    """Return the tables in a file, before their samples are read.

    Raises
    ------
    FileError
        It is no recording, or cannot be read.
    """
    return format_of(path).open(path)


def _by_content(path: Path, head: bytes) -> Format | None:
    for beginning, what, remedy in FOREIGN:
        if head.startswith(beginning):
            raise FileError("unknown_format", path, what, remedy=remedy)
    return next((f for f in FORMATS if head.startswith(f.beginnings)), None)


def _by_name(path: Path) -> Format:
    """Return the format of a file whose content says nothing: text, or not what its name says."""
    named = next((f for f in FORMATS if path.suffix.lower() in f.suffixes), CSV)
    if named.beginnings:
        raise FileError("wrong_content", path, f"expected {named.name}, which its content is not")
    return named
