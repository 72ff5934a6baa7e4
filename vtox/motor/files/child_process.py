"""The child that reads files for its parent: requests from stdin, answers to stdout."""

import gc
import importlib
import mmap
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from vtox.motor.errors import FileError
from vtox.motor.files.libraries import guard_library
from vtox.motor.files.table import Samples, Table

resource: ModuleType | None
try:
    import resource
except ImportError:  # Windows
    resource = None

# The libraries themselves take up to 200 MB; the readers of text take twenty times the file.
MEMORY_BYTES, MEMORY_PER_BYTE = 400 << 20, 24
# The slowest reader takes 1 s for a MiB; boxes may be five times slower.
CPU_S, _CPU_S_PER_MIB = 2, 5
# Largest file where the system does not limit memory.
_UNLIMITED_BYTES = 1 << 26


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """Memory and processor time that reading a file may take."""

    memory_bytes: int
    cpu_s: int


def limits_of(path: Path) -> ReadingLimits:
    """Return the limits of a file by its size, with the data that a COMTRADE record has next to it.

    Raises `FileError`: it is not there.
    """
    size = _size(path)
    return ReadingLimits(
        MEMORY_BYTES + MEMORY_PER_BYTE * size, CPU_S + (_CPU_S_PER_MIB * size >> 20)
    )


def _size(path: Path) -> int:
    files = {path, path.with_suffix(".dat"), path.with_suffix(".DAT")}
    return sum(os.stat(p).st_size for p in files if p.exists())


def write(pipe: IO[bytes], value: Any) -> None:
    """Write a value; arrays follow it as they are in memory."""
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    raw = [b.raw() for b in buffers]
    pickle.dump((body, [r.nbytes for r in raw]), pipe, protocol=5)
    for r in raw:
        pipe.write(r)
    pipe.flush()


def read(pipe: IO[bytes]) -> Any:
    """Return a value that `write` wrote.

    Raises `EOFError`: the other side ended.
    """
    body, sizes = pickle.load(pipe)
    buffers = [bytearray(n) for n in sizes]
    for b in buffers:
        if pipe.readinto(b) < len(b):  # type: ignore[attr-defined]
            raise EOFError
    return pickle.loads(body, buffers=buffers)


# The tables of the last file, with the data that its library has read.
_last: tuple[Any, list[Table]] | None = None


def open_tables(path: Path, reader: Callable[[Path], list[Table]]) -> list[Table]:
    """Return the tables of a file; their samples stay here."""
    return [replace(t, load=_reject_samples) for t in _tables(path, reader)]


def load_columns(
    path: Path, reader: Callable[[Path], list[Table]], number: int, names: Sequence[str]
) -> dict[str, Samples]:
    """Return columns of a table of a file."""
    tables = _tables(path, reader)
    if number >= len(tables):
        raise FileError("damaged", path, "changed while it was read")
    return tables[number].load(names)


def _tables(path: Path, reader: Callable[[Path], list[Table]]) -> list[Table]:
    global _last
    stat = path.stat()
    key = (path.absolute(), stat.st_mtime_ns, stat.st_size, reader)
    if _last is None or _last[0] != key:
        _last = None
        _last = (key, reader(path))
    return _last[1]


def _reject_samples(names: Sequence[str]) -> dict[str, Samples]:
    raise AssertionError("the samples are in the child")


def serve() -> None:
    """Answer requests until the parent closes their pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # output of libraries is no answer
    limited = _limits_work()
    while True:
        try:
            request = read(sys.stdin.buffer)
        except EOFError:
            return
        answer = _answer(*request, limited=limited)
        _unlimit()
        write(answers, answer)


def _answer(
    folder: str,
    library: str,
    function: Callable[..., Any],
    path: Path,
    args: Sequence[Any],
    *,
    limited: bool,
) -> Any:
    """Return the value of a function, or the error that it ends in."""
    os.chdir(folder)  # that of the parent, which a path may count from
    _import(library)
    try:
        _check_size(path, limited=limited)
        _limit(limits_of(path))
        with guard_library(path, "recording"):
            return function(path, *args)
    except FileError as error:
        return error.__cause__ if isinstance(error.__cause__, MemoryError) else error


def _import(library: str) -> None:
    """Import a library before the limits, of which its modules are no part."""
    if library in sys.modules:
        return
    try:
        importlib.import_module(library)
    except ImportError:
        return  # the reader reports it by name
    gc.freeze()  # `guard_library` collects after each damaged file, but no modules


def _check_size(path: Path, *, limited: bool) -> None:
    if not limited and (size := _size(path)) > _UNLIMITED_BYTES:
        observed = f"{size >> 20} MiB, expected at most {_UNLIMITED_BYTES >> 20} MiB on this system"
        raise FileError("too_large", path, observed, remedy="cut it into shorter recordings")


def _limits_work() -> bool:
    """Whether the system refuses memory beyond the limit; macOS does not."""
    if not resource:
        return False
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    _limit(ReadingLimits(MEMORY_BYTES, CPU_S))
    try:
        mmap.mmap(-1, 2 * MEMORY_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except (OSError, MemoryError):
        return True
    finally:
        _unlimit()
    return False


def _limit(limits: ReadingLimits) -> None:
    if resource:
        _set(resource.RLIMIT_DATA, limits.memory_bytes)
        _set(resource.RLIMIT_CPU, int(time.process_time()) + 1 + limits.cpu_s)


def _unlimit() -> None:
    if resource:
        for kind in (resource.RLIMIT_DATA, resource.RLIMIT_CPU):
            _set(kind, resource.RLIM_INFINITY)


def _set(kind: int, value: int) -> None:
    """Set a limit, at most the one of the administrator."""
    assert resource
    most = resource.getrlimit(kind)[1]
    infinite = resource.RLIM_INFINITY
    soft = most if value == infinite else value if most == infinite else min(value, most)
    resource.setrlimit(kind, (soft, most))
