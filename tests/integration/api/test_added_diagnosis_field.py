"""A field of a diagnosis is added where its value is, and shown wherever a diagnosis is.

The toy is the phase that a fault is in. The history keeps the figures of a trend alone.
"""

import csv
from pathlib import Path

import pytest

from tests.integration.helpers import changed_copy, run_copy
from vtox.pipeline.configuration.settings import Settings

NAME = "phase"
DOMAIN = "vtox/motor/values/domain.py"
EDITS = [
    (
        DOMAIN,
        '    """frequencies looked at, alternatives, episodes"""\n',
        f'    {NAME}: str = ""\n    """the phase that it is in"""\n',
    ),
    (DOMAIN, "    energy: MeterRow | None = None\n", f'    {NAME}: str = ""\n'),
]
USE = """
import json, os, sys
from contextlib import closing
from pathlib import Path
import numpy as np
from typer.testing import CliRunner
from tests.integration.conftest import serving_app
from api.factory import create_app
from vtox.cli.main import application
from vtox.motor.values.domain import Diagnosis, Record
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.server.client import connect
from vtox.pipeline.store.stream.entries import encode_results
from vtox.reporting.plant.mcp.tools import Tools
from vtox.reporting.plant.status_api import StatusApi

os.environ |= {"VTOX_REDIS_URL": sys.argv[1], "VTOX_DATA_DIR": sys.argv[2]}
settings = load()
record = Record(
    machine_id="M", run="", first_seq=1, last_seq=1, t_start=1764000001.0, t_end=1764000002.0,
    ids="1-1", windows=1, bytes=10,
)
d = Diagnosis(fault="bearing", state="normal", statistic=1.25, phase="ib")
((entry, latest),) = encode_results("bearing", [(record, d, "")])
with closing(connect(settings.working_url(), "test")) as client:
    client.xadd(keys.RESULTS, dict(zip(*entry)))
    client.hset(keys.machine("M"), "latest:bearing", latest)
    client.zadd(keys.MACHINES, {"M": 1.0})

def run(*arguments):
    return json.loads(CliRunner().invoke(application(), arguments).stdout.splitlines()[0])

found = {}
with serving_app(create_app(settings)) as http:
    os.environ["VTOX_API_PORT"] = str(http.base_url.port)
    found["machine"] = http.get("/api/v1/machines/M").json()["data"]["diagnoses"]["bearing"]
    diagnoses = "/api/v1/machines/M/diagnoses"
    found["list"] = http.get(diagnoses).json()["data"][0]
    found["csv"] = http.get(diagnoses, params={"format": "csv"}).content.decode("utf-8-sig")
    schemas = http.get("/openapi.json").json()["components"]["schemas"]
    found["openapi"] = [schemas[n]["properties"] for n in ("LatestDiagnosis", "DiagnosisEntry")]
    found["command"] = run("machines", "show", "M", "--json")["data"]["diagnoses"]
    with closing(StatusApi(str(http.base_url))) as api:
        found["mcp"] = Tools(lambda: api).why("M").data["faults"]["bearing"]
file = Path(sys.argv[2]) / "noise.csv"
noise = np.random.default_rng(1).normal(size=(2000, 3))
np.savetxt(file, noise, delimiter=",", header="ia,ib,ic", comments="")
found["offline"] = run("diagnose", str(file), "--fs", "1000", "--json")[0]
print(json.dumps(found))
"""


@pytest.mark.long
def test_a_field_of_a_diagnosis_appears_everywhere(tmp_path: Path, settings: Settings) -> None:
    pytest.importorskip("mcp", reason="mcp is not installed: make setup EXTRAS=mcp")
    found = run_copy(changed_copy(tmp_path, EDITS), USE, settings)
    shown = (found["machine"], found["list"], found["command"]["bearing"], found["mcp"])
    assert [d[NAME] for d in shown] == ["ib"] * len(shown)
    header, row = csv.reader(found["csv"].splitlines())
    assert row[header.index(NAME)] == "ib"
    for properties in found["openapi"]:
        assert properties[NAME]["description"] == "the phase that it is in"
    assert found["offline"][NAME] == ""
