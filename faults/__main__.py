"""`python -m faults`: runs tests, checks their histories, prints one table.

    python -m faults [TEST ...] [--seed N ...] [--keep FOLDER]
    python -m faults engines

Before them, and every ten minutes, it runs the test without faults, to which limits are relative.
On failure it prints the violations, the seed, the schedule, and the command that repeats the run.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from math import inf
from pathlib import Path

from faults import engines
from faults.check import Verdict, check
from faults.figures import Figures
from faults.history import read
from faults.reference import IDLE, LASTS_S, Reference
from faults.run import Test, run
from faults.tests import FULL, ONE_SEED, SEEDS, TESTS, UNDISTURBED, fully_diagnosed

COLUMNS = (
    "test",
    "seed",
    "slowness",
    "windows acknowledged",
    "disturbances",
    "lost",
    "doubled",
    "dead letters",
    "duplicate executions",
    "progress under disturbance",
    "recovery, s",
    "drained, s",
    "",
)


def row(figures: Figures, passed: bool) -> str:
    """Return a run as a line of the table."""
    f = figures
    cells = [f.test, f.seed, f"{f.slowness:.1f}", f.windows, f.disturbances]
    cells += [f.lost, f.doubled, f.dead]
    cells += [_share(f.duplicates), _share(f.progress), _number(f.recovery_s)]
    cells += [_number(f.drained_s), "passed" if passed else "**failed**"]
    return f"| {' | '.join(map(str, cells))} |"


def _share(x: float | None) -> str:
    return "unknown" if x is None else f"{x:.1%}"


def _number(x: float | None) -> str:
    return "unknown" if x is None else f"{x:.1f}"


def explain(test: Test, verdict: Verdict, history: Path) -> str:
    """Return the violations, and the command that repeats the run."""
    plain = test.name.removesuffix(FULL)
    name = next(n for n, make in TESTS.items() if make(test.seed).name == plain)
    name += " --full-diagnosis" if test.name.endswith(FULL) else ""
    lines = [f"{test.name}, seed {test.seed}:", *(f"  {v}" for v in verdict.violations)]
    lines += ["schedule:", *(f"  {d}" for d in test.schedule)]
    lines += [f"history: {history}", f"again: python -m faults {name} --seed {test.seed}"]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Run the tests; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__.splitlines()[0])
    parser.add_argument("tests", nargs="*", metavar="TEST", help=f"of: {', '.join(TESTS)}")
    parser.add_argument("--seed", type=int, action="append", dest="seeds")
    parser.add_argument("--full-diagnosis", action="store_true", help="instead of the light load")
    parser.add_argument("--supervised", action="store_true", help="under `vtox up`")
    parser.add_argument("--broker-url", default="", help="Celery's broker, if not the server")
    parser.add_argument("--partitions", type=int, default=1, help="of the raw stream")
    parser.add_argument("--keep", type=Path, help="where histories and logs are kept")
    options = parser.parse_args(arguments)
    if unknown := set(options.tests) - set(TESTS):
        parser.error(f"no test {', '.join(sorted(unknown))}; there are {', '.join(TESTS)}")
    session = Session(options)
    for name in options.tests or [n for n in TESTS if not n.endswith("-short")]:
        for seed in options.seeds or SEEDS.get(name, ONE_SEED):
            session.run(name, seed)
    session.print_table()
    return 1 if session.failed else 0


class Session:
    """Tests that run one after another, each with the latest reference."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.top = options.keep or Path(tempfile.mkdtemp(prefix="vtox-faults-"))
        self.rows: list[str] = []
        self.failed = 0
        self.reference = IDLE
        self.measured_t = -inf

    def run(self, name: str, seed: int) -> None:
        """Run a test; if the last run without faults is too old, repeat that run first."""
        test = self._test(name, seed)
        if test.needs:
            print(f"{test.name}: not tested, {test.needs}", flush=True)
            return
        if time.monotonic() - self.measured_t > LASTS_S:
            figures = self._run(self._test(UNDISTURBED, seed), IDLE)
            self.reference = Reference(figures.slowness, figures.progress or 0.0)
            self.measured_t = time.monotonic()
        if name != UNDISTURBED:
            self._run(test, self.reference)

    def print_table(self) -> None:
        """Print the rows again as one table; delete the folder unless kept or one failed."""
        head = [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS)]
        print("\n".join(["", *head, *self.rows]))
        if not self.failed and not self.options.keep:
            shutil.rmtree(self.top)

    def _test(self, name: str, seed: int) -> Test:
        test = TESTS[name](seed)
        if self.options.full_diagnosis:
            test = fully_diagnosed(test)
        test.options.supervised |= self.options.supervised
        test.options.broker_url = self.options.broker_url
        test.options.partitions = self.options.partitions
        return test

    def _run(self, test: Test, reference: Reference) -> Figures:
        test = test.stretched(reference.stretch)
        history = run(test, self.top / f"{len(self.rows)}-{test.seed}", reference)
        verdict = check(read(history))
        if verdict.violations:
            print(explain(test, verdict, history), file=sys.stderr, flush=True)
        self.failed += bool(verdict.violations)
        self.rows.append(row(verdict.figures, not verdict.violations))
        print(self.rows[-1], flush=True)
        return verdict.figures


if __name__ == "__main__":
    # An end by SIGTERM leaves no server and no worker behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if sys.argv[1:2] == ["engines"]:
        sys.exit(engines.main(sys.argv[2:]))
    sys.exit(main(sys.argv[1:]))
