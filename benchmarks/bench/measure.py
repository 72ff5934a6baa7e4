"""Processes under measurement: their CPU time, and the traffic of the server."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from vtox.pipeline.store.server.client import Client

ROOT = Path(__file__).parents[2]
Processes = dict[str, list[psutil.Process]]
SHARES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Measured:
    """The throughput and costs of a system between two marks."""

    windows_per_s: float  # finished by all families
    cpu_ms: Mapping[str, float]  # part -> CPU time of a window, ms; the sender is none of them
    sender_ms: float | None = None  # CPU time of the sender for a window, ms
    wire_kb: float | None = None  # received and sent by the server, kB a window
    server_mb: float | None = None  # memory of the server's data, the most that was seen, MB
    # Live: family -> "p50" -> ms from the arrival of a record's last window to its results.
    latency_ms: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    notes: Mapping[str, float] = field(default_factory=dict)

    @property
    def total_ms(self) -> float:
        """CPU time of a window over all parts, ms."""
        return sum(self.cpu_ms.values())


@dataclass(frozen=True, slots=True)
class Running:
    """A system that runs: its server, its processes but the server, and CPU time by part so far."""

    client: Client
    url: str
    processes: list[psutil.Process]
    cpu_s: Callable[[], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Mark:
    """The progress of a system at one moment, and the resources used until then."""

    t: float
    done: int
    cpu_s: Mapping[str, float]
    wire: int
    server_bytes: int

    def since(self, before: "Mark") -> Measured:
        """Return the measurements since another mark."""
        n = self.done - before.done
        if n <= 0:
            raise RuntimeError("no window was finished between the marks")
        cpu_ms = {p: 1e3 * (s - before.cpu_s.get(p, 0.0)) / n for p, s in self.cpu_s.items()}
        return Measured(
            n / (self.t - before.t),
            cpu_ms,
            wire_kb=(self.wire - before.wire) / n / 1e3,
            server_mb=max(self.server_bytes, before.server_bytes) / 1e6,
        )


def mark(running: Running, done: int) -> Mark:
    """Read the resources that a system has used; `done` windows were finished at that moment."""
    return Mark(
        time.perf_counter(),
        done,
        dict(running.cpu_s()),
        wire_bytes(running.client),
        server_bytes(running.client),
    )


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


@contextmanager
def sending(
    arguments: Iterable[object], held: Sequence[str] = ()
) -> "Iterator[subprocess.Popen[str]]":
    """Send from a separate process (`sender.py`); the block begins when it does.

    `held` is put before its command. Its output at the end is left to be read.
    """
    command = [*held, sys.executable, "-m", "benchmarks.bench.sender", *map(str, arguments)]
    with subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        if not process.stdout.readline():
            raise ChildProcessError("the sender ended before it began")
        yield process


def worker(app: str, queue: str, *more: str) -> list[str]:
    """Return the command of a Celery worker of one queue."""
    command = [sys.executable, "-m", "celery", "-A", app, "worker", "-Q", queue]
    return [*command, "-n", f"{queue}@%h", "--loglevel", "ERROR", *more]


def server_process(client: Client) -> psutil.Process:
    """Return the process of a server on this machine."""
    return psutil.Process(client.info("server")["process_id"])


def cpu_s(processes: list[psutil.Process]) -> float:
    """Return the CPU time that processes and their descendants have used so far, s."""
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


@contextmanager
def stopped(processes: list[psutil.Process]) -> Iterator[None]:
    """Suspend processes, and their descendants, while the block runs."""
    family = [c for p in processes for c in (p, *p.children(recursive=True))]
    for p in family:
        p.suspend()
    try:
        yield
    finally:
        for p in family:
            p.resume()


def latencies_ms(
    results: Iterable[tuple[bytes, Mapping[bytes, bytes]]],
    arrivals: Mapping[tuple[str, int], float],
) -> dict[str, dict[str, float]]:
    """Return family -> percentiles of the time from a record's arrival to its results, ms.

    Parameters
    ----------
    results
        Entries of the stream of results: their ids are the server's times, and they name family,
        machine and the record's last window. A record has several, the last one counts.
    arrivals
        Machine and window -> when it arrived, ms (`sending.py`).
    """
    committed: dict[tuple[str, str, int], float] = {}
    for entry_id, fields in results:
        last = int(fields[b"last_seq"] if b"last_seq" in fields else fields[b"seq"])
        record = fields[b"family"].decode(), fields[b"machine_id"].decode(), last
        committed[record] = float(entry_id.partition(b"-")[0])
    took: dict[str, list[float]] = {}
    for (family, *window), t in committed.items():
        if (arrived := arrivals.get(tuple(window))) is not None:  # type: ignore[arg-type]
            took.setdefault(family, []).append(t - arrived)
    return {f: _percentiles(ms) for f, ms in sorted(took.items())}


def _percentiles(ms: list[float]) -> dict[str, float]:
    return {f"p{100 * q:.0f}": float(np.quantile(ms, q)) for q in SHARES}


def server_bytes(client: Client) -> int:
    """Return the memory that the server's data take, bytes."""
    return int(client.info("memory")["used_memory"])


def wire_bytes(client: Client) -> int:
    """Return the number of bytes that the server has received and sent since its start."""
    stats = client.info("stats")
    return int(stats["total_net_input_bytes"]) + int(stats["total_net_output_bytes"])


def wipe(client: Client) -> None:
    """Remove every key."""
    if names := list(client.scan_iter(count=1000)):
        client.unlink(*names)
