import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.unit.motor.files.test_plant_layouts import nested
from vtox.cli.main import application


def run(*arguments: object) -> tuple[int, str, str]:
    words = ["inspect", *map(str, arguments)]
    result = CliRunner().invoke(application(), words, env={"COLUMNS": "200"})
    return result.exit_code, result.stdout, result.stderr


def chinese(path: Path) -> Path:
    t = np.arange(400) / 2000
    rows = [f"{t[i]:.4f};{3 * np.sin(314 * t[i]):.4f}".replace(".", ",") for i in range(400)]
    path.write_bytes("\n".join(["时间(秒);A相电流(A)", *rows]).encode("gbk"))
    return path


def test_it_says_what_it_understands_and_how_sure(tmp_path: Path) -> None:
    status, output, _ = run(chinese(tmp_path / "泵.csv"))
    assert status == 0
    words = " ".join(output.split())
    assert "encoding gb18030 [likely]" in words
    assert "decimal sign comma" in words
    assert "400 samples, 0.2 s at 2000 Hz (column '时间(秒)')" in words
    assert "ia A相电流(A) A 2.122" in words
    assert "not in the file: ib, ic, va vb vc, vibration, leakage, speed" in words


def test_json_has_the_same(tmp_path: Path) -> None:
    _, output, _ = run(chinese(tmp_path / "x.csv"), "--json", "--unit", "ia=mA")
    [facts] = json.loads(output)
    [recording] = facts["recordings"]
    assert (facts["format"], recording["fs_hz"]) == ("CSV", 2000.0)
    assert recording["channels"][0]["written_unit"] == "mA"
    assert recording["errors"] == []


def test_the_status_says_whether_diagnose_can_read_it(tmp_path: Path) -> None:
    unnamed = tmp_path / "x.csv"
    unnamed.write_text("left,right\n" + "1,2\n-1,3\n" * 20)
    assert run(unnamed)[0] == 2
    status, output, _ = run(unnamed, "--map", "ia=left")
    assert status == 2
    assert "give --rate HZ" in output
    assert run(unnamed, "--map", "ia=left", "--rate", "1000")[0] == 0
    status, _, errors = run(tmp_path / "none.csv", unnamed)
    assert status == 2
    assert "no such file" in errors


def test_long_lists_are_cut_and_say_how_to_choose_one(tmp_path: Path) -> None:
    _, output, _ = run(nested(tmp_path))
    assert len([line for line in output.splitlines() if line.startswith("data.run")]) == 10
    words = " ".join(output.split())
    assert "and 29 more: data.run10" in words
    assert "39 recordings; for one of them: --part data.run00" in words


@pytest.mark.parametrize("names", ["left side,right", '"left, A","it\'s $(x); ""B""=2"'])
def test_the_command_that_is_proposed_does_what_it_says(tmp_path: Path, names: str) -> None:
    path = tmp_path / "my pump's; $HOME.csv"
    path.write_text(f"{names}\n" + "1,-2\n-1,2\n" * 20)
    _, output, _ = run(path)
    (line,) = (x.removeprefix("try: ") for x in output.splitlines() if x.startswith("try: "))
    # The shell gives each word to the command; asked again with it, the columns are found.
    _, diagnose, file, option, pairs = split_by_shell(line)
    assert (diagnose, file, option) == ("diagnose", str(path), "--map")
    _, output, _ = run(file, option, pairs, "--rate", "1000", "--json")
    [facts] = json.loads(output)
    assert [c["channel"] for c in facts["recordings"][0]["channels"]] == ["ia", "ib"]


def split_by_shell(line: str) -> list[str]:
    words = subprocess.check_output(["sh", "-c", f"printf '%s\\n' {line}"], text=True)
    return words.splitlines()
