"""`python -m benchmarks.bench`: see the package."""

import argparse
import statistics
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import benchmarks.bench
from benchmarks import results
from benchmarks.bench.measure import Measured
from benchmarks.bench.systems import SYSTEMS, Ground, missing, vtox
from benchmarks.bench.workload import windows
from benchmarks.results import Run
from vtox.cluster.embedded_server import EmbeddedServer
from vtox.settings import load
from vtox.store.client import connect

SHORT = {"windows": 1000, "rounds": 1}


def main() -> None:
    """Run the rounds and print a table after each, and the ratios of all."""
    options = _options()
    names = options.only.split(",") if options.only else list(SYSTEMS)
    run = Run()
    print(run, flush=True)
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
                for size in options.batches:
                    row[f"vtox {size}"] = vtox(replace(ground, batch_windows=size), sent)
                rounds.append(row)
                print(f"\nround {n + 1}\n{table(row)}", flush=True)
    for line in ratios(rounds):
        print(line)
    figures = [{name: asdict(m) for name, m in row.items()} for row in rounds]
    run.keep(options.json, {"windows": options.windows, "rounds": figures})


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
    parser.add_argument(
        "--batches", type=_sizes, default=[], help="VTOX also with tasks of so many windows: 1,8,64"
    )
    results.add_option(parser)
    options = parser.parse_args()
    if options.short:
        vars(options).update(SHORT)
    if unknown := set(filter(None, options.only.split(","))) - set(SYSTEMS):
        parser.error(f"unknown system {min(unknown)}, expected some of {', '.join(SYSTEMS)}")
    return options


def _sizes(text: str) -> list[int]:
    return [int(size) for size in text.split(",")]


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
