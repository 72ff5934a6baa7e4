"""How often `kill -9` of the embedded server loses windows that it had acknowledged.

A trial starts a server, adds windows of 80 KB at the rate of a fleet, kills the server at a random
time, starts it again and compares the acknowledged ids with those in the stream.
"""

import os
import random
import signal
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import redis

from faults.slow_fsync import slow_fsync
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.groups.servers import Fsync
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.server.client import connect
from vtox.pipeline.store.stream.window_log import add_window

WINDOW = {"machine_id": "M", **{c: bytes(20_000) for c in ("ia", "ib", "ic", "vibration")}}
# The first second holds the server's start; three more hold several syncs at any phase.
KILL_AFTER_S = (1.0, 4.0)
PARALLEL = 4


@dataclass(frozen=True, slots=True)
class Trial:
    """Windows acknowledged before a kill, and those of them that the restarted server lacks."""

    acknowledged: int
    lost: int


def trial(folder: Path, kill_after_s: float, per_s: float, fsync: Fsync) -> Trial:
    """Run one trial."""
    settings = load(data_dir=folder, redis_url=None, redis_fsync=fsync)
    acknowledged: set[str] = set()
    with EmbeddedServer(settings) as server:
        sender = threading.Thread(target=_send, args=(server.url, per_s, acknowledged))
        sender.start()
        time.sleep(kill_after_s)
        os.kill(server.pid, signal.SIGKILL)
        sender.join()
    with EmbeddedServer(settings) as server, connect(server.url, "kills", retries=0) as client:
        kept = {i.decode() for i, _ in client.xrange(keys.RAW)}
    return Trial(len(acknowledged), len(acknowledged - kept))


def _send(url: str, per_s: float, acknowledged: set[str]) -> None:
    due = time.monotonic()
    with connect(url, "kills", retries=0) as client:
        while True:
            try:
                acknowledged.add(add_window(client, WINDOW))
            except redis.ConnectionError:
                return
            due += 1 / per_s
            time.sleep(max(0.0, due - time.monotonic()))


def trials(
    n: int, per_s: float, fsync: Fsync, kill_after_s: tuple[float, float] = KILL_AFTER_S
) -> list[Trial]:
    """Run `n` trials, a few at a time."""
    rng = random.Random(1)

    def run(kill_after_s: float) -> Trial:
        with tempfile.TemporaryDirectory() as folder:
            return trial(Path(folder), kill_after_s, per_s, fsync)

    with ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(run, [rng.uniform(*kill_after_s) for _ in range(n)]))


def report(n: int, per_s: float, fsync_takes_s: float) -> None:
    """Print trials, trials with a loss, and windows lost, for both settings of the server."""
    print("| fsync | fdatasync | kills | with a loss | windows lost each, median (most) |")
    print("|---|---|---:|---:|---:|")
    disk = f"+ {fsync_takes_s:g} s" if fsync_takes_s else "as it is"
    for fsync in ("everysec", "always"):
        with tempfile.TemporaryDirectory() as folder:
            with slow_fsync(Path(folder), fsync_takes_s) if fsync_takes_s else nullcontext():
                done = trials(n, per_s, fsync)
        losses = sorted(t.lost for t in done if t.lost)
        each = f"{losses[len(losses) // 2]} ({losses[-1]})" if losses else "-"
        total = f"{sum(losses)} of {sum(t.acknowledged for t in done)}"
        print(f"| {fsync} | {disk} | {n} | {len(losses)} | {each}, {total} in all |", flush=True)
