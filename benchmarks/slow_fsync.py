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

SOURCE = Path(__file__).parent.parent / "faults" / "slow_fsync.c"


def compiler() -> str | None:
    """Return the path of the C compiler, None if there is none or the library has no effect."""
    return shutil.which("cc") if sys.platform == "linux" else None


@contextmanager
def slow_fsync(folder: Path, seconds: float) -> Iterator[None]:
    """Let every `fdatasync` of the processes started meanwhile take `seconds` longer."""
    library = folder / "slow_fsync.so"
    cc = compiler()
    assert cc, "slow_fsync needs a C compiler: install gcc"
    subprocess.run([cc, "-shared", "-fPIC", "-O2", "-o", library, SOURCE, "-ldl"], check=True)
    variables = {"LD_PRELOAD": str(library), "SLOW_FSYNC_MS": str(round(seconds * 1000))}
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
