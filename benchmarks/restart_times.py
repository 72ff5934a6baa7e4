"""From the kill of each process of `vtox up` to its first answer after that.

    python -m benchmarks.restart_times [--repeat 3] [--busy 20] [--pending 100000] [--log-mb 2048]

Twenty machines send windows of 4 kB, one a second each. Each process in turn is ended by SIGKILL.
The first answer is the event that its user waits for. Server and bridge: the first result of a
window sent after the kill. A worker or its pool process: the first result of its family. The API:
the first status of the cluster. The recorder: the first history row.

`--busy` keeps that many other processes computing meanwhile. `--pending` first sends windows that
wait unfinished, as no worker of `broken_bar` runs. `--log-mb` fills the server's log on disk first.
"""

import argparse
import multiprocessing
import os
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import redis

from tests.cluster import Cluster, cluster
from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.server.client import Client

MACHINES = 20
FS_HZ = 680  # three currents of one second are 4 kB
LIMIT_S = 300.0
POLL_S = 0.02
BALLAST = 1_000_000
# Between two kills: longer than the longest record.
SETTLE_S = 12.0


def window(machine: int, seq: int, t0: float) -> dict[str, Any]:
    """Return the entry of one second of three balanced currents at 50 Hz."""
    angle = 2 * np.pi * 50 * (seq + np.arange(FS_HZ) / FS_HZ)
    shifts = {"ia": 0.0, "ib": -2.0944, "ic": 2.0944}
    counts = {c: (8000 * np.sin(angle + s)).astype("<i2").tobytes() for c, s in shifts.items()}
    head = {"machine_id": f"M{machine}", "seq": seq, "t0": t0, "fs_hz": FS_HZ, "dtype": "i2"}
    return head | {f"scale_{c}": 0.001 for c in counts} | counts


@contextmanager
def computing(processes: int) -> Iterator[None]:
    """Keep that many other processes computing."""
    busy = [multiprocessing.Process(target=_compute, daemon=True) for _ in range(processes)]
    for p in busy:
        p.start()
    try:
        yield
    finally:
        for p in busy:
            p.kill()


def _compute() -> None:
    while True:
        sum(range(100_000))


class Fleet(threading.Thread):
    """Sends the windows of all machines, and again the windows that a dead server did not take."""

    def __init__(self, running: Cluster) -> None:
        super().__init__(daemon=True)
        self.running = running
        self.done = threading.Event()

    def run(self) -> None:
        client, seq = self.running.client(), 0
        while not self.done.wait(1.0):
            for m in range(MACHINES):
                _send(client, window(m, seq, time.time()))
            seq += 1


def _send(client: Client, entry: dict[str, Any]) -> None:
    while True:
        with suppress(redis.RedisError):
            client.xadd(keys.RAW, entry)
            return
        time.sleep(POLL_S)


def process_of(running: Cluster, name: str) -> int:
    """Return the process that a row of the table names."""
    family = name.removeprefix("pool of ")
    words = {"server": ("valkey-server",), "api": ("uvicorn",)}.get(
        name, ("celery", f"{family}@%h") if family in FAMILIES else ("vtox", name)
    )
    for p in psutil.Process(running.pid).children(recursive=True):
        with suppress(psutil.Error):
            line = p.cmdline()
            if all(any(w in part for part in line) for w in words):
                pool = p.children() if name.startswith("pool of ") else [p]
                return pool[0].pid
    raise AssertionError(f"no process of {name}")


def first_answer(running: Cluster, name: str) -> float:
    """Kill a process; return the time (s) until its first answer."""
    ready = _question(running, name)
    began = time.monotonic()
    os.kill(process_of(running, name), signal.SIGKILL)
    while time.monotonic() < began + LIMIT_S:
        with suppress(redis.RedisError, httpx.HTTPError):
            if ready():
                return time.monotonic() - began
        time.sleep(POLL_S)
    return float("inf")


def _question(running: Cluster, name: str) -> Callable[[], bool]:
    client, since = running.client(), time.time()
    if name == "api":
        url = f"http://127.0.0.1:{running.settings.api_port}/api/v1/cluster/status"
        return lambda: httpx.get(url, timeout=2).status_code == 200
    if name == "recorder":
        return lambda: _recorded(client, since)
    family = name.removeprefix("pool of ")
    return lambda: _answered(client, since, family if family in FAMILIES else "")


def _recorded(client: Client, since: float) -> bool:
    beat = heartbeats.recorder(client)
    return beat is not None and (beat.recorded_t or 0.0) > since


def _answered(client: Client, since: float, family: str) -> bool:
    """Whether there is a result since then: of a family, or of a window that was sent since."""
    for _, e in client.xrevrange(keys.RESULTS, min=str(int(since * 1000)), count=50):
        of_family = e[b"family"].decode() == family
        if of_family or (not family and float(e[b"t_start"]) > since):
            return True
    return False


def fill_pending(running: Cluster, windows: int) -> None:
    """Send old windows of separate machines, and wait until the bridge has read them."""
    client, t0 = running.client(), time.time() - windows / MACHINES
    for first in range(0, windows, MACHINES):
        seq = first // MACHINES
        pipe = client.pipeline(transaction=False)
        for m in range(MACHINES):
            entry = window(m, seq, t0 + seq) | {"machine_id": f"OLD{m}"}
            pipe.xadd(keys.RAW, entry)
        pipe.execute()
    end = time.monotonic() + LIMIT_S
    while client.xpending(keys.RAW, keys.GROUP)["pending"] < windows and time.monotonic() < end:
        time.sleep(0.5)
    print(f"pending: {client.xpending(keys.RAW, keys.GROUP)['pending']} windows", flush=True)


def fill_log(running: Cluster, megabytes: int) -> None:
    """Let the server's log on disk grow, by writing values that no part reads, again and again.

    They must take more than half of it, or the server writes a shorter log.
    """
    client, folder, n = running.client(), running.settings.data_dir, 0
    while (size := _log_size(folder)) < megabytes * 1_000_000:
        client.set(f"ballast:{n % (6 * megabytes // 10)}", os.urandom(BALLAST))
        n += 1
    print(f"log: {size / 1e6:.0f} MB", flush=True)


def _log_size(folder: Path) -> int:
    return sum(f.stat().st_size for f in folder.rglob("*.aof"))


def measure(running: Cluster, names: Sequence[str], repeat: int) -> None:
    """Print a row for each process: the median, the least and the most of its times."""
    print("| killed | first answer after, s: median (least to most) |\n|---|---:|")
    for name in names:
        times = []
        for _ in range(repeat):
            times.append(first_answer(running, name))
            time.sleep(SETTLE_S)
        row = f"{statistics.median(times):.1f} ({min(times):.1f} to {max(times):.1f})"
        print(f"| {name} | {row} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--busy", type=int, default=0)
    parser.add_argument("--pending", type=int, default=0)
    parser.add_argument("--log-mb", type=int, default=0)
    a = parser.parse_args()
    families = [f for f in FAMILIES if f != "broken_bar" or not a.pending]
    roles = ["server", "bridge", "recorder", "api", *(f"worker:{f}" for f in families)]
    settings = {"VTOX_IN_FLIGHT_WINDOWS": "1000000"} if a.pending else {}
    with (
        tempfile.TemporaryDirectory() as folder,
        cluster(Path(folder), "--roles", ",".join(roles), **settings) as running,
    ):
        running.wait_for_workers(len(families))
        if a.pending:
            fill_pending(running, a.pending)
        if a.log_mb:
            fill_log(running, a.log_mb)
        fleet = Fleet(running)
        fleet.start()
        time.sleep(SETTLE_S)
        pools = [f"pool of {f}" for f in families]
        with computing(a.busy):
            names = ["server", "bridge", *families, *pools, "recorder", "api"]
            measure(running, names, a.repeat)
        fleet.done.set()
        fleet.join()


if __name__ == "__main__":
    main()
