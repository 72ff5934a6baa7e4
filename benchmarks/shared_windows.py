"""Cost of a window from shared memory and from the server, in turn on the same windows.

    python -m benchmarks.shared_windows [--windows 1500] [--rounds 5]

One process does the work of bridge and worker. It writes the windows to the ring, and fetches
records of one window in batches of 32, joined and in units. CPU of that process and of the server.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil

from benchmarks.bench.measure import server_process
from benchmarks.bench.workload import BATCH, windows
from benchmarks.results import Run
from vtox.motor.values.domain import Record
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.stream.shared_windows import SharedWindows
from vtox.pipeline.store.stream.windows import fetch


def main() -> None:
    """Measure, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(Run(), flush=True)
    with tempfile.TemporaryDirectory(prefix="vtox-shared-") as name:
        settings = load(data_dir=Path(name))
        with EmbeddedServer(settings), connect(settings.samples_url(), "benchmark") as client:
            for s in windows(options.windows):
                client.xadd(keys.RAW, s.fields)
            for what, (own, server) in median_costs(client, options.rounds).items():
                print(f"{what}: {own:.0f} us, of the server {server:.0f} us a window")


def median_costs(client: Client, rounds: int) -> dict[str, tuple[float, float]]:
    """Return step -> CPU of this process and of the server, medians in us a window."""
    entries = client.xrange(keys.RAW)
    ids = [entry_id.decode() for entry_id, _ in entries]
    server = server_process(client)
    ring = SharedWindows(128)
    took: dict[str, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        ring.begin()
        for lap in ("written to new memory", "written again"):
            steps = cost(server, len(ids), lambda: ring.add(entries))
            took.setdefault(lap, []).append(steps)
        here = [record(i, ring.places(i)) for i in ids if ring.places(i)]
        for what, rows in (
            ("fetched from the ring", here),
            ("fetched from the server", [replace(r, shared="") for r in here]),
        ):
            steps = cost(server, len(rows), lambda rows=rows: fetch_all(client, rows))  # type: ignore[misc]
            took.setdefault(what, []).append(steps)
    ring.close()
    return {
        what: (statistics.median(t[0] for t in times), statistics.median(t[1] for t in times))
        for what, times in took.items()
    }


def fetch_all(client: Client, rows: list[Record]) -> None:
    """Fetch records as workers do."""
    for k in range(0, len(rows), BATCH):
        fetch(client, keys.RAW, rows[k : k + BATCH])


def cost(server: psutil.Process, n: int, step: Callable[[], None]) -> tuple[float, float]:
    """Return the CPU of a step, of this process and of the server, us a window."""
    own, of_server = time.process_time(), sum(server.cpu_times()[:2])
    step()
    used = sum(server.cpu_times()[:2]) - of_server
    return 1e6 * (time.process_time() - own) / n, 1e6 * used / n


def record(entry_id: str, shared: str) -> Record:
    """Return a record of one window."""
    return Record(
        machine_id="M",
        run="",
        first_seq=0,
        last_seq=0,
        t_start=0.0,
        t_end=1.0,
        ids=entry_id,
        windows=1,
        bytes=80_000,
        shared=shared,
    )


if __name__ == "__main__":
    main()
