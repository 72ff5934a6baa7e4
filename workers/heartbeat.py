"""The heartbeat of one worker: a thread that measures its processes and reports to the server."""

import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import psutil
import structlog

from vtox.pipeline.configuration.version import version
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.ledger.heartbeats import Worker
from vtox.pipeline.store.server.client import Client, clock_offset_s

log = structlog.get_logger()

BEAT_EVERY_S = 2.0
# Its processes and their memory are looked up at this interval, and for so long at every beat once
# one of them has ended. A look takes 3 to 10 ms of CPU time, as the system reads all pages of each.
LOOK_UP_EVERY_S = 20.0
# Names of workers that were killed are forgotten this often.
FORGET_EVERY_S = 60.0
# The rate of finished windows is an average over this time.
RATE_AVERAGE_S = 30.0


@dataclass(slots=True)
class HeartbeatThread:
    """The thread in a worker's main process; `run` until `stop` is set."""

    client: Client
    name: str
    queues: tuple[str, ...]
    port: int | None = None
    terms: Mapping[str, str] = field(default_factory=dict)
    # How many processes of the pool can take a task.
    processes_up: Callable[[], int] = lambda: 1
    started_t: float | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    finished: deque[tuple[float, int]] = field(default_factory=deque)
    processes: list[psutil.Process] = field(default_factory=list)
    memory_bytes: int = 0
    next_look_up_t: float = 0.0
    look_closely_until_t: float = 0.0
    next_forgetting_t: float = 0.0

    def run(self) -> None:
        """Report every `BEAT_EVERY_S`."""
        me = psutil.Process()
        fresh = False
        while not self.stop.is_set():
            try:
                if not fresh:
                    heartbeats.reset(self.client, self.name)
                    fresh = True
                self._send(me)
            except Exception as error:  # the server is away or a child just ended: try again
                log.warning("heartbeat failed", reason=str(error))
            self.stop.wait(BEAT_EVERY_S)

    def _send(self, me: psutil.Process) -> None:
        cpu_percent = self._cpu_percent(me)
        before = time.time()
        now, windows = heartbeats.windows_done(self.client, self.name)
        offset_s = clock_offset_s(before, now, time.time())
        self.started_t = self.started_t or now
        beat = Worker(
            name=self.name,
            host=socket.gethostname(),
            pid=os.getpid(),
            port=self.port,
            queues=self.queues,
            pool_processes=self.processes_up(),
            cpu_percent=round(cpu_percent, 1),
            memory_bytes=self.memory_bytes,
            windows_per_s=round(self._rate(time.monotonic(), windows), 3),
            started_t=round(self.started_t, 3),
            clock_offset_s=round(offset_s, 3),
            last_seen_t=round(now, 3),
            version=version(),
            terms=self.terms,
        )
        heartbeats.send(self.client, beat)
        if time.monotonic() >= self.next_forgetting_t:
            self.next_forgetting_t = time.monotonic() + FORGET_EVERY_S
            heartbeats.forget_ended(self.client)

    def _cpu_percent(self, me: psutil.Process) -> float:
        """Return the CPU, percent of a core, of the worker and its children since the last beat."""
        now = time.monotonic()
        if not all(p.is_running() for p in self.processes):
            # The one that takes its place may not be there yet.
            self.look_closely_until_t = now + LOOK_UP_EVERY_S
        if now >= self.next_look_up_t or now < self.look_closely_until_t:
            self.next_look_up_t = now + LOOK_UP_EVERY_S
            # `cpu_percent` measures since its last call on the same object.
            known = {p: p for p in self.processes}
            self.processes = [known.get(p, p) for p in (me, *me.children(recursive=True))]
            self.memory_bytes = sum(map(_memory_bytes, self.processes))
        return sum(p.cpu_percent() for p in self.processes)

    def _rate(self, now: float, windows: int) -> float:
        """Return the windows finished per second over the last `RATE_AVERAGE_S`."""
        self.finished.append((now, windows))
        while now - self.finished[0][0] > RATE_AVERAGE_S and len(self.finished) > 2:
            self.finished.popleft()
        since, before = self.finished[0]
        return max((windows - before) / (now - since), 0.0) if now > since else 0.0


def _memory_bytes(p: psutil.Process) -> int:
    """Return the memory of a process, with its share of the memory in common with its parent.

    The sum of resident sizes counts the pages of a forked child twice: 212 for 110 MB.
    """
    memory = p.memory_full_info()
    return int(getattr(memory, "pss", memory.uss))  # macOS knows only the unshared part
