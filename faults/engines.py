"""`python -m faults engines`: the same checker over each way to run VTOX, in one table.

python -m faults engines [--seed N] [--keep FOLDER] [ENGINE ...]
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from faults.check import Verdict, check
from faults.failovers import failover
from faults.history import read
from faults.run import Test, run
from faults.tests import crashes_short
from tests.rabbitmq import PROGRAM, rabbitmq

COLUMNS = (
    "engine",
    "windows acknowledged",
    "disturbances",
    "lost",
    "doubled",
    "withdrawn",
    "duplicate executions",
    "recovery, s",
    "drained, s",
    "progress",
    "load average",
    "",
)
PARTITIONS = 4


def _embedded(seed: int, folder: Path) -> AbstractContextManager[Test]:
    return nullcontext(crashes_short(seed))


def _sentinel(seed: int, folder: Path) -> AbstractContextManager[Test]:
    return nullcontext(failover(seed))


def _partitions(seed: int, folder: Path) -> AbstractContextManager[Test]:
    test = crashes_short(seed)
    test.options.partitions = PARTITIONS
    return nullcontext(test)


@contextmanager
def _rabbitmq(seed: int, folder: Path) -> Iterator[Test]:
    with rabbitmq(folder) as node:
        test = crashes_short(seed)
        test.options.broker_url = node.url
        yield test


ENGINES: dict[str, tuple[str, Callable[[int, Path], AbstractContextManager[Test]]]] = {
    "embedded": ("one embedded server; server and others killed, stopped, cut off", _embedded),
    "sentinel": ("Sentinel, 1 primary and 2 replicas; primary killed, stopped 60 s", _sentinel),
    "partitions": (f"one embedded server, {PARTITIONS} partitions; as the first", _partitions),
    "rabbitmq": ("one embedded server, RabbitMQ as broker; as the first", _rabbitmq),
}


def missing(engine: str) -> str:
    """Return the missing program of an engine, empty if none."""
    absent = engine == "rabbitmq" and not PROGRAM.exists()
    return "RabbitMQ is not installed" if absent else ""


def row(engine: str, verdict: Verdict, load: float) -> str:
    """Return a run as a line of the table, with the load of the box meanwhile."""
    f = verdict.figures
    duplicates, progress = (
        "unknown" if x is None else f"{x:.1%}" for x in (f.duplicates, f.progress)
    )
    cells = [ENGINES[engine][0], f.windows, f.disturbances, f.lost, f.doubled, f.withdrawn]
    cells += [
        duplicates,
        *("unknown" if x is None else f"{x:.1f}" for x in (f.recovery_s, f.drained_s)),
    ]
    cells += [progress, f"{load:.0f}", "**failed**" if verdict.violations else "passed"]
    return f"| {' | '.join(map(str, cells))} |"


def main(arguments: Sequence[str]) -> int:
    """Run the engines; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m faults engines")
    parser.add_argument("engines", nargs="*", metavar="ENGINE", help=f"of: {', '.join(ENGINES)}")
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="where histories and logs are kept")
    options = parser.parse_args(arguments)
    if unknown := set(options.engines) - set(ENGINES):
        parser.error(f"no engine {', '.join(sorted(unknown))}; there are {', '.join(ENGINES)}")
    top = options.keep or Path(tempfile.mkdtemp(prefix="vtox-engines-"))
    rows, failed = [], 0
    for engine in options.engines or ENGINES:
        if lack := missing(engine):
            print(f"{engine}: not tested, {lack}", flush=True)
            continue
        with ENGINES[engine][1](options.seed, top / f"{engine}-broker") as test:
            before = os.getloadavg()[0]
            verdict = check(read(run(test, top / engine)))
        for violation in verdict.violations:
            print(f"{engine}: {violation}", file=sys.stderr, flush=True)
        failed += bool(verdict.violations)
        rows.append(row(engine, verdict, (before + os.getloadavg()[0]) / 2))
        print(rows[-1], flush=True)
    print("\n".join(["", f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS), *rows]))
    return 1 if failed else 0
