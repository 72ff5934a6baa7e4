"""A disk of 2 MB in memory, to be filled; needs root on Linux."""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest


class Disk:
    """A small disk in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder))

    def fill(self) -> None:
        """Write until nothing more fits."""
        with suppress(OSError), (self.folder / "ballast").open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass

    def empty(self) -> None:
        """Delete the file that `fill` has written."""
        (self.folder / "ballast").unlink()

    def remount(self, options: str) -> None:
        """Change its size, or whether it can be written."""
        self._run("mount", "-o", f"remount,{options}", str(self.folder))

    def unmount(self) -> None:
        """Take it away."""
        self._run("umount", str(self.folder))

    def _run(self, *command: str) -> None:
        subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A small disk, empty."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        mounted = Disk(folder)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs to mount a disk of 2 MB, as root on Linux: {error}")
    yield mounted
    mounted.unmount()
