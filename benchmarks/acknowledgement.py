"""Cost of a sync to disk before each acknowledgement: latency, throughput and CPU of the server.

Pairs of servers, one that syncs every second and one that syncs at every write, are measured in
turn. Paced: windows of 80 KB at a fleet's rate over four connections. Full: the same connections
send as fast as they are answered.
"""

import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil

from benchmarks.server_kills import WINDOW
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.groups.servers import Fsync
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.server.client import connect
from vtox.pipeline.store.stream.durability import add_window_on_disk
from vtox.pipeline.store.stream.window_log import add_window

CONNECTIONS = 4
KEEP = 500
ADD = {"as stored": add_window, "WAITAOF": add_window_on_disk}


@contextmanager
def embedded(fsync: Fsync) -> Iterator[tuple[str, int]]:
    """Run the embedded server; yield its address and process id."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load(data_dir=Path(folder), redis_url=None, redis_fsync=fsync)
        with EmbeddedServer(settings) as server:
            yield settings.samples_url(), server.pid


@contextmanager
def redis_server(program: str) -> Iterator[tuple[str, int]]:
    """Run another server, which syncs every second."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "redis.sock"
        options = ["--port", "0", "--unixsocket", path, "--dir", folder]
        options += ["--appendonly", "yes", "--save", "", "--loglevel", "warning"]
        process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        while not path.exists():
            time.sleep(0.01)
        try:
            yield f"unix://{path}", process.pid
        finally:
            process.terminate()
            process.wait()


def measure(
    url: str, pid: int, ack: str, per_s: float, seconds: float
) -> tuple[list[float], float]:
    """Return the latencies in ms, and the server's CPU time in ms a window; `per_s` 0: full."""
    took_ms: list[float] = []
    stop = time.monotonic() + seconds

    def send() -> None:
        due = time.monotonic()
        with connect(url, "bench") as client:
            while time.monotonic() < stop:
                began = time.monotonic()
                ADD[ack](client, WINDOW)
                took_ms.append((time.monotonic() - began) * 1000)
                client.xtrim(keys.RAW, maxlen=KEEP)
                if per_s:
                    due += CONNECTIONS / per_s
                    time.sleep(max(0.0, due - time.monotonic()))

    process = psutil.Process(pid)
    cpu_s = sum(process.cpu_times()[:2])
    threads = [threading.Thread(target=send) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    used_s = sum(process.cpu_times()[:2]) - cpu_s
    return took_ms, used_s * 1000 / len(took_ms)


def report(per_s: float, seconds: float, rounds: int) -> None:
    """Print a row for each server and way to acknowledge, over all rounds."""
    redis = shutil.which("redis-server")
    servers = {
        ("embedded, everysec", "as stored"): lambda: embedded("everysec"),
        ("embedded, always", "as stored"): lambda: embedded("always"),
    }
    if redis:
        servers["Redis, everysec", "as stored"] = lambda: redis_server(redis)
        servers["Redis, everysec", "WAITAOF"] = lambda: redis_server(redis)
    rows: dict[tuple[str, str], list[list[float]]] = {k: [[], [], [], []] for k in servers}
    for _ in range(rounds):
        for (name, ack), start in servers.items():
            with start() as (url, pid):
                for full, rate in enumerate((per_s, 0.0)):
                    took_ms, cpu_ms = measure(url, pid, ack, rate, seconds)
                    rows[name, ack][2 * full] += took_ms
                    rows[name, ack][2 * full + 1].append(cpu_ms)
    print(f"{per_s:g} windows/s, then full; {rounds} rounds of {seconds:g} s each\n")
    print("| server | acknowledged | p50 / p95 ms | CPU ms a window | full: windows/s |")
    print("|---|---|---:|---:|---:|")
    for (name, ack), (paced, cpu, full, _) in rows.items():
        p50, p95 = np.percentile(paced, [50, 95])
        rate = len(full) / (rounds * seconds)
        print(f"| {name} | {ack} | {p50:.1f} / {p95:.1f} | {np.mean(cpu):.2f} | {rate:.0f} |")
