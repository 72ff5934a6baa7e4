"""A clock of a server's own, which steps and drifts while the monotonic clock goes on."""

import struct
import time
from pathlib import Path

from faults.slow_fsync import compiled

SOURCE = Path(__file__).with_suffix(".c")
_DOUBLE = struct.Struct("d")


class ServerClock:
    """The file that the library reads at every question for the time.

    `variables` is the environment of the server.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "server_clock"
        self.file.write_bytes(bytes(3 * _DOUBLE.size))
        library = compiled(SOURCE, folder)
        self.variables = {"LD_PRELOAD": str(library), "SERVER_CLOCK": str(self.file)}

    def set(self, ahead_s: float, drift: float = 0.0) -> None:
        """Show the time `ahead_s` ahead of the host's, and gain `drift` s in each s from now on."""
        with self.file.open("r+b", buffering=0) as file:
            # One number at a time, so that the server never reads half of one.
            for place, value in ((1, 0.0), (2, time.monotonic()), (0, ahead_s), (1, drift)):
                file.seek(place * _DOUBLE.size)
                file.write(_DOUBLE.pack(value))
