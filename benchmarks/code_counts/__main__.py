"""Print the counts of this checkout, and of another one next to them."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.code_counts import __doc__ as description
from benchmarks.code_counts.calls import BATCHES
from benchmarks.code_counts.house import house
from benchmarks.code_counts.sizes import constants

ROOT = Path(__file__).resolve().parents[2]


def counts(root: Path) -> Iterator[tuple[str, int]]:
    """Yield the name and value of each count of a checkout."""
    yield "constants of diagnosis", len(constants(root))
    calls = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("calls.py"))],
        env={**os.environ, "PYTHONPATH": str(root)},
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    for family, by_batch in json.loads(calls.stdout).items():
        for batch, count in zip(BATCHES, by_batch, strict=True):
            yield f"calls a record, {family}, batches of {batch}", count
    yield from house(root).items()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--against", type=Path, help="another checkout")
    roots = [r for r in (ROOT, parser.parse_args().against) if r]
    print("| count |" + "".join(f" {name} |" for name in ("now", "other")[: len(roots)]))
    print("|---|" + "---:|" * len(roots))
    for rows in zip(*map(counts, roots), strict=True):
        print(f"| {rows[0][0]} |" + "".join(f" {n:,} |" for _, n in rows))


if __name__ == "__main__":
    main()
