"""Installs the packages of a lock file, and shows how far it is: `python .ci/install.py LOCK`.

A second lock file is installed at the same time, by a second pip and without bytecode: each keeps a
core busy. With `--extras "mqtt opcua"` behind the first, only the packages of these extras of
`pyproject.toml` are installed, with their dependencies.
"""

import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

WIDTH = 60
# In a log, without a terminal, the progress takes this many lines in all.
LINES = 4


def main() -> int:
    """Install as the arguments say, and return pip's exit status."""
    lock, *others = sys.argv[1:]
    if others[:1] != ["--extras"]:
        return install_both(lock, others[0]) if others else install(lock)
    wanted = requirements_of(others[1].replace(",", " ").split())
    blocks = blocks_of(Path(lock).read_text())
    missing = [text for name, text in wanted.items() if name not in blocks]
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "extras.lock"
        part.write_text("".join(blocks[name] for name in needed(set(wanted), blocks)))
        status = install(str(part))
    if missing and not status:
        print(f"not in {lock}, so without hashes: {', '.join(missing)}", flush=True)
        command = (sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet")
        status = subprocess.run([*command, *missing], check=False).returncode
    return status


def requirements_of(extras: list[str]) -> dict[str, str]:
    """Return the packages of some extras: name -> requirement."""
    import tomllib  # a Python that is too old gets here no further than the other lines

    known = tomllib.loads(Path("pyproject.toml").read_text())["project"]["optional-dependencies"]
    if unknown := [e for e in extras if e not in known]:
        sys.exit(f"EXTRAS: {unknown[0]} is unknown, expected some of {' '.join(known)}")
    found = [text for e in extras for text in known[e]]
    return {normalised(re.match(r"[\w.-]+", text)[0]): text for text in found}  # type: ignore[index]


def normalised(name: str) -> str:
    """Return a name as lock files write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def blocks_of(lock: str) -> dict[str, str]:
    """Return package -> its lines of a lock file; one may be there twice, for two systems."""
    blocks: dict[str, str] = {}
    for block in re.split(r"^(?=[\w.-]+(?:\[[^\]]*\])?==)", lock, flags=re.MULTILINE):
        if found := re.match(r"([\w.-]+)(?:\[[^\]]*\])?==", block):
            name = normalised(found[1])
            blocks[name] = blocks.get(name, "") + block
    return blocks


def needed(names: set[str], blocks: dict[str, str]) -> list[str]:
    """Return packages and their dependencies, by the comments of a lock file."""
    found = names & blocks.keys()
    while True:
        more = {n for n, block in blocks.items() if n not in found and found & parents(block)}
        if not more:
            return sorted(found)
        found |= more


def parents(block: str) -> set[str]:
    """Return the packages that need the one of a block."""
    comments = re.findall(r"^ +# +(?:via +)?([\w.-]+)$", block, re.MULTILINE)
    return {normalised(name) for name in comments}


def install_both(lock: str, larger: str) -> int:
    """Install a lock file and, at the same time, the additional packages of another."""
    blocks = blocks_of(Path(larger).read_text())
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as threads:
        rest = Path(folder) / "rest.lock"
        here = blocks_of(Path(lock).read_text())
        rest.write_text("".join(text for name, text in blocks.items() if name not in here))
        progress = Progress(packages_in(lock) + packages_in(str(rest)), pips=2)
        # Each sees only half of the packages: neither may check that all dependencies are there.
        jobs = [
            threads.submit(run_pip, progress, lock, "--no-deps"),
            threads.submit(run_pip, progress, str(rest), "--no-deps", "--no-compile"),
        ]
        status = max(job.result() for job in jobs)
    progress.end()
    return status


def install(lock: str) -> int:
    """Run pip on the lock file and return its exit status."""
    progress = Progress(packages_in(lock))
    status = run_pip(progress, lock)
    progress.end()
    return status


def packages_in(lock: str) -> int:
    """Return the packages of a lock file. Some are for other systems and versions of Python."""
    return len(re.findall(r"^[\w.-]+==", Path(lock).read_text(), re.MULTILINE))


def run_pip(progress: "Progress", lock: str, *more: str) -> int:
    """Run pip on a lock file, count its packages and return its exit status."""
    options = ("--disable-pip-version-check", "--progress-bar=off", "--no-color", *more)
    command = (sys.executable, "-m", "pip", "install", *options, "--require-hashes", "-r", lock)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as pip:
        assert pip.stdout
        for line in pip.stdout:
            # One that is there already is not collected.
            if line.startswith(("Collecting ", "Requirement already satisfied: ")):
                progress.count_package()
            elif line.startswith("Installing collected"):
                progress.count_pip()
    return pip.returncode


class Progress:
    """The packages that one or two pips have found, on one line of a terminal."""

    def __init__(self, packages: int, pips: int = 1) -> None:
        self.packages, self.looking = packages, pips
        self.here = self.shown = 0

    def count_package(self) -> None:
        """Count a package."""
        self.here += 1
        text = f"  package {self.here} of at most {self.packages}"
        self.show(text, self.here * LINES // self.packages)

    def count_pip(self) -> None:
        """Count a pip that begins to install."""
        self.looking -= 1
        if not self.looking:
            self.show(f"  {self.here} packages are here; installing them", LINES + 1)

    def show(self, text: str, part: int) -> None:
        """Show a state: on a terminal in place of the last, else once another part has begun."""
        if sys.stdout.isatty():
            print(f"\r{text:{WIDTH}}", end="", flush=True)
        elif part > self.shown:
            self.shown = part
            print(text, flush=True)

    def end(self) -> None:
        """Leave the terminal's line empty."""
        if sys.stdout.isatty():
            print(f"\r{'':{WIDTH}}\r", end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())
