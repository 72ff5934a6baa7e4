"""Windows per second at full speed: sent ahead, then drained by three workers on one machine.

    python -m benchmarks.throughput [--windows 5000] [--rounds 2] [--broker-url amqp://...]

Several designs one after the other, in several rounds: VTOX with the light load, VTOX with full
diagnosis, and a naive Celery pipeline with the same light load, once with one task a window and
fault (five) and once with one a window and family (three, as VTOX groups them). Window: 1 s of ia,
ib, ic, vibration at 10 kHz.
All share the cores of this machine, so only the ratios inside a round are meaningful.

With `--broker-url` VTOX alone, with its own server and with that broker in turn.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import psutil

from vtox import keys
from vtox.cluster.embedded_server import EmbeddedServer
from vtox.domain import Window
from vtox.faults import FAMILIES, record_length_s
from vtox.settings import load
from vtox.simulator.fleet import Machine, fleet
from vtox.simulator.signals import window as simulate
from vtox.store.client import Client, connect
from vtox.store.machines import register
from vtox.wire import encode

ROOT = Path(__file__).parents[1]
MACHINES = 50
MARKS = (0.1, 0.8)  # the rate is measured between these shares of the windows
PARTS = ("server", "bridge", "workers")
BY_FAULT = {fault: f.name for f in FAMILIES.values() for fault in f.faults}
BY_FAMILY = {name: name for name in FAMILIES}
NAIVE = ("naive, a task a fault", "naive, a task a family")


def healthy_fleet() -> list[Machine]:
    """Return healthy machines whose long records take 10 s, so that a short drain finishes them."""
    machines = [
        m
        for m in fleet(4 * MACHINES, seed=1)
        if m.fault is None and record_length_s("broken_bar", m.motor) == 10.0
    ]
    return machines[:MACHINES]


def windows(total: int) -> list[tuple[dict[str, object], dict[str, np.ndarray], str, int]]:
    """Return entries and samples of a fleet, in the order in which a live fleet sends them."""
    machines = healthy_fleet()
    made = []
    for k in range(total):
        machine, seq = machines[k % len(machines)], k // len(machines)
        sent, _ = simulate(machine, seq)
        channels = {c: sent[c] for c in ("ia", "ib", "ic", "vibration")}
        w = Window(
            machine_id=machine.machine_id, seq=seq, t0=1.7e9 + seq, fs_hz=1e4, channels=channels
        )
        made.append((encode(w), channels, machine.machine_id, seq))
    return made


@contextmanager
def running(commands: list[list[str]], env: dict[str, str]) -> Iterator[list[psutil.Process]]:
    """Run processes for a while."""
    with ExitStack() as stack:
        processes = [
            subprocess.Popen(
                c, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            for c in commands
        ]
        for p in processes:
            stack.callback(p.wait)
            stack.callback(p.terminate)
        yield [psutil.Process(p.pid) for p in processes]


def worker(app: str, queue: str, *more: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "celery",
        "-A",
        app,
        "worker",
        "-Q",
        queue,
        "-n",
        f"{queue}@%h",
        "--loglevel",
        "ERROR",
        *more,
    ]


def cpu_s(processes: list[psutil.Process]) -> float:
    """Return the CPU time that processes and what they started have used so far, s."""
    family = [c for p in processes for c in (p, *p.children(recursive=True))]
    return sum(sum(p.cpu_times()[:2]) for p in family)


def wait_for(condition: object, timeout_s: float = 600.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        if time.monotonic() > end:
            raise TimeoutError("the benchmark's condition did not come true")
        time.sleep(0.02)


def drain_vtox(
    client: Client, data: str, made: list, *plugin: str, broker_url: str = ""
) -> dict[str, float]:
    """Send all windows, then start the bridge; return the rate, CPU by part, share of diagnosis."""
    wipe(client)
    for machine in healthy_fleet():
        register(client, machine.machine_id, machine.motor)
    env = os.environ | {
        "VTOX_REDIS_URL": "",
        "VTOX_BROKER_URL": broker_url,
        "VTOX_DATA_DIR": data,
        "VTOX_RETENTION_S": "0",
        "VTOX_COORDINATOR_PORT": "18901",
        "VTOX_WORKER_PORT": "18902",
        "VTOX_BASELINE_AUTO": "false",
    }
    commands = [worker("vtox", f, *plugin) for f in FAMILIES]
    server = [psutil.Process(client.info("server")["process_id"])]
    with running(commands, env) as workers:
        wait_for(lambda: client.scard(keys.WORKERS) == len(FAMILIES))
        for fields, *_ in made:
            client.xadd(keys.RAW, fields)
        with running([[sys.executable, "-m", "vtox", "bridge"]], env) as bridge:
            # Before the first mark long records still fill, after the second they wait for windows
            # that never come: the rate between the marks is that of a steady drain.
            wait_for(lambda: done(client) >= MARKS[0] * len(made))
            parts = {"server": server, "bridge": bridge, "workers": workers}
            start, first = time.perf_counter(), done(client)
            before = {name: cpu_s(p) for name, p in parts.items()}
            wait_for(lambda: done(client) >= MARKS[1] * len(made))
            took, finished = time.perf_counter() - start, done(client) - first
            cpu = {
                f"{name}_ms": 1e3 * (cpu_s(p) - before[name]) / finished
                for name, p in parts.items()
            }
            cpu["cpu_ms"] = sum(cpu.values())
        beats = [client.hgetall(keys.worker(n.decode())) for n in client.smembers(keys.WORKERS)]
    busy = sum(float(b[b"busy_s"]) for b in beats if b"busy_s" in b)
    diagnosis = sum(float(b[b"diagnosis_s"]) for b in beats if b"diagnosis_s" in b)
    return {"windows_per_s": finished / took, "diagnosis_share": diagnosis / busy} | cpu


def done(client: Client) -> int:
    """Return the number of windows finished by all families."""
    return int(client.hget(keys.COUNTERS, "windows_done") or 0)


def drain_naive(
    client: Client, url: str, made: list, queues: Mapping[str, str]
) -> dict[str, float]:
    """Drain one task a window and member of `queues` (name -> family whose queue it goes to)."""
    os.environ["NAIVE_URL"] = url
    from benchmarks import naive_celery

    wipe(client)
    for _, channels, machine_id, seq in made:
        data = naive_celery.encode(channels)
        for name, family in queues.items():
            queue = f"naive_{family}"
            naive_celery.diagnose.apply_async(
                (name, machine_id, seq, 1e4, data), queue=queue, routing_key=queue
            )
    commands = [worker("benchmarks.naive_celery", f"naive_{f}") for f in FAMILIES]
    server = psutil.Process(client.info("server")["process_id"])
    with running(commands, dict(os.environ)) as workers:
        wait_for(lambda: client.xlen(naive_celery.RESULTS) > 0)
        start, before = time.perf_counter(), cpu_s([server, *workers])
        wait_for(lambda: client.xlen(naive_celery.RESULTS) >= len(made) * len(queues))
        took, used = time.perf_counter() - start, cpu_s([server, *workers]) - before
    return {"windows_per_s": len(made) / took, "cpu_ms": 1e3 * used / len(made)}


def wipe(client: Client) -> None:
    if names := list(client.scan_iter(count=1000)):
        client.unlink(*names)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=5000)
    parser.add_argument("--naive-windows", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--broker-url", default="", help="compare with VTOX on this broker")
    options = parser.parse_args()
    made = windows(options.windows)
    if options.broker_url:
        compare_brokers(made, options.rounds, options.broker_url)
        return
    rows = []
    with tempfile.TemporaryDirectory() as data:
        with EmbeddedServer(load(data_dir=Path(data), redis_maxmemory_mb=8192)) as server:
            client = connect(server.url, "benchmark")
            for n in range(options.rounds):
                few = made[: options.naive_windows]
                row = {
                    "VTOX, light load": drain_vtox(
                        client, data, made, "-I", "benchmarks.stub_diagnosis"
                    ),
                    "VTOX, full diagnosis": drain_vtox(client, data, made),
                    "naive, a task a fault": drain_naive(client, server.url, few, BY_FAULT),
                    "naive, a task a family": drain_naive(client, server.url, few, BY_FAMILY),
                }
                rows.append(row)
                print(table(n + 1, row), flush=True)
    for naive in NAIVE:
        ratios = [r["VTOX, light load"]["windows_per_s"] / r[naive]["windows_per_s"] for r in rows]
        print(f"light load over {naive}: median {statistics.median(ratios):.1f} times")


def compare_brokers(made: list, rounds: int, url: str) -> None:
    """Drain with the own server and with another broker in turn; CPU time of that one is extra."""
    print("| round | broker | windows/s | CPU a window, ms | server | bridge | workers |")
    print("|---|---|---:|---:|---:|---:|---:|")
    ratios = []
    with tempfile.TemporaryDirectory() as data:
        with EmbeddedServer(load(data_dir=Path(data), redis_maxmemory_mb=8192)) as server:
            client = connect(server.url, "benchmark")
            for n in range(rounds):
                rates = {}
                for name, broker_url in (("own server", ""), ("other", url)):
                    plugin = ("-I", "benchmarks.stub_diagnosis")
                    r = drain_vtox(client, data, made, *plugin, broker_url=broker_url)
                    rates[name] = r["windows_per_s"]
                    cells = [f"{r[k]:.2f}" for k in ("cpu_ms", *(f"{p}_ms" for p in PARTS))]
                    rate = f"{rates[name]:.0f}"
                    print(f"| {' | '.join([str(n + 1), name, rate, *cells])} |", flush=True)
                ratios.append(rates["other"] / rates["own server"])
    print(f"other over own server: {', '.join(f'{r:.2f}' for r in ratios)}")


def table(number: int, row: dict[str, dict[str, float]]) -> str:
    """Return a round as lines of a table."""
    by_fault, by_family = (row[n] for n in NAIVE)
    lines = [
        f"| round {number} | windows/s | CPU a window, ms | server | bridge | workers "
        "| times naive by fault (CPU) | by family (CPU) |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, r in row.items():
        parts = [f"{r[f'{p}_ms']:.2f}" if f"{p}_ms" in r else "" for p in PARTS]
        times = [
            f"{r['windows_per_s'] / n['windows_per_s']:.1f} ({n['cpu_ms'] / r['cpu_ms']:.1f})"
            for n in (by_fault, by_family)
        ]
        cells = [name, f"{r['windows_per_s']:.0f}", f"{r['cpu_ms']:.2f}", *parts, *times]
        lines.append(f"| {' | '.join(cells)} |")
    share = row["VTOX, full diagnosis"]["diagnosis_share"]
    return "\n".join([*lines, f"diagnosis: {share:.0%} of the workers' busy time when full"])


if __name__ == "__main__":
    main()
