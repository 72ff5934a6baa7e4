"""`python -m benchmarks.bench`: see the package."""

import argparse
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import benchmarks.bench
from benchmarks.bench.conditions import conditions
from benchmarks.bench.forms import at_pace, drain, memory
from benchmarks.bench.measure import Measured
from benchmarks.bench.systems import SERVER_MB, SYSTEMS, Ground
from benchmarks.bench.workload import CYCLE, Sent, windows
from vtox.motor.faults import FAMILIES
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.server.client import connect

NAMES = ("memory", *SYSTEMS)
# With fewer tasks of a family, their rate is mostly that of the first and the last.
LEAST_TASKS = 10
SHORT = {"windows": CYCLE, "rounds": 1, "live": []}
Row = Mapping[str, Measured]


def main() -> None:
    """Run the rounds, then the paces, print a table of each, and the ratios of all rounds."""
    options = _options()
    names = options.only or NAMES
    print(conditions(), flush=True)
    sent = windows(CYCLE + options.windows)
    rounds: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="vtox-bench-") as data:
        with EmbeddedServer(load(data_dir=Path(data), redis_maxmemory_mb=SERVER_MB)) as server:
            client = connect(server.url, "benchmark")
            task = "light" if options.light else "diagnosis"
            ground = Ground(client, server.url, data, task, options.broker_url)
            for n in range(options.rounds):
                print(f"\nround {n + 1}\n{DRAINED}", flush=True)
                row = {}
                for name in names:
                    row[name] = _drained(name, ground, sent)
                    print(drained(name, row[name]), flush=True)
                for size in options.batches:
                    name, of_size = f"vtox {size}", replace(ground, batch_windows=size)
                    row[name] = drain(SYSTEMS["vtox"], of_size, sent)
                    print(drained(name, row[name]), flush=True)
                rounds.append(row)
            for machines in options.live:
                print(f"\n{machines} machines that send\n{PACED}", flush=True)
                for name in names:
                    if name in SYSTEMS:
                        m = at_pace(name, ground, sent, machines, options.seconds)
                        print(paced(name, m), flush=True)
    print()
    for line in ratios(rounds):
        print(line)


def _drained(name: str, ground: Ground, sent: Sequence[Sent]) -> Measured:
    if name == "memory":
        return memory(ground, sent[CYCLE:])
    return drain(SYSTEMS[name], ground, sent)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=benchmarks.bench.__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--windows", type=int, default=3000, help=f"of a drain; whole records: {CYCLE}, {2 * CYCLE}"
    )
    parser.add_argument("--rounds", type=int, default=2, help="of drains")
    parser.add_argument(
        "--live", type=_sizes, default=[], help="also live, with so many machines: 50,200"
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="of a live measurement")
    parser.add_argument("--only", type=_names, default=[], help=f"some of {','.join(NAMES)}")
    parser.add_argument("--light", action="store_true", help="a light load instead of diagnosis")
    parser.add_argument("--short", action="store_true", help="a first look, about a minute")
    parser.add_argument("--broker-url", default="", help="VTOX with this broker of Celery")
    parser.add_argument(
        "--batches", type=_sizes, default=[], help="VTOX also with tasks of so many windows: 1,8,64"
    )
    options = parser.parse_args()
    if options.short:
        vars(options).update(SHORT)
    if options.light and options.live:
        parser.error("live, all systems diagnose: --light is for drains")
    if problem := refusal(options.windows, options.batches):
        parser.error(problem)
    return options


def refusal(of_drain: int, batches: list[int]) -> str:
    """Return why so many windows give no sound figures; empty if they do."""
    least = LEAST_TASKS * max(batches, default=0)
    if of_drain % CYCLE or of_drain < max(least, 1):
        least = CYCLE * max(1, -(-least // CYCLE))
        return (
            f"{of_drain} windows leave records open or make fewer than {LEAST_TASKS} tasks: "
            f"take a multiple of {CYCLE}, at least {least}"
        )
    return ""


def _sizes(text: str) -> list[int]:
    return [int(size) for size in text.split(",")]


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(NAMES):
        raise argparse.ArgumentTypeError(f"unknown system {min(unknown)}")
    return names


COSTS = " CPU a window, ms | by part | sender, ms | on the wire, kB | server, MB |"
ALIGNED = "---:|---|---:|---:|---:|"
DRAINED = f"| system | windows/s |{COSTS}\n|---|---:|{ALIGNED}"
_LATENCIES = "".join(f" {family}, ms |" for family in FAMILIES)
PACED = (
    f"| system | came, finished/s |{COSTS}{_LATENCIES}\n|---|---:|{ALIGNED}"
    + len(FAMILIES) * "---:|"
)


def drained(name: str, m: Measured) -> str:
    """Return the row of a drain."""
    return f"| {name} | {m.windows_per_s:.0f} |{_costs(m)}"


def paced(name: str, m: Measured) -> str:
    """Return the row of the measurements at a pace; latency as p50/p95/p99."""
    latency = (m.latency_ms.get(f, {}) for f in FAMILIES)
    cells = "".join(f" {'/'.join(f'{ms:.0f}' for ms in p.values())} |" for p in latency)
    rates = f"{m.notes['came_per_s']:.0f}, {m.windows_per_s:.0f}"
    return f"| {name} | {rates} |{_costs(m)}{cells}"


def _costs(m: Measured) -> str:
    parts = ", ".join(f"{p} {ms:.2f}" for p, ms in m.cpu_ms.items())
    sender, wire, server = (
        "" if value is None else f"{value:.{digits}f}"
        for value, digits in ((m.sender_ms, 2), (m.wire_kb, 0), (m.server_mb, 0))
    )
    return f" {m.total_ms:.2f} | {parts} | {sender} | {wire} | {server} |"


def ratios(rounds: list[Row]) -> list[str]:
    """Return VTOX over each other system: the median over the rounds, and its range."""
    lines = []
    for other in rounds[0]:
        if other.startswith("vtox") or "vtox" not in rounds[0]:
            continue
        of_rate = [r["vtox"].windows_per_s / r[other].windows_per_s for r in rounds]
        of_cpu = [r["vtox"].total_ms / r[other].total_ms for r in rounds]
        lines.append(
            f"vtox over {other}: {statistics.median(of_rate):.2f} times the windows a second "
            f"({min(of_rate):.2f} to {max(of_rate):.2f}), "
            f"{statistics.median(of_cpu):.2f} times the CPU of a window"
        )
    return lines


if __name__ == "__main__":
    main()
