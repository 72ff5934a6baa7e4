"""A library that makes `fdatasync` of the server as slow as on a busy disk.

It is compiled with `cc` and loaded into the server by LD_PRELOAD: Linux only.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int fdatasync(int fd) {
    double s = atof(getenv("FDATASYNC_TAKES_S"));
    struct timespec pause = {(time_t)s, (long)((s - (time_t)s) * 1e9)};
    nanosleep(&pause, NULL);
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
"""


def compiler() -> str | None:
    """Return the path of the C compiler, None if there is none."""
    return shutil.which("cc")


@contextmanager
def slow_fsync(folder: Path, seconds: float) -> Iterator[None]:
    """Let every `fdatasync` of the processes started meanwhile take `seconds` longer."""
    library = folder / "slow_fsync.so"
    cc = compiler()
    assert cc, "slow_fsync needs a C compiler: install gcc"
    command = [cc, "-shared", "-fPIC", "-O2", "-x", "c", "-", "-o", library, "-ldl"]
    subprocess.run(command, input=SOURCE.encode(), check=True)
    variables = {"LD_PRELOAD": str(library), "FDATASYNC_TAKES_S": str(seconds)}
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
