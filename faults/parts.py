"""The processes of a system: each is started, found, and started again when it ended by itself."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from faults.history import History
from faults.waiting import wait_for

# On two idle cores it takes 10 s; on others `slowness` times as long, if that is known.
READY_S = 240.0
# A process that ended by itself is started again after this.
PAUSE_S = 1.0
STOP_S = 15.0


@dataclass(slots=True)
class Part:
    """One process of ours; `wanted` while it is to run, from `start_at` on."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log: IO[bytes]
    process: subprocess.Popen[bytes] | None = None
    wanted: bool = True
    start_at: float = 0.0
    # It ends by itself when its work is done: after exit status 0 it is not started again.
    one_shot: bool = False

    @property
    def running(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None


class Parts:
    """Processes with a log each in a folder; a thread restarts each that ended by itself."""

    def __init__(self, folder: Path, history: History) -> None:
        self.folder = folder
        self.history = history
        self.parts: dict[str, Part] = {}
        # How many times as long processes take to start as on two idle cores.
        self.slowness = 1.0
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def start_part(
        self, name: str, command: Sequence[str], env: Mapping[str, str], *, one_shot: bool = False
    ) -> Part:
        """Start a process, and keep it running."""
        log = (self.folder / f"{name}.log").open("ab")
        part = Part(name, command, env, log, one_shot=one_shot)
        with self._lock:
            self.parts[name] = part
            self._start(part)
        return part

    def _start(self, part: Part) -> None:
        part.process = subprocess.Popen(
            part.command,
            cwd=self.folder / "run",
            env=part.env,
            stdin=subprocess.DEVNULL,
            stdout=part.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _keep(self) -> None:
        while not self._stop.wait(0.05):
            with self._lock:
                for part in list(self.parts.values()):
                    self._restart(part)

    def _restart(self, part: Part) -> None:
        if not part.wanted or part.running or part.process is None:
            return
        status = part.process.returncode
        if part.one_shot and status == 0:
            part.wanted = False
            return
        if not part.start_at:
            self.history.add("ended", part=part.name, status=status)
            part.start_at = time.monotonic() + PAUSE_S
        if time.monotonic() >= part.start_at:
            part.start_at = 0.0
            self._start(part)

    def end_keeper(self) -> None:
        """Start nothing again from now on."""
        self._stop.set()
        if self._keeper.is_alive():
            self._keeper.join(timeout=10)

    def wait(self, condition: Callable[[], bool], what: str, timeout_s: float = READY_S) -> None:
        """Wait for a condition as `wait_for` does, longer on a slow box."""
        patience_s = timeout_s * self.slowness
        wait_for(condition, what, patience_s, lambda: sorted(self.folder.glob("*.log")))


def end_parts(parts: Iterable[Part], patience_s: float = STOP_S) -> None:
    """End processes by SIGTERM, also stopped ones, and by force after a while."""
    parts = list(parts)
    for part in parts:
        part.wanted = False
        if part.running and part.process:
            for pid in (part.process.pid, *(c.pid for c in children(part.process.pid))):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
            part.process.terminate()
    for part in parts:
        if part.process:
            try:
                part.process.wait(patience_s)
            except subprocess.TimeoutExpired:
                part.process.kill()
                part.process.wait()
        part.log.close()


def children(pid: int, recursive: bool = False) -> list[psutil.Process]:
    """Return the processes that a process has started."""
    try:
        return psutil.Process(pid).children(recursive=recursive)
    except psutil.Error:
        return []
