"""The real server of the product, with a clock that shows the time set by a run."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faults.server_clock import ServerClock
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration.settings import load

# A run ends before anything would be on disk, and is not to wait for one.
IN_MEMORY = 'appendonly no\nsave ""\n'


class FrozenClock:
    """The clocks of the server, which show the times set by a run.

    Its monotonic clock goes on from one run to the next.
    """

    def __init__(self, folder: Path) -> None:
        self._of_server = ServerClock(folder)
        self.variables = self._of_server.variables
        self._began_s = self._last_s = 0.0

    def begin(self) -> None:
        """Begin a run."""
        self._began_s = self._last_s or time.monotonic()

    def set(self, wall_s: float, passed_s: float) -> None:
        """Show a time, s since 1970, and how much has passed since the run began."""
        self._last_s = self._began_s + passed_s
        self._of_server.stop(wall_s, self._last_s)


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
        clock.set(0.0, 3600.0)  # the server ends at a beat of its clock
        embedded.stop()
