"""Runs seeds over each mutant until one fails: a generator that finds none finds no defect either.

`python -m faults.interleavings.mutation --seeds 2000 --look` runs the seeds over the product with a
probe at each guard. Without `--look` each mutant runs over the seeds in which its guard mattered,
as it does the same in the others. It runs some seeds at a time, so that mutants that die soon come
first. Both continue where they ended. Each mutant is a copy of this process, which has imported
everything that no mutant changes.
"""

import os
import sys

if os.environ.get("PYTHONHASHSEED") != "0":
    os.environ["PYTHONHASHSEED"] = "0"
    os.execv(sys.executable, [sys.executable, "-m", "faults.interleavings.mutation", *sys.argv[1:]])

from faults.interleavings import virtual

virtual.install()

import argparse  # noqa: E402
import importlib  # noqa: E402
import json  # noqa: E402
import re  # noqa: E402
import shutil  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
import traceback  # noqa: E402
from collections import deque  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from dataclasses import asdict, dataclass  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import faults.interleavings.command  # noqa: E402
from faults.interleavings.mutants import SCRIPTS, Changes, Mutant, apply, mutants  # noqa: E402

ROOT = Path(__file__).parents[2]
COPIED = ("vtox", "workers", "api", "faults")
# Seeds of a mutant, before others have their turn.
SEEDS_AT_ONCE = 8
_SEED = re.compile(r"^seed (\d+): (?:([^:\n]*): )?(.*)$", re.MULTILINE)
_BEGUN = re.compile(r"^seeds .* (\d+) run, ", re.MULTILINE)


@dataclass(slots=True)
class Trial:
    """Seeds over a mutant: the one that killed it, -1 for none yet; how many were tried."""

    mutant: str
    mattered: int = 0
    tried: int = 0
    seed: int = -1
    what: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A seed over the product: whether all held, and the numbers of the guards that mattered."""

    seed: int
    holds: bool
    guards: tuple[int, ...]


def fork(root: Path, changes: Changes, output: Path, arguments: Sequence[str]) -> int:
    """Run the command over a changed copy, in a process; return its id."""
    pid = os.fork()
    if pid:
        return pid
    code = 2
    try:
        fd = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(fd, 1)
        os.dup2(fd, 2)
        os.chdir(root)
        command = _command(root, changes)
        code = command.main(["--no-shrink", "--core", str(os.getpid()), *arguments])
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _command(root: Path, changes: Changes) -> Any:
    """Return the command over a changed product."""
    if all(path.parent == SCRIPTS for path, _, _ in changes):
        for name in ("vtox.pipeline.store.server.scripts", "faults.interleavings.commands"):
            sys.modules[name].files = lambda package: root.joinpath(*package.split("."))
        return faults.interleavings.command
    kept = ("faults", "faults.interleavings", "faults.interleavings.virtual")
    for name in list(sys.modules):
        package, _, own = name.rpartition(".")
        if name.partition(".")[0] in COPIED and name not in kept:
            del sys.modules[name]
            if package in kept:
                delattr(sys.modules[package], own)
    sys.path.insert(0, str(root))
    return importlib.import_module("faults.interleavings.command")


def copy(name: str, changes: Changes) -> Path:
    """Return a new folder with a changed copy of the product."""
    root = Path(tempfile.mkdtemp(prefix="vtox-mutant-"))
    for folder in COPIED:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, root / folder, ignore=ignored)
    shutil.copy(ROOT / "celeryconfig.py", root)
    apply(root, name, changes)
    return root


class Mutation:
    """Seeds and mutants, and their results in a folder."""

    def __init__(self, folder: Path, jobs: int, seconds: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.seen_file, self.trials_file = folder / "seeds.jsonl", folder / "trials.jsonl"
        self.jobs, self.ends = jobs, time.monotonic() + seconds

    @property
    def left_s(self) -> float:
        """How long new seeds may begin."""
        return self.ends - time.monotonic()

    def known_seeds(self) -> list[Seen]:
        """Return the results of the seeds."""
        lines = self.seen_file.read_text().splitlines() if self.seen_file.exists() else []
        return sorted((Seen(**json.loads(x)) for x in lines), key=lambda s: s.seed)

    def trials(self) -> dict[str, Trial]:
        """Return the results of the mutants."""
        lines = self.trials_file.read_text().splitlines() if self.trials_file.exists() else []
        return {t.mutant: t for t in (Trial(**json.loads(x)) for x in lines)}

    def look(self, seeds: Sequence[int], of: Sequence[Mutant]) -> None:
        """Find in which seeds each guard matters."""
        known = {s.seed for s in self.known_seeds()}
        new = [s for s in seeds if s not in known]
        if not new:
            return
        probes = tuple(p for m in of for p in m.probe)
        root = copy("probes", probes)
        pids = []
        for job in range(self.jobs):
            some = ",".join(map(str, new[job :: self.jobs]))
            arguments = ["--these", some, "--guards", str(self.seen_file.absolute())]
            arguments += ["--seconds", str(self.left_s)]
            if some:
                pids.append(fork(root, probes, root / f"output-{job}", arguments))
        for pid in pids:
            os.waitpid(pid, 0)
        for output in root.glob("output-*"):
            print(output.read_text()[-2000:])
        shutil.rmtree(root)

    def try_all(self, of: Sequence[tuple[int, Mutant]], most: int) -> None:
        """Run each mutant until a seed kills it."""
        waiting, running = deque(of), dict[int, tuple[Trial, Path, tuple[int, Mutant]]]()
        while (waiting and self.left_s > 0) or running:
            while waiting and len(running) < self.jobs and self.left_s > 0:
                number, mutant = waiting.popleft()
                if begun := self._begin(number, mutant, most):
                    running[begun[0]] = (*begun[1:], (number, mutant))
            if running:
                pid, _ = os.wait()
                if pid in running:
                    trial, root, again = running.pop(pid)
                    self._end(trial, root)
                    waiting.append(again)

    def _begin(self, number: int, mutant: Mutant, most: int) -> tuple[int, Trial, Path] | None:
        trial = self.trials().get(mutant.name, Trial(mutant.name))
        seeds = [s.seed for s in self.known_seeds() if s.holds and s.seed < most]
        if mutant.probe:
            mattered = {s.seed for s in self.known_seeds() if number in s.guards}
            seeds = [s for s in seeds if s in mattered]
        trial.mattered = len(seeds)
        if trial.seed >= 0 or not seeds[trial.tried :]:
            return None
        root = copy(mutant.name, mutant.changes)
        some = ",".join(map(str, seeds[trial.tried : trial.tried + SEEDS_AT_ONCE]))
        arguments = ["--these", some, "--first", "--seconds", str(self.left_s)]
        return fork(root, mutant.changes, root / "output", arguments), trial, root

    def _end(self, trial: Trial, root: Path) -> None:
        output = (root / "output").read_text()
        if begun := _BEGUN.search(output):
            trial.tried += int(begun[1])
        if found := _SEED.search(output):
            trial.seed, trial.what = int(found[1]), f"{found[2] or ''}: {found[3][:100]}"
        elif not begun:
            trial.what = (output.strip().splitlines() or ["?"])[-1]
        with self.trials_file.open("a") as file:
            file.write(json.dumps(asdict(trial)) + "\n")
        print(_row(trial), flush=True)
        shutil.rmtree(root)

    def table(self, of: Sequence[Mutant]) -> str:
        """Return the results of all mutants as a table."""
        seen, known = self.known_seeds(), self.trials()
        lines = [f"{len(seen)} seeds", "", HEAD]
        for n, m in enumerate(of):
            trial = known.get(m.name, Trial(m.name))
            trial.mattered = sum(n in s.guards for s in seen) if m.probe else len(seen)
            lines.append(_row(trial))
        return "\n".join(lines)


HEAD = "| taken out | it matters in seeds | tried | died at seed | rule |\n|---|---:|---:|---:|---|"


def _row(t: Trial) -> str:
    name = t.mutant.replace("|", "\\|")
    died = t.seed if t.seed >= 0 else "alive"
    return f"| {name} | {t.mattered} | {t.tried} | {died} | {t.what} |"


def main(argv: Sequence[str]) -> int:
    """Run the command; 1 if a mutant is alive."""
    parser = argparse.ArgumentParser(prog="faults.interleavings.mutation")
    parser.add_argument("--seed", type=int, default=0, help="the first")
    parser.add_argument("--seeds", type=int, default=2000, help="the one behind the last")
    parser.add_argument("--folder", type=Path, default=Path("build/mutants"))
    parser.add_argument("--only", default="", help="mutants whose name contains this")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=1e9, help="begin nothing after so long")
    parser.add_argument("--look", action="store_true", help="find where the guards matter")
    parser.add_argument("--list", action="store_true", help="only print what is known")
    options = parser.parse_args(argv)
    found = mutants(ROOT)
    mutation = Mutation(options.folder, options.jobs, options.seconds)
    if options.look:
        mutation.look(range(options.seed, options.seeds), found)
    elif not options.list:
        print(HEAD, flush=True)
        chosen = [(n, m) for n, m in enumerate(found) if options.only in m.name]
        mutation.try_all(chosen, options.seeds)
    print(mutation.table(found))
    return int(any(mutation.trials().get(m.name, Trial("")).seed < 0 for m in found))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
