"""What each constant of diagnosis decides: moved by 30 %, which records change.

    python -m evaluation.ablation --each 3 --only earth --keep earth.records > rules.md
    python -m evaluation.constants earth.records [--part insulation ...] > constants.md

The records are those that `evaluation.ablation` keeps: some of each code, sound and faulty. Each
constant is moved alone, in a process forked for it, with what other modules compute from it when
they are imported. A number that no record needs is not proven useless: it may hold what the records
do not show.
"""

import argparse
import ast
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from evaluation.ablation import kept_records
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.faults import FAULTS

FACTORS = (0.7, 1.3)
FOLDERS = ("vtox.motor.diagnosis.diagnosers.", "vtox.motor.diagnosis.dsp.")
# A record with the code and state that it has.
Known = tuple[DiagnosisInput, str, str]
Counts = dict[str, int]


def known_records(files: Sequence[Path]) -> dict[str, list[Known]]:
    """Return the records of each fault that the files hold."""
    found: dict[str, list[Known]] = {fault: [] for fault in FAULTS}
    for (fault, _), decided in kept_records(files).items():
        found[fault] += [(x, d.code, d.state) for x, d, _ in decided.cases]
    return found


def numbers_of(module: ModuleType) -> list[str]:
    """Return the names of the constants of a module that are numbers, or made of numbers."""
    return [name for name in _assigned(module) if _is_moved(getattr(module, name))]


@cache
def _assigned(module: ModuleType) -> dict[str, ast.stmt]:
    return dict(_capitals(module))


def _capitals(module: ModuleType) -> Iterator[tuple[str, ast.stmt]]:
    for node in ast.parse(Path(str(module.__file__)).read_text()).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                if name.isupper():
                    yield name, node


def _is_moved(value: Any) -> bool:
    if isinstance(value, bool | str):
        return False
    if isinstance(value, tuple):
        return bool(value) and all(map(_is_moved, value))
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fiuc"
    return isinstance(value, int | float | complex)


def moved(value: Any, factor: float) -> Any:
    """Return a number times a factor; a whole one moves by one at least."""
    if isinstance(value, tuple):
        return tuple(moved(v, factor) for v in value)
    if isinstance(value, int):
        return value + (1 if factor > 1 else -1) * max(1, round(value * abs(factor - 1)))
    if isinstance(value, np.ndarray):
        return (value * factor).astype(value.dtype)
    return value * factor


def move(module: ModuleType, name: str, factor: float) -> None:
    """Change a constant, where it is imported too, and what is computed from it."""
    old = getattr(module, name)
    _change(module, name, old, moved(old, factor))
    # What functions have kept was computed with the old value.
    for user in [m for n, m in sys.modules.items() if n.startswith("vtox.")]:
        for kept in [x for x in vars(user).values() if hasattr(x, "cache_clear")]:
            kept.cache_clear()


def _change(module: ModuleType, name: str, old: Any, new: Any) -> None:
    for user in [m for n, m in sys.modules.items() if n.startswith("vtox.")]:
        own = _assigned(user) if user.__file__ else {}
        if vars(user).get(name) is not old or (user is not module and name in own):
            continue
        setattr(user, name, new)
        for other, node in own.items():
            uses = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            if name in uses and other != name:
                before = getattr(user, other)
                code = ast.Module([node], [])
                exec(compile(code, str(user.__file__), "exec"), vars(user))
                _change(user, other, before, getattr(user, other))


def changes(cases: dict[str, list[Known]]) -> Counts:
    """Return how many records have another state, another code only, or no answer at all."""
    counts = {"state": 0, "code": 0, "error": 0}
    for fault, known in cases.items():
        for start in range(0, len(known), 32):
            some = known[start : start + 32]
            try:
                answers = diagnose_batch([x for x, *_ in some], [fault])
            except Exception:  # whatever a diagnoser raises with a constant that is wrong
                counts["error"] += len(some)
                continue
            for (_, code, state), (d,) in zip(some, answers, strict=True):
                counts["state"] += d.state != state
                counts["code"] += d.state == state and d.code != code
    return counts


def moved_alone(module: ModuleType, name: str, factor: float, run: Callable[[], Counts]) -> Counts:
    """Return what changes where one constant is moved, in a process of its own."""
    context = get_context("fork")
    receives, sends = context.Pipe(duplex=False)

    def work() -> None:
        move(module, name, factor)
        sends.send(run())

    process = context.Process(target=work)
    process.start()
    sends.close()
    try:
        return receives.recv()  # type: ignore[no-any-return]
    except EOFError:
        return {"state": 0, "code": 0, "error": -1}
    finally:
        process.join()


def table(
    cases: dict[str, list[Known]], parts: Sequence[str], factors: Sequence[float]
) -> Iterator[str]:
    """Yield the lines of the table as Markdown."""
    yield "| constant | value | " + " | ".join(f"times {f:g}: state, code" for f in factors) + " |"
    yield "|---|---:|" + "---:|" * len(factors)
    names = sorted(n for n in sys.modules if n.startswith(FOLDERS))
    for module in [sys.modules[n] for n in names if not parts or any(p in n for p in parts)]:
        package = module.__name__.split(".")[-2]
        own = {package: cases[package]} if package in FAULTS else cases
        for name in numbers_of(module):
            cells = []
            for factor in factors:
                c = moved_alone(module, name, factor, lambda own=own: changes(own))
                cells.append("error" if c["error"] else f"{c['state']}, {c['code']}")
            value = str(getattr(module, name)).replace("\n", " ")[:24]
            where = module.__name__.removeprefix("vtox.motor.diagnosis.")
            yield f"| `{where}` `{name}` | {value} | {' | '.join(cells)} |"


def main() -> None:
    """Read, move, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("records", nargs="+", type=Path, help="kept by evaluation.ablation")
    parser.add_argument("--part", nargs="*", default=[], help="modules with these in their name")
    parser.add_argument("--factors", nargs="*", type=float, default=FACTORS)
    o = parser.parse_args()
    cases = known_records(o.records)
    unmoved = changes(cases)  # imports all that is moved
    print(f"{sum(map(len, cases.values()))} records; unmoved: {unmoved}\n")
    for line in table(cases, o.part, o.factors):
        print(line, flush=True)


if __name__ == "__main__":
    main()
