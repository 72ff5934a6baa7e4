"""The one restart policy: run, and after each end run again, at once or after pauses that grow."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from math import inf

# A broker that comes back finds all processes within 15 s, also those unable to start without it.
PAUSE_MAX_S = 10.0
# A process that becomes ready and ends, again and again, restarts this often a minute without
# delay.
QUICK_RESTARTS_MAX = 10
QUICK_RESTARTS_S = 60.0
# Exit status of a process of ours that cannot start as configured; its last line says why.
CANNOT_START = 2


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How one run ended: its exit status, the same for people, and whether it was ever ready."""

    exit_status: int
    description: str
    was_ready: bool


async def keep_running(
    run_once: Callable[[], Awaitable[RunEnd]],
    stop: asyncio.Event,
    *,
    first_pause_s: float,
    restart_after: Callable[[RunEnd, float], bool],
) -> None:
    """Run until `stop` is set or `restart_after(end, pause_s)` returns False.

    After a run that was ready the next one begins after `first_pause_s`, however often that one
    has been killed. The pause doubles, to `PAUSE_MAX_S`, only with failures to start in a row, and
    with runs that were ready once quick restarts are used up.
    """
    pause_s = 0.0
    quick: deque[float] = deque([-inf] * QUICK_RESTARTS_MAX, QUICK_RESTARTS_MAX)
    while not stop.is_set():
        end = await run_once()
        pause_s = min(2 * pause_s, PAUSE_MAX_S) or first_pause_s
        if end.was_ready and time.monotonic() - quick[0] > QUICK_RESTARTS_S:
            quick.append(time.monotonic())
            pause_s = first_pause_s
        if stop.is_set() or not restart_after(end, pause_s):
            return
        await pause(stop, pause_s)


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Sleep, but no longer than until `stop` is set."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
