"""Formats of foreign libraries, read in a child process with limits of memory and time.

A wrong length in a file makes such a library ask for any amount of memory, or end its process. Here
it ends a child, and reading ends in a `FileError`. One child serves many files.
"""

import atexit
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, Any

from vtox.motor.errors import FileError
from vtox.motor.files import child_process
from vtox.motor.files.table import Samples, Table

Reader = Callable[[Path], list[Table]]
# The child counts its own processor time. A library that waits without using any is ended after so
# many times its limit.
PATIENCE = 20
# A signal that means "too much" rather than "broken": Rust and C++ abort without memory.
_TOO_MUCH: dict[int, str] = {
    signal.SIGABRT: "memory",
    signal.SIGKILL: "memory or time",
    signal.SIGXCPU: "time",
}
_START = "import sys; sys.path[:] = {}; from vtox.motor.files.child_process import serve; serve()"
_lock = threading.Lock()
_process: subprocess.Popen[bytes] | None = None
_owner = 0


def in_child(reader: Reader, library: str) -> Reader:
    """Return a reader that opens and loads its tables in the child; `library` is imported there."""
    return partial(_tables, reader, library)


def call(library: str, function: Callable[..., Any], path: Path, *args: Any) -> Any:
    """Call a function of a module on a file in the child.

    A child may lack memory because it has read other files. A request that ends it, except by time,
    is therefore tried once more in a new child, so that the answer depends on the file alone.

    Raises `FileError`: the function does, or takes more memory or time than the file may.
    """
    request = (os.getcwd(), library, function, path, args)
    with _lock:
        used = _running() is not None
        try:
            return _answer(path, request)
        except _ChildError as error:
            if not used or error.slow:
                raise
        return _answer(path, request)


def stop() -> None:
    """End the child, if there is one; the next file starts another."""
    global _process
    process, _process = _process, None
    if process is None or os.getpid() != _owner:
        return
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            _close(pipe)


class _ChildError(FileError):
    """The child ended, or ran out of memory, over a file; `slow` says that it took too long."""

    slow = False


def _tables(reader: Reader, library: str, path: Path) -> list[Table]:
    tables: list[Table] = call(library, child_process.open_tables, path, reader)
    load = partial(_load, reader, library, path)
    return [replace(t, load=partial(load, number)) for number, t in enumerate(tables)]


def _load(
    reader: Reader, library: str, path: Path, number: int, names: Sequence[str]
) -> dict[str, Samples]:
    columns: dict[str, Samples] = call(
        library, child_process.load_columns, path, reader, number, list(names)
    )
    return columns


def _answer(path: Path, request: Any) -> Any:
    """Return the answer to a request; a child that gives none is ended."""
    process = _running() or _start()
    limits = child_process.limits_of(path)
    timer = threading.Timer(PATIENCE * limits.cpu_s, process.kill)
    timer.start()
    try:
        assert process.stdin
        assert process.stdout
        child_process.write(process.stdin, request)
        found = child_process.read(process.stdout)
    except (EOFError, OSError, pickle.UnpicklingError) as error:
        ended = process.wait()
        stop()
        raise _signal_error(path, -ended, limits) from error
    except BaseException:
        stop()
        raise
    finally:
        timer.cancel()
    if isinstance(found, MemoryError):
        stop()
        raise _too_much(path, "memory", limits) from found
    if isinstance(found, FileError):
        raise found
    return found


def _signal_error(path: Path, number: int, limits: child_process.ReadingLimits) -> FileError:
    if what := _TOO_MUCH.get(number):
        error = _too_much(path, what, limits)
        error.slow = number == signal.SIGXCPU
        return error
    return _ChildError("damaged", path, f"the library that reads it ended with signal {number}")


def _too_much(path: Path, what: str, limits: child_process.ReadingLimits) -> _ChildError:
    bounds = f"{limits.memory_bytes >> 20} MiB and {limits.cpu_s} s of processor time"
    return _ChildError(
        "too_large",
        path,
        f"takes too much {what} to read, expected at most {bounds} for a file of its size",
        remedy="check that it is whole, or export its samples as CSV",
    )


def _running() -> subprocess.Popen[bytes] | None:
    """Return the child of this process, None without one; a fork has none."""
    return _process if _process and _owner == os.getpid() and _process.poll() is None else None


def _start() -> subprocess.Popen[bytes]:
    global _process, _owner
    stop()
    _owner = os.getpid()
    _process = subprocess.Popen(
        # Modules are found where this process finds them, not in the folder that it runs in.
        [sys.executable, "-P", "-c", _START.format(sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # Threads take memory that is not of the file.
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    return _process


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError:  # a request that the child did not take
        pass


atexit.register(stop)
