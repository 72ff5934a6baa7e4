"""A library that makes `fdatasync` of the server as slow as on a busy disk.

It is compiled with `cc` and loaded into the server by LD_PRELOAD: Linux only.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")


def compiler() -> str | None:
    """Return the path of the C compiler, None if there is none or the library has no effect."""
    return shutil.which("cc") if sys.platform == "linux" else None


def compiled(source: Path, folder: Path) -> Path:
    """Compile a library into a folder and return its path."""
    library = folder / f"{source.stem}.so"
    cc = compiler()
    assert cc, f"{source.name} needs a C compiler: install gcc"
    subprocess.run([cc, "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True)
    return library


def slow_fsync_variables(folder: Path, seconds: float) -> dict[str, str]:
    """Return the environment in which every `fdatasync` takes `seconds` longer."""
    library = compiled(SOURCE, folder)
    return {"LD_PRELOAD": str(library), "SLOW_FSYNC_MS": str(round(seconds * 1000))}


@contextmanager
def slow_fsync(folder: Path, seconds: float) -> Iterator[None]:
    """Make every `fdatasync` of the processes started meanwhile take `seconds` longer."""
    variables = slow_fsync_variables(folder, seconds)
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
