"""Runs a target: counts outcomes, and keeps the inputs that end in anything else."""

import gc
import random
import resource
import time
import warnings
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from tests.fuzz.targets import COUNTS, Target
from vtox.motor.files import child

MAX_S = 5.0
MAX_BYTES = 500 * 10**6
# One fault of a reader makes a thousand failures; these are enough to find it.
MOST = 5


@dataclass(slots=True)
class Result:
    """The outcomes of a target: `slowest_s` of one input, `peak_bytes` of memory held."""

    target: str
    seed: int
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    peak_bytes: int = 0


def fuzz(target: Target, seed: int, first: int = 0, count: int | None = None) -> Result:
    """Return the result of some inputs; input `i` of a seed is always the same."""
    result = Result(target.name, seed)
    before = _peak_bytes() if count else 0  # in tests the process has run others
    with suppress(Exception):  # libraries load, which is no time of an input
        target.run(target.make(random.Random(0)))
    gc.freeze()  # readers collect after each damaged file: of what they made, no module
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for i in range(first, first + (count or COUNTS[target.in_child])):
            _run(target, result, i)
            if len(result.failures) >= MOST:
                break
    child.stop()
    result.peak_bytes = _peak_bytes()
    if result.peak_bytes - before > MAX_BYTES:
        result.failures.append(f"{result.peak_bytes / 1e6:.0f} MB of memory")
    return result


def _run(target: Target, result: Result, i: int) -> None:
    content = target.make(random.Random(f"{result.seed}.{i}"))
    start_s = _cpu_s()
    try:
        result.outcomes[target.run(content)] += 1
    except Exception as error:
        what = f"{type(error).__name__} {str(error)[:200]}"
        result.failures.append(f"{what}\n  {_command(target, result.seed, i)}")
    took_s = _cpu_s() - start_s
    result.slowest_s = max(result.slowest_s, took_s)
    if took_s > MAX_S:
        result.failures.append(f"{took_s:.1f} s\n  {_command(target, result.seed, i)}")


def _cpu_s() -> float:
    """Return the processor time of this process and its child: a busy box makes it no longer."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    found_s = time.process_time() + ended.ru_utime + ended.ru_stime
    if process := child._running():  # to ask for all children looks at each process of the box
        with suppress(psutil.NoSuchProcess):
            found_s += sum(psutil.Process(process.pid).cpu_times()[:2])
    return found_s


def _command(target: Target, seed: int, i: int) -> str:
    return f"python -m tests.fuzz {target.name} --seed {seed} --first {i} --count 1"


def _peak_bytes() -> int:
    """Return the most memory that this process, or a child that has ended, had at once."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(k).ru_maxrss for k in kinds) << 10


def result_lines(result: Result) -> str:
    """Return a result as lines of text."""
    codes = ", ".join(f"{code} {n}" for code, n in result.outcomes.most_common())
    head = (
        f"{result.target}: seed {result.seed}, {result.outcomes.total()} inputs, slowest "
        f"{result.slowest_s:.2f} s, {result.peak_bytes / 1e6:.0f} MB: {codes}"
    )
    return "\n".join([head, *(f"FAILED {f}" for f in result.failures)])
