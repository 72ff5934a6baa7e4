"""A fault is added in one place: a folder, a row, and a file of words in each language.

The toy is that the supply's frequency is off. docs/howto/add-a-fault.md explains what is here.
"""

import shutil
from pathlib import Path

import pytest

from tests.integration.helpers import run_copy
from tests.paths import ROOT
from vtox.pipeline.configuration.settings import Settings

pytestmark = pytest.mark.long

FOLDER = '''"""Whether the supply frequency is more than 5 % off that of the nameplate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vtox.motor.diagnosis.diagnosers.decision import (
    DecisionTable,
    Stated,
    Verdicts,
    always,
    rule,
    stated,
    verdicts,
)
from vtox.motor.diagnosis.diagnosers.shared_analysis import Diagnoser, SharedAnalysis
from vtox.motor.values.arrays import Float64
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS

MOST = 0.05


@dataclass(frozen=True, slots=True)
class Evidence:
    problems: Stated
    f0_hz: Float64
    off: Float64


RULES = DecisionTable[Evidence](
    stated("problems"),
    rule("supply_off", lambda x: x.off > MOST, "f0_hz", state="warning"),
    rule("supply_as_rated", always, "f0_hz", state="normal"),
)


def diagnose(shared: SharedAnalysis, baselines: Sequence[Baseline | None]) -> Verdicts:
    analysis = shared.analysis
    rated_hz = np.array([m.supply_hz or np.nan for m in analysis.motors])
    x = Evidence(analysis.problems, analysis.f0_hz, np.abs(analysis.f0_hz / rated_hz - 1))
    decided = RULES.decide(x, len(rated_hz))
    return verdicts(
        "supply_frequency", RULES, x, decided,
        severity=0.5, confidence=1.0, statistic=x.off, threshold=MOST,
    )


ROW = Diagnoser(diagnose=diagnose, channels=CURRENTS)
'''
ROW = '    Fault("supply_frequency", "turn_short", Persistence(1, 1, 1), View("waveform", "ia")),\n'
WORDS = """
[names.fault]
supply_frequency = "{name}"

[names.statistic]
supply_frequency = "{statistic}"

[sentences.supply_frequency.supply_off]
text = "{off}"
advice = "{advice}"

[sentences.supply_frequency.supply_as_rated]
text = "{rated}"

[pages.machine]
needs_supply_frequency = "{needs}"
link_supply_frequency = "{link}"
"""
ENGLISH = {
    "name": "supply frequency",
    "statistic": "distance from the rated frequency",
    "off": "the supply is at {f0_hz:.1f} Hz",
    "advice": "Ask who runs the generator.",
    "rated": "the supply is as rated",
    "needs": "It needs a current.",
    "link": "Show the current",
}
CHINESE = {
    "name": "电源频率",
    "statistic": "与额定频率之差",
    "off": "电源频率为 {f0_hz:.1f} Hz",
    "advice": "请询问发电机的运行人员。",
    "rated": "电源频率与铭牌一致",
    "needs": "需要电流。",
    "link": "显示电流",
}
# A bridge, the code of the workers and the API, on a real server.
USE = """
import json, os, sys
import numpy as np
from typer.testing import CliRunner
from tests.integration.conftest import serving
from tests.integration.helpers import add_window, bridging, counters, eventually
from vtox.pipeline.configuration import keys
from vtox.cli.main import application
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.server.client import connect
from vtox.motor.values.domain import Motor
from workers import batch

os.environ |= {"VTOX_REDIS_URL": sys.argv[1], "VTOX_DATA_DIR": sys.argv[2]}
settings, client = load(batch_wait_ms=1), connect(sys.argv[1], "test")
register(client, "M", Motor(pole_pairs=2, supply_hz=50.0))
turns, rng = 47 * np.arange(1000) / 1000, np.random.default_rng(1)
def counts():
    angles = {p: 2 * np.pi * (turns - k / 3) for k, p in enumerate(("ia", "ib", "ic"))}
    noise = rng.normal(0, 2, 1000)
    return {p: (1000 * np.sin(a) + noise).astype("<i2").tobytes() for p, a in angles.items()}
with bridging(settings, batch.work):
    for seq in range(3):
        add_window(client, "M", seq, **counts(), scale_ib=0.01, scale_ic=0.01)
    eventually(lambda: counters(client).get("windows:turn_short", 0) >= 2)
found = {}
found["stream"] = [
    (e[b"fault"].decode(), e[b"state"].decode(), e[b"code"].decode())
    for _, e in client.xrange(keys.RESULTS)
]
found["alerts"] = [e[b"fault"].decode() for _, e in client.xrange(keys.ALERTS)]
with serving(settings) as http:
    for language in ("en", "zh"):
        query = {"lang": language}
        found[f"page {language}"] = http.get("/machines/M", params=query).text
        found[f"report {language}"] = http.get("/api/v1/machines/M/report", params=query).text
    alarms = http.get("/api/v1/alarms").json()["data"]
    found["alarms"] = [(a["fault"], a["reason"]) for a in alarms]
    os.environ["VTOX_API_PORT"] = str(http.base_url.port)
    found["command"] = CliRunner().invoke(application(), ["machines", "show", "M"]).output
print(json.dumps(found))
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The product with one fault more; nothing that was there is edited but the registry."""
    copy = tmp_path / "checkout"
    for name in ("vtox", "api", "workers"):
        shutil.copytree(ROOT / name, copy / name)
    shutil.copy2(ROOT / "celeryconfig.py", copy)
    folder = copy / "vtox/motor/diagnosis/diagnosers/supply_frequency"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "row.py").write_text(FOLDER)
    registry = copy / "vtox/motor/faults.py"
    before, begin, rows = registry.read_text().partition("_FAULTS = (\n")
    registry.write_text(before + begin + ROW + rows)
    for language, words in {"en": ENGLISH, "zh": CHINESE}.items():
        file = copy / "vtox/motor/words" / language / "faults/supply_frequency.toml"
        file.write_text(WORDS.format(**words), "utf-8")
    return copy


def test_a_sixth_fault_appears_everywhere(checkout: Path, settings: Settings) -> None:
    found = run_copy(checkout, USE, settings)
    assert ["supply_frequency", "warning", "supply_off"] in found["stream"]
    assert "supply_frequency" in found["alerts"]
    assert ["supply_frequency", "the supply is at 47.0 Hz"] in found["alarms"]
    for language, words in {"en": ENGLISH, "zh": CHINESE}.items():
        for text in (words["name"], words["needs"], words["link"]):
            assert text.casefold() in found[f"page {language}"].casefold()
        for text in (words["name"], words["off"].format(f0_hz=47)):
            assert text.casefold() in found[f"report {language}"].casefold()
    assert "supply_frequency" in found["command"]
    assert "the supply is at 47.0 Hz" in found["command"]
