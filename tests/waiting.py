"""Waiting for a condition, with a limit and a message: no test sleeps and hopes."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import psutil

POLL_S = 0.02
# A condition that computes, as a look at all processes, takes the core from the awaited process. It
# is asked for a fifth of the time at most, but often enough that no test waits for the answer.
PAUSES_PER_ASKED = 4
LONGEST_POLL_S = 0.3


def eventually(
    condition: Callable[[], Any], timeout_s: float = 60.0, detail: Callable[[], str] = str
) -> Any:
    """Return the condition's first true value; when time runs out fail with its last one."""
    end = time.monotonic() + timeout_s
    asked = time.thread_time()
    while not (value := condition()):
        assert time.monotonic() < end, f"still {value!r} after {timeout_s:g} s\n{detail()}"
        pause = PAUSES_PER_ASKED * (time.thread_time() - asked)
        time.sleep(min(max(POLL_S, pause), LONGEST_POLL_S))
        asked = time.thread_time()
    return value


async def eventually_async(condition: Callable[[], Any], timeout_s: float = 60.0) -> Any:
    """Do the same without blocking the event loop."""
    end = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < end, f"still {value!r} after {timeout_s:g} s"
        await asyncio.sleep(POLL_S)
    return value


def is_alive(process: psutil.Process | int) -> bool:
    """Whether a process is there; one that has ended stays a zombie until its parent reaps it."""
    try:
        found = psutil.Process(process) if isinstance(process, int) else process
        return found.is_running() and found.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it may end between the one question and the other
        return False
