"""The data folder (`VTOX_DATA_DIR`): whether it can be used, and if not, why."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vtox.pipeline.errors import SettingsError


@contextmanager
def translate_os_errors(folder: Path) -> Iterator[None]:
    """Turn operating-system errors about files in the data folder into one about the setting.

    Raises `SettingsError`: a file or folder there cannot be made, opened or written.
    """
    try:
        yield
    except OSError as error:
        reason = folder_problem(folder) or f"{error.filename or folder}: {error.strerror or error}"
        raise SettingsError(_unusable_message(folder, reason)) from error


def make_private(folder: Path) -> None:
    """Make one of our folders, for its owner alone even if it existed for all to read."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)


def open_private(path: str, flags: int) -> int:
    """Open a file for its owner alone, even if it existed for all to read; an `opener`."""
    fd = os.open(path, flags, 0o600)
    os.fchmod(fd, 0o600)
    return fd


def _unusable_message(folder: Path, reason: str) -> str:
    """Return the whole message: the setting, its value, the fault, the expected value."""
    return (
        f"VTOX_DATA_DIR {folder} cannot be used: {reason}; expected a folder that this user can "
        "create or write to"
    )


def folder_problem(folder: Path) -> str:
    """Return why `folder` cannot be written to, empty if it can; leaves nothing there."""
    folder = folder.absolute()
    while not os.path.lexists(folder):
        folder = folder.parent
    if folder.is_symlink() and not folder.exists():
        return f"{folder} is a broken link"
    if not folder.is_dir():
        return f"{folder} is a file, not a folder"
    try:
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return f"no file can be written in {folder} ({error.strerror})"
