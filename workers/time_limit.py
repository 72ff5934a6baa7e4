"""The time that a diagnosis may take, by the size of what is diagnosed."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# In a batch a window of four channels at 10 kHz, 80 kB, takes up to 0.9 ms of a core in a family: a
# diagnosis that takes 40 times as long hangs. So may a smaller record: with a length of its own it
# shares no array with others, and one of 8 kB took 3 ms. A full batch must not take longer than
# records are left alone (`VTOX_REDISPATCH_AFTER_S`). The base is for a process that has just
# started.
BASE_S, S_PER_MB, S_PER_RECORD = 5.0, 0.45, 0.036


class DiagnosisTimeout(Exception):
    """A diagnosis took longer than its samples explain."""


def limit_s(size_bytes: int, records: int) -> float:
    """Return the time, s, that the diagnosis of so many bytes of windows may take."""
    return BASE_S + max(S_PER_MB * size_bytes / 1e6, S_PER_RECORD * records)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `DiagnosisTimeout` in the block after so many seconds, in the main thread only.

    Code that never returns to Python outlasts it: Celery's own limits end the process.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def strike(signum: int, frame: Any) -> None:
        raise DiagnosisTimeout(f"no diagnosis after {seconds:.1f} s")

    before = signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
