"""Runs seeds over each mutant until one fails: a generator that finds none finds no defect either.

`python -m interleavings.mutation --seeds 2000 --only F1`. Each mutant is a copy of this process,
which has imported everything that no mutant changes.
"""

import os
import sys

if os.environ.get("PYTHONHASHSEED") != "0":
    os.environ["PYTHONHASHSEED"] = "0"
    os.execv(sys.executable, [sys.executable, "-m", "interleavings.mutation", *sys.argv[1:]])

from interleavings import virtual

virtual.install()

import argparse  # noqa: E402
import importlib  # noqa: E402
import re  # noqa: E402
import shutil  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
import traceback  # noqa: E402
from collections.abc import Iterator, Sequence  # noqa: E402
from dataclasses import dataclass, field  # noqa: E402
from pathlib import Path  # noqa: E402

import interleavings.command  # noqa: E402
from interleavings.mutants import SCRIPTS, Mutant, mutants  # noqa: E402

ROOT = Path(__file__).parent.parent
COPIED = ("vtox", "workers", "api", "faults", "interleavings")
_SEED = re.compile(r"^seed (\d+): (?:([^:\n]*): )?(.*)$", re.MULTILINE)


@dataclass(slots=True)
class Trial:
    """Seeds over a mutant: after how many it died, by which rule; 0: it survived."""

    mutant: Mutant
    root: Path
    next_seed: int
    end: int
    began: float = field(default_factory=time.monotonic)
    seeds: int = 0
    rule: str = ""
    what: str = ""

    @property
    def output(self) -> Path:
        """What its process prints."""
        return self.root / "output"

    def start(self) -> int:
        """Run the seeds that are left in a process; return its id."""
        having = ["--having", _having(self.mutant)]
        return _fork(self.root, self.mutant, self.next_seed, self.end, self.output, having)

    def ended(self, first: int, failed: bool) -> bool:
        """Take in that its process ended; False where its last seed fails anyway: go on behind."""
        found = _SEED.search(self.output.read_text())
        if found is None:
            if failed:
                self.seeds, self.rule = 1, "does not run"
                self.what = (self.output.read_text().strip().splitlines() or ["?"])[-1]
            return True
        seed = int(found[1])
        pid = _fork(ROOT, None, seed, seed + 1, self.root / "without", [])
        if os.waitpid(pid, 0)[1]:
            self.next_seed = seed + 1
            return self.next_seed >= self.end
        self.seeds, self.rule, self.what = seed - first + 1, found[2] or "", found[3]
        return True


def _having(mutant: Mutant) -> str:
    """Return what the workload of a seed has, if the others never come to what was taken out."""
    files = {path.stem for path, _, _ in mutant.changes}
    return "repartitions" if files <= {"move", "retire_partition", "unassigned_entries"} else ""


def _fork(
    root: Path, mutant: Mutant | None, seed: int, end: int, output: Path, more: list[str]
) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 2
    try:
        fd = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(fd, 1)
        os.dup2(fd, 2)
        os.chdir(root)
        command = _command(root, mutant)
        arguments = ["--first", "--no-shrink", "--core", str(os.getpid()), *more]
        code = command.main([*arguments, "--seed", str(seed), "--seeds", str(end - seed)])
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _command(root: Path, mutant: Mutant | None) -> "interleavings.command":
    """Return the command over a changed product."""
    if mutant is None:
        return interleavings.command
    if all(path.parent == SCRIPTS for path, _, _ in mutant.changes):
        for name in ("vtox.store.server.scripts", "interleavings.commands"):
            sys.modules[name].files = lambda package: root.joinpath(*package.split("."))
        return interleavings.command
    kept = ("interleavings", "interleavings.virtual")
    for name in list(sys.modules):
        package, _, rest = name.partition(".")
        if package in COPIED and name not in kept:
            del sys.modules[name]
            if package == "interleavings":
                delattr(interleavings, rest)
    sys.path.insert(0, str(root))
    return importlib.import_module("interleavings.command")


def trials(of: Sequence[Mutant], first: int, seeds: int, jobs: int) -> Iterator[Trial]:
    """Yield how each mutant ended."""
    waiting, running = list(of), dict[int, Trial]()
    with tempfile.TemporaryDirectory(prefix="vtox-mutants-") as folder:
        while waiting or running:
            while waiting and len(running) < jobs:
                trial = _trial(waiting.pop(0), Path(folder), first, seeds)
                running[trial.start()] = trial
            pid, status = os.wait()
            if trial := running.pop(pid, None):
                if trial.ended(first, bool(status)):
                    shutil.rmtree(trial.root)
                    yield trial
                else:
                    running[trial.start()] = trial


def _trial(mutant: Mutant, folder: Path, first: int, seeds: int) -> Trial:
    root = Path(tempfile.mkdtemp(dir=folder))
    for name in COPIED:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "celeryconfig.py", root)
    mutant.apply(root)
    return Trial(mutant, root, first, first + seeds)


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
    print("| taken out | seeds | rule |\n|---|---:|---|", flush=True)
    for t in trials(chosen, options.seed, options.seeds, options.jobs):
        survivors += not t.seeds
        name = t.mutant.name.replace("|", "\\|")
        took_s = time.monotonic() - t.began
        print(
            f"| {name} | {t.seeds or 'survived'} | {t.rule} {t.what[:90]} ({took_s:.0f} s) |",
            flush=True,
        )
    return int(survivors > 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
