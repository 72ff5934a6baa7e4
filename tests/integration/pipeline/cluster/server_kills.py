"""Kills of the embedded server while windows of 80 kB are added at the rate of a fleet."""

import os
import random
import signal
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import redis

from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.server.client import connect
from vtox.pipeline.store.stream.window_log import add_window

WINDOW = {"machine_id": "M", **{c: bytes(20_000) for c in ("ia", "ib", "ic", "vibration")}}
PARALLEL = 4


@dataclass(frozen=True, slots=True)
class Trial:
    """Windows acknowledged before a kill, and those of them that the restarted server lacks."""

    acknowledged: int
    lost: int


def trial(folder: Path, kill_after_s: float, per_s: float) -> Trial:
    """Kill a server that syncs always, start it again and compare its stream."""
    settings = load(data_dir=folder, redis_url=None, redis_fsync="always")
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


def trials(n: int, per_s: float, kill_after_s: tuple[float, float]) -> list[Trial]:
    """Run `n` trials, a few at a time, each killed at a random time of the range."""
    rng = random.Random(1)

    def run(kill_after_s: float) -> Trial:
        with tempfile.TemporaryDirectory() as folder:
            return trial(Path(folder), kill_after_s, per_s)

    with ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(run, [rng.uniform(*kill_after_s) for _ in range(n)]))
