"""Time and chance of the simulated processes: each thread gets those of its run.

Installed before VTOX is imported, as some defaults name `time.monotonic` itself. Threads that
belong to no run get the time and the chance of the host.
"""

import os
import random
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

# Start of the clocks: a round number of seconds since 1970.
BEGIN_S = 1_764_000_000.0
# Shortest `time.sleep`: a bridge without room for windows looks 100 times a second.
SHORTEST_SLEEP_S = 0.05


class Asked(Protocol):
    """A simulated process."""

    def wall_s(self) -> float:
        """Return the time of its host, s since 1970."""

    def monotonic_s(self) -> float:
        """Return the time since the run began, s."""

    def sleep(self, seconds: float) -> None:
        """Wait; the other processes run meanwhile."""

    def urandom(self, n: int) -> bytes:
        """Return bytes that the seed chooses."""


class _Local(threading.local):
    asked: Asked | None = None


local = _Local()


def install() -> None:
    """Replace functions of `time` and `os` by functions that ask the run, if there is one."""
    clocks = ("time", "monotonic", "perf_counter")
    real: dict[str, Callable[..., Any]] = {name: getattr(time, name) for name in clocks}
    sleep, urandom = time.sleep, os.urandom

    def clock(name: str) -> Callable[[], float]:
        host, of_run = real[name], "wall_s" if name == "time" else "monotonic_s"

        def now() -> float:
            asked = local.asked
            return float(host() if asked is None else getattr(asked, of_run)())

        return now

    def virtual_sleep(seconds: float) -> None:
        asked = local.asked
        return sleep(seconds) if asked is None else asked.sleep(max(seconds, SHORTEST_SLEEP_S))

    def virtual_urandom(n: int) -> bytes:
        asked = local.asked
        return urandom(n) if asked is None else asked.urandom(n)

    for name in clocks:
        setattr(time, name, clock(name))
    time.sleep = virtual_sleep
    os.urandom = virtual_urandom
    # `uuid` asks `os`; `secrets` asks this one.
    random._urandom = virtual_urandom  # type: ignore[attr-defined]
