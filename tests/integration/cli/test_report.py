"""`vtox report` against a real API."""

from pathlib import Path

import httpx
import pytest

from tests.integration.api.test_spectra import MOTOR, T0
from tests.integration.cli.commands import run
from tests.integration.reporting.reports.test_machine_report import keep
from vtox.motor.errors import InputError
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client
from vtox.reporting.plant.errors import StatusApiError
from vtox.reporting.reports.document import read_report
from vtox.reporting.reports.verification import verify


@pytest.fixture(autouse=True)
def m1(
    api_of_commands: httpx.Client, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine with a stored record, and a folder for its report."""
    machines.register(client, "M1", MOTOR)
    keep(client, "1-0")
    monkeypatch.chdir(tmp_path)


def test_the_file_verifies_in_each_language(tmp_path: Path) -> None:
    run("report M1")
    assert verify(read_report(tmp_path / "M1.html")).agrees
    run("report M1 --lang zh --out zh.html")
    found = read_report(tmp_path / "zh.html")
    assert found.contents.language == "zh"
    assert verify(found).agrees


@pytest.mark.parametrize(
    ("command", "match"),
    [
        ("report M9", "'M9' is not known"),
        (f"report M1 --to {int(T0) - 9}", "expected a time such as"),
        ("report M1 --to 2020-01-01", "no samples of M1 are kept of this time"),
        ("report M1 --from 2026-01-02 --to 2026-01-01", "not before --to"),
        ("report M1 --out m1.txt", "expected a name ending in .html"),
        ("report M1 --lang xx", "--lang xx: expected one of"),
    ],
)
def test_what_cannot_be_written_leaves_no_file(command: str, match: str, tmp_path: Path) -> None:
    with pytest.raises((InputError, StatusApiError), match=match):
        run(command)
    assert not list(tmp_path.glob("*.html"))
