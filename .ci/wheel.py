"""Builds wheel and sdist; runs the wheel in a separate environment, from another folder.

The wheel names the commit it was built from, and runs the demo without a false alarm. `.ci/demo.py`
checks on the checkout that the demo finds the faults.
"""

import os
import subprocess
import sys
import venv
from pathlib import Path

from demo import free_ports
from release import build

# Other ports than in `.ci/demo.py`, which runs at the same time.
PORTS = range(15_000, 20_000)
DEMO = ("demo", "--machines", "2", "--duration", "3")


def build_twice(folder: Path) -> Path:
    """Build from two checkouts of the commit, the other for its owner alone: all bytes are equal.

    The checkout of this file holds the files of the demo that runs meanwhile.
    """
    for name, umask in (("dist", -1), ("dist again", 0o077)):
        checkout = folder / f"{name} checkout"
        subprocess.run(["git", "clone", "--quiet", Path.cwd(), checkout], umask=umask, check=True)
        wheel = build(folder / name, checkout)
    for other in sorted((folder / "dist").iterdir()):
        if other.read_bytes() != (wheel.parent / other.name).read_bytes():
            sys.exit(f"wheel: {other.name} of a second build has other bytes")
    return wheel


def main(folder: Path) -> None:
    """Build, install, run."""
    wheel = build_twice(folder)
    venv.create(folder / "env", with_pip=True)
    bin_ = folder / "env/bin"
    pip = [bin_ / "pip", "install", "--quiet"]
    subprocess.run([*pip, wheel], check=True)
    small = subprocess.run([bin_ / "vtox", "up"], capture_output=True, text=True, check=False)
    if small.returncode != 2 or "[fleet]" not in small.stderr:
        sys.exit(f"wheel: vtox up without the packages of a fleet: {small.stderr}")
    subprocess.run([*pip, f"{wheel}[fleet]"], check=True)
    names = ("API", "COORDINATOR", "FLOWER", "WORKER")
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    ports = free_ports(len(names), PORTS)
    env |= {f"VTOX_{n}_PORT": str(p) for n, p in zip(names, ports, strict=True)}
    env["VTOX_DATA_DIR"] = str(folder / "data")
    shown = subprocess.check_output([bin_ / "vtox", "--version"], cwd=folder, env=env, text=True)
    commit = subprocess.check_output(["git", "rev-parse", "--short=7", "HEAD"], text=True)
    if not shown.endswith(f"+g{commit}"):
        sys.exit(f"wheel: built from {commit}, but vtox --version is {shown}")
    ended = subprocess.run(
        [bin_ / "vtox", *DEMO], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    print("\n".join(ended.stdout.splitlines()[-8:]))
    if ended.returncode or "false alarms: none" not in ended.stdout:
        sys.exit(f"wheel: vtox demo ended with {ended.returncode}: {ended.stderr}")
    print("wheel: installed, and its demo run from another folder")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
