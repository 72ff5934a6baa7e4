import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from vtox import learn_baseline
from vtox.cli.main import add
from vtox.motor.faults import FAULTS
from vtox.motor.files.recordings import read
from vtox.motor.values.nameplate import read_motor
from vtox.motor.words.rendering import advice, render

FS_HZ = 5000.0
MOTOR = """
pole_pairs = 2
supply_hz = 50.0
rated_speed_rpm = 1450
rated_current_a = 10.0
rated_voltage_v = 400.0
"""


MISSING = {"channels": ("leakage", "va", "vb", "vc")}


def run(*arguments: str | Path, width: int = 100) -> Result:
    app = Typer()
    add(app, "diagnose")
    words = [str(a) for a in arguments]
    result = CliRunner().invoke(app, words, env={"COLUMNS": str(width)})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def currents(negative: float, seed: int) -> dict[str, np.ndarray]:
    """Three currents of 8 A rms with this share of negative sequence, and measuring noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(3 * FS_HZ)) / FS_HZ
    found = {}
    for k, name in enumerate(("ia", "ib", "ic")):
        turn = 2 * np.pi * 50.0 * t
        x = np.cos(turn - k * 2 * np.pi / 3) + negative * np.cos(turn + k * 2 * np.pi / 3 + 1.0)
        found[name] = 8 * np.sqrt(2) * x + 0.02 * rng.standard_normal(len(t))
    return found


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Recordings of one machine, healthy and with a gross short, and its nameplate."""
    paths = {"motor": tmp_path / "motor.toml", "healthy": tmp_path / "healthy"}
    paths["motor"].write_text(MOTOR)
    paths["healthy"].mkdir()
    for i in range(4):
        np.savez(paths["healthy"] / f"h{i}.npz", **currents(0.01, seed=i), fs_hz=FS_HZ)
    (paths["healthy"] / "notes.txt").write_text("all well")
    for name, negative in (("good", 0.01), ("bad", 0.2)):
        paths[name] = tmp_path / f"{name}.npz"
        np.savez(paths[name], **currents(negative, seed=9), fs_hz=FS_HZ)
    return paths


def lines(result: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_a_healthy_machine_exits_0(files: dict[str, Path]) -> None:
    with_baseline = ("--motor", files["motor"], "--baseline", files["healthy"])
    result = run(files["good"], *with_baseline, "--json")
    states = {d["fault"]: d["state"] for d in lines(result)}
    assert result.exit_code == 0
    assert list(states) == list(FAULTS)
    assert states["turn_short"] == "normal"
    assert states["bearing"] == states["insulation"] == "unknown"


def test_an_exported_baseline_gives_the_same_diagnoses_as_its_recordings(
    files: dict[str, Path], tmp_path: Path
) -> None:
    motor = read_motor(files["motor"])
    exported = tmp_path / "b.json"
    healthy = [r for p in sorted(files["healthy"].glob("*.npz")) for r in read(p)]
    learnt = learn_baseline(healthy, motor)
    exported.write_text(learnt.to_json())
    arguments = (files["bad"], "--motor", files["motor"], "--json", "--baseline")
    assert run(*arguments, exported).output == run(*arguments, files["healthy"]).output
    both = run(*arguments, exported, "--baseline", files["healthy"])
    assert both.exit_code == 2
    assert "b.json is a whole baseline" in both.output
    exported.write_text("{")
    damaged = run(*arguments, exported)
    assert damaged.exit_code == 2
    assert "expected what `vtox baseline export` prints" in damaged.output


def test_a_short_exits_1(files: dict[str, Path]) -> None:
    result = run(files["bad"], "--motor", files["motor"], "--baseline", files["healthy"], "--json")
    (short,) = [d for d in lines(result) if d["fault"] == "turn_short"]
    assert result.exit_code == 1
    assert short["state"] in ("warning", "fault")
    assert short["statistic"] > short["threshold"]
    assert short["file"] == str(files["bad"])


def test_text_shows_state_and_code(files: dict[str, Path]) -> None:
    for width in (60, 100):
        result = run(files["bad"], "--motor", files["motor"], "--faults", "insulation", width=width)
        assert result.exit_code == 3, "all unknown is not healthy"
        words = result.output.replace(",", " ").split()
        assert words[0] == "bad.npz"
        assert {"insulation", "unknown", "missing_channel"} <= set(words)
        assert "bearing" not in words
        assert max(map(len, result.output.splitlines())) <= width


def test_reasons_are_said_in_chinese_where_asked(files: dict[str, Path]) -> None:
    arguments = (files["bad"], "--motor", files["motor"], "--faults", "insulation")
    result = run(*arguments, "--lang", "zh", width=300)
    assert result.exit_code == 3
    assert render("missing_channel", {"channels": ()}, "zh") in result.output
    assert advice("missing_channel", MISSING, "zh") in result.output
    english = run(*arguments, width=300).output
    assert advice("missing_channel", MISSING, "en") in english, "not by the environment"
    narrow = run(*arguments, "--lang", "zh", width=60)
    assert "".join(advice("missing_channel", MISSING, "zh").split()) in "".join(
        narrow.output.split()
    )
    assert narrow.stderr.isascii() is False, "none is decided, said in Chinese too"


def test_several_recordings_are_summarised(files: dict[str, Path]) -> None:
    with_baseline = ("--motor", files["motor"], "--baseline", files["healthy"])
    result = run(files["healthy"], files["bad"], *with_baseline)
    assert "skipped notes.txt: no samples" in result.stderr
    assert "5 recordings: 1 with a warning or fault, 4 without, 0 undecided" in result.output
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere.csv",), "nowhere.csv: no such file"),
        (("good", "--faults", "rust"), "--faults rust: expected some of turn_short"),
        (("good", "--motor", "nowhere.toml"), "nowhere.toml: no such file"),
        (("good", "--map", "ia=zz"), "no column 'zz'"),
        (("good", "--unit", "ia=g"), "--unit ia=g"),
        (("good", "--baseline", "nowhere"), "nowhere: no such file"),
    ],
)
def test_bad_input_exits_2_with_a_message(
    files: dict[str, Path], arguments: tuple[str, ...], message: str
) -> None:
    result = run(*(files.get(a, a) for a in arguments))
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_one_bad_file_does_not_hide_the_others(files: dict[str, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_text("time_s,ia\n0,1\n1,x\n2,3\n")
    result = run(broken, files["good"], "--motor", files["motor"], "--json")
    assert result.exit_code == 2
    assert {d["file"] for d in lines(result)} == {str(files["good"])}
    assert "column 'ia', line 3: 'x'" in " ".join(result.stderr.split())
