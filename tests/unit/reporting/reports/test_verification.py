import subprocess
import sys
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from tests.paths import ROOT
from tests.unit.reporting.reports.report_file import forged, text, written
from vtox.cli.main import add
from vtox.reporting.reports.document import read_report
from vtox.reporting.reports.environment import environment
from vtox.reporting.reports.errors import ReportError
from vtox.reporting.reports.verification import verify


def run(path: Path, *options: str) -> Result:
    app = Typer()
    add(app, "verify")
    return CliRunner().invoke(app, [str(path), *options], env={"COLUMNS": "140"})


def test_verdicts_agree_bit_for_bit(tmp_path: Path) -> None:
    found = verify(read_report(written(tmp_path)))
    assert (found.agrees, found.exact, found.page_agrees) == (True, True, True)
    assert found.verdicts == 5


@pytest.mark.long
def test_verdicts_agree_in_another_process(tmp_path: Path) -> None:
    words = (sys.executable, "-m", "vtox", "verify", str(written(tmp_path)))
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("agree, bit for bit\n")


def _other_state(contents: dict[str, Any]) -> None:
    contents["records"][0]["verdicts"][4]["state"] = "normal"


def _last_bit(contents: dict[str, Any]) -> None:
    contents["records"][0]["verdicts"][4]["statistic"] *= 1 + 1e-12


def _other_energy(contents: dict[str, Any]) -> None:
    contents["records"][0]["energy"]["figures"]["supply_hz"] += 0.01


def _other_numpy(contents: dict[str, Any]) -> None:
    contents["environment"]["numpy"] = "1.0"
    _last_bit(contents)


def test_energy_that_was_forged_disagrees(tmp_path: Path) -> None:
    path = written(tmp_path, forged(_other_energy))
    found = verify(read_report(path))
    assert not found.agrees
    assert [(d.fault, d.value) for d in found.differences] == [("energy", "figures.supply_hz")]


def test_a_verdict_that_was_forged_disagrees(tmp_path: Path) -> None:
    path = written(tmp_path, forged(_other_state))
    result = run(path)
    assert result.exit_code == 1
    assert "broken_bar" in result.output
    row = next(line for line in result.output.splitlines() if "broken_bar" in line)
    assert row.split()[-3:] == ["state", "normal", "fault"]
    assert verify(read_report(path)).page_agrees is False


def test_a_last_bit_counts_in_the_same_environment_only(tmp_path: Path) -> None:
    here = verify(read_report(written(tmp_path, forged(_last_bit))))
    assert (here.agrees, here.exact) == (False, False)
    elsewhere = verify(read_report(written(tmp_path, forged(_other_numpy))))
    assert (elsewhere.agrees, elsewhere.exact, elsewhere.page_agrees) == (True, False, None)


def test_a_page_that_was_changed_with_its_hash_disagrees(tmp_path: Path) -> None:
    report = read_report(written(tmp_path))
    changed = report.page.replace("Rotor asymmetry", "Sound rotor")
    was, now = (sha256(p.encode()).hexdigest() for p in (report.page, changed))
    body = text().replace("Rotor asymmetry", "Sound rotor").replace(was, now)
    found = verify(read_report(written(tmp_path, body)))
    assert (found.agrees, found.exact, found.page_agrees) == (False, True, False)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("nameplate", {"pole_pairs": -3}),
        ("nameplate", {"bearing": {"orders": {"BPFO": []}}}),
        ("baseline", "[]"),
        ("baseline", '{"version":1,"bands":[[]],"asymmetry":null,"records":1,"seconds":1.0}'),
    ],
)
def test_a_machine_that_cannot_be_is_named(tmp_path: Path, where: str, value: object) -> None:
    def change(contents: dict[str, Any]) -> None:
        contents["machine"][where] = value

    with pytest.raises(ReportError) as caught:
        verify(read_report(written(tmp_path, forged(change))))
    assert (caught.value.code, caught.value.part) == ("damaged", where)


@pytest.mark.parametrize(
    "verdicts", [[{"fault": "gremlins"}], [{}], [{"fault": "bearing"}, {"fault": "bearing"}]]
)
def test_verdicts_on_what_is_no_fault_are_refused(tmp_path: Path, verdicts: list[Any]) -> None:
    def change(contents: dict[str, Any]) -> None:
        contents["records"][0]["verdicts"] = verdicts

    result = run(written(tmp_path, forged(change)), "--json")
    assert result.exit_code == 2
    assert '"code": "damaged"' in result.output


def test_the_environment_names_versions_and_processor() -> None:
    found = environment()
    assert all(asdict(found).values())
    assert len(found.source) == 12
