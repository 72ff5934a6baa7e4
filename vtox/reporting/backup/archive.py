"""The file of a backup: a tar archive, compressed by gzip, with a manifest that comes first.

::

    manifest.json     form, version of VTOX, time, counts, size and SHA-256 of each member below
    machines.jsonl    one machine a line
    hashes.jsonl      API keys (hashes, as stored) and the like
    evidence.jsonl    the windows behind warnings and faults, one stream entry a line
    alerts.jsonl      events of alerts, one stream entry a line
    actions.jsonl     actions of operators on alarms, one stream entry a line
    audit.jsonl       changes and their authors, one stream entry a line
    history.sqlite    the history, unless it is in PostgreSQL

Members are read by name into our own files: no path of the archive is ever used.
"""

import gzip
import hashlib
import json
import os
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from vtox.motor.errors import InputError
from vtox.reporting.backup.errors import ArchiveError
from vtox.reporting.history.copying import FILE as HISTORY

# Raised when an older version could not restore what this one writes.
FORM = 2
MANIFEST = "manifest.json"
MACHINES, HASHES, EVIDENCE, ALERTS, ACTIONS, AUDIT = (
    f"{n}.jsonl" for n in ("machines", "hashes", "evidence", "alerts", "actions", "audit")
)
MEMBERS = frozenset((MACHINES, HASHES, EVIDENCE, ALERTS, ACTIONS, AUDIT))
# The default of tarfile, 9, takes twice as long for a hundredth less.
_COMPRESSION = 6
_READ_BYTES = 1 << 20
# A manifest has some kB; a larger file is none.
_MANIFEST_BYTES = 1 << 20

Row = dict[str, Any]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Description of an archive, stored in it; `history` is the place of the history."""

    form: int
    vtox: str
    made: str
    history: Literal["sqlite", "postgresql", "none"]
    counts: Mapping[str, int]
    history_rows: Mapping[str, int]
    # Name -> `bytes` and `sha256`.
    members: Mapping[str, Mapping[str, Any]]


def write_rows(file: Path, rows: Iterable[Row]) -> int:
    """Write rows, one a line; return how many."""
    n = 0
    with file.open("x", encoding="ascii") as out:
        for row in rows:
            out.write(json.dumps(row) + "\n")
            n += 1
    return n


def read_rows(file: Path, decode: Callable[[Row], _T]) -> Iterator[_T]:
    """Yield the rows of a member, each as `decode` returns it.

    Raises `ArchiveError`: a line is no such row.
    """
    with file.open("rb") as lines:
        for line in lines:
            try:
                yield decode(json.loads(line))
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                raise _damaged(f"a line of {file.name} cannot be read") from error


def describe(files: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """Return size and SHA-256 of each file, by name, for the manifest."""
    return {f.name: {"bytes": f.stat().st_size, "sha256": _sha256(f)} for f in files}


def write(path: Path, manifest: Manifest, folder: Path) -> None:
    """Write the members in a folder as an archive: whole or not at all, for its owner alone.

    The folder is on the same disk as the archive.
    """
    head = folder / MANIFEST
    head.write_text(json.dumps(asdict(manifest), indent=2) + "\n", encoding="ascii")
    fd, unfinished = tempfile.mkstemp(dir=folder)
    with os.fdopen(fd, "wb") as out:
        with tarfile.open(fileobj=out, mode="w:gz", compresslevel=_COMPRESSION) as tar:
            for name in (MANIFEST, *manifest.members):
                tar.add(folder / name, arcname=name, filter=_without_owner)
        out.flush()
        os.fsync(out.fileno())
    os.replace(unfinished, path)


def read(path: Path, folder: Path) -> Manifest:
    """Unpack an archive into a folder, every member checked against the manifest.

    Raises `ArchiveError`: it is damaged, no backup of VTOX, or of a later form. `InputError`: it
    cannot be opened.
    """
    try:
        with gzip.open(path) as stream:
            # "r|": strictly forward, as the members are in the order of the manifest.
            with tarfile.open(fileobj=stream, mode="r|") as tar:
                manifest = _manifest(tar)
                for name, expected in manifest.members.items():
                    _unpack(tar, name, expected, folder / name)
            while stream.read(_READ_BYTES):
                pass  # at its end the checksum of the whole is compared
            return manifest
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(str(error) or type(error).__name__) from error
    except OSError as error:
        raise InputError(f"{error.filename or folder}: {error.strerror or error}") from error


def _manifest(tar: tarfile.TarFile) -> Manifest:
    first = tar.next()
    if first is None or first.name != MANIFEST or first.size > _MANIFEST_BYTES:
        raise _damaged("it does not begin with a manifest")
    file = tar.extractfile(first)
    try:
        table = json.loads(file.read() if file else b"")
        form = int(table["form"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _damaged("its manifest cannot be read") from None
    if form > FORM:
        raise ArchiveError(
            "later_form",
            f"the archive has form {form}, written by VTOX {table.get('vtox')}; this version reads "
            f"up to form {FORM}",
            remedy="restore it with that version",
        )
    try:
        manifest = Manifest(**{n: table[n] for n in Manifest.__slots__})
        names = set(manifest.members)
    except (TypeError, KeyError):
        raise _damaged("its manifest is not complete") from None
    if not MEMBERS <= names <= {*MEMBERS, HISTORY}:
        raise _damaged("its manifest names other members than a backup has")
    return manifest


def _unpack(tar: tarfile.TarFile, name: str, expected: Mapping[str, Any], target: Path) -> None:
    member = tar.next()
    file = tar.extractfile(member) if member and member.name == name and member.isreg() else None
    if member is None or file is None or member.size != expected.get("bytes"):
        raise _damaged(f"{name} is not there, or not as large as the manifest says")
    digest = hashlib.sha256()
    with target.open("xb") as out:
        while piece := file.read(_READ_BYTES):
            digest.update(piece)
            out.write(piece)
    if digest.hexdigest() != expected.get("sha256"):
        raise _damaged(f"the SHA-256 of {name} is not that of the manifest")


def _without_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _damaged(why: str) -> ArchiveError:
    return ArchiveError("damaged", f"the archive is damaged: {why}", remedy="use another backup")
