"""A field of the nameplate is added in one place, with a range and a label in each language.

The toy is the warmest winding that is allowed.
"""

import csv
from pathlib import Path

import pytest

from tests.integration.helpers import changed_copy, run_copy
from vtox.pipeline.configuration.settings import Settings

NAME = "winding_limit_c"
# File, the line before, and the new lines.
EDITS = [
    (
        "vtox/motor/values/domain.py",
        '"""starts that are permitted in an hour"""\n',
        f'    {NAME}: float | None = None\n    """warmest winding that is allowed"""\n',
    ),
    (
        "vtox/motor/values/nameplate_ranges.py",
        '"max_starts_per_hour": Range(0.004, 3600, "an hour"),\n',
        f'    "{NAME}": Range(40, 300, "degC"),\n',
    ),
    (
        "vtox/motor/words/en/pages/machine.toml",
        'plate_max_starts_per_hour = "Permitted starts an hour"\n',
        f'plate_{NAME} = "Winding limit"\n',
    ),
    (
        "vtox/motor/words/zh/pages/machine.toml",
        'plate_max_starts_per_hour = "每小时允许起动次数"\n',
        f'plate_{NAME} = "绕组温度限值"\n',
    ),
]
USE = """
import json, os, sys
from contextlib import closing
from pathlib import Path
from typer.testing import CliRunner
from tests.integration.conftest import serving_app
from api.factory import create_app
from vtox.cli.main import application
from vtox.pipeline.configuration.settings import load
from vtox.reporting.plant.mcp.tools import Tools
from vtox.reporting.plant.status_api import StatusApi
from vtox.reporting.reports.contents import ReportedMachine
from vtox.reporting.reports.rows import machine_rows
from vtox.reporting.reports.texts import texts

os.environ |= {"VTOX_REDIS_URL": sys.argv[1], "VTOX_DATA_DIR": sys.argv[2]}

def run(*arguments):
    result = CliRunner().invoke(application(), arguments)
    assert result.exit_code == 0, result.output
    return result.output

found, table = {}, Path(sys.argv[2]) / "fleet.csv"
with serving_app(create_app(load())) as http:
    os.environ["VTOX_API_PORT"] = str(http.base_url.port)
    found["stored"] = http.put("/api/v1/machines/M", json={"winding_limit_c": 155}).json()["data"]
    refused = http.put("/api/v1/machines/M", json={"winding_limit_c": 1000})
    found["refused"] = (refused.status_code, refused.json()["detail"])
    for language in ("en", "zh"):
        found[f"form {language}"] = http.get("/setup", params={"lang": language}).text
        plate = ReportedMachine(nameplate=found["stored"]["nameplate"])
        found[f"report {language}"] = list(machine_rows(plate, texts(language)))
    found["openapi"] = http.get("/openapi.json").json()["components"]["schemas"]["Nameplate"]
    run("machines", "export", str(table))
    found["csv"] = table.read_text("utf-8-sig")
    http.delete("/api/v1/machines/M")
    run("machines", "import", str(table))
    found["shown"] = run("machines", "show", "M")
    with closing(StatusApi(str(http.base_url))) as api:
        found["mcp"] = Tools(lambda: api).machine("M").data["nameplate"]
print(json.dumps(found))
"""


@pytest.mark.long
def test_a_field_of_the_nameplate_appears_everywhere(tmp_path: Path, settings: Settings) -> None:
    pytest.importorskip("mcp", reason="mcp is not installed: make setup EXTRAS=mcp")
    found = run_copy(changed_copy(tmp_path, EDITS), USE, settings)
    assert found["stored"]["nameplate"][NAME] == 155
    assert found["refused"] == [422, f"{NAME}: 1000, expected a number from 40 to 300 degC"]
    described = found["openapi"]["properties"][NAME]
    assert (described["minimum"], described["maximum"]) == (40, 300)
    assert described["description"] == "warmest winding that is allowed"
    header, rules, row = csv.reader(found["csv"].splitlines())
    column = header.index(NAME)
    assert (rules[column], row[column]) == ("40 to 300 degC", "155")
    assert f"{NAME} 155" in found["shown"]
    assert found["mcp"][NAME] == 155
    for language, label in {"en": "Winding limit", "zh": "绕组温度限值"}.items():
        assert label in found[f"form {language}"]
        assert f'"name": "{NAME}", "kind": "number", "low": 40' in found[f"form {language}"]
        assert [label, "155 °C"] in found[f"report {language}"]
