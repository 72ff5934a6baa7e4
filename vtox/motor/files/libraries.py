"""Libraries that read formats: the error if one is missing, and their errors on a bad file."""

import gc
import logging
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vtox.motor.errors import FileError, remedy_of_extra


@contextmanager
def require_package(path: Path, package: str, *, extra: str) -> Iterator[None]:
    """Import a library inside; if it is missing, name the command that installs it.

    Raises `FileError`: it is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise FileError(
            "reader_missing",
            path,
            f"needs the package {package}, which is not installed",
            remedy=remedy_of_extra(extra),
        ) from error


@contextmanager
def guard_library(path: Path, form: str) -> Iterator[None]:
    """Call a library inside; whatever it raises on a bad file becomes one error.

    Libraries are not written for hostile files. In addition to their own errors they raise any
    error that the first wrong index or size leads to, `MemoryError` too. Their warnings and logs
    are not shown.

    Raises `FileError`: the library cannot read the file.
    """
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except FileError:
        raise
    except MemoryError as error:
        _release(error)
        raise FileError("too_large", path, f"not enough memory to read it as {form}") from error
    except Exception as error:
        _release(error)
        observed = f"not a readable {form} file: {type(error).__name__} {str(error)[:200]}".rstrip()
        raise FileError("damaged", path, observed) from error
    finally:
        logging.disable(level)


def _release(error: BaseException | None) -> None:
    """Let go of the objects that a library left half open; their destructors may fail too."""
    hook = sys.unraisablehook
    sys.unraisablehook = lambda _: None
    try:
        while error:
            traceback.clear_frames(error.__traceback__)
            error = error.__context__
        gc.collect()  # objects that refer to themselves
    finally:
        sys.unraisablehook = hook
