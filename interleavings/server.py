"""The real server of the product, whose clock stands where a run puts it."""

import mmap
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faults.slow_fsync import compiled
from vtox.cluster.embedded_server import EmbeddedServer
from vtox.configuration.settings import load

SOURCE = Path(__file__).with_name("frozen_clock.c")
_DOUBLE = struct.Struct("d")
# A run ends before anything would be on disk, and is not to wait for one.
IN_MEMORY = 'appendonly no\nsave ""\n'


class FrozenClock:
    """The file that the server reads at every question for the time.

    Its monotonic clock goes on from one run to the next.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / "frozen_clock"
        path.write_bytes(bytes(2 * _DOUBLE.size))
        self.variables = {"LD_PRELOAD": str(compiled(SOURCE, folder)), "FROZEN_CLOCK": str(path)}
        self._began_s = self._last_s = 0.0
        with path.open("r+b") as file:
            self._place = mmap.mmap(file.fileno(), 2 * _DOUBLE.size)

    def begin(self) -> None:
        """Begin a run."""
        self._began_s = self._last_s or time.monotonic()

    def set(self, wall_s: float, passed_s: float) -> None:
        """Show a time, s since 1970, and how much has passed since the run began."""
        self._last_s = self._began_s + passed_s
        _DOUBLE.pack_into(self._place, _DOUBLE.size, self._last_s)
        _DOUBLE.pack_into(self._place, 0, wall_s)


@contextmanager
def server(folder: Path) -> Iterator[tuple[str, FrozenClock]]:
    """Run the server; yield its URL and its clock."""
    clock = FrozenClock(folder)
    before = {name: os.environ.get(name) for name in clock.variables}
    os.environ.update(clock.variables)
    embedded = EmbeddedServer(load(data_dir=folder), IN_MEMORY)
    try:
        embedded.start()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    try:
        yield embedded.url, clock
    finally:
        clock.set(0.0, 3600.0)  # it ends at a beat of its own clock
        embedded.stop()
