"""A field of the nameplate is added in one place, with a range and a label in each language.

The toys are a number, the warmest winding that is allowed; a choice, how the motor is cooled; and a
text, who made it.
"""

import csv
from pathlib import Path

import pytest

from tests.integration.helpers import changed_copy, run_copy
from vtox.pipeline.configuration.settings import Settings

NAME = "winding_limit_c"
PLATE = {NAME: 155, "cooling": "water", "maker": "Ada Motors"}
LABELS = {
    "en": {"Winding limit": "155 °C", "Cooling": "by water", "Made by": "Ada Motors"},
    "zh": {"绕组温度限值": "155 °C", "冷却": "水冷", "制造商": "Ada Motors"},
}
# File, the line before, and the new lines.
EDITS = [
    (
        "vtox/motor/values/domain.py",
        '"""starts that are permitted in an hour"""\n',
        f'    {NAME}: float | None = None\n    """warmest winding that is allowed"""\n'
        '    cooling: Literal["fan", "water"] | None = None\n    maker: str | None = None\n',
    ),
    (
        "vtox/motor/values/nameplate_ranges.py",
        '"max_starts_per_hour": Range(0.004, 3600, "an hour"),\n',
        f'    "{NAME}": Range(40, 300, "degC"),\n',
    ),
    ("vtox/motor/values/nameplate_ranges.py", "PLACE_LEVELS = {", '"maker": 1, '),
    (
        "vtox/motor/words/en/pages/machine.toml",
        'plate_max_starts_per_hour = "Permitted starts an hour"\n',
        f'plate_{NAME} = "Winding limit"\n'
        'plate_cooling = "Cooling"\ncooling_water = "by water"\nplate_maker = "Made by"\n',
    ),
    (
        "vtox/motor/words/zh/pages/machine.toml",
        'plate_max_starts_per_hour = "每小时允许起动次数"\n',
        f'plate_{NAME} = "绕组温度限值"\n'
        'plate_cooling = "冷却"\ncooling_water = "水冷"\nplate_maker = "制造商"\n',
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
    plate = {"winding_limit_c": 155, "cooling": "water", "maker": "Ada Motors"}
    found["stored"] = http.put("/api/v1/machines/M", json=plate).json()["data"]
    wrong = ({"winding_limit_c": 1000}, {"cooling": "air"}, {"maker": ""})
    answers = [http.put("/api/v1/machines/M", json=w) for w in wrong]
    found["refused"] = [(a.status_code, a.json()["detail"]) for a in answers]
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
def test_fields_of_the_nameplate_appear_everywhere(tmp_path: Path, settings: Settings) -> None:
    pytest.importorskip("mcp", reason="mcp is not installed: make setup EXTRAS=mcp")
    found = run_copy(changed_copy(tmp_path, EDITS), USE, settings)
    assert PLATE.items() <= found["stored"]["nameplate"].items()
    assert found["refused"] == [
        [422, f"{NAME}: 1000, expected a number from 40 to 300 degC"],
        [422, "cooling: 'air', expected fan, water"],
        [422, "maker: '', expected a name of 1 to 64 characters"],
    ]
    described = found["openapi"]["properties"][NAME]
    assert (described["minimum"], described["maximum"]) == (40, 300)
    assert described["description"] == "warmest winding that is allowed"
    header, rules, row = csv.reader(found["csv"].splitlines())
    expected = ("40 to 300 degC", "fan or water", "at most 64 characters")
    for name, rule in zip(PLATE, expected, strict=True):
        column = header.index(name)
        assert (rules[column], row[column]) == (rule, str(PLATE[name]))
        assert f"{name} {PLATE[name]}" in found["shown"]
    assert PLATE.items() <= found["mcp"].items()
    for language, labels in LABELS.items():
        assert f'"name": "{NAME}", "kind": "number", "low": 40' in found[f"form {language}"]
        assert '"name": "cooling", "kind": "choice"' in found[f"form {language}"]
        assert '"name": "maker", "kind": "text"' in found[f"form {language}"]
        for label, value in labels.items():
            assert label in found[f"form {language}"]
            assert [label, value] in found[f"report {language}"]
