"""Runs seeds over each mutant until one fails: a generator that finds none finds no defect either.

`python -m interleavings.mutation --seeds 2000 --only F1`.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from interleavings.mutants import Mutant, mutants

ROOT = Path(__file__).parent.parent
COPIED = ("vtox", "workers", "api", "faults", "interleavings")
_SEED = re.compile(r"^seed (\d+): ([^:]*): (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Death:
    """How a mutant ended: after how many seeds, by which rule; 0 seeds: it survived."""

    mutant: Mutant
    seeds: int
    rule: str
    what: str
    took_s: float


def death(mutant: Mutant, first: int, seeds: int) -> Death:
    """Run seeds over a mutant until one of them fails."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vtox-mutant-") as folder:
        root = Path(folder)
        for name in COPIED:
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "celeryconfig.py", root)
        mutant.apply(root)
        command = [sys.executable, "-m", "interleavings", "--first", "--seed", str(first)]
        command += ["--seeds", str(seeds), "--no-shrink", "--having", _having(mutant)]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    took_s = time.monotonic() - began
    if found := _SEED.search(done.stdout):
        return Death(mutant, int(found[1]) - first + 1, found[2], found[3], took_s)
    ended = done.returncode and (done.stderr.strip().splitlines() or ["?"])[-1]
    return Death(
        mutant, 1 if ended else 0, "does not run" if ended else "", str(ended or ""), took_s
    )


def _having(mutant: Mutant) -> str:
    """Return what the workload of a seed has, if the others never come to what was taken out."""
    files = {path.stem for path, _, _ in mutant.changes}
    return "repartitions" if files <= {"move", "retire_partition", "unassigned_entries"} else ""


def deaths(of: Sequence[Mutant], first: int, seeds: int, jobs: int) -> Iterator[Death]:
    """Yield how each mutant ended."""
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda m: death(m, first, seeds), of)


def main(argv: Sequence[str]) -> int:
    """Run the command; 1 where a mutant survives."""
    parser = argparse.ArgumentParser(prog="interleavings.mutation")
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="mutants whose name contains this")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args(argv)
    chosen = [m for m in mutants(ROOT) if options.only in m.name]
    if options.list:
        print("\n".join(m.name for m in chosen))
        return 0
    survivors = 0
    print("| taken out | seeds | rule |\n|---|---:|---|")
    for d in deaths(chosen, options.seed, options.seeds, options.jobs):
        survivors += not d.seeds
        name = d.mutant.name.replace("|", "\\|")
        print(
            f"| {name} | {d.seeds or 'survived'} | {d.rule} {d.what[:90]} ({d.took_s:.0f} s)|",
            flush=True,
        )
    return int(survivors > 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
