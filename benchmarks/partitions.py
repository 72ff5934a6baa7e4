"""`python -m benchmarks.partitions`: what two servers carry that one does not, each held to a cap.

Each server may use a share of a core, by a cgroup (root, cgroup v1); the box has far more left, so
that the servers are the limit. One bridge process and workers with a light diagnosis drain windows
of 80 kB while they are sent. The order is one, two, two, one server; the figure is the ratio of the
mean rates. A rate is that of the windows finished by all families up to four fifths of them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import fmean

import numpy as np

from tests.cluster import free_ports
from vtox import keys
from vtox.cluster.embedded_server import EmbeddedServer
from vtox.domain import Window
from vtox.partitions import Place, server_number
from vtox.settings import load
from vtox.store.client import Client, connect
from vtox.store.streams import add_windows
from vtox.wire import encode

CGROUP = Path("/sys/fs/cgroup/cpu")
PERIOD_US = 50_000
FS_HZ, SAMPLES = 10_000.0, 10_000
WORKERS = 4
AT_ONCE = 8
READY_S = 120.0
DONE_SHARE = 0.8


@contextmanager
def capped(pid: int, share: float) -> Iterator[None]:
    """Let a process use no more than a share of a core."""
    group = CGROUP / f"vtox-benchmark-{pid}"
    group.mkdir()
    (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
    (group / "cpu.cfs_quota_us").write_text(str(round(share * PERIOD_US)))
    (group / "cgroup.procs").write_text(str(pid))
    try:
        yield
    finally:
        (CGROUP / "cgroup.procs").write_text(str(pid))
        group.rmdir()


@contextmanager
def processes(urls: Sequence[str], folder: Path) -> Iterator[None]:
    """Run a bridge and workers over servers."""
    ports = free_ports(2)
    env = {k: v for k, v in os.environ.items() if not k.startswith("VTOX_")} | {
        "VTOX_REDIS_URLS": ",".join(urls),
        "VTOX_DATA_DIR": str(folder),
        "VTOX_COORDINATOR_PORT": str(ports[0]),
        "VTOX_WORKER_PORT": str(ports[1]),
        "VTOX_BASELINE_AUTO": "false",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    worker = ["celery", "-q", "-A", "vtox", "worker", "--without-gossip", "--without-mingle"]
    worker += ["-I", "benchmarks.stub_diagnosis", "-Q", "turn_short,bearing,broken_bar"]
    commands = [["vtox", "bridge"]]
    commands += [[*worker, "-n", f"w{i}@%h"] for i in range(WORKERS)]
    with ExitStack() as stack:
        for i, command in enumerate(commands):
            log = stack.enter_context((folder / f"{i}.log").open("wb"))
            process = subprocess.Popen(
                [sys.executable, "-m", *command], env=env, stdout=log, stderr=subprocess.STDOUT
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
        yield


def send(client: Client, place: Place, machines: Sequence[str], windows: int) -> None:
    """Send the windows of the machines of one server, as fast as it takes them."""
    x = np.arange(SAMPLES, dtype="i2")
    channels = dict.fromkeys(("ia", "ib", "ic", "vibration"), x)
    scale = dict.fromkeys(channels, 0.001)
    own = [m for m in machines if place.has(m)]
    t0 = time.time() - windows
    for seq in range(windows):
        for k in range(0, len(own), AT_ONCE):
            some = own[k : k + AT_ONCE]
            made = [
                Window(machine_id=m, seq=seq, t0=t0 + seq, fs_hz=FS_HZ, channels=channels)
                for m in some
            ]
            add_windows(client, [encode(w, scale=scale) for w in made], [keys.RAW] * len(some))


def rate(servers: int, share: float, machines: Sequence[str], windows: int) -> float:
    """Return the windows a second that a number of capped servers carry."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vtox-partitions-")))
        running = []
        for i in range(servers):
            (folder / f"server-{i}").mkdir()
            settings = load(data_dir=folder / f"server-{i}")
            running.append(stack.enter_context(EmbeddedServer(settings)))
        urls = [s.url for s in running]
        clients = [connect(url, "benchmark") for url in urls]
        stack.enter_context(processes(urls, folder))
        end = time.monotonic() + READY_S
        while not all(c.exists(keys.LEASE) and c.scard(keys.WORKERS) >= WORKERS for c in clients):
            if time.monotonic() > end:
                raise TimeoutError("bridge and workers are not ready")
            time.sleep(0.2)
        for s in running:
            stack.enter_context(capped(s.pid, share))
        began = time.monotonic()
        senders = [
            threading.Thread(target=send, args=(c, Place(i, servers), machines, windows))
            for i, c in enumerate(clients)
        ]
        for sender in senders:
            sender.start()
        wanted = DONE_SHARE * windows * len(machines)
        while (done := sum(_done(c) for c in clients)) < wanted:
            time.sleep(0.25)
        took = time.monotonic() - began
        for sender in senders:
            sender.join()
    return done / took


def _done(client: Client) -> int:
    return int(client.hget(keys.COUNTERS, "windows_done") or 0)


def main() -> None:
    """Print the rates and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--share", type=float, default=0.05, help="of a core, for each server")
    parser.add_argument("--machines", type=int, default=32)
    parser.add_argument("--windows", type=int, default=40, help="of each machine")
    options = parser.parse_args()
    # As many machines on either of two servers, and of one the same ones.
    names = [f"M{i}" for i in range(4 * options.machines)]
    halves = [[n for n in names if server_number(n, 2) == k] for k in range(2)]
    machines = [n for half in halves for n in half[: options.machines // 2]]
    rates: dict[int, list[float]] = {1: [], 2: []}
    for servers in (1, 2, 2, 1):
        found = rate(servers, options.share, machines, options.windows)
        rates[servers].append(found)
        print(f"{servers} servers, {options.share:.0%} of a core each: {found:.1f} windows/s")
    print(f"ratio of two to one: {fmean(rates[2]) / fmean(rates[1]):.2f}")


if __name__ == "__main__":
    main()
