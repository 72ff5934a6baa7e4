"""The one restart policy: run, and after each end run again, with pauses that grow."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

PAUSE_MAX_S = 30.0
# After a run as long as this the next pause is the first one again.
STEADY_RUN_S = 30.0
# Exit status of a process of ours that cannot start as configured; its last line says why.
CANNOT_START = 2


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How one run ended: its exit status, and the same for people."""

    exit_status: int
    description: str


async def keep_running(
    run_once: Callable[[], Awaitable[RunEnd]],
    stop: asyncio.Event,
    *,
    first_pause_s: float,
    restart_after: Callable[[RunEnd, float], bool],
) -> None:
    """Run until `stop` is set or `restart_after(end, pause_s)` returns False.

    The pause before a restart doubles from `first_pause_s` to `PAUSE_MAX_S`.
    """
    pause_s = first_pause_s
    while not stop.is_set():
        started = time.monotonic()
        end = await run_once()
        if time.monotonic() - started > STEADY_RUN_S:
            pause_s = first_pause_s
        if stop.is_set() or not restart_after(end, pause_s):
            return
        await pause(stop, pause_s)
        pause_s = min(2 * pause_s, PAUSE_MAX_S)


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Sleep, but no longer than until `stop` is set."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
