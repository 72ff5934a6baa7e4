"""Scripts that answer for a checkout whose modules are in fewer folders."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[3] / "benchmarks"


def checkout(root: Path, modules: dict[str, str]) -> None:
    for name, text in modules.items():
        file = root / "vtox" / f"{name}.py"
        for folder in [f for f in file.parents if f.is_relative_to(root / "vtox")]:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "__init__.py").touch()
        file.write_text(text)


def answer(root: Path, *lines: str) -> list[str]:
    made = subprocess.run(
        [sys.executable, "-c", "\n".join(("import older_checkouts", *lines))],
        env={**os.environ, "PYTHONPATH": f"{TOOLS}{os.pathsep}{root}"},
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    return made.stdout.split()


@pytest.mark.parametrize(
    "older",
    [
        ("diagnosis/diagnosis", "faults", "values/domain"),
        ("diagnosis", "faults", "domain"),
        ("motor/diagnosis/diagnosis", "motor/faults", "motor/values/domain"),
    ],
)
def test_modules_of_an_older_checkout_are_found(older: tuple[str, ...], tmp_path: Path) -> None:
    checkout(tmp_path, {name: f"NAME = {name!r}" for name in older})
    found = answer(
        tmp_path,
        "import vtox.motor.diagnosis.diagnosis as diagnosis",
        "import vtox.motor.faults as faults",
        "from vtox.motor.values.domain import NAME",
        "print(diagnosis.NAME, faults.NAME, NAME)",
    )
    assert found == list(older)


def test_a_module_of_an_older_checkout_is_loaded_once(tmp_path: Path) -> None:
    used = "from vtox.values.domain import Motor"
    checkout(tmp_path, {"values/domain": "class Motor: ...", "values/nameplate": used})
    found = answer(
        tmp_path,
        "from vtox.motor.values.domain import Motor as asked",
        "from vtox.motor.values.nameplate import Motor as used",
        "print(asked is used)",
    )
    assert found == ["True"]
