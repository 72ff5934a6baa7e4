"""`python -m benchmarks.many_hosts`: the runs of `make hosts` and a hundred hosts, simulated.

Prints three tables: the runs as measured and as simulated; a hundred hosts through the same
disturbances; what a number of hosts carries, by the table of `vtox doctor`.
Needs `make setup EXTRAS=scaling`.
"""

import argparse
import sys
import tomllib
from collections.abc import Iterable, Sequence
from statistics import median

import numpy as np

from benchmarks.many_hosts.carried import carried
from benchmarks.many_hosts.figures import Figures, figures
from benchmarks.many_hosts.layout import MEASURED, Layout, measured_times
from benchmarks.many_hosts.simulation import Disturbance, Simulation

# A disturbance meets the workers at another moment in each run.
SEEDS = 20
SPREAD_S = 2.5
HUNDRED = Layout(machines=20_000, worker_hosts=90, partitions=10)
HUNDRED_S = 75.0


def median_figures(
    layout: Layout, section: str, seconds: float, disturbances: Sequence[Disturbance], seeds: int
) -> Figures:
    """Return the medians over runs in which the disturbances begin at random within `SPREAD_S`."""
    rng = np.random.default_rng(1)
    costs, delays = measured_times(section)
    found = []
    for _ in range(seeds):
        moved = [
            Disturbance(d.kind, d.begin_s + rng.uniform(0, SPREAD_S), d.seconds, d.target)
            for d in disturbances
        ]
        tasks = Simulation(layout, costs, delays).run(seconds, moved)
        found.append(figures(tasks, seconds, moved, delays))
    return Figures(
        median(f.available for f in found),
        median(f.in_time for f in found),
        tuple(median(r) for r in zip(*(f.recovery_s for f in found), strict=True)),
    )


def compared() -> Iterable[list[str]]:
    """Yield the runs of `make hosts`: measured beside simulated."""
    with MEASURED.open("rb") as file:
        runs = tomllib.load(file)["runs"]
    for run in runs:
        disturbances = [Disturbance(**d) for d in run["disturbances"]]
        layout = Layout(machines=run["machines"], worker_hosts=2, window_s=run["window_s"])
        f = median_figures(layout, "hosts", run["seconds"], disturbances, SEEDS)
        yield [
            run["name"],
            f"{run['available']:.1%}",
            f"{f.available:.1%}",
            ", ".join(f"{s:.1f}" for s in run["recovery_s"]),
            ", ".join(f"{s:.1f}" for s in f.recovery_s),
        ]


def hundred() -> Iterable[list[str]]:
    """Yield what happens to a hundred hosts with full diagnosis."""
    cases = {
        "undisturbed": [],
        "10 of 90 hosts of workers cut off for 30 s": [
            Disturbance("cut", 20.0, 30.0, n) for n in range(10)
        ],
        "45 of 90 hosts of workers cut off for 30 s": [
            Disturbance("cut", 20.0, 30.0, n) for n in range(45)
        ],
        "one of 10 bridges stopped": [Disturbance("bridge", 20.0, 30.0)],
    }
    for name, disturbances in cases.items():
        f = median_figures(HUNDRED, "one_box", HUNDRED_S, disturbances, seeds=1)
        worst = max(f.recovery_s, default=0.0)
        yield [name, f"{f.available:.1%}", f"{f.in_time:.2%}", f"{worst:.1f}"]


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table as its rows come."""
    print(f"\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def main(arguments: Sequence[str]) -> int:
    """Print the tables; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_hosts")
    parser.add_argument("--without-hundred", action="store_true", help="a minute less")
    options = parser.parse_args(arguments)
    columns = ("run", "available, measured", "simulated", "recovery, s, measured", "simulated")
    table(columns, compared())
    if not options.without_hundred:
        columns = ("a hundred hosts", "available", "answered in time", "recovery, s")
        table(columns, hundred())
    table(("hosts", "machines", "limited by", "next limit"), carried())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
