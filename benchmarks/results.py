"""Figures of a run with its conditions: printed in a line, and kept as JSON for the plots.

`--json FILE` of a command adds its run to those in FILE. `benchmarks/results` has those of
docs/appendix/performance.md, of which `python -m benchmarks.plots` makes its pictures.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

FOLDER = Path(__file__).parent / "results"
PACKAGES = ("celery", "redis", "numpy", "scipy")
CPUINFO = Path("/proc/cpuinfo")


class Run:
    """One run of a command: begun with the conditions, ended with its figures."""

    def __init__(self) -> None:
        self.conditions = {
            "command": " ".join(sys.orig_argv[1:]),
            "machine": _machine(),
            "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
            "commit": _commit(),
            "load_before": round(os.getloadavg()[0], 1),
        }

    def __str__(self) -> str:
        machine, versions = self.conditions["machine"], self.conditions["versions"]
        listed = ", ".join(f"{name} {v}" for name, v in versions.items())
        return (
            f"{machine['cores']} cores ({machine['processor']}), load "
            f"{self.conditions['load_before']} before the start; {machine['system']}, {listed}"
        )

    def keep(self, file: Path | None, figures: Mapping[str, Any]) -> None:
        """Add the figures, with the conditions, to those of a file; None: nowhere."""
        if file is None:
            return
        runs = load(file) if file.exists() else []
        ended = {"load_after": round(os.getloadavg()[0], 1)}
        runs.append({"conditions": self.conditions | ended, "figures": figures})
        file.write_text(json.dumps(runs, indent=1) + "\n")


def load(file: Path) -> list[dict[str, Any]]:
    """Return the runs of a file."""
    runs: list[dict[str, Any]] = json.loads(file.read_text())
    return runs


def add_option(parser: argparse.ArgumentParser) -> None:
    """Let a command keep its figures."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="add the figures to this file")


def _machine() -> dict[str, Any]:
    processor = platform.processor() or platform.machine()
    if CPUINFO.exists():
        lines = (line.partition(":") for line in CPUINFO.read_text().splitlines())
        processor = next((v.strip() for k, _, v in lines if k.strip() == "model name"), processor)
    return {
        "cores": os.cpu_count(),
        "processor": processor,
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _commit() -> str:
    """Return what is checked out, empty outside a repository."""
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, cwd=FOLDER.parent, capture_output=True, text=True, check=False)
    return done.stdout.strip()
