"""Child processes: their output by lines, their end, and the rest of their process group."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress

import psutil

POLL_S = 0.05
LINE_MAX_BYTES = 1 << 20


async def exit_status(process: asyncio.subprocess.Process) -> int:
    """Return the exit status as soon as there is one.

    `process.wait()` also waits for the end of the output, which a grandchild may hold open.
    """
    while process.returncode is None:
        await asyncio.sleep(POLL_S)
    return process.returncode


async def read_lines(stream: asyncio.StreamReader | None, on_line: Callable[[str], None]) -> None:
    """Pass on every line of a child's output; one longer than `LINE_MAX_BYTES` loses its start."""
    assert stream
    while True:
        try:
            raw = await stream.readline()
        except ValueError:  # beyond the limit: the rest of the line follows
            continue
        if not raw:
            return
        on_line(raw.decode("utf-8", "replace"))


def kill_process_group(leader_pid: int) -> None:
    """Kill the rest of a dead leader's process group, for instance a worker's pool."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader_pid, signal.SIGKILL)


def exit_description(status: int) -> str:
    """Return an exit status in words."""
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def is_stopped(pid: int) -> bool:
    """Whether a process was stopped by a signal and waits for another one."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False
