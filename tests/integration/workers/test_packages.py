"""A package adds a fault and a format (docs/howto/add-a-fault-in-your-package.md)."""

import re
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest

from tests.installed import SUPPLY, install, python_path, run_installed
from tests.worker import worker
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.monitoring.readiness import checks
from vtox.pipeline.monitoring.server_checks import package_checks
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system.status import snapshot

# A fleet of one machine whose supply is at 47 Hz, and the code of a bridge.
SEND = """
import json, os, sys
import numpy as np
from tests.integration.helpers import T0, add_window, bridging, counters, eventually
from vtox.motor.faults import FAULTS
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.server.client import connect

os.environ |= {"VTOX_REDIS_URL": sys.argv[1], "VTOX_DATA_DIR": sys.argv[2]}
settings, client = load(batch_wait_ms=1), connect(sys.argv[1], "test")
register(client, "M", Motor(pole_pairs=2, supply_hz=50.0))
turns, rng = 47 * np.arange(1000) / 1000, np.random.default_rng(1)
def counts():
    angles = {p: 2 * np.pi * (turns - k / 3) for k, p in enumerate(("ia", "ib", "ic"))}
    noise = rng.normal(0, 2, 1000)
    return {p: (1000 * np.sin(a) + noise).astype("<i2").tobytes() for p, a in angles.items()}
def send(work):
    with bridging(settings, work):
        for seq in range(3):
            add_window(client, "M", seq, **counts(), scale_ib=0.01, scale_ic=0.01)
        eventually(lambda: counters(client).get("windows:turn_short", 0) >= 2, 60)
def results():
    return [[e[n].decode() for n in (b"fault", b"state", b"code")]
            for _, e in client.xrange(keys.RESULTS)]
"""
# The code of a worker, of recorder, notifier and API, on a real server.
USE = (
    SEND
    + """
from pathlib import Path
from threading import Event
from typer.testing import CliRunner
import vtox
from tests.integration.conftest import serving
from tests.integration.reporting.notification.conftest import NOTIFY, hook, rules_of
from tests.integration.reporting.notification.receiver import receiving
from tests.integration.reporting.notification.test_delivery import running
from vtox.cli.main import application
from vtox.reporting.history.recorder import Recorder
from vtox.reporting.notification.notifier import Notifier
from workers import batch

os.environ["HOOK_SECRET"] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
found = {}
with receiving() as receiver:
    notifier = Notifier(client, settings, rules_of({"hook": hook(receiver)}), NOTIFY)
    notifier.try_once()
    with running(notifier):
        send(batch.work)
        eventually(lambda: any(b"47.0 Hz" in r.body for r in receiver.requests), 60)
    notifier.close()
    found["message"] = "".join(r.body.decode() for r in receiver.requests)
found["stream"] = results()
recorder = Recorder(client, settings)
recorder.record(Event())
recorder.close()
with serving(settings) as http:
    for language in ("en", "zh"):
        query = {"lang": language}
        found[f"page {language}"] = http.get("/machines/M", params=query).text
        found[f"report {language}"] = http.get("/api/v1/machines/M/report", params=query).text
    alarms = http.get("/api/v1/alarms").json()["data"]
    found["alarms"] = [(a["fault"], a["reason"]) for a in alarms]
    span = {"of": "lines", "from_t": T0 - 60, "to_t": T0 + 600}
    history = http.get("/api/v1/machines/M/history", params=span).json()["data"]
    found["series"] = list(history["series"])
    os.environ["VTOX_API_PORT"] = str(http.base_url.port)
    found["command"] = CliRunner().invoke(application(), ["machines", "show", "M"]).output
file = Path(sys.argv[2]) / "a.sup"
file.write_bytes(b"SUPPLY" + np.array([1000], "<u4").tobytes() + b"".join(counts().values()))
(recording,) = vtox.read(file)
found["file"] = [
    (d.fault, d.code) for d in vtox.diagnose(recording, Motor(pole_pairs=2, supply_hz=50.0))
]
print(json.dumps(found))
"""
)
# Workers of the package alone; a bridge that sends real tasks to workers elsewhere.
WORK = SEND + "from workers import batch\nsend(batch.work)\nprint(json.dumps(results()))"
DISPATCH = (
    SEND
    + """
from vtox.pipeline.queues.task_queues import TaskQueues
send(TaskQueues().send)
print(json.dumps(results()))
"""
)
# The faults of a process, with its log, and the line of the doctor.
LOOK = """
import json
from vtox.motor.faults import FAULTS
from vtox.pipeline.cluster import logging_setup
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.monitoring.host_checks import host_checks
logging_setup.setup("test")
line = next(c for c in host_checks(load()) if c.name == "packages")
print(json.dumps({"faults": list(FAULTS), "doctor": [line.status, line.observed]}))
"""
OWN = ["turn_short", "insulation", "bearing", "eccentricity", "broken_bar"]
ENGLISH = (
    "supply frequency",
    "It needs a current.",
    "Show the current",
    "the supply is at 47.0 Hz",
)
CHINESE = ("电源频率", "需要电流。", "显示电流", "电源频率为 47.0 Hz")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as a wheel installs it."""
    return install(SUPPLY, tmp_path_factory.mktemp("supply"))


@pytest.fixture
def site(built: Path, tmp_path: Path) -> Path:
    """A copy of it, to be broken."""
    return copytree(built, tmp_path / "site")


@pytest.mark.long
def test_a_fault_of_a_package_appears_everywhere(site: Path, settings: Settings) -> None:
    found = run_installed(site, USE, settings)
    assert ["supply_frequency", "warning", "supply_off"] in found["stream"]
    assert ["supply_frequency", "the supply is at 47.0 Hz"] in found["alarms"]
    assert "the supply is at 47.0 Hz" in found["message"]
    assert "supply_frequency_off" in found["series"]
    assert ["supply_frequency", "supply_off"] in found["file"]
    for language, words in {"en": ENGLISH, "zh": CHINESE}.items():
        name, needs, link, says = words
        for text in (name, needs, link):
            assert text.casefold() in found[f"page {language}"].casefold()
        for text in (name, says):
            assert text.casefold() in found[f"report {language}"].casefold()
    assert "the supply is at 47.0 Hz" in found["command"]


@pytest.mark.long
def test_a_worker_without_the_package_commits_the_others(
    site: Path, client: Client, settings: Settings, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    server = {"VTOX_REDIS_URL": settings.working_url(), "PYTHONPATH": python_path(None)}
    with worker(client, log, queue="turn_short,bearing,broken_bar", **server) as lacking:
        answers = run_installed(site, DISPATCH, settings)
        assert ["supply_frequency", "unknown", "fault_not_installed"] in answers
        assert {fault for fault, *_ in answers} >= {"turn_short", "insulation", "supply_frequency"}
        assert client.xlen(keys.DEAD_LETTERS) == 0
        with worker(client, log, **server | {"PYTHONPATH": python_path(site)}):
            (one,) = package_checks(client, snapshot(client))
        assert re.search(
            r"supply_frequency .* is not installed for worker \S+ \(\S+\)", one.observed
        )
        assert lacking.poll() is None


def rewrite(file: str, old: str, new: str) -> Callable[[Path], None]:
    """A change of a file of the package."""

    def change(site: Path) -> None:
        path = site / file
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return change


ENTRIES = "vtox_supply-0.1.dist-info/entry_points.txt"


def add_another(site: Path) -> None:
    """Install another package with a fault of the name."""
    copytree(site / "vtox_supply-0.1.dist-info", site / "other-0.1.dist-info")
    metadata = site / "other-0.1.dist-info/METADATA"
    metadata.write_text(metadata.read_text().replace("vtox-supply", "other"))


BROKEN = {
    "of another interface": (rewrite("vtox_supply/fault.toml", "= 1", "= 7"), "wrong_interface"),
    "of no family": (rewrite("vtox_supply/fault.toml", "turn_short", "pumps"), "wrong_row"),
    "without a folder": (rewrite(ENTRIES, "= vtox_supply\n", "= nowhere\n"), "import_failed"),
    "a name twice": (add_another, "name_twice"),
    "a name of ours": (rewrite(ENTRIES, "supply_frequency =", "bearing ="), "name_twice"),
    "without words": (lambda site: (site / "vtox_supply/words/en.toml").unlink(), "no_words"),
    "a code of ours": (
        rewrite("vtox_supply/words/en.toml", "y.supply_off", "y.no_baseline"),
        "wrong_words",
    ),
    "a format that raises": (
        rewrite("vtox_supply/formats.py", "FORMATS =", "1 / 0\nFORMATS ="),
        "import_failed",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_package_is_named_and_the_others_go_on(
    site: Path, settings: Settings, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    change, code = BROKEN[kind]
    change(site)
    found = run_installed(site, LOOK, settings)
    assert found["faults"][: len(OWN)] == OWN
    status, observed = found["doctor"]
    assert (status, f": {code}: " in observed) == ("warn", True)
    formats_alone = kind == "a format that raises"
    assert ("a package is left out" in capfd.readouterr().err) is not formats_alone


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("f0_hz / rated_hz", "f0_hz / 0 / {}"),
        ("ROW =", "1 / 0\nROW ="),
        ('"supply_frequency",', '"x",'),
        ("severity=0.5", "severity=float('nan')"),
        ("severity=0.5", "severity='high'"),
        ("statistic=x.off", "statistic=x.off[:0]"),
        ("return verdicts(", "return None and verdicts("),
    ],
    ids=["rule", "import", "another fault", "NaN", "text", "wrong shape", "no answer"],
)
def test_a_fault_that_fails_is_unknown_and_no_record_is_lost(
    site: Path, client: Client, settings: Settings, old: str, new: str
) -> None:
    rewrite("vtox_supply/row.py", old, new)(site)
    answers = run_installed(site, WORK, settings)
    assert {tuple(a) for a in answers if a[0] == "supply_frequency"} == {
        ("supply_frequency", "unknown", "fault_failed")
    }
    assert {fault for fault, *_ in answers} >= {"turn_short", "insulation"}
    assert client.xlen(keys.DEAD_LETTERS) == 0
    snap = snapshot(client)
    assert [c for c in checks(snap) if c.name == "dead letters" and c.status != "pass"] == []
    (one,) = package_checks(client, snap)
    assert one.observed.startswith("supply_frequency: the package of this fault failed: ")


OPEN = """
import json, sys
from pathlib import Path
import vtox
from vtox.motor.errors import FileError
file = Path(sys.argv[2]) / "a.sup"
file.write_bytes(b"SUPPLY" + bytes(2404))
try:
    found = [sorted(r.channels) for r in vtox.read(file)]
except FileError as error:
    found = error.code
print(json.dumps(found))
"""


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("raw = ", "1 / 0\n    raw = ", "damaged"),
        ("raw = ", "import os; os.abort()\n    raw = ", "too_large"),
        ("head.startswith(MARK)", "head / 0", "wrong_content"),
    ],
    ids=["raises", "ends its process", "raises in its test"],
)
def test_a_reader_of_a_package_that_fails_costs_its_file_alone(
    site: Path, settings: Settings, old: str, new: str, found: str
) -> None:
    rewrite("vtox_supply/formats.py", old, new)(site)
    assert run_installed(site, OPEN, settings) == found


# Recorder and API that do not know the fault of an open alarm.
READ = """
import json, os, sys
from threading import Event
from tests.integration.conftest import serving
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.server.client import connect
from vtox.reporting.history.recorder import Recorder

os.environ |= {"VTOX_REDIS_URL": sys.argv[1], "VTOX_DATA_DIR": sys.argv[2]}
settings, client = load(), connect(sys.argv[1], "test")
recorder = Recorder(client, settings)
recorder.record(Event())
recorder.close()
PATHS = ("", "/history", "/growth", "/report", "/diagnoses", "/sensitivity", "/evidence")
PATHS = [*(f"/api/v1/machines/M{p}" for p in PATHS), "/api/v1/alarms", "/api/v1/fleet"]
PATHS += ["/", "/machines/M", "/alarms", "/figures", "/api/v1/alarms/figures", "/api/v1/alerts"]
with serving(settings) as http:
    answers = {path: http.get(path).status_code for path in PATHS}
print(json.dumps(answers))
"""


@pytest.mark.long
def test_an_api_without_the_package_shows_the_rest(site: Path, settings: Settings) -> None:
    run_installed(site, WORK, settings)
    assert set(run_installed(None, READ, settings).values()) == {200}


@pytest.mark.long
def test_a_rule_that_hangs_costs_its_fault_alone(
    site: Path, client: Client, settings: Settings, tmp_path: Path
) -> None:
    rewrite(
        "vtox_supply/row.py", "    analysis =", "    while True:\n        pass\n    analysis ="
    )(site)
    server = {"VTOX_REDIS_URL": settings.working_url(), "PYTHONPATH": python_path(site)}
    with worker(client, tmp_path / "log", queue="turn_short", **server):
        answers = run_installed(site, DISPATCH, settings)
    assert ["supply_frequency", "unknown", "fault_failed"] in answers
    assert {fault for fault, *_ in answers} >= {"turn_short", "insulation"}
    assert client.xlen(keys.DEAD_LETTERS) == 0
