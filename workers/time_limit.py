"""The CPU time that a diagnosis may take, by the size of its records.

On a busy host a process waits for a core: the time on the clock says nothing about a diagnosis.
Celery's time limit (`celeryconfig.py`) ends a process that waits without using a core.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# In a batch a window of four channels at 10 kHz, 80 kB, takes up to 0.9 ms of a core in a family. A
# diagnosis that takes 40 times as long hangs. So may a smaller record: with its own length it
# shares no array with others, and one of 8 kB took 3 ms. On an idle host a full batch must not take
# longer than records are left alone (`VTOX_REDISPATCH_AFTER_S`). The base is for a process that has
# just started.
BASE_S, S_PER_MB, S_PER_RECORD = 5.0, 0.45, 0.036
# A call that has not returned to Python after so many times the limit ends the process.
HARD_LIMIT_RATIO = 2.0


class DiagnosisTimeout(Exception):
    """A diagnosis took more CPU time than its samples explain."""


def limit_s(size_bytes: int, records: int) -> float:
    """Return the CPU time, s, that the diagnosis of so many bytes of windows may take."""
    return BASE_S + max(S_PER_MB * size_bytes / 1e6, S_PER_RECORD * records)


@contextmanager
def time_limit(cpu_s: float) -> Iterator[None]:
    """Raise `DiagnosisTimeout` in the block after so much CPU time, in the main thread only.

    Code that does not return to Python by then ends the process, by SIGVTALRM.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def strike(signum: int, frame: Any) -> None:
        raise DiagnosisTimeout(f"no diagnosis after {cpu_s:.1f} s of CPU time")

    before = signal.signal(signal.SIGPROF, strike)
    signal.setitimer(signal.ITIMER_PROF, cpu_s)
    signal.setitimer(signal.ITIMER_VIRTUAL, HARD_LIMIT_RATIO * cpu_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)
