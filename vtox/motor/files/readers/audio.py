"""WAV and FLAC as a table: columns bear their numbers, as audio files have no names for them."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from vtox.motor.errors import FileError
from vtox.motor.files.libraries import guard_library, require_package
from vtox.motor.files.table import Column, Remark, Samples, Table, check_values

EXTRA = "files"
# Length in a WAV that its recorder never completed: the rest of the file counts.
_OPEN_LENGTHS = (0, 0xFFFFFFFF)


def is_audio(head: bytes) -> bool:
    """Whether a file begins as WAV (also beyond 4 GiB) or FLAC."""
    wave = head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE"
    return wave or head.startswith(b"fLaC")


def open_audio(path: Path) -> list[Table]:
    """Return the table in an audio file; full scale is 1.

    Raises `FileError`: it is damaged or breaks off.
    """
    with require_package(path, "soundfile", extra=EXTRA):
        import soundfile
    with guard_library(path, "audio"):
        info = soundfile.info(path)
        _check_length(path)
        check_values(path, info.frames * info.channels)
        names = [str(i) for i in range(1, info.channels + 1)]
        return [
            Table(
                path=path,
                columns=tuple(Column(n) for n in names),
                load=partial(_load, path, info.frames),
                fs_hz=float(info.samplerate),
                rate_source="the heading",
                remarks=(Remark("samples", f"{info.format} {info.subtype}", "stated"),),
            )
        ]


def _check_length(path: Path) -> None:
    """Make sure that a WAV is as long as it says: the library reads a shorter one silently."""
    with path.open("rb") as file:
        head = file.read(8)
    size, length = path.stat().st_size, int.from_bytes(head[4:], "little")
    if head[:4] == b"RIFF" and length not in _OPEN_LENGTHS and size < length + 8:
        raise FileError("damaged", path, f"{size} bytes, expected {length + 8} by its heading")


def _load(path: Path, frames: int, names: Sequence[str]) -> dict[str, Samples]:
    with require_package(path, "soundfile", extra=EXTRA):
        import soundfile
    with guard_library(path, "audio"):
        x, _ = soundfile.read(path, always_2d=True, dtype="float64")
        if len(x) < frames:
            raise FileError("damaged", path, f"{len(x)} samples, expected {frames} by its heading")
        return {n: x[:, int(n) - 1].copy() for n in names}
