"""Conditions of a run, in one line: processor, load, versions, commit."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("celery", "redis", "numpy", "scipy")
CPUINFO = Path("/proc/cpuinfo")


def conditions() -> str:
    """Read the conditions of a run that begins."""
    listed = ", ".join(f"{p} {version(p)}" for p in PACKAGES)
    return (
        f"{os.cpu_count()} cores ({_processor()}), load {os.getloadavg()[0]:.1f} before the start; "
        f"{platform.system()} {platform.machine()}, python {platform.python_version()}, {listed}, "
        f"commit {_commit()}"
    )


def _processor() -> str:
    lines = CPUINFO.read_text().splitlines() if CPUINFO.exists() else []
    fields = (line.partition(":") for line in lines)
    names = (value.strip() for name, _, value in fields if name.strip() == "model name")
    return next(names, platform.processor() or platform.machine())


def _commit() -> str:
    """Return the commit that is checked out, empty outside a repository."""
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(
        command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
