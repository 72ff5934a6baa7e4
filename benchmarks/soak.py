"""A long run under load: do memory, open files or keys grow?

    python -m benchmarks.soak [--minutes 20] [--machines 50] [--rate 50]

Starts `vtox up` in its own folder and sends windows of 1 s of three currents at 1 kHz, a tenth of
them twice and one in a hundred broken. Reads each process every ten seconds. The first third warms
up and reaches the bounds, which are set small. The second and the last third give the slopes of
memory, which separate a single fill from growth. It passes if the last slope is not above 1 MB an
hour in any process, by more than twice its standard error. Open files and keys must not be more at
the end.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import psutil
import redis

from tests.cluster import free_ports
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.errors import ServerUnavailable
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.stream.window_log import group_info

ROOT = Path(__file__).parents[1]
READ_EVERY_S = 10.0
# So small that all are reached while the cluster warms up.
BOUNDS = {
    "VTOX_KEEP__WINDOWS": "10s",
    "VTOX_DUPLICATE_HORIZON": "64",
    "VTOX_KEEP__RESULTS": "2MB",
    "VTOX_KEEP__EVIDENCE": "2MB",
    # Ids of finished tasks that Celery's worker remembers, 1,000 by itself.
    "CELERY_WORKER_SUCCESSFUL_MAX": "50",
    **{f"VTOX_{n}_MB": "0.2" for n in ("ASSESSMENTS", "ALERTS", "METRICS", "DEAD_LETTERS")},
}
# A server that the environment names is in use by others: nothing is written there.
OWN_SERVER = {"VTOX_REDIS_URL": ""}
# Seconds since the start; process -> resident memory in MB and open files; kinds of keys.
Reading = tuple[float, dict[str, tuple[float, int]], Counter[str]]
MB = 1e6
LIMIT_MB_PER_H = 1.0


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Start a cluster on its own ports."""
    names = ("API_PORT", "COORDINATOR_PORT", "WORKER_PORT", "FLOWER_PORT")
    ports = {f"VTOX_{n}": str(p) for n, p in zip(names, free_ports(len(names)), strict=True)}
    env = os.environ | BOUNDS | ports | OWN_SERVER
    env |= {"VTOX_DATA_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    log = (folder / "up.log").open("wb")
    command = [sys.executable, "-m", "vtox", "up"]
    return subprocess.Popen(command, env=env, stdout=log, stderr=log)


def server_url(folder: Path) -> str:
    """Return the address of the embedded server of a folder, not that of the environment."""
    return load(data_dir=folder, redis_url=None).working_url()


def wait_for_server(folder: Path) -> Client:
    """Return a client as soon as the server and the workers of all queues are there."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        time.sleep(0.5)
        try:
            client = connect(server_url(folder), "soak")
            if client.scard(keys.WORKERS) >= 3 and group_info(client, keys.RAW):
                return client
        except (ServerUnavailable, redis.RedisError):
            continue  # it is not up yet
    raise SystemExit(f"the cluster did not start: {folder}/up.log")


def send(client: Client, machines: int, k: int) -> None:
    """Send the k-th window; every tenth twice, every hundredth broken."""
    t = np.arange(1000) / 1000
    counts = (3000 * np.sin(2 * np.pi * 50 * t)).astype("<i2").tobytes()
    head = {"machine_id": f"S{k % machines:03d}", "seq": k // machines, "t0": time.time() - 1}
    entry = head | {"fs_hz": 0 if k % 100 == 99 else 1000, "dtype": "i2", "scale_ia": 0.01}
    entry |= dict.fromkeys(("ia", "ib", "ic"), counts)
    for _ in range(2 if k % 10 == 5 else 1):
        client.xadd(keys.RAW, entry)


def read(up: psutil.Process) -> dict[str, tuple[float, int]]:
    """Return process -> resident memory in MB and open files."""
    found = {}
    for p in [up, *up.children(recursive=True)]:
        try:
            with p.oneshot():
                name = f"{role(p.cmdline())} {p.pid}"
                found[name] = p.memory_info().rss / MB, p.num_fds()
        except psutil.Error:
            continue  # it has ended meanwhile
    return found


def role(command: list[str]) -> str:
    """Return the role of a process, by its command line."""
    text = " ".join(command)
    for word in (
        "vtox up",
        "valkey",
        "flower",
        "recorder",
        "uvicorn",
        "turn_short",
        "bearing",
        "broken_bar",
    ):
        if word in text:
            return word
    return "bridge" if "bridge" in text else "other"


def key_kinds(client: Client) -> Counter[str]:
    """Return how many keys there are of each kind: the names up to the last colon."""
    names = [k.decode(errors="replace") for k in client.scan_iter(count=1000)]
    return Counter(n.rpartition(":")[0] or n for n in names)


def slope(times_s: list[float], values: list[float]) -> tuple[float, float]:
    """Return the slope of a straight line through the values, and its standard error, per hour."""
    t, y = np.array(times_s) / 3600, np.array(values)
    t = t - t.mean()
    k = float(t @ y / (t @ t))
    rest = y - y.mean() - k * t
    return k, float(np.sqrt(rest @ rest / max(len(t) - 2, 1) / (t @ t)))


def run(minutes: float, machines: int, rate: float) -> bool:
    """Send for some minutes and print the table; return whether nothing grows."""
    with tempfile.TemporaryDirectory(prefix="vtox-soak-") as name:
        up = start(Path(name))
        try:
            client = wait_for_server(Path(name))
            return _soak(client, psutil.Process(up.pid), 60 * minutes, machines, rate)
        finally:
            up.terminate()
            up.wait(timeout=60)


def _soak(client: Client, up: psutil.Process, length_s: float, machines: int, rate: float) -> bool:
    began = next_read = time.monotonic()
    history: list[Reading] = []
    k = refused = 0
    while (now := time.monotonic() - began) < length_s:
        try:
            send(client, machines, k)
        except redis.OutOfMemoryError:
            refused += 1
        k += 1
        if time.monotonic() >= next_read:
            next_read += READ_EVERY_S
            history.append((now, read(up), key_kinds(client)))
        time.sleep(max(0.0, k / rate - (time.monotonic() - began)))
    counters = {n.decode(): int(v) for n, v in client.hgetall(keys.COUNTERS).items()}
    group = group_info(client, keys.RAW)
    print(f"{k} windows sent, {refused} refused for memory, backlog {group and group.backlog}")
    names = ("windows_in", "windows_done", "windows_dead", "windows_duplicate", "windows_refused")
    print(", ".join(f"{n} {counters.get(n, 0)}" for n in names))
    return report(history, length_s)


def report(history: list[Reading], length_s: float) -> bool:
    """Print the growth after the first third; return whether there is none."""
    history = [h for h in history if h[0] > length_s / 3]
    late_s = 2 * length_s / 3
    passed = True
    print(f"{'':24} {'':7} {'MB an hour, second and last third':>37} {'open files':>13}")
    print(f"{'process':24} {'MB':>7} {'':8} {'+-':>8} {'':8} {'+-':>8} {'':>6} {'then':>8}")
    for name in sorted(history[-1][1]):
        rows = [(t, p[name]) for t, p, _ in history if name in p]
        thirds = [r for r in rows if r[0] <= late_s], [r for r in rows if r[0] > late_s]
        if min(map(len, thirds)) < 3:
            print(f"{name:24} started meanwhile")
            continue
        slopes = [slope([t for t, _ in third], [mb for _, (mb, _) in third]) for third in thirds]
        (k, error), (mb, files) = slopes[-1], rows[-1][1]
        grows = k - 2 * error > LIMIT_MB_PER_H or files > rows[0][1][1] + 2
        passed &= not grows
        cells = " ".join(f"{x:8.2f}" for pair in slopes for x in pair)
        mark = "  GROWS" if grows else ""
        print(f"{name:24} {mb:7.1f} {cells} {rows[0][1][1]:6} {files:8}{mark}")
    before, after = history[0][2], history[-1][2]
    more = {n: (before[n], c) for n, c in after.items() if c > before[n]}
    print(f"keys: {before.total()} then {after.total()}; more of: {more or 'none'}")
    return passed and not more


def main() -> None:
    """Parse the options and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--machines", type=int, default=50)
    parser.add_argument("--rate", type=float, default=50.0, help="windows a second")
    options = parser.parse_args()
    sys.exit(0 if run(options.minutes, options.machines, options.rate) else 1)


if __name__ == "__main__":
    main()
