"""Stacks that py-spy has sampled: one line each, `outer (file:line);inner (file:line) samples`."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_PLACE = re.compile(r"^(?P<name>.*) \((?P<file>[^()]*?)(?::\d+)?\)$")
_PACKAGES = re.compile(r"^.*(?:site-packages|lib/python3\.\d+)/")

OURS, ARRAYS, OTHER = "VTOX", "numpy and scipy", "other"
# Who calls the functions of VTOX from outside: a task, a command, a thread, a request.
FRAMEWORKS = ("celery/", "billiard/", "typer/", "click/", "threading.py", "concurrent/", "asyncio/")

Stacks = Mapping[tuple[str, ...], int]  # functions from the outermost to the innermost -> samples


@dataclass(frozen=True, slots=True)
class Share:
    """What one function takes of the samples of a process."""

    function: str
    own: float  # with nothing that it calls, 0 to 1
    whole: float  # with all that it calls, 0 to 1


def read_stacks(lines: Iterable[str]) -> Stacks:
    """Return function stacks and their samples; lines of one function are taken together.

    Raises `ValueError` with the line's number where a line is none of py-spy's.
    """
    stacks: Counter[tuple[str, ...]] = Counter()
    for number, line in enumerate(lines, start=1):
        frames, _, samples = line.rstrip().rpartition(" ")
        if not frames or not samples.isdecimal():
            raise ValueError(f"line {number} is no sampled stack: {line.rstrip()[:80]!r}")
        calls = tuple(_function(f) for f in frames.split(";") if not f.startswith("process "))
        if calls:  # a process without a Python frame is just starting
            stacks[calls] += int(samples)
    return stacks


def _function(frame: str) -> str:
    """Return `name (file)` of a frame, the file from the package on."""
    if not (found := _PLACE.match(frame)):
        return frame
    return f"{found['name']} ({_PACKAGES.sub('', found['file'])})"


def shares(stacks: Stacks) -> list[Share]:
    """Return the functions by the time spent in themselves, the largest first."""
    own: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for stack, samples in stacks.items():
        own[stack[-1]] += samples
        for function in set(stack):  # a function that calls itself counts once
            whole[function] += samples
    total = sum(own.values())
    return [Share(f, own[f] / total, whole[f] / total) for f, _ in own.most_common()]


def own_part(stacks: Stacks) -> Stacks:
    """Return the stacks from the function of VTOX on that a framework called last.

    What lies outside is the same in all. Stacks without such a function keep their innermost one.
    """
    shorter: Counter[tuple[str, ...]] = Counter()
    for stack, samples in stacks.items():
        entries = [
            i
            for i, f in enumerate(stack)
            if owner(f) == OURS and (i == 0 or _file(stack[i - 1]).startswith(FRAMEWORKS))
        ]
        shorter[stack[entries[-1] if entries else -1 :]] += samples
    return shorter


def owner(function: str) -> str:
    """Return whose a function is."""
    file = _file(function)
    if file.startswith(("vtox/", "workers/", "api/", "celeryconfig.py")):
        return OURS
    return ARRAYS if file.startswith(("numpy", "scipy")) else OTHER


def _file(function: str) -> str:
    return function.rpartition("(")[2]
