"""`python -m benchmarks.bench`: see the package."""

import argparse
import os
import platform
import statistics
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import benchmarks.bench
from benchmarks.bench.measure import Measured
from benchmarks.bench.systems import SYSTEMS, Ground, missing
from benchmarks.bench.workload import windows
from vtox.cluster.embedded_server import EmbeddedServer
from vtox.settings import load
from vtox.store.client import connect

SHORT = {"windows": 1000, "rounds": 1}


def main() -> None:
    """Run the rounds and print a table after each, and the ratios of all."""
    options = _options()
    names = options.only.split(",") if options.only else list(SYSTEMS)
    print(conditions(), flush=True)
    for name in missing().intersection(names):
        print(f"{name}: not installed, pip install 'vtox[bench]'")
        names.remove(name)
    sent = windows(options.windows)
    rounds: list[dict[str, Measured]] = []
    with tempfile.TemporaryDirectory(prefix="vtox-bench-") as data:
        with EmbeddedServer(load(data_dir=Path(data), redis_maxmemory_mb=8192)) as server:
            client = connect(server.url, "benchmark")
            ground = Ground(client, server.url, data, options.light, options.broker_url)
            for n in range(options.rounds):
                row = {name: SYSTEMS[name](ground, sent) for name in names}
                rounds.append(row)
                print(f"\nround {n + 1}\n{table(row)}", flush=True)
    for line in ratios(rounds):
        print(line)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=benchmarks.bench.__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--windows", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", default="", help=f"some of {','.join(SYSTEMS)}")
    parser.add_argument("--light", action="store_true", help="a light load instead of diagnosis")
    parser.add_argument("--short", action="store_true", help="a first look, about a minute")
    parser.add_argument("--broker-url", default="", help="VTOX with this broker of Celery")
    options = parser.parse_args()
    if options.short:
        vars(options).update(SHORT)
    if unknown := set(filter(None, options.only.split(","))) - set(SYSTEMS):
        parser.error(f"unknown system {min(unknown)}, expected some of {', '.join(SYSTEMS)}")
    return options


def conditions() -> str:
    """Return one line on the machine and the versions."""
    parts = ("celery", "redis", "numpy", "scipy")
    versions = ", ".join(f"{p} {version(p)}" for p in parts)
    load_average = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, load {load_average:.1f} before the start; "
        f"{platform.system()} {platform.machine()}, Python {sys.version.split()[0]}, {versions}"
    )


def table(row: dict[str, Measured]) -> str:
    """Return a round as the lines of a table: rates, CPU by part, bytes on the wire."""
    lines = [
        "| system | windows/s | CPU a window, ms | by part | on the wire, kB |",
        "|---|---:|---:|---|---:|",
    ]
    for name, m in row.items():
        parts = ", ".join(f"{p} {ms:.2f}" for p, ms in m.cpu_ms.items())
        wire = "" if m.wire_kb is None else f"{m.wire_kb:.0f}"
        lines.append(f"| {name} | {m.windows_per_s:.0f} | {m.total_ms:.2f} | {parts} | {wire} |")
    return "\n".join(lines)


def ratios(rounds: list[dict[str, Measured]]) -> list[str]:
    """Return VTOX over each other system: the median over the rounds, and its range."""
    lines = []
    for other in rounds[0]:
        if other == "vtox" or "vtox" not in rounds[0]:
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
