"""How many machines VTOX carries as they send: CPU of a window, latency, backlog.

    python -m benchmarks.bench.live [--machines 1000] [--minutes 10] [--warm-up 2] [--core 0]

`vtox up` with everything it starts, and the sender in its own process on the same box. The warm-up,
in minutes, is not measured: a fleet that starts learns its baselines in the first two. `--core`
holds VTOX to one core and the sender to the others.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import redis

from benchmarks.bench import measure, workload
from benchmarks.bench.conditions import conditions
from benchmarks.bench.measure import ROOT, SHARES, wire_bytes
from tests.cluster import free_ports
from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.errors import ServerUnavailable
from vtox.pipeline.monitoring.monitor import percentile
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.stream.window_log import group_info
from vtox.pipeline.store.system.status import Snapshot, snapshot

WARM_UP_S = 120.0
START_TIMEOUT_S = 90.0
# A server that the environment names is in use by others: nothing is written there.
OWN_SERVER = {"VTOX_REDIS_URL": ""}
# Words of command lines that name the roles of processes; the first match counts.
ROLES = ("vtox up", "valkey", "flower", "recorder", "uvicorn", *FAMILIES, "bridge")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--machines", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--warm-up", type=float, default=WARM_UP_S / 60, help="minutes")
    parser.add_argument("--core", type=int, default=None, help="hold VTOX to this core")
    options = parser.parse_args()
    print(conditions(), flush=True)
    with tempfile.TemporaryDirectory(prefix="vtox-live-") as name:
        up = start(Path(name), options.core)
        try:
            wait_for_server(Path(name))
            url = server_url(Path(name))
            supervisor = psutil.Process(up.pid)
            lengths_s = 60 * options.warm_up, 60 * options.minutes
            run(url, supervisor, options.machines, lengths_s, options.core)
        finally:
            up.terminate()
            up.wait(timeout=60)


def start(
    folder: Path, core: int | None, more: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Start a cluster with its own settings, on its own ports."""
    names = ("API_PORT", "COORDINATOR_PORT", "WORKER_PORT", "FLOWER_PORT")
    ports = {f"VTOX_{n}": str(p) for n, p in zip(names, free_ports(len(names)), strict=True)}
    env = os.environ | ports | OWN_SERVER | (more or {})
    env |= {"VTOX_DATA_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    held = [] if core is None else ["taskset", "-c", str(core)]
    with (folder / "up.log").open("wb") as log:
        return subprocess.Popen(
            [*held, sys.executable, "-m", "vtox", "up"], env=env, stdout=log, stderr=log
        )


def server_url(folder: Path) -> str:
    """Return the address of the embedded server of a folder."""
    return load(data_dir=folder, redis_url=None).working_url()


def wait_for_server(folder: Path) -> None:
    """Wait until the server and the workers of all queues are there."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        time.sleep(0.5)
        try:
            client = connect(server_url(folder), "bench")
            if client.scard(keys.WORKERS) >= len(FAMILIES) and group_info(client, keys.RAW):
                return
        except (ServerUnavailable, redis.RedisError):
            continue  # it is not up yet
    raise SystemExit(f"the cluster did not start: {folder}/up.log")


def run(
    url: str,
    up: psutil.Process,
    machines: int,
    lengths_s: tuple[float, float],
    core: int | None,
) -> None:
    """Register the machines, send, and print the measurements after the warm-up.

    `lengths_s` are those of the warm-up and of the measurement.
    """
    warm_up_s, length_s = lengths_s
    client = connect(url, "bench")
    register_machines(client, machines)
    with sending(url, machines, warm_up_s + length_s + 5, core):
        time.sleep(warm_up_s)
        before, wire, cpu = snapshot(client), wire_bytes(client), cpu_by_role(up)
        backlogs = []
        end = time.monotonic() + length_s
        while time.monotonic() < end:
            time.sleep(5)
            backlogs.append(snapshot(client).backlog or 0)
        after = snapshot(client)
        used = Counter(cpu_by_role(up))
        used.subtract(cpu)
        wire = wire_bytes(client) - wire
    found = {"machines": machines, "core": core, "warm_up_s": warm_up_s}
    found |= figures(before, after, dict(used), wire, backlogs)
    report(found)


def register_machines(client: Client, machines: int) -> None:
    """Give the sender's machines their nameplates."""
    for name in map(workload.live_name, range(machines)):
        register(client, name, workload.motor(name))


def figures(
    before: Snapshot, after: Snapshot, used_s: dict[str, float], wire: int, backlogs: list[int]
) -> dict[str, Any]:
    """Return the measurements between two moments."""
    windows = after.counters.get("windows_done", 0) - before.counters.get("windows_done", 0)
    if not windows:
        raise SystemExit("no window was finished between the marks: see the log of `vtox up`")
    third = max(1, len(backlogs) // 3)
    return {
        "seconds": after.t - before.t,
        "windows_per_s": windows / (after.t - before.t),
        "cpu_ms": {role: 1e3 * s / windows for role, s in sorted(used_s.items())},
        "wire_kb": wire / windows / 1e3,
        "backlog": [sum(backlogs[:third]) / third, sum(backlogs[-third:]) / third],
        "server_mb": after.server.used_memory_bytes / 1e6 if after.server else None,
        "latency_ms": {
            family: latency(counts, before.latency.get(family, {}))
            for family, counts in after.latency.items()
        },
    }


def latency(counts: Mapping[int, int], earlier: Mapping[int, int]) -> dict[str, float | None]:
    """Return the percentiles of the latencies since `earlier`, ms."""
    since = {str(b): n - earlier.get(b, 0) for b, n in counts.items()}
    since = {b: n for b, n in since.items() if n}
    return {f"p{100 * p:.0f}": percentile(since, p) for p in SHARES}


def report(found: dict[str, Any]) -> None:
    """Print the figures."""
    cpu_ms, (first, last) = found["cpu_ms"], found["backlog"]
    parts = ", ".join(f"{role} {ms:.2f}" for role, ms in cpu_ms.items())
    print(
        f"{found['machines']} machines, {found['seconds']:.0f} s: "
        f"{found['windows_per_s']:.0f} windows/s finished"
    )
    print(f"CPU of a window, ms: {sum(cpu_ms.values()):.2f} ({parts})")
    print(f"on the wire of the server: {found['wire_kb']:.0f} kB a window")
    print(f"backlog, windows: {first:.0f} in the first third, {last:.0f} in the last")
    if found["server_mb"]:
        print(f"memory of the server: {found['server_mb']:.0f} MB")
    print("arrival of a record's last window to its committed result, ms:")
    for family, shares in found["latency_ms"].items():
        text = ", ".join(f"{p} {ms:.0f}" for p, ms in shares.items() if ms)
        print(f"  {family:12} {text}")


@contextmanager
def sending(url: str, machines: int, seconds: float, core: int | None) -> Iterator[None]:
    """Send from a separate process while the block runs."""
    others = sorted(set(range(os.cpu_count() or 1)) - {core})
    held = [] if core is None else ["taskset", "-c", ",".join(map(str, others))]
    with measure.sending(["vtox", url, machines, seconds], held) as process:
        assert process.stdout
        yield
        said = process.stdout.read()
    late_s, refused = (json.loads(said.splitlines()[-1])[name] for name in ("late_s", "refused"))
    print(f"the sender was {late_s:.2f} s late at its end, {refused} windows were refused")


def role(command: list[str]) -> str:
    """Return the role of a process by its command line."""
    text = " ".join(command)
    return next((word for word in ROLES if word in text), "other")


def cpu_by_role(up: psutil.Process) -> dict[str, float]:
    """Return role -> CPU time so far of all its processes, s; pools with their parents."""
    used: dict[str, float] = {}
    for p in [up, *up.children(recursive=True)]:
        try:
            name, times = role(p.cmdline()), p.cpu_times()
        except psutil.Error:
            continue
        used[name] = used.get(name, 0.0) + times.user + times.system
    return used


if __name__ == "__main__":
    main()
