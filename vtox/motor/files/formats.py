"""Format of a file: by its content, then by the ending of its name."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path

from vtox.motor.errors import FileError
from vtox.motor.faults import PackageProblem, is_own, package_of, registered
from vtox.motor.files.child import in_child
from vtox.motor.files.csv_table import open_csv
from vtox.motor.files.readers.archives import is_zip, names_in, open_compressed_text
from vtox.motor.files.readers.audio import is_audio, open_audio
from vtox.motor.files.readers.comtrade_lines import wrong_line
from vtox.motor.files.readers.comtrade_records import is_comtrade, open_comtrade, sibling
from vtox.motor.files.readers.excel import open_excel
from vtox.motor.files.readers.labview import is_labview, open_labview
from vtox.motor.files.readers.matlab import is_matlab, open_matlab
from vtox.motor.files.readers.mdf import is_mdf, open_mdf
from vtox.motor.files.readers.npz import open_npz
from vtox.motor.files.readers.parquet import open_parquet
from vtox.motor.files.readers.sel_events import is_sel_event, open_sel_event
from vtox.motor.files.readers.tdms import open_tdms
from vtox.motor.files.readers.uff import is_uff, open_uff
from vtox.motor.files.table import MAX_BYTES, Table


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its endings, whether a file that begins so has it, and its reader.

    A module that an entry point of the group `vtox.formats` names has some as `FORMATS`. Readers of
    packages run in a child process (`vtox.motor.files.child`): they are functions of a module.
    """

    name: str
    suffixes: tuple[str, ...]
    fits: Callable[[bytes, Path], bool]
    open: Callable[[Path], list[Table]]


def _begins(*beginnings: bytes) -> Callable[[bytes, Path], bool]:
    return lambda head, _: head.startswith(beginnings)


def _head(fits: Callable[[bytes], bool]) -> Callable[[bytes, Path], bool]:
    return lambda head, _: fits(head)


def _holds(ending: str) -> Callable[[bytes, Path], bool]:
    """Return whether a file is a zip archive with a file of that name or ending in it."""
    return lambda head, path: is_zip(head) and any(n.endswith(ending) for n in names_in(path))


_EXCEL = in_child(open_excel, "python_calamine")
COMTRADE = Format(
    "COMTRADE", (".cfg", ".cff"), _head(is_comtrade), in_child(open_comtrade, "comtrade")
)
GROUP = "vtox.formats"
HEAD = 512
# Text has no beginning that marks it: it is the last choice.
CSV = Format("CSV", (".csv", ".tsv", ".txt", ".asc", ".dat"), _head(lambda _: False), open_csv)
FORMATS = (
    Format("NumPy", (".npz", ".npy"), _begins(b"\x93NUMPY"), open_npz),
    Format("NumPy", (".npz",), _holds(".npy"), open_npz),
    Format("Excel", (".xls", ".ods"), _begins(b"\xd0\xcf\x11\xe0"), _EXCEL),
    Format("Excel", (".xlsx", ".xlsm"), _holds("xl/workbook.xml"), _EXCEL),
    Format("Excel", (".xlsb", ".ods"), _holds("content.xml"), _EXCEL),
    Format("CSV in zip", (".zip",), _head(is_zip), open_compressed_text),
    COMTRADE,
    Format("SEL event report", (".cev",), _head(is_sel_event), open_sel_event),
    Format("LabVIEW", (".lvm",), _head(is_labview), in_child(open_labview, "lvm_read")),
    Format("WAV or FLAC", (".wav", ".flac"), _head(is_audio), in_child(open_audio, "soundfile")),
    Format("MATLAB", (".mat",), _head(is_matlab), in_child(open_matlab, "pymatreader")),
    Format(
        "Parquet", (".parquet", ".pq"), _begins(b"PAR1"), in_child(open_parquet, "pyarrow.parquet")
    ),
    Format("TDMS", (".tdms",), _begins(b"TDSm"), in_child(open_tdms, "nptdms")),
    Format("MDF", (".mf4", ".mdf"), _head(is_mdf), in_child(open_mdf, "asammdf")),
    Format("UFF", (".uff", ".unv", ".ufb"), _head(is_uff), in_child(open_uff, "pyuff")),
)
# Files that people have and VTOX does not read, by their beginning.
FOREIGN = (
    (b"\x1f\x8b", "compressed with gzip", "unpack it"),
    (b"7z\xbc\xaf", "a 7-Zip archive", "unpack it"),
    (b"Rar!", "a RAR archive", "unpack it"),
    (b"%PDF", "a PDF document", "export the samples as CSV"),
    (b"\x89PNG", "a picture", "export the samples as CSV"),
)


@cache
def formats() -> tuple[Format, ...]:
    """Return the formats in the order in which they are tried: those of packages before text."""
    return (*_registered()[0], CSV)


def suffixes() -> tuple[str, ...]:
    """Return the endings of recordings."""
    return tuple(s for f in formats() for s in f.suffixes)


def refused_formats() -> list[PackageProblem]:
    """Return the packages whose formats are left out, and why."""
    return list(_registered()[1])


@cache
def _registered() -> tuple[tuple[Format, ...], tuple[PackageProblem, ...]]:
    """Return the formats of VTOX, then of packages, and the packages that are left out."""
    found, refused = registered(GROUP)
    several: list[Format] = []
    for e in sorted(found.values(), key=lambda e: (not is_own(e), e.name)):
        try:
            several += import_module(e.value).FORMATS if is_own(e) else _of_package(e)
        except Exception as error:  # the package runs its code
            refused.append(PackageProblem(e.name, package_of(e), "import_failed", repr(error)))
    return tuple(several), tuple(refused)


def _of_package(e: EntryPoint) -> list[Format]:
    """Return the formats of a package, whose readers run in the child; raise if one cannot."""
    taken: list[Format] = []
    for f in import_module(e.value).FORMATS:
        pickle.dumps(f.open)
        fits = partial(_fits, f.fits)
        taken.append(Format(f.name, tuple(f.suffixes), fits, in_child(f.open, e.value)))
    return taken


def _fits(fits: Callable[[bytes, Path], bool], head: bytes, path: Path) -> bool:
    """Return whether a file has a format of a package; one whose test fails has it not."""
    try:
        return bool(fits(head, path))
    except Exception:
        return False


def format_of(path: Path) -> Format:
    """Return the format of a file.

    Raises `FileError`: there is no such file, it is too large, or it is not of the format of its
    name.
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
    if is_part_of_comtrade(path):
        return COMTRADE
    return _by_content(path, head) or _by_name(path)


def is_part_of_comtrade(path: Path) -> bool:
    """Whether a file is the data of a COMTRADE record, which has its configuration next to it."""
    return path.suffix.lower() == ".dat" and sibling(path, ".cfg") is not None


def tables_in(path: Path) -> list[Table]:
    """Return the tables in a file, before their samples are read.

    Raises `FileError`: it is no recording, or cannot be read.
    """
    return format_of(path).open(path)


def _by_content(path: Path, head: bytes) -> Format | None:
    for beginning, what, remedy in FOREIGN:
        if head.startswith(beginning):
            raise FileError("unknown_format", path, what, remedy=remedy)
    return next((f for f in formats() if f.fits(head, path)), None)


def _by_name(path: Path) -> Format:
    """Return text for a file of unknown content; refuse one with the name of another format."""
    named = next((f for f in formats() if path.suffix.lower() in f.suffixes), CSV)
    if named is COMTRADE and path.suffix.lower() == ".cfg":
        raise FileError("wrong_content", path, wrong_line(_text(path)) or f"expected {named.name}")
    if named is not CSV:
        raise FileError("wrong_content", path, f"expected {named.name}, which its content is not")
    return named


def _text(path: Path) -> str:
    """Return the beginning of a text file, whatever its encoding."""
    with path.open("rb") as file:
        return file.read(HEAD).decode("latin-1")
