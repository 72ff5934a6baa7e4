"""Files are read, diagnosed and verified by the packages of the small installation alone.

Those are the dependencies of `pyproject.toml` without an extra, and the packages that these need.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement

from tests.paths import ROOT
from tests.unit.reporting.reports.report_file import contents, written
from vtox.reporting.reports.contents import recording_of

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MOTOR = "pole_pairs = 2\nsupply_hz = 50\nrated_speed_rpm = 1460\nrated_current_a = 8\n"


def distributions() -> set[str]:
    """The names of the packages that `pip install` of the wheel brings."""
    found: set[str] = set()
    new = list(PROJECT["dependencies"])
    while new:
        requirement = Requirement(new.pop())
        wanted = not requirement.marker or requirement.marker.evaluate({"extra": ""})
        if wanted and requirement.name not in found:
            found.add(requirement.name)
            new += distribution(requirement.name).requires or ()
    return found


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with these packages and VTOX, and no others."""
    folder = tmp_path_factory.mktemp("packages")
    for name in distributions():
        installed = distribution(name)
        for top in {f.parts[0] for f in installed.files or ()} - {"..", "__pycache__"}:
            (folder / top).symlink_to(Path(str(installed.locate_file(top))))
    # VTOX with its entry points, as its wheel installs it.
    noted = folder / f"vtox-{distribution('vtox').version}.dist-info"
    noted.mkdir()
    for name in ("METADATA", "entry_points.txt"):
        (noted / name).write_text(distribution("vtox").read_text(name) or "")
    for name in ("vtox", "api", "workers", "celeryconfig.py"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A file of three currents of a motor with a broken bar."""
    three = recording_of(contents().records[0])
    path = tmp_path / "pump.npz"
    np.savez(path, fs=three.fs_hz, **three.channels)
    (tmp_path / "motor.toml").write_text(MOTOR)
    return path


def python(packages: Path, folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    env = {"PYTHONPATH": str(packages), "PATH": os.environ["PATH"], "COLUMNS": "200"}
    command = [sys.executable, "-S", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def vtox(packages: Path, folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return python(packages, folder, "-m", "vtox", *arguments)


def test_it_has_numbers_codecs_and_the_terminal() -> None:
    names = {re.match(r"[\w-]+", text)[0] for text in PROJECT["dependencies"]}  # type: ignore[index]
    assert names == {"numpy", "scipy", "msgspec", "orjson", "typer", "rich"}
    assert not distributions() & {"redis", "celery", "sqlalchemy", "jinja2", "fastapi"}


def test_it_inspects_a_file(packages: Path, recording: Path) -> None:
    ended = vtox(packages, recording.parent, "inspect", recording, "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    (table,) = json.loads(ended.stdout)[0]["recordings"]
    assert [c["channel"] for c in table["channels"]] == ["ia", "ib", "ic"]


def test_it_diagnoses_a_file(packages: Path, recording: Path) -> None:
    ended = vtox(
        packages, recording.parent, "diagnose", recording, "--motor", "motor.toml", "--json"
    )
    assert (ended.returncode, ended.stderr) == (1, "")
    states = {d["fault"]: d["state"] for d in json.loads(ended.stdout)}
    assert states["broken_bar"] in ("warning", "fault")


def test_it_verifies_a_report(packages: Path, tmp_path: Path) -> None:
    ended = vtox(packages, tmp_path, "verify", written(tmp_path), "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    found = json.loads(ended.stdout)
    assert (found["agrees"], found["page_agrees"]) == (True, None)


def test_it_says_that_the_page_was_not_compared(packages: Path, tmp_path: Path) -> None:
    ended = vtox(packages, tmp_path, "verify", written(tmp_path))
    assert "[fleet]" in ended.stdout


def test_python_reads_and_diagnoses(packages: Path, recording: Path) -> None:
    # Newer versions of Typer bring pydantic; VTOX asks for none.
    script = """
import sys
sys.modules.update(dict.fromkeys(("pydantic", "typer", "rich")))
import vtox, vtox.reporting.reports.verification
print(*(d.fault for d in vtox.diagnose(vtox.read("pump.npz")[0])))
"""
    ended = python(packages, recording.parent, "-c", script)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "broken_bar" in ended.stdout.split()


@pytest.mark.parametrize(
    ("statement", "name", "extras"),
    [
        ("from vtox import app", "vtox.app", "fleet"),
        ("import vtox; vtox.app", "vtox.app", "fleet"),
        ("import vtox; vtox.history()", "vtox.history", "fleet,tables"),
        ("import vtox.client", "vtox.client", "fleet"),
    ],
)
def test_python_names_the_extra_in_one_sentence(
    packages: Path, tmp_path: Path, statement: str, name: str, extras: str
) -> None:
    ended = python(packages, tmp_path, "-c", statement)
    last = ended.stderr.splitlines()[-1]
    assert ended.returncode == 1
    assert last.startswith(f"vtox.motor.errors.InputError: {name} needs the package ")
    assert last.endswith(f'-m pip install "vtox[{extras}]"')


def test_commands_name_the_packages_of_the_terminal(packages: Path, tmp_path: Path) -> None:
    script = "import sys, runpy; sys.modules['typer'] = None; runpy.run_module('vtox')"
    ended = python(packages, tmp_path, "-c", script)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1)
    assert "-m pip install typer rich" in ended.stderr


@pytest.mark.parametrize(
    "command", ["up", "demo", "status", "report PUMP-1", "diagnose pump.npz --report r.html"]
)
def test_the_rest_says_how_to_install_it(packages: Path, recording: Path, command: str) -> None:
    ended = vtox(packages, recording.parent, *command.split())
    assert (ended.returncode, ended.stdout) == (2, "")
    assert len(ended.stderr.splitlines()) == 1
    assert '-m pip install "vtox[fleet]"' in ended.stderr


def test_help_has_the_commands_that_work(packages: Path, tmp_path: Path) -> None:
    shown = vtox(packages, tmp_path, "--help").stdout
    assert all(name in shown for name in ("inspect", "diagnose", "verify", "vtox[fleet]"))
    assert "backup" not in shown
