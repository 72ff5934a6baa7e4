"""One command diagnoses a recording in any format, as it does the same samples in `.npz`."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.unit.cli.test_diagnose import FS_HZ, MOTOR, currents
from tests.unit.motor.files.written_formats import FORMATS
from vtox import Recording, learn_baseline
from vtox.cli.main import application
from vtox.cli.shared.diagnosis_table import DETECTED
from vtox.motor.values.nameplate import read_motor


def diagnose(*words: object) -> list[tuple[str, str, str]]:
    arguments = ["diagnose", *map(str, words), "--json", "--faults", "turn_short,broken_bar"]
    result = CliRunner().invoke(application(), arguments)
    return [(d["fault"], d["state"], d["code"]) for d in json.loads(result.stdout)]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> tuple[object, ...]:
    """The options of a machine: its nameplate and its baseline."""
    folder = tmp_path_factory.mktemp("formats")
    (folder / "motor.toml").write_text(MOTOR)
    motor = read_motor(folder / "motor.toml")
    healthy = [Recording(currents(0.01, seed=i), FS_HZ) for i in range(4)]
    (folder / "b.json").write_text(learn_baseline(healthy, motor).to_json())
    return "--motor", folder / "motor.toml", "--baseline", folder / "b.json"


@pytest.fixture(scope="module")
def expected(
    machine: tuple[object, ...], tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[str, str, str]]:
    path = tmp_path_factory.mktemp("formats") / "bad.npz"
    np.savez(path, **currents(0.2, seed=9), fs_hz=FS_HZ)
    return diagnose(path, *machine)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gets_the_same_verdict(
    tmp_path: Path,
    machine: tuple[object, ...],
    expected: list[tuple[str, str, str]],
    name: str,
) -> None:
    write, stated = FORMATS[name]
    write(tmp_path / name, currents(0.2, seed=9), FS_HZ)
    found = diagnose(tmp_path / name, *machine, *stated)
    assert found == expected
    assert found[0][1] in DETECTED
