"""Processes under measurement: their CPU time, and what crosses the wire of the server."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from vtox.store.client import Client

ROOT = Path(__file__).parents[2]
# The rate is measured between these shares of the windows: before, long records still fill; after,
# they wait for windows that never come.
MARKS = (0.1, 0.8)
Processes = dict[str, list[psutil.Process]]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a system did between the two marks."""

    windows_per_s: float
    cpu_ms: Mapping[str, float]  # part -> CPU time of a window, ms
    wire_kb: float | None = None  # what the server received and sent, kB a window
    notes: Mapping[str, float] = field(default_factory=dict)

    @property
    def total_ms(self) -> float:
        """CPU time of a window over all parts, ms."""
        return sum(self.cpu_ms.values())


@contextmanager
def running(
    commands: list[list[str]], env: Mapping[str, str] | None = None
) -> Iterator[list[psutil.Process]]:
    """Run processes for a while."""
    given = os.environ | {"PYTHONPATH": str(ROOT)} | dict(env or {})
    with ExitStack() as stack:
        processes = [
            subprocess.Popen(
                c, cwd=ROOT, env=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            for c in commands
        ]
        for p in processes:
            stack.callback(p.wait)
            stack.callback(p.terminate)
        yield [psutil.Process(p.pid) for p in processes]


def worker(app: str, queue: str, *more: str) -> list[str]:
    """Return the command of a Celery worker of one queue."""
    command = [sys.executable, "-m", "celery", "-A", app, "worker", "-Q", queue]
    return [*command, "-n", f"{queue}@%h", "--loglevel", "ERROR", *more]


def server_process(client: Client) -> psutil.Process:
    """Return the process of a server on this machine."""
    return psutil.Process(client.info("server")["process_id"])


def cpu_s(processes: list[psutil.Process]) -> float:
    """Return the CPU time that processes and what they started have used so far, s."""
    family = [c for p in processes for c in (p, *p.children(recursive=True))]
    return sum(sum(p.cpu_times()[:2]) for p in family)


def wait_for(
    condition: Callable[[], object],
    of: Iterable[psutil.Process] = (),
    timeout_s: float = 600.0,
) -> None:
    """Wait until a condition of some processes holds; raise if one ends or it takes too long."""
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the benchmark's condition did not come true")
        if ended := [p.pid for p in of if p.status() == psutil.STATUS_ZOMBIE]:
            raise ChildProcessError(f"process {ended[0]} of the benchmark has ended")
        time.sleep(0.02)


def between_marks(
    client: Client,
    total: int,
    done: Callable[[], int],
    parts: Processes,
    marks: tuple[float, float] = MARKS,
) -> Measured:
    """Measure while the number of finished windows goes from one mark to the other."""
    own = [p for name, some in parts.items() if name != "server" for p in some]
    wait_for(lambda: done() >= marks[0] * total, own)
    start, first, wire = time.perf_counter(), done(), wire_bytes(client)
    before = {name: cpu_s(p) for name, p in parts.items()}
    wait_for(lambda: done() >= marks[1] * total, own)
    took, finished = time.perf_counter() - start, done() - first
    cpu = {name: 1e3 * (cpu_s(p) - before[name]) / finished for name, p in parts.items()}
    return Measured(finished / took, cpu, (wire_bytes(client) - wire) / finished / 1e3)


def wire_bytes(client: Client) -> int:
    """Return what the server has received and sent since its start, bytes."""
    stats = client.info("stats")
    return int(stats["total_net_input_bytes"]) + int(stats["total_net_output_bytes"])


def wipe(client: Client) -> None:
    """Remove every key."""
    if names := list(client.scan_iter(count=1000)):
        client.unlink(*names)
