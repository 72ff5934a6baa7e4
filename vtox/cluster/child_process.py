"""Child processes: their output by lines, their end, and what is left of their process group."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

POLL_S = 0.05
# Linux takes the niceness of a session from an ordinary user ten times a second, of all together.
AUTOGROUP_TRIES = 20
LINE_MAX_BYTES = 1 << 20


async def exit_status(process: asyncio.subprocess.Process) -> int:
    """Return the exit status as soon as there is one.

    `process.wait()` also waits for the end of the output, which a grandchild may hold open.
    """
    while process.returncode is None:
        await asyncio.sleep(POLL_S)
    return process.returncode


async def be_nice(pid: int, niceness: int) -> None:
    """Let a process that leads its session wait where others want its core; call it at its start.

    Its threads and children follow.
    """
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, 0) + niceness)
    # Where Linux shares cores between sessions first (sched(7), "The autogroup feature"), a process
    # of another session is not held up by that.
    for _ in range(AUTOGROUP_TRIES):
        try:
            Path(f"/proc/{pid}/autogroup").write_text(str(niceness))
        except BlockingIOError:
            await asyncio.sleep(POLL_S)
        except OSError:  # not Linux, or without that feature
            return
        else:
            return


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
    """Kill what a dead leader has left of its process group, for instance a worker's pool."""
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
