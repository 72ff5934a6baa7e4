"""`vtox machines` and `vtox baseline` against a real server and its API."""

import json
import re
import time
from csv import DictReader
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import httpx
import numpy as np
import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from tests.integration.api.test_machines import SEEN, change_memory, commit_health
from vtox.cli.main import add
from vtox.motor.errors import InputError, NameplateError, WireError
from vtox.motor.values.bearing import Bearing
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.errors import UnknownMachine
from vtox.pipeline.store.machines import machine_states
from vtox.pipeline.store.machines import machines as store
from vtox.pipeline.store.machines.baselines import set_baseline
from vtox.pipeline.store.server.client import Client
from vtox.reporting.history.recorder import Recorder
from vtox.reporting.plant.errors import StatusApiError

FLEET = """
[machines.M1]
pole_pairs = 2
supply_hz = 50.0
rated_speed_rpm = 1450

[machines."line:2"]
pole_pairs = 1

[machines."line:2".bearing.orders]
BPFO = 3.585
"""


@pytest.fixture(autouse=True)
def api(api_of_commands: httpx.Client) -> httpx.Client:
    """The API that the commands read, over the server of the test."""
    return api_of_commands


def run(*arguments: str) -> Result:
    app = Typer()
    add(app, "machines")
    add(app, "baseline")
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "100"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_when_the_next_window_is_due(client: Client) -> None:
    store.register(client, "S1", Motor(expected_every_s=3600))
    # The API gives its time in whole seconds.
    client.zadd(keys.MACHINES, {"S1": time.time() - 7205})
    shown = run("machines", "show", "S1").output
    assert "sends: every 1 h, as its nameplate says · next was due 1 h ago" in shown
    assert "silent" not in shown


def test_what_is_exported_is_changed_and_imported(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "fleet.csv"
    assert "0 machines written" in run("machines", "export", str(file)).output
    template = file.read_text("utf-8-sig")
    assert template.count("\n") == 2
    file.write_text(template + "M7,2,50\n", "utf-8")
    assert "1 machines registered" in run("machines", "import", str(file)).output
    store.register(client, "M8", Motor(pole_pairs=1))
    _, *rows = DictReader(run("machines", "export").output.splitlines())
    assert [{k: v for k, v in row.items() if v} for row in rows] == [
        {"machine_id": "M7", "pole_pairs": "2", "supply_hz": "50", "supply": "grid"},
        {"machine_id": "M8", "pole_pairs": "1", "supply": "grid"},
    ]


def test_scalars_are_imported_and_shown(client: Client, settings: Settings, tmp_path: Path) -> None:
    now, file = round(time.time()), tmp_path / "readings.csv"
    at = datetime.fromtimestamp(now - 300, UTC).isoformat()
    head, old = "name;t;machine_id;unit;value\n", f"oil;{now - 4 * 86_400};M1;bar;2,5\n"
    write(file, f"{head}{old}winding;{at};M1;degC;81\n")
    assert "2 readings sent" in run("machines", "import", str(file)).output
    recorder = Recorder(client, settings)
    recorder.record(Event())
    recorder.close()
    store.register(client, "M1", Motor(pole_pairs=2))
    shown = run("machines", "show", "M1").output
    assert re.search(r"oil +2.5 bar +4 d ago", shown)
    assert re.search(r"winding +81 degC +\d+ min ago", shown)
    for row, match in (
        (f"oil;{now + 7200};M1;bar;1\n", "an hour from now"),
        ("oil;x;M1;bar;1", "2:"),
    ):
        with pytest.raises(InputError, match=match):
            run("machines", "import", write(file, head + row))


def test_a_fault_that_is_seen_is_listed_and_says_what_its_alarm_needs(client: Client) -> None:
    commit_health(client, "M1", bearing="normal")
    commit_health(client, "M2", bearing="normal")
    change_memory(client, "M1", "broken_bar", days=SEEN)
    assert re.search(r"M1 +normal +100 +broken_bar ", run("machines", "list").output)
    listed = json.loads(run("machines", "list", "--json").output)
    assert [m["seen"] for m in listed["data"]] == [["broken_bar"], []]
    shown = run("machines", "show", "M1").output
    needs = "seen on 1 of 1 days; an alarm needs 3 of 4"
    assert f"seen, no alarm yet: broken bar: {needs}" in shown.replace("\n", " ")
    assert json.loads(run("machines", "show", "M1", "--json").output)["data"]["seen"] == [
        "broken_bar"
    ]


def test_import_list_show_retire(client: Client, tmp_path: Path) -> None:
    assert "No machines yet" in run("machines", "list").output
    assert "2 machines" in run("machines", "import", write(tmp_path / "f.toml", FLEET)).output
    listed = json.loads(run("machines", "list", "--json").output)["data"]
    assert [m["machine_id"] for m in listed] == ["M1", "line:2"]
    shown = run("machines", "show", "line:2").output
    assert "bearing BPFO 3.585" in shown
    assert "last window never" in shown
    assert "baseline: none" in shown
    assert "retired" in run("machines", "retire", "M1").output
    assert list(store.last_arrivals(client)) == ["line:2"]
    run("machines", "import", write(tmp_path / "f.toml", FLEET))
    run("machines", "retire", "M1", "line:2")
    assert store.last_arrivals(client) == {}


def test_nameplates_that_contradict_themselves_are_not_imported_at_once(
    client: Client, tmp_path: Path
) -> None:
    table = (
        "machine_id,rated_power_w,rated_voltage_v,rated_current_a\nP1,3.7,400,8\nP2,3700,400,8\n"
    )
    file = write(tmp_path / "f.csv", table)
    with pytest.raises(NameplateError, match="1 of 2 nameplates contradict"):
        run("machines", "import", file)
    assert store.load_motors(client, ["P1", "P2"]) == [None, None]
    accepted = run("machines", "import", file, "--accept-warnings").output
    assert "P1: rated power of 0.0037 kW does not fit 400 V and 8 A" in accepted
    assert "2 machines registered" in accepted
    assert "check: rated power of 0.0037 kW" in run("machines", "show", "P1").output
    shown = run("machines", "show", "P2").output
    assert "check:" not in shown
    assert "rated_power 3.7 kW" in shown


def test_import_is_all_or_nothing(client: Client, tmp_path: Path) -> None:
    bad_value = FLEET + "\n[machines.M3]\npole_pairs = -1\n"
    with pytest.raises(NameplateError, match="M3: pole_pairs"):
        run("machines", "import", write(tmp_path / "f.toml", bad_value))
    bad_name = FLEET + '\n[machines."a b"]\npole_pairs = 1\n'
    with pytest.raises(WireError, match="machine_id: 'a b'"):
        run("machines", "import", write(tmp_path / "f.toml", bad_name))
    assert store.last_arrivals(client) == {}


def test_json_is_the_answer_of_the_api(api: httpx.Client, client: Client) -> None:
    for name in ("M1", "M2"):
        store.register(client, name, Motor(pole_pairs=2))
    assert (
        json.loads(run("machines", "list", "--json").output) == api.get("/api/v1/machines").json()
    )
    shown = json.loads(run("machines", "show", "M1", "--json").output)
    assert shown == api.get("/api/v1/machines/M1").json()
    assert shown["data"]["nameplate"]["pole_pairs"] == 2


def test_all_machines_are_listed_of_a_fleet_of_several_pages(client: Client) -> None:
    names = [f"M{k:03}" for k in range(501)]
    for name in names:
        store.register(client, name, Motor())
    listed = json.loads(run("machines", "list", "--json").output)
    assert ([m["machine_id"] for m in listed["data"]], listed["next"]) == (names, None)


@pytest.mark.parametrize("command", ["show", "reset"])
def test_an_unknown_machine_has_no_baseline(command: str) -> None:
    with pytest.raises(InputError, match="no machine M9"):
        run("baseline", command, "M9")


def test_an_unknown_machine_cannot_be_shown() -> None:
    with pytest.raises(StatusApiError, match="'M9' is not known"):
        run("machines", "show", "M9")


def test_an_unknown_machine_cannot_be_retired() -> None:
    with pytest.raises(UnknownMachine, match="M9"):
        run("machines", "retire", "M9")


def test_show_prints_the_latest_diagnoses(client: Client) -> None:
    store.register(client, "M1", Motor(pole_pairs=2))
    latest = {
        "fault": "turn_short",
        "state": "warning",
        "severity": 0.4,
        "confidence": 0.9,
        "statistic": 12.5,
        "threshold": 9.0,
        "reason": "negative-sequence current rose",
        "detail": {"indicators": {"negative_sequence_ratio": 0.031, "phase": "b"}},
    }
    client.hset("vtox:machine:M1", "latest:turn_short", json.dumps(latest))
    shown = run("machines", "show", "M1").output
    assert "negative-sequence current rose" in shown
    assert "severity 0.40 · confidence 0.90 · squared asymmetry of the currents 12.5 > 9" in shown
    assert "negative_sequence_ratio 0.031 · phase b" in shown


def test_baseline_show_export_learn_reset(client: Client, tmp_path: Path) -> None:
    band = {"low_a": 4.0, "high_a": 5.0, "levels": {"x_dbc": {"n": 9, "mean": -60.0, "std": 1.5}}}
    known = {"bands": [band], "asymmetry": None, "records": 9, "seconds": 90.0, "version": 1}
    text = json.dumps(known)
    set_baseline(client, "M1", text)
    shown = run("baseline", "show", "M1").output
    assert "9 records, 90 s" in shown
    assert "M1: ready, version 1, learnt from recordings" in shown
    assert re.search(r"load 4-5 A: ready, learnt \d s ago", shown)
    assert ["4-5", "A", "x_dbc", "-60", "1.5", "9"] in [line.split() for line in shown.splitlines()]
    assert json.loads(run("baseline", "export", "M1").output) == json.loads(text)
    output = run("machines", "show", "M1").output
    assert re.search(r"baseline: ready, version 1, learnt from recordings, \d s ago", output)
    exported = tmp_path / "b.json"
    exported.write_text(run("baseline", "export", "M1").output)
    run("baseline", "reset", "M1")
    run("baseline", "learn", "M1", str(exported))
    assert json.loads(run("baseline", "export", "M1").output) == json.loads(text)
    run("baseline", "reset", "M1")
    with pytest.raises(InputError, match="M1 has no baseline"):
        run("baseline", "show", "M1")


def csv(path: Path, ia: np.ndarray) -> str:
    """Write a recording of three phases, the other two a third of a turn behind each."""
    columns = np.column_stack([np.roll(ia, k * 67) for k in range(3)])
    np.savetxt(path, columns, delimiter=",", header="ia_a,ib_a,ic_a", comments="", fmt="%.5f")
    return str(path)


def test_unusable_recordings_give_no_baseline(client: Client, tmp_path: Path) -> None:
    stuck = csv(tmp_path / "stuck.csv", np.full(30_000, 0.25))
    with pytest.raises(InputError, match=r"learnt from stuck\.csv: .*ia"):
        run("baseline", "learn", "M1", stuck, "--fs", "10000")
    assert store.last_arrivals(client) == {}


def test_a_baseline_learnt_again_says_what_it_replaces(client: Client, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    t = np.arange(100_000) / 10_000
    ia = 5 * np.sin(2 * np.pi * 50 * t) + 0.005 * rng.standard_normal(len(t))
    good = csv(tmp_path / "good.csv", ia)
    assert "10 s" in run("baseline", "learn", "M1", good, "--fs", "10000").output
    again = run("baseline", "learn", "M1", good, "--fs", "10000").output
    assert "replacing one of 10 records" in again
    client.hset(keys.machine("M1"), "baseline", "{")
    mended = run("baseline", "learn", "M1", good, "--fs", "10000").output
    assert "replacing one that cannot be read" in mended


def test_learning_from_a_faulty_recording_is_reported(client: Client, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    x = rng.standard_normal(60_000)
    ring = np.exp(-np.arange(200) / 30) * np.sin(2 * np.pi * 3000 / 10_000 * np.arange(200))
    for start in range(0, 59_000, 112):  # 89.3 impacts a second: BPFO 3.572 at 1500 rpm
        x[start : start + 200] += 15 * ring
    np.savetxt(tmp_path / "bad.csv", x, header="vibration_ms2", comments="", fmt="%.5f")
    orders = {"BPFO": 3.572, "BPFI": 5.43, "BSF": 2.357, "FTF": 0.398}
    store.register(client, "M1", Motor(bearing=Bearing(orders=orders)))
    bad = str(tmp_path / "bad.csv")
    output = run("baseline", "learn", "M1", bad, "--fs", "10000", "--speed-rpm", "1500").output
    assert "bad.csv does not look healthy: bearing fault" in " ".join(output.split())
    assert "baseline of" in output


def test_an_impossible_value_of_a_stored_nameplate_is_absent(client: Client) -> None:
    store.register(client, "M1", Motor(pole_pairs=2))
    client.hset(keys.machine("M1"), "motor", '{"pole_pairs": 2.5, "supply_hz": 50}')
    assert machine_states.load_states(client, ["M1"])[0].motor == Motor(supply_hz=50.0)


def test_a_silent_machine_is_marked(client: Client) -> None:
    now = time.time()
    healthy = json.dumps({"faults": {"bearing": {"marks": "n", "starts": [now]}}, "t": now})
    for name, ago_s in (("M1", 1), ("M2", 3600), ("M3", None)):
        store.register(client, name, Motor())
        client.hset(keys.machine(name), "memory", healthy)
        client.zadd(keys.MACHINES, {name: 0 if ago_s is None else time.time() - ago_s})
    lines = run("machines", "list").output.splitlines()
    assert ["silent" in line for line in lines[1:]] == [False, True, False]
    assert "M2 · unknown, silent · health 100" in run("machines", "show", "M2").output
    listed = json.loads(run("machines", "list", "--json").output)["data"]
    assert [m["silent"] for m in listed] == [False, True, False]
