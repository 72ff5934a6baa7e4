"""What the operating system tells and takes of child processes: their end, and signals to us."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress

EXIT_LOOK_S = 0.05


async def exited(process: asyncio.subprocess.Process) -> int:
    """Return the exit status as soon as there is one.

    `process.wait()` also waits for the end of the output, which a grandchild may hold open.
    """
    while process.returncode is None:
        await asyncio.sleep(EXIT_LOOK_S)
    return process.returncode


class Signals:
    """Calls back on SIGTERM, SIGINT and the end of the terminal, while inside."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback = callback

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        names = ("SIGTERM", "SIGINT", "SIGHUP")
        self.before = {
            number: signal.getsignal(number)
            for name in names
            if (number := getattr(signal, name, None)) is not None
            # Under nohup the end of the terminal is to be ignored.
            and signal.getsignal(number) != signal.SIG_IGN
        }
        for number in self.before:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(self.callback) and None)

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)


def sweep(group: int) -> None:
    """End what a killed leader has left of its process group: a worker's pool, say."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def how_ended(code: int) -> str:
    """Return an exit status in words."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
