"""Packages of tests/packages built as wheels without a network, and installed next to VTOX."""

import json
import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree
from typing import Any

from tests.paths import ROOT
from vtox.pipeline.configuration.settings import Settings

SUPPLY = ROOT / "tests/packages/supply"


def install(package: Path, place: Path) -> Path:
    """Return a folder for PYTHONPATH with a package in it."""
    source, site = place / package.name, place / "site"
    copytree(package, source, dirs_exist_ok=True)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place / "dist")]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    (wheel,) = (place / "dist").glob("*.whl")
    options = ["--no-index", "--no-deps", "--quiet", "--disable-pip-version-check"]
    into = ["--target", str(site), str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *into], check=True)
    return site


def python_path(site: Path | None) -> str:
    """Return the PYTHONPATH of a process with the packages in a folder, or without any."""
    return os.pathsep.join(str(p) for p in (site, ROOT) if p)


def run_installed(site: Path | None, code: str, settings: Settings, *args: str) -> dict[str, Any]:
    """Run code next to installed packages; its arguments are server, folder and `args`.

    Its last line is JSON.
    """
    command = [sys.executable, "-c", code, settings.working_url(), str(settings.data_dir), *args]
    env = os.environ | {"COLUMNS": "200", "PYTHONPATH": python_path(site)}
    printed = subprocess.run(command, env=env, cwd=ROOT, text=True, check=True, stdout=-1)
    found: dict[str, Any] = json.loads(printed.stdout.splitlines()[-1])
    return found
