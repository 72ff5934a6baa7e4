"""A report of a real bearing: made, opened again, verified."""

from pathlib import Path

import numpy as np
import pytest
from typer import Typer
from typer.testing import CliRunner

from tests.paths import ROOT
from tests.recordings.folder import recordings
from vtox.cli.main import add
from vtox.reporting.reports.document import BEGIN, read_report
from vtox.reporting.reports.verification import verify

pytestmark = pytest.mark.recordings


def test_an_inner_race_is_reported_and_verified(tmp_path: Path) -> None:
    source = next(iter(sorted(recordings("cwru").glob("IR021*.npz"))))
    app = Typer()
    add(app, "diagnose")
    path = tmp_path / "race.html"
    words = [str(source), "--motor", str(ROOT / "docs/motors/cwru.toml"), "--map", "vibration=de_g"]
    result = CliRunner().invoke(app, [*words, "--unit", "vibration=g", "--report", str(path)])
    assert result.exit_code == 1, result.output
    report = read_report(path)
    (bearing,) = [v for v in report.contents.records[0].verdicts if v["fault"] == "bearing"]
    assert bearing["indicators"]["defect"] == "BPFI"
    with np.load(source) as data:
        assert report.contents.records[0].channels[0].samples == len(data["de_g"])
    page = path.read_text().partition(BEGIN)[0]
    assert "Envelope spectrum of the vibration" in page
    assert "BPFI" in page
    found = verify(report)
    assert (found.agrees, found.exact) == (True, True)
