"""Installs the packages of a lock file, and shows how far it is: `python .ci/install.py LOCK`.

What follows the lock file are options of pip.
"""

import re
import subprocess
import sys
from pathlib import Path

WIDTH = 60
# Where nobody looks on, in a log, that many lines in all.
LINES = 4


def main() -> int:
    """Run pip on the lock file and return its exit status."""
    lock = sys.argv[1]
    packages = len(re.findall(r"^[\w.-]+==", Path(lock).read_text(), re.MULTILINE))
    options: tuple[str, ...] = ("--disable-pip-version-check", "--progress-bar=off", "--no-color")
    options += tuple(sys.argv[2:])
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
