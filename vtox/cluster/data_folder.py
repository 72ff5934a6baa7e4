"""The data folder (`VTOX_DATA_DIR`): whether it can be used, and why not, in words."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vtox.errors import SettingsError


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn what the system says of files in the data folder into words about the setting.

    Raises
    ------
    SettingsError
        A file or folder there cannot be made, opened or written.
    """
    try:
        yield
    except OSError as error:
        what = obstacle(folder) or f"{error.filename or folder}: {error.strerror or error}"
        raise SettingsError(refusal(folder, what)) from error


def refusal(folder: Path, what: str) -> str:
    """Return the whole message: the setting, its value, what is wrong, what is expected."""
    return (
        f"VTOX_DATA_DIR {folder} cannot be used: {what}; expected a folder that this user may "
        "write to, or that can be made"
    )


def obstacle(folder: Path) -> str:
    """Return why nothing can be written in `folder`, empty where it can; leaves nothing there."""
    folder = folder.absolute()
    while not os.path.lexists(folder):
        folder = folder.parent
    if folder.is_symlink() and not folder.exists():
        return f"{folder} is a link to nothing"
    if not folder.is_dir():
        return f"{folder} is a file, not a folder"
    try:
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return f"nothing can be written in {folder} ({error.strerror})"
