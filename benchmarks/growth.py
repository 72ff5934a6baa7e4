"""Does a window cost more if many machines are known, or many windows wait?

    python -m benchmarks.growth machines [--many 5000] [--minutes 5]
    python -m benchmarks.growth backlog [--many 100000] [--minutes 3]

Two clusters run side by side, each with all that `vtox up` starts but Flower, and with pages that
poll it. They are measured over the same intervals, so that other work of the box falls on both.
`machines`: 50 send a window a second in both. In one the others have sent a window each before and
are silent since. `backlog`: both drain small windows. In one 1,000 wait for the bridge all the
time, in the other many. The diagnoses are a light load in both (`benchmarks.stub_diagnosis`).

Each figure is CPU time of a window, by process: the median over the intervals, and the median and
quartiles of the ratios of the two in each.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx
import numpy as np
import psutil

from benchmarks import results
from benchmarks.bench.live import cpu_by_role
from benchmarks.bench.measure import ROOT, wait_for, worker
from benchmarks.bench.systems import LIGHT, windows_done
from benchmarks.results import Run
from benchmarks.server_commands import Commands, commands, comparison, per_window
from tests.cluster import free_ports
from vtox.motor.faults import FAMILIES
from vtox.motor.values.domain import Motor
from vtox.pipeline.cluster.processes import server_responds
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.stream.window_log import backlog, group_info

SENDING = 50
FEW_WAITING = 1_000
POLL_S = 2.0
INTERVAL_S = 20.0
# Windows in flight and in open records.
SLACK = 2_000
# A machine is silent after 30 s, which the monitor notices within ten.
WARM_UP_S = 50.0
MOTOR = Motor(supply_hz=50.0, rated_speed_rpm=1480.0, pole_pairs=2, site="Plant")
# Addresses that open pages and Prometheus ask for at each poll.
PAGES = (
    "/api/v1/fleet?limit=50",
    "/api/v1/cluster/status",
    "/api/v1/alerts?limit=50",
    "/api/v1/alerts/open?limit=50",
    "/api/v1/alarms?open=true&limit=50&grouped=true",
    "/api/v1/alarms/suspensions",
    "/api/v1/machines?limit=50",
    "/metrics",
)
SETTINGS = {
    "VTOX_REDIS_MAXMEMORY_MB": "4096",
    "VTOX_CLOCK_TOLERANCE_S": "1e9",
    "VTOX_KEEP__WINDOWS": "5s",
}


@dataclass(slots=True)
class Cluster:
    """One of the two clusters, and how far it was at each mark."""

    folder: Path
    up: psutil.Process
    workers: list[psutil.Process]
    address: str
    marks: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    server: list[Commands] = field(default_factory=list)
    next_seq: dict[str, int] = field(default_factory=dict)
    polls: int = 0
    client: Client = None

    def connect(self) -> None:
        """Wait until it is up."""
        self.client = connect(load(data_dir=self.folder).working_url(), "growth")
        wait_for(lambda: self.client.scard(keys.WORKERS) == len(FAMILIES), [self.up, *self.workers])
        wait_for(lambda: group_info(self.client, keys.RAW), [self.up])

    def mark(self) -> None:
        """Note how many windows are done, and the CPU time that each process has used."""
        used = cpu_by_role(self.up)
        for w in self.workers:
            for role, s in cpu_by_role(w).items():
                used[role] = used.get(role, 0.0) + s
        self.marks.append((windows_done(self.client), used))
        self.server.append(commands(self.client))

    def costs(self) -> list[dict[str, float]]:
        """Return process -> CPU time of a window, ms, in each interval between two marks."""
        pairs = zip(self.marks, self.marks[1:], strict=False)
        return [
            {role: 1e3 * (s - before.get(role, 0.0)) / (n - first) for role, s in after.items()}
            for (first, before), (n, after) in pairs
        ]


def main() -> None:
    """Run both clusters, and print their costs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("machines", "backlog"))
    parser.add_argument("--many", type=int, default=None)
    parser.add_argument("--minutes", type=float, default=3.0)
    results.add_option(parser)
    options = parser.parse_args()
    run = Run()
    print(run, flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    with tempfile.TemporaryDirectory(prefix="vtox-growth-") as name, ExitStack() as stack:
        pair = [stack.enter_context(_cluster(Path(name) / n)) for n in ("few", "many")]
        for cluster in pair:
            cluster.connect()
        began = time.monotonic()
        prepare, feed = {"machines": (_silent, _live), "backlog": (_waiting, _top_up)}[options.what]
        many = options.many or {"machines": 5_000, "backlog": 100_000}[options.what]
        stop = threading.Event()
        sizes = (SENDING if options.what == "machines" else FEW_WAITING, many)
        for cluster, size in zip(pair, sizes, strict=True):
            prepare(cluster, size)
        for cluster, size in zip(pair, sizes, strict=True):
            for job in (feed, _poll):
                thread = threading.Thread(target=job, args=(cluster, size, stop))
                thread.start()
                stack.callback(thread.join)
        stack.callback(stop.set)
        print(f"prepared in {time.monotonic() - began:.0f} s", flush=True)
        _measure(pair, options.minutes, keeps_up=options.what == "machines")
        run.keep(options.json, _report(pair, sizes, options.what))


@contextmanager
def _cluster(folder: Path) -> Iterator[Cluster]:
    """Run a cluster with a light load in place of diagnosis, on its own ports."""
    folder.mkdir()
    names = ("API_PORT", "COORDINATOR_PORT", "WORKER_PORT", "FLOWER_PORT")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    env = os.environ | SETTINGS | {"VTOX_DATA_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    env |= {f"VTOX_{n}": str(p) for n, p in ports.items()}
    python = [sys.executable, "-m", "vtox", "up", "--without", "workers", "--without", "flower"]
    commands = [python, *(worker("vtox", f, *LIGHT) for f in FAMILIES)]
    settings = load(data_dir=folder)
    with ExitStack() as stack, (folder / "log").open("wb") as log:
        processes = []
        for command in commands:
            p = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
            stack.callback(p.wait)
            stack.callback(p.terminate)
            processes.append(psutil.Process(p.pid))
            # Workers look for the server when they start.
            wait_for(lambda: server_responds(settings), processes)
        address = f"http://127.0.0.1:{ports['API_PORT']}"
        yield Cluster(folder, processes[0], processes[1:], address)


def _name(k: int) -> str:
    return f"M{k:05d}"


def _send(cluster: Cluster, machines: Sequence[str], fs_hz: int) -> None:
    """Send the next window of each machine."""
    counts = (3000 * np.sin(np.arange(fs_hz) / fs_hz * 314)).astype("<i2").tobytes()
    pipe = cluster.client.pipeline(transaction=False)
    for machine_id in machines:
        seq = cluster.next_seq.get(machine_id, 0)
        cluster.next_seq[machine_id] = seq + 1
        head = {"machine_id": machine_id, "seq": seq, "t0": 1.7e9 + seq, "fs_hz": fs_hz}
        channels = dict.fromkeys(("ia", "ib", "ic", "vibration"), counts)
        pipe.xadd(keys.RAW, head | {"dtype": "i2"} | channels)  # type: ignore[arg-type]
    pipe.execute()


def _silent(cluster: Cluster, machines: int) -> None:
    """Register the machines. All but the first, which go on, have sent a window."""
    for k in range(machines):
        register(cluster.client, _name(k), MOTOR)
    for first in range(SENDING, machines, 100):
        _send(cluster, [_name(k) for k in range(first, min(first + 100, machines))], 1000)
        time.sleep(0.1)
    wait_for(lambda: windows_done(cluster.client) >= machines - SENDING)


def _live(cluster: Cluster, _: int, stop: threading.Event) -> None:
    """Send a window of each of 50 machines a second."""
    parts = [[_name(k) for k in range(first, first + 5)] for first in range(0, SENDING, 5)]
    began = time.monotonic()
    for n in range(10**9):
        if stop.wait(max(0.0, began + n / len(parts) - time.monotonic())):
            return
        _send(cluster, parts[n % len(parts)], 1000)


def _waiting(cluster: Cluster, windows: int) -> None:
    """Begin with the windows that are to wait."""
    names = [_name(k) for k in range(SENDING)]
    for name in names:
        register(cluster.client, name, MOTOR)
    for _ in range(windows // SENDING):
        _send(cluster, names, 200)


def _top_up(cluster: Cluster, windows: int, stop: threading.Event) -> None:
    """Send as many windows as are read, so that always about as many wait."""
    names = [_name(k) for k in range(SENDING)]
    while not stop.wait(0.02):
        group = group_info(cluster.client, keys.RAW)
        unread = windows if group is None or group.lag is None else group.lag
        for _ in range((windows - unread) // SENDING):
            _send(cluster, names, 200)


def _poll(cluster: Cluster, _: int, stop: threading.Event) -> None:
    """Send the requests of open pages, as often as they do."""
    with httpx.Client(base_url=cluster.address, timeout=60) as http:
        while not stop.wait(POLL_S):
            for path in PAGES:
                http.get(path).raise_for_status()
            cluster.polls += 1


def _measure(pair: Sequence[Cluster], minutes: float, *, keeps_up: bool) -> None:
    """Warm up until silence is noticed and both keep up, then mark both at the same times."""
    if keeps_up:
        time.sleep(WARM_UP_S)
    for cluster in pair:
        if keeps_up:
            wait_for(lambda c=cluster: backlog(c.client) < SLACK)
        cluster.polls = 0
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        for cluster in pair:
            cluster.mark()
        time.sleep(INTERVAL_S)
    for cluster in pair:
        cluster.mark()


def _report(pair: Sequence[Cluster], sizes: Sequence[int], what: str) -> dict[str, Any]:
    """Print the cost of each process, and the server's commands that differ; return the costs."""
    few, many = (cluster.costs() for cluster in pair)
    print(f"{what}: {sizes[0]} and {sizes[1]}, {len(few)} intervals of {INTERVAL_S:.0f} s")
    for cluster in pair:
        group = group_info(cluster.client, keys.RAW)
        done = cluster.marks[-1][0] - cluster.marks[0][0]
        print(f"  {done} windows, {cluster.polls} polls, waiting at the end: {group and group.lag}")
    print("| process | few, us | many, us | ratio |\n|---|---:|---:|---:|")
    for role in sorted(set().union(*few, *many)):
        print(_row(role, few, many, lambda cost, role=role: cost.get(role, 0.0)))
    print(_row("all", few, many, lambda cost: sum(cost.values())))
    print("What the server did otherwise:")
    used = (per_window(c.server[0], c.server[-1], c.marks[-1][0] - c.marks[0][0]) for c in pair)
    print("\n".join(comparison(*used)))
    return {"what": what, "sizes": list(sizes), "cpu_ms": [few, many]}


def _row(
    name: str,
    few: Sequence[dict[str, float]],
    many: Sequence[dict[str, float]],
    cost: Callable[[dict[str, float]], float],
) -> str:
    a, b = [cost(x) for x in few], [cost(x) for x in many]
    ratios = [y / x for x, y in zip(a, b, strict=True) if x]
    if len(ratios) < 2:
        return f"| {name} | {1e3 * median(a):.0f} | {1e3 * median(b):.0f} | |"
    low, middle, high = quantiles(ratios, n=4)
    return (
        f"| {name} | {1e3 * median(a):.0f} | {1e3 * median(b):.0f} "
        f"| {middle:.2f} ({low:.2f} to {high:.2f}) |"
    )


if __name__ == "__main__":
    main()
