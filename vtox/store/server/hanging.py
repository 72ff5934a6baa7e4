"""A server that hangs is waited for once by a client, not by each of its commands."""

import time
from threading import Lock
from types import TracebackType

import redis

# Meanwhile one command a second finds out whether the server answers again.
ASKED_EVERY_S = 1.0


class Hang:
    """Around each command of a client: refused at once while the server is known to hang.

    Safe between threads.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        # Until then all commands are refused; None: the server answered the last one.
        self._ask_t: float | None = None

    def __enter__(self) -> None:
        with self._lock:
            if self._ask_t is None:
                return
            now = time.monotonic()
            if now < self._ask_t:
                raise redis.TimeoutError("the server hangs: it did not answer in time just now")
            self._ask_t = now + ASKED_EVERY_S

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        hangs = kind is not None and issubclass(kind, redis.TimeoutError)
        with self._lock:
            self._ask_t = time.monotonic() + ASKED_EVERY_S if hangs else None
