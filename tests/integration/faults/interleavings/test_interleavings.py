"""The whole system in one process, replayed from seeds (`make interleavings`)."""

import os
import subprocess
import sys

import pytest

from faults.slow_fsync import compiler
from tests.paths import ROOT

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not compiler(), reason="no C compiler is installed (Debian: gcc)"),
]


def interleavings(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "faults.interleavings", *arguments]
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | threads, capture_output=True, text=True
    )


# 16 general ones, 4 of rare commands, 4 of each aim, and some at which mutants died. A night runs
# thousands: `make interleavings`.
SEEDS = (*range(40), 40, 61, 112, 183)


@pytest.mark.timeout(600)
def test_what_is_promised_holds_in_orders_of_events() -> None:
    # An idle core needs a quarter of a minute; a busy box begins fewer.
    done = interleavings("--these", ",".join(map(str, SEEDS)), "--seconds", "90")
    assert done.returncode == 0, done.stdout + done.stderr


def history() -> list[str]:
    """A seed's output in two runs of one process: one with all kinds of senders and recorders."""
    done = interleavings("--seed", "61", "--seeds", "1", "--repeat", "2")
    return [line for line in done.stdout.splitlines() if "histories" in line]


@pytest.mark.timeout(600)
def test_a_seed_gives_one_history() -> None:
    first = history()
    assert first[0].startswith("seed 61: 2 runs, 1 histories")
    assert first == history()
