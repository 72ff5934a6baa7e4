"""A server that hangs is waited for once by a client, not by each of its commands."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import redis

# Meanwhile one command a second finds out whether the server answers again.
PROBE_EVERY_S = 1.0


class Hang:
    """Whether the server of a client hangs. Safe between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        # Until then all commands are refused; None: the server answered the last one.
        self._ask_t: float | None = None

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Execute a command: refused at once while the server is known to hang.

        Raises `TimeoutError`: the server does not answer in time, or did not just now.
        """
        with self._lock:
            now = time.monotonic()
            if self._ask_t is not None:
                if now < self._ask_t:
                    raise redis.TimeoutError("the server hangs: it did not answer in time just now")
                self._ask_t = now + PROBE_EVERY_S
        ask_t = None
        try:
            yield
        except redis.TimeoutError:
            ask_t = time.monotonic() + PROBE_EVERY_S
            raise
        finally:
            with self._lock:
                self._ask_t = ask_t
