"""`python -m tests.fuzz`: random damage to everything that VTOX reads, with new seeds each time.

    python -m tests.fuzz [TARGET ...] [--count N] [--seed N] [--first N]

It prints a line for each target, and for each failure the command that repeats it. Exit status 1:
an error of another class, more than 5 s for an input, or more than 500 MB of memory.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.run import fuzz, result_lines
from tests.fuzz.targets import names, targets


def main() -> int:
    """Run targets, each in its own process, whose memory is then its own."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--count", type=int, help="inputs for each target")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        known = names(Path(folder))
        if unknown := set(chosen.targets) - set(known):
            parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
        if len(chosen.targets) == 1:
            [target] = [t for t in targets(Path(folder)) if t.name == chosen.targets[0]]
            result = fuzz(target, chosen.seed, chosen.first, chosen.count)
            print(result_lines(result), flush=True)
            return bool(result.failures)
    failed = 0
    for name in chosen.targets or known:
        count = ["--count", str(chosen.count)] if chosen.count else []
        command = [sys.executable, "-m", "tests.fuzz", name, "--seed", str(chosen.seed), *count]
        failed += subprocess.run(command, check=False).returncode != 0
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
