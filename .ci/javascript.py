"""Checks form and faults of the JavaScript with Biome; with `--write` corrects its form.

npm installs the one version of the lock file. If there is no npm or no registry, that is said, and
is no failure.
"""

import shutil
import subprocess
import sys
from pathlib import Path

LOCK = Path("package-lock.json")
# npm writes it last: the lock file of the packages that are here.
INSTALLED = Path("node_modules/.package-lock.json")
BIOME = Path("node_modules/.bin/biome")


def main() -> int:
    """Run Biome on all scripts and return its exit status."""
    if missing := _reason_not_installed():
        print(f"JavaScript not checked: {missing}")
        return 0
    writing = "--write" in sys.argv[1:]
    command = ("format", "--write") if writing else ("check", "--error-on-warnings")
    return subprocess.run([BIOME, *command], check=False).returncode


def _reason_not_installed() -> str:
    if INSTALLED.exists() and INSTALLED.stat().st_mtime >= LOCK.stat().st_mtime:
        return ""
    npm = shutil.which("npm")
    if npm is None:
        return "npm is not here"
    patience = ("--fetch-retries=1", "--fetch-timeout=60000")
    done = subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund", *patience],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return ""
    first = (done.stderr.strip().splitlines() or ["no answer"])[0]
    return f"npm cannot install Biome ({first[:120]})"


if __name__ == "__main__":
    sys.exit(main())
