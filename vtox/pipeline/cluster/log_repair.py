"""Cuts a damaged log of the embedded server where the damage begins, after copying it."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from vtox.motor.errors import SystemStateError
from vtox.pipeline.cluster.data_folder import translate_os_errors
from vtox.pipeline.cluster.embedded_server import lock_data, program
from vtox.pipeline.configuration.settings import Settings

# The server's program is this checker too, if it is called so.
CHECKER = "valkey-check-aof"


def repair(settings: Settings) -> tuple[Path, int]:
    """Copy the log, cut its newest file at the first damage; return the copy and the bytes cut.

    Only the newest file can be cut: all entries after the damage are lost, and nothing may follow
    them.

    Raises `SystemStateError`: the server runs, there is no log, or the damage is not in its newest
    file.
    """
    folder = settings.data_dir / "valkey" / "appendonlydir"
    fd = lock_data(settings)
    try:
        files = sorted(folder.glob("*.incr.aof"), key=_number)
        if not files:
            raise SystemStateError(f"there is no log in {folder}")
        with translate_os_errors(settings.data_dir):
            copy = folder.with_name(f"damaged-{time.strftime('%Y%m%d-%H%M%S')}")
            shutil.copytree(folder, copy)
            before = files[-1].stat().st_size
            _cut(files[-1])
            return copy, before - files[-1].stat().st_size
    finally:
        os.close(fd)


def _cut(file: Path) -> None:
    done = subprocess.run(
        [CHECKER, "--fix", file], executable=program(), input=b"y\n", capture_output=True
    )
    if done.returncode:
        said = (done.stdout + done.stderr).decode("utf-8", "replace").strip()
        raise SystemStateError(f"{CHECKER} cannot repair {file}: {said}")


def _number(file: Path) -> int:
    """Return the number of `appendonly.aof.12.incr.aof`."""
    return int(file.name.split(".")[2])
