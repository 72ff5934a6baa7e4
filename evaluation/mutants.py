"""Mutation testing of the rules and of `dsp`: a test must find each small defect that is drawn.

    python -m evaluation.mutants [--seed 1] [--mutants 300] [--jobs 2] > table.md

Each mutant changes one place of a copy of the tree: a comparison, an operator, a number, or one
rule of a table that is taken out. It dies if a unit test of the diagnosis fails or does not end.
Those of its own module run first. The command fails if more than a fifth stays alive.
"""

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).parents[1]
DIAGNOSIS = Path("vtox/motor/diagnosis")
TESTS = Path("tests/unit/motor/diagnosis")
COPIED = ("vtox", "tests", "workers", "api", "evaluation", "benchmarks", "faults", "pyproject.toml")
# Of the mutants so many have to die: the goal of the project, not a measurement.
NEEDED_SHARE = 0.8
# The tests of the diagnosis take a minute alone; a mutant that takes longer than this hangs.
LIMIT_S = 600.0
# Each operator with the one that takes its place. `<` becomes `>=`, as `<=` is the same for floats.
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: ">=",
    ast.LtE: ">",
    ast.Gt: "<=",
    ast.GtE: "<",
    ast.Eq: "!=",
    ast.NotEq: "==",
}
OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "/",
    ast.Div: "*",
    ast.BitAnd: "|",
    ast.BitOr: "&",
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One place of a file, its offsets in bytes, and the text that replaces it."""

    path: Path
    line: int
    start: int
    end: int
    text: str

    def mutated(self, source: bytes) -> bytes:
        """Return the file with the change."""
        return source[: self.start] + self.text.encode() + source[self.end :]

    def row(self, source: bytes, died: str, seconds: float) -> str:
        """Return its line of the table."""
        before = source[self.start : self.end].decode()
        change = " ".join(f"{before} → {self.text or 'nothing'}".split()).replace("|", "\\|")
        name = self.path.relative_to(DIAGNOSIS)
        return f"| {name}:{self.line} | `{change[:80]}` | {died or 'alive'} | {seconds:.0f} |"


def mutants(path: Path) -> Iterator[Mutant]:
    """Yield all mutants of a file."""
    source = (ROOT / path).read_bytes()
    lines = source.splitlines(keepends=True)
    begins = [sum(map(len, lines[:n])) for n in range(len(lines))]
    tree = ast.parse(source)

    def offset(line: int | None, column: int | None) -> int:
        return begins[(line or 1) - 1] + (column or 0)

    def change(node: ast.expr, text: str) -> Mutant:
        start = offset(node.lineno, node.col_offset)
        return Mutant(path, node.lineno, start, offset(node.end_lineno, node.end_col_offset), text)

    def between(left: ast.expr, right: ast.expr, operator: str) -> Mutant | None:
        start = offset(left.end_lineno, left.end_col_offset)
        gap = source[start : offset(right.lineno, right.col_offset)]
        old = gap.strip(b" ()\n").decode()
        at = gap.find(old.encode())
        if not old or not old.isascii() or " " in old or "#" in old:
            return None
        return Mutant(path, left.end_lineno or 1, start + at, start + at + len(old), operator)

    for node in _expressions(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, bool):
            continue
        found: Mutant | None = None
        if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
            found = between(node.left, node.comparators[0], COMPARISONS[type(node.ops[0])])
        elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            found = between(node.left, node.right, OPERATORS[type(node.op)])
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
            found = change(node, ast.unparse(node.operand).join("()"))
        elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            found = change(node, repr(2 * node.value or 1))
        elif isinstance(node, ast.Call) and path.name == "rules.py" and _is_rule(node):
            found = change(node, f"*[{ast.unparse(node)}][1:]")
        if found and _compiles(found.mutated(source)):
            yield found


def _is_rule(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id in ("rule", "stated")


def _compiles(source: bytes) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def _expressions(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a tree that run, so neither annotations nor a `Literal`."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for node in value if isinstance(value, list) else [value]:
            if isinstance(node, ast.AST):
                yield node
                yield from _expressions(node)


def files() -> list[Path]:
    """Return the modules of `dsp` and the tables of rules."""
    found = [*(ROOT / DIAGNOSIS / "dsp").glob("*.py"), *(ROOT / DIAGNOSIS).rglob("rules.py")]
    return sorted(path.relative_to(ROOT) for path in found)


def tests_of(path: Path) -> list[str]:
    """Return the tests of a module, then those of the whole diagnosis."""
    folder = TESTS / path.parent.relative_to(DIAGNOSIS)
    nearest = [folder / f"test_{path.stem}.py", folder, folder.with_name(f"test_{folder.name}.py")]
    return [str(next((p for p in nearest if (ROOT / p).exists()), TESTS)), str(TESTS)]


def copied_tree() -> Path:
    """Return a new folder with the files that the tests of the diagnosis need."""
    root = Path(tempfile.mkdtemp(prefix="vtox-mutant-"))
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, root)
    return root


def killer(root: Path, path: Path) -> str:
    """Return the test that fails in a copy, or "" if all pass."""
    return next(filter(None, (_failure(root, tests) for tests in tests_of(path))), "")


def _failure(root: Path, tests: str) -> str:
    command = [
        sys.executable,
        "-B",
        "-m",
        "pytest",
        "-x",
        "-q",
        "--tb=no",
        "-p",
        "no:cacheprovider",
    ]
    try:
        run = subprocess.run(
            [*command, tests],
            cwd=root,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no end in {LIMIT_S:.0f} s"
    if run.returncode == 0:
        return ""
    named = [x for x in run.stdout.splitlines() if x.startswith(("FAILED", "ERROR"))]
    test = named[0].split(" - ")[0].split()[-1] if named else "the tests do not start"
    return test.removeprefix(f"{TESTS}/")


def tried(mutant: Mutant, roots: "SimpleQueue[Path]") -> bool:
    """Run the tests over a mutant, print its row, and return whether it died."""
    root, begun = roots.get(), time.monotonic()
    source = (root / mutant.path).read_bytes()
    (root / mutant.path).write_bytes(mutant.mutated(source))
    died = killer(root, mutant.path)
    (root / mutant.path).write_bytes(source)
    roots.put(root)
    print(mutant.row(source, died, time.monotonic() - begun), flush=True)
    return bool(died)


def main(argv: Sequence[str]) -> int:
    """Draw, try and count; 1 if too many stay alive."""
    parser = argparse.ArgumentParser(prog="evaluation.mutants")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutants", type=int, default=300, help="how many are drawn")
    parser.add_argument("--jobs", type=int, default=2)
    o = parser.parse_args(argv)
    everything = [m for path in files() for m in mutants(path)]
    drawn = random.Random(o.seed).sample(everything, min(o.mutants, len(everything)))
    roots: SimpleQueue[Path] = SimpleQueue()
    for _ in range(o.jobs):
        roots.put(copied_tree())
    print("| place | change | died by | s |\n|---|---|---|---:|", flush=True)
    with ThreadPoolExecutor(o.jobs) as pool:
        died = sum(pool.map(lambda m: tried(m, roots), drawn))
    while not roots.empty():
        shutil.rmtree(roots.get())
    share = died / len(drawn)
    print(
        f"\nSeed {o.seed}: {died} of {len(drawn)} died ({share:.0%}), of {len(everything)} places."
    )
    return int(share < NEEDED_SHARE)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
