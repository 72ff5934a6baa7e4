"""Installs the packages of a lock file, and shows how far it is: `python .ci/install.py LOCK`.

What follows the lock file are options of pip. With `--extras "mqtt opcua"` behind it, the packages
of these extras of `pyproject.toml` alone, with what they need.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

WIDTH = 60
# Where nobody looks on, in a log, that many lines in all.
LINES = 4


def main() -> int:
    """Run pip on the lock file and return its exit status."""
    lock, *options = sys.argv[1:]
    if options[:1] != ["--extras"]:
        return install(lock, options)
    wanted = requirements_of(options[1].split())
    blocks = blocks_of(Path(lock).read_text())
    missing = [text for name, text in wanted.items() if name not in blocks]
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "extras.lock"
        part.write_text("".join(blocks[name] for name in needed(set(wanted), blocks)))
        status = install(str(part), [])
    if missing and not status:
        print(f"in no lock file, so without hashes: {', '.join(missing)}", flush=True)
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
    """Return packages and what they need: the comments of a lock file say what needs each."""
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


def install(lock: str, more: list[str]) -> int:
    """Run pip on a lock file and return its exit status."""
    packages = len(re.findall(r"^[\w.-]+==", Path(lock).read_text(), re.MULTILINE))
    options: tuple[str, ...] = ("--disable-pip-version-check", "--progress-bar=off", "--no-color")
    options += tuple(more)
    command = (sys.executable, "-m", "pip", "install", *options, "--require-hashes", "-r", lock)
    pip = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert pip.stdout
    found = 0
    for line in pip.stdout:
        # One that is there already is not collected.
        if line.startswith(("Collecting ", "Requirement already satisfied: ")):
            found += 1
            # Some are for other systems and versions of Python.
            show(f"  package {found} of at most {packages}", found * LINES // packages)
        elif line.startswith("Installing collected"):
            show(f"  {found} packages are here; installing them", LINES + 1)
    if sys.stdout.isatty():
        print(f"\r{'':{WIDTH}}\r", end="", flush=True)
    return pip.wait()


shown = 0


def show(text: str, part: int) -> None:
    """Show a state: on a terminal in place of the last, else where another part has begun."""
    global shown
    if sys.stdout.isatty():
        print(f"\r{text:{WIDTH}}", end="", flush=True)
    elif part > shown:
        shown = part
        print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
