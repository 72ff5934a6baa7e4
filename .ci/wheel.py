"""The wheel in an environment of its own, used from a folder that is no checkout.

It diagnoses, and names the commit it was built from.
"""

import os
import subprocess
import sys
import venv
from pathlib import Path

ENDED_UNDECIDED = 3
CSV = "time_s,ia,ib,ic\n" + "".join(
    f"{k / 1000},{(k * 37) % 11 - 5},{(k * 53) % 11 - 5},{(k * 71) % 11 - 5}\n" for k in range(2000)
)


def main(folder: Path) -> None:
    """Build, install, diagnose."""
    wheels = folder / "wheels"
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, ".", "-w", wheels], check=True)
    venv.create(folder / "env", with_pip=True)
    bin_ = folder / "env/bin"
    subprocess.run([bin_ / "pip", "install", "--quiet", *wheels.glob("*.whl")], check=True)
    (folder / "noise.csv").write_text(CSV)
    (folder / "motor.toml").write_text("pole_pairs = 2\nsupply_hz = 50.0\n")
    command = [bin_ / "vtox", "diagnose", "noise.csv", "--motor", "motor.toml"]
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    ended = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    print(ended.stdout)
    if ended.returncode != ENDED_UNDECIDED:
        sys.exit(f"wheel: vtox diagnose ended with {ended.returncode}: {ended.stderr}")
    shown = subprocess.check_output([bin_ / "vtox", "--version"], cwd=folder, env=env, text=True)
    commit = subprocess.check_output(["git", "rev-parse", "--short=7", "HEAD"], text=True)
    if not shown.endswith(f"+g{commit}"):
        sys.exit(f"wheel: built from {commit}, but vtox --version is {shown}")
    print("wheel: installed and run from another folder")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
