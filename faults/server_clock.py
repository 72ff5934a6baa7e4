"""Private clocks of a server: they step and drift, or stop at a set time."""

import mmap
import struct
import time
from pathlib import Path

from faults.slow_fsync import compiled

SOURCE = Path(__file__).with_suffix(".c")
_DOUBLE = struct.Struct("d")
# Places of `struct shown` in the library.
_AHEAD, _DRIFT, _SINCE, _DAY, _MONOTONIC, _PLACES = range(6)


class ServerClock:
    """The file that the library reads at every question for the time.

    `variables` is the environment of the server.
    """

    def __init__(self, folder: Path) -> None:
        file = folder / "server_clock"
        file.write_bytes(bytes(_PLACES * _DOUBLE.size))
        library = compiled(SOURCE, folder)
        self.variables = {"LD_PRELOAD": str(library), "SERVER_CLOCK": str(file)}
        with file.open("r+b") as opened:
            self._shown = mmap.mmap(opened.fileno(), _PLACES * _DOUBLE.size)

    def set(self, ahead_s: float, drift: float = 0.0) -> None:
        """Show the time `ahead_s` ahead of the host's, and gain `drift` s in each s from now on."""
        self._show(_DRIFT, 0.0)
        self._show(_SINCE, time.monotonic())
        self._show(_AHEAD, ahead_s)
        self._show(_DRIFT, drift)

    def stop(self, day_s: float, monotonic_s: float) -> None:
        """Stop the clock of the day (s since 1970) and CLOCK_MONOTONIC (s); at 0 they run."""
        self._show(_MONOTONIC, monotonic_s)
        self._show(_DAY, day_s)

    def _show(self, place: int, value: float) -> None:
        # One number at a time, so that the server never reads half of one.
        _DOUBLE.pack_into(self._shown, place * _DOUBLE.size, value)
