"""The JavaScript check: one pinned tool, from any registry, and no failure without npm."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the lock file, in which alone programs are looked for."""
    shutil.copy(ROOT / "package-lock.json", tmp_path)
    return tmp_path


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / ".ci/javascript.py"],
        cwd=folder,
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def program(file: Path, script: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def test_every_package_is_pinned_by_its_hash() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    own = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    assert [v for v in own.values() if not re.fullmatch(r"[\d.]+", v)] == []
    packages = {name: p for name, p in lock["packages"].items() if name}
    assert [name for name, p in packages.items() if not p["integrity"].startswith("sha512-")] == []


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    assert [name for name, p in lock["packages"].items() if "resolved" in p] == []


def test_without_npm_the_check_says_so_and_goes_on(folder: Path) -> None:
    done = run(folder)
    assert (done.returncode, done.stdout) == (0, "JavaScript not checked: npm is not here\n")


def test_without_a_registry_the_check_says_so_and_goes_on(folder: Path) -> None:
    program(folder / "npm", "echo 'npm error no such host' >&2; exit 1")
    done = run(folder)
    assert done.returncode == 0
    assert done.stdout.startswith("JavaScript not checked: npm cannot install Biome")


@pytest.mark.parametrize("status", [0, 1])
def test_the_check_fails_if_biome_does(status: int, folder: Path) -> None:
    program(folder / "node_modules/.bin/biome", f"exit {status}")
    (folder / "node_modules/.package-lock.json").touch()
    assert run(folder).returncode == status
