"""The processes of `vtox up` in a separate folder and on separate ports."""

import os
import random
import signal
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import redis

from tests.waiting import eventually
from vtox.pipeline.cluster import parent_watch
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.errors import ServerUnavailable
from vtox.pipeline.store.server.client import Client, connect

WINDOW_S = 0.2
T0 = 1_764_000_000.0
# Below the ports that an embedded server chooses and those that the system gives to clients. No
# other program takes one between the look for it and the start of the process.
PORTS = range(10_000, 18_000)
# Two of pytest's processes have no port in common, and none gives a port away twice in a lap.
LANES = 8
_lane = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % LANES
_own_ports = PORTS[_lane * len(PORTS) // LANES : (_lane + 1) * len(PORTS) // LANES]
# From anywhere on, for another test run on this machine.
_start = random.SystemRandom().randrange(len(_own_ports))
_candidates = islice(cycle(_own_ports), _start, None)
# Ports of workers count up from the first.
WORKERS_MAX = 8


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running `vtox up`."""

    pid: int
    settings: Settings
    log: Path

    def client(self) -> Client:
        """A client of its server."""
        return connect(self.settings.working_url(), "test")

    def wait_for_workers(self, n: int, timeout_s: float = 120.0) -> None:
        """Wait until `n` workers send heartbeats."""
        eventually(lambda: self._workers() >= n, timeout_s, lambda: self.log.read_text()[-5000:])

    def _workers(self) -> int:
        try:
            return int(self.client().scard(keys.WORKERS))
        except (redis.RedisError, ServerUnavailable):
            return -1


def small_window(machine_id: str, seq: int) -> dict[str, Any]:
    """The raw entry of `WINDOW_S` of three currents, little work for the workers."""
    counts = np.arange(200, dtype="<i2").tobytes()
    head = {"machine_id": machine_id, "seq": seq, "t0": T0 + seq * WINDOW_S, "fs_hz": 1000}
    return head | {"dtype": "i2", "ia": counts, "ib": counts, "ic": counts}


def answered(client: Client) -> dict[tuple[str, str], list[int]]:
    """Return machine and fault -> the seqs of all windows in results, sorted, repeated ones too."""
    seen: dict[tuple[str, str], list[int]] = defaultdict(list)
    for _, e in client.xrange(keys.RESULTS):
        span = range(int(e[b"first_seq"]), int(e[b"last_seq"]) + 1)
        seen[e[b"machine_id"].decode(), e[b"fault"].decode()].extend(span)
    return {who: sorted(seqs) for who, seqs in seen.items()}


def free_ports(n: int) -> list[int]:
    """Ports free just now; so are a few after the last, for the workers of a cluster."""
    found: list[int] = []
    while len(found) < n:
        candidate = next(_candidates)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", candidate))
            except OSError:
                continue
        found.append(candidate)
    next(islice(_candidates, WORKERS_MAX, None))
    return found


@contextmanager
def cluster(
    folder: Path, *arguments: str, command: str = "up", build: Path | None = None, **settings: str
) -> Iterator[Cluster]:
    """Run `vtox up ARGUMENTS` until the block ends, then stop it as Ctrl-C would.

    `build` is the folder of another build than this one.
    """
    # The workers' ports count up from the first: it comes last.
    api, coordinator, flower, worker = free_ports(4)
    given = {
        "VTOX_DATA_DIR": str(folder / "data"),
        "VTOX_API_PORT": str(api),
        "VTOX_COORDINATOR_PORT": str(coordinator),
        "VTOX_WORKER_PORT": str(worker),
        "VTOX_FLOWER_PORT": str(flower),
    } | settings
    command_line = parent_watch.command_watching_parent("vtox", command, *arguments)
    other = {}
    if build:  # it may have the module elsewhere
        other["PYTHONPATH"] = str(build)
        command_line = [sys.executable, "-P", parent_watch.__file__, "vtox", command, *arguments]
    log = folder / "up.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command_line,
            cwd=folder,
            env=parent_watch.child_environment(given | other),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    names = {k.removeprefix("VTOX_").lower(): v for k, v in given.items()}
    try:
        yield Cluster(process.pid, load(**names), log)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
