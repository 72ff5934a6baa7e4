"""Cost of append-only persistence: the server's share of a core, rewrites, disk and memory.

    python -m benchmarks.persistence [--machines 50] [--retention 60] [--seconds 180]
    python -m benchmarks.persistence --kills 100 [--fsync-takes 0.2]
    python -m benchmarks.persistence --acknowledgement 3

The second kills the server again and again and counts the windows lost (`server_kills.py`). The
third pairs the ways to acknowledge a window in so many rounds (`acknowledgement.py`).

Each variant gets its own server. A writer adds one-second windows of four channels at 10 kHz as
int16 (80 KB each) in real time, spread over the second. A reader reads them through a consumer
group, acknowledges them and trims those older than the retention, as the bridge does. The first
`--retention` seconds fill the stream and are not counted.

Caveats: reading is one consumer, not bridge and three workers; results are not written (they add
about 1 % of the bytes); the disk is that of the temporary folder. With other work on the machine
compare the variants of one run, not runs.
"""

import argparse
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from benchmarks import acknowledgement, server_kills
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.stream.window_log import create_group, trim_raw

VARIANTS = {
    "off": "appendonly no\n",
    "on (default)": "",
    "on, samples compressed": "rdbcompression yes\n",
    "on, rewrite from 64 MB": "auto-aof-rewrite-min-size 64mb\n",
    "on, rewrite at 200 %": "auto-aof-rewrite-percentage 200\n",
    "on, fsync always": "appendfsync always\n",
}
CHANNELS = ("ia", "ib", "ic", "vibration")
SAMPLES = 10_000
PIPELINE = 16


@dataclass(slots=True)
class Measurement:
    """Figures of one variant."""

    cpu_share: float
    rewrites_per_min: float
    peak_disk: int
    peak_rss: int
    reload_s: float
    write_ms: list[float] = field(default_factory=list)


def windows(rng: np.random.Generator) -> list[dict[str, bytes]]:
    """A few windows of three currents and a vibration, noisy as real ones are."""
    t = np.arange(SAMPLES) / SAMPLES
    made = []
    for _ in range(16):
        entry = {"dtype": b"i2", "fs_hz": b"10000"}
        for i, name in enumerate(CHANNELS):
            x = 12_000 * np.sin(2 * np.pi * (50 * t - i / 3)) * (name != "vibration")
            noise = 4000 if name == "vibration" else 60
            entry[name] = (x + rng.normal(0, noise, SAMPLES)).astype("<i2").tobytes()
        made.append(entry)
    return made


def write(client: Client, machines: int, stop: threading.Event, took_ms: list[float]) -> None:
    """Send one window a machine and second, in groups spread over the second."""
    entries = windows(np.random.default_rng(1))
    groups = max(1, machines // PIPELINE)
    due, seq = time.monotonic(), 0
    while not stop.is_set():
        for g in range(groups):
            pipe = client.pipeline(transaction=False)
            for m in range(g, machines, groups):
                pipe.xadd(keys.RAW, {"machine_id": f"M{m}", "seq": seq} | entries[m % 16])
            began = time.monotonic()
            pipe.execute()
            took_ms.append((time.monotonic() - began) * 1000)
            due += 1 / groups
            stop.wait(max(0.0, due - time.monotonic()))
        seq += 1


def read(client: Client, retention_s: float, stop: threading.Event) -> None:
    """Read, acknowledge and trim, as the bridge does."""
    last_trim = 0.0
    while not stop.is_set():
        reply = client.xreadgroup(keys.GROUP, "c", {keys.RAW: ">"}, count=26, block=200)
        if reply:
            client.xack(keys.RAW, keys.GROUP, *(i for i, _ in reply[0][1]))
        if time.monotonic() - last_trim > 1:
            last_trim = time.monotonic()
            trim_raw(client, keys.RAW, retention_s)


def measure(folder: Path, extra: str, machines: int, retention_s: float, s: float) -> Measurement:
    """Run one variant."""
    settings = load(data_dir=folder, redis_url=None, redis_maxmemory_mb=8192)
    stop = threading.Event()
    took_ms: list[float] = []
    with EmbeddedServer(settings, extra) as server:
        clients = [connect(server.url, "bench") for _ in range(3)]
        create_group(clients[0], keys.RAW)
        threads = [
            threading.Thread(target=write, args=(clients[0], machines, stop, took_ms)),
            threading.Thread(target=read, args=(clients[1], retention_s, stop)),
        ]
        for t in threads:
            t.start()
        time.sleep(retention_s)
        process = psutil.Process(server.pid)
        took_ms.clear()
        cpu, rewrites_before, began = cpu_s(process), rewrites(clients[2]), time.monotonic()
        disk = rss = 0
        while time.monotonic() - began < s:
            disk = max(disk, size(folder / "valkey"))
            rss = max(rss, memory(process))
            time.sleep(0.25)
        took_s = time.monotonic() - began
        result = Measurement(
            cpu_share=(cpu_s(process) - cpu) / took_s,
            rewrites_per_min=(rewrites(clients[2]) - rewrites_before) / took_s * 60,
            peak_disk=disk,
            peak_rss=rss,
            reload_s=0.0,
            write_ms=took_ms,
        )
        stop.set()
        for t in threads:
            t.join()
        for c in clients:
            c.close()
    began = time.monotonic()
    with EmbeddedServer(settings, extra):
        result.reload_s = time.monotonic() - began
    return result


def cpu_s(process: psutil.Process) -> float:
    """CPU seconds of the server and of its finished forks."""
    times = process.cpu_times()
    return float(sum(times[:4]))


def memory(process: psutil.Process) -> int:
    """Resident bytes of the server, and bytes that a fork does not share with it."""
    total = process.memory_info().rss
    for child in process.children():
        try:
            total += child.memory_full_info().uss
        except psutil.Error:
            continue
    return int(total)


def rewrites(client: Client) -> int:
    """Number of rewrites of the append-only file so far."""
    return int(client.info("persistence").get("aof_rewrites", 0))


def size(folder: Path) -> int:
    """Bytes in a folder whose files come and go."""
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size
        except FileNotFoundError:
            continue
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--machines", type=int, default=50)
    parser.add_argument("--retention", type=float, default=60)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--only", nargs="*", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--fsync-takes", type=float, default=0.0)
    parser.add_argument("--acknowledgement", type=int, metavar="ROUNDS", default=0)
    a = parser.parse_args()
    if a.kills:
        server_kills.report(a.kills, a.machines, a.fsync_takes)
        return
    if a.acknowledgement:
        acknowledgement.report(a.machines, 10.0, a.acknowledgement)
        return
    print(f"{a.machines} machines x 80 KB/s, retention {a.retention:g} s, {a.seconds:g} s each\n")
    print(
        "| persistence | share of a core | rewrites/min | disk peak | memory peak "
        "| write p50/p99/max ms | restart |\n|---|---:|---:|---:|---:|---:|---:|"
    )
    for name in a.only:
        with tempfile.TemporaryDirectory() as folder:
            m = measure(Path(folder), VARIANTS[name], a.machines, a.retention, a.seconds)
        p50, p99, most = np.percentile(m.write_ms, [50, 99, 100])
        print(
            f"| {name} | {m.cpu_share:.1%} | {m.rewrites_per_min:.1f} | {m.peak_disk / 1e6:.0f} MB "
            f"| {m.peak_rss / 1e6:.0f} MB | {p50:.1f} / {p99:.1f} / {most:.0f} "
            f"| {m.reload_s:.1f} s |",
            flush=True,
        )


if __name__ == "__main__":
    main()
