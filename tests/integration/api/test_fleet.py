"""The fleet as a list: filter, order, groups, pages, 304, and the changes that appear in it."""

from threading import Event
from typing import Any

import httpx
import pytest

from tests.integration.api.test_machines import SEEN, change_memory, commit_health, note_change
from tests.integration.conftest import serving
from tests.integration.reporting.history.entries import add_assessment
from tests.waiting import eventually
from vtox.motor.alarms.health.alert_values import FaultHistory
from vtox.motor.alarms.health.assessment import Fused
from vtox.motor.alarms.health.update import MachineHistory
from vtox.motor.values import codec
from vtox.motor.values.domain import Motor, Record
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.ledger.ledger import COMMITTED, Ledger
from vtox.pipeline.store.ledger.ledger_rows import record_json
from vtox.pipeline.store.ledger.outcomes import Outcome
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.machines.fleet import fleet_state
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.system import kept_state
from vtox.reporting.history.recorder import Recorder

URL = "/api/v1/fleet"


def ids_of(http: httpx.Client, **query: Any) -> list[str]:
    data = http.get(URL, params=query).raise_for_status().json()["data"]
    return [r["machine_id"] for r in data["rows"]]


@pytest.fixture
def fleet(client: Client) -> None:
    """Five machines of two sites."""
    machines.register(client, "M10", Motor(site="North", asset_path="A/1/fan"))
    machines.register(client, "M9", Motor(site="North", asset_path="A/1"))
    machines.register(client, "M2", Motor(site="East", asset_path="A/10"))
    commit_health(client, "M10", bearing="normal")
    commit_health(client, "M9", bearing="warning", turn_short="normal")
    commit_health(client, "M2", bearing="normal")
    commit_health(client, "M3", broken_bar="fault")
    commit_health(client, "M1", bearing="normal")
    client.hset(keys.machine("M1"), "vehicle_id", "Loader-7")
    client.zadd(keys.MACHINES, {"M1": server_time(client) - 3600})


@pytest.mark.usefixtures("fleet")
def test_what_matters_most_comes_first_and_says_why(http: httpx.Client, client: Client) -> None:
    machines.register(client, "M9", Motor(criticality=5, downtime_cost_per_hour=700.0))
    rows = http.get(URL).raise_for_status().json()["data"]["rows"]
    assert [r["machine_id"] for r in rows[:3]] == ["M3", "M9", "M1"], "36 of a fault, 30"
    machines.register(client, "M3", Motor(criticality=1))
    eventually(lambda: ids_of(http)[:2] == ["M9", "M3"])
    first = http.get(URL).json()["data"]["rows"][0]["priority"]
    assert (first["number"], first["cost_per_hour"], first["action"]) == (30, 700.0, "next_stop")
    assert ids_of(http, action="next_stop") == ["M9", "M3"]
    assert ids_of(http, action="now") == []


ORDERS = [
    ({}, ["M3", "M9", "M1", "M2", "M10"]),
    ({"sort": "name"}, ["M1", "M2", "M3", "M9", "M10"]),
    ({"sort": "-name"}, ["M10", "M9", "M3", "M2", "M1"]),
    ({"sort": "site"}, ["M2", "M9", "M10", "M1", "M3"]),
    ({"sort": "fault"}, ["M9", "M3", "M1", "M2", "M10"]),
    ({"group": "asset_1", "sort": "-name"}, ["M10", "M9", "M2", "M3", "M1"]),
    ({"group": "asset_2"}, ["M9", "M10", "M2", "M3", "M1"]),
    ({"group": "site"}, ["M2", "M9", "M10", "M3", "M1"]),
    ({"state": "normal"}, ["M2", "M10"]),
    ({"state": "unknown"}, ["M1"]),
    ({"fault": "bearing"}, ["M9"]),
    ({"search": "m1"}, ["M1", "M10"]),
    ({"search": "loader"}, ["M1"]),
    ({"search": "north"}, ["M9", "M10"]),
    ({"site": "North"}, ["M9", "M10"]),
    ({"asset_path": "A/1"}, ["M9", "M10"]),
    ({"watched": "bearing"}, ["M9", "M2", "M10"]),
    ({"blind": "bearing"}, ["M3", "M1"]),
    ({"watched": "any"}, []),
    ({"offset": 3}, ["M2", "M10"]),
]


@pytest.mark.parametrize(("query", "expected"), ORDERS, ids=[str(q) for q, _ in ORDERS])
def test_order_and_filter(
    http: httpx.Client, fleet: None, query: dict[str, Any], expected: list[str]
) -> None:
    assert ids_of(http, **query) == expected


def test_groups_say_where_they_begin(http: httpx.Client, fleet: None) -> None:
    data = http.get(URL, params={"group": "site", "limit": 1}).json()["data"]
    assert [(g["name"], g["start"], g["machines"]) for g in data["groups"]] == [
        ("East", 0, 1),
        ("North", 1, 2),
        ("", 3, 2),
    ]
    assert data["groups"][1]["states"] == {"fault": 0, "warning": 1, "unknown": 0, "normal": 1}
    assert (data["machines"], data["matching"], data["sites"]) == (5, 5, ["East", "North"])
    assert data["states"] == {"fault": 1, "warning": 1, "unknown": 1, "normal": 2}


def test_the_list_shows_what_is_seen_as_the_machine_does(
    http: httpx.Client, client: Client, fleet: None
) -> None:
    change_memory(client, "M10", "broken_bar", days=SEEN)
    change_memory(client, "M9", "eccentricity", days=SEEN)
    data = http.get(URL).raise_for_status().json()["data"]
    shown = {r["machine_id"]: r["seen"] for r in data["rows"]}
    assert (data["seen"], list(shown)) == (2, ["M3", "M9", "M1", "M10", "M2"])
    assert shown["M10"] == ["broken_bar"]
    for machine_id, seen in shown.items():
        machine = http.get(f"/api/v1/machines/{machine_id}").json()["data"]
        faults = machine["assessment"]["faults"]
        assert seen == machine["seen"] == [n for n, f in faults.items() if f["seen"]]
    listed = {m["machine_id"]: m["seen"] for m in http.get("/api/v1/machines").json()["data"]}
    assert listed == shown


@pytest.mark.parametrize(
    ("seen", "expected"), [("any", ["M9", "M10"]), ("broken_bar", ["M10"]), ("bearing", [])]
)
def test_a_filter_of_what_is_seen(
    http: httpx.Client, client: Client, fleet: None, seen: str, expected: list[str]
) -> None:
    change_memory(client, "M10", "broken_bar", days=SEEN)
    change_memory(client, "M9", "eccentricity", days=SEEN)
    assert ids_of(http, seen=seen) == expected


def test_pages_lead_on_where_the_list_moves(
    http: httpx.Client, client: Client, fleet: None
) -> None:
    first = http.get(URL, params={"sort": "name", "limit": 2}).json()
    assert [r["machine_id"] for r in first["data"]["rows"]] == ["M1", "M2"]
    commit_health(client, "M0", bearing="normal")
    second = http.get(first["next"]).json()
    assert [r["machine_id"] for r in second["data"]["rows"]] == ["M3", "M9"]
    last = http.get(second["next"]).json()
    assert ([r["machine_id"] for r in last["data"]["rows"]], last["next"]) == (["M10"], None)
    assert http.get(URL, params={"cursor": "M1"}).status_code == 422


def test_a_row_says_why(http: httpx.Client, fleet: None) -> None:
    rows = http.get(URL).json()["data"]["rows"]
    ill, silent = rows[1], rows[2]
    assert (ill["site"], ill["asset_path"], ill["health"]) == ("North", "A/1", 60.0)
    assert [(r["fault"], r["reason"]) for r in ill["reasons"]] == [
        ("bearing", "because of bearing")
    ]
    assert ill["blind"] == ["insulation", "eccentricity", "broken_bar"]
    assert ill["unlocks"] == dict.fromkeys(ill["blind"], "windows")
    assert (silent["state"], silent["vehicle_id"], len(silent["blind"])) == (
        "unknown",
        "Loader-7",
        5,
    )
    assert silent["silent_since"]


def test_the_same_answer_is_304_until_something_changes(
    http: httpx.Client, client: Client, fleet: None
) -> None:
    tag = http.get(URL).headers["etag"]
    again = http.get(URL, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    commit_health(client, "M2", bearing="warning")
    changed = http.get(URL, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


def test_retired_and_new_machines_are_seen(http: httpx.Client, client: Client, fleet: None) -> None:
    assert ids_of(http, state="warning") == ["M9"]
    machines.retire(client, "M9")
    client.zadd(keys.MACHINES, {"M9": server_time(client)})
    assert ids_of(http, state="unknown") == ["M1", "M9"], "another machine of the same name"
    machines.register(client, "M9", Motor(site="West"))
    assert ids_of(http, site="West") == ["M9"]
    kept_state.clear(client)
    assert ids_of(http) == []


def history_of(
    state: Any, severity: float, code: str = "impacts", reason: str = "so"
) -> FaultHistory:
    return FaultHistory(
        last_state=state,
        last_code=code,
        last_reason=reason,
        severities=(severity,),
        level="" if state == "normal" else state,
        marks="n",
        starts=(1.0,),
    )


def commit(ledger: Ledger, seq: int, h: FaultHistory) -> None:
    """Commit the history of V001 as a worker does."""
    r = Record(
        machine_id="V001",
        run="",
        first_seq=seq,
        last_seq=seq,
        t_start=float(seq),
        t_end=seq + 1.0,
        ids="1-1",
        windows=1,
        bytes=1,
    )
    record_id = r.record_id("bearing")
    ledger.client.hset(keys.ledger("bearing"), record_id, record_json(r))
    version = ledger.client.hget(keys.machine("V001"), "version")
    history = MachineHistory({"bearing": h}, t=1.0)
    outcome = Outcome(
        record_id,
        version.decode() if version else "0",
        str(seq),
        (("memory",), [codec.encode(history)]),
        [],
        [],
        [],
        evidence=False,
        fingerprint=Fused.of(history.faults, 1.0).fingerprint(history.faults),
    )
    assert ledger.commit("bearing", [outcome]) == [COMMITTED]


def test_only_commits_that_change_the_list_are_numbered(
    http: httpx.Client, client: Client, settings: Settings
) -> None:
    client.zadd(keys.MACHINES, {"V001": server_time(client)})
    ledger, numbers = Ledger(client, settings), []
    for seq, (h, health) in enumerate(
        (
            (history_of("normal", 0.1), 100.0),
            (history_of("normal", 0.2, reason="other", code="none"), 100.0),
            (history_of("warning", 0.204), 79.6),
            (history_of("warning", 0.196, reason="other"), 80.4),
            (history_of("warning", 0.196, code="outer_race"), 80.4),
        )
    ):
        commit(ledger, seq, h)
        numbers.append(int(client.hget(keys.FLEET, "change") or 0))
        (row,) = http.get(URL).json()["data"]["rows"]
        assert (row["state"], row["health"]) == (h.last_state, pytest.approx(health, abs=1))
    assert numbers == [1, 1, 2, 2, 3]


def test_trends_have_the_worst_of_each_step(
    fresh_http: httpx.Client, client: Client, settings: Settings
) -> None:
    trends = {"machine_id": ["M1", "M2"], "span": "hour"}
    empty = fresh_http.get(f"{URL}/trends", params=trends).json()["data"]
    assert (empty["series"], empty["recorded_until_t"]) == ({}, None)
    begin = server_time(client) // 60 * 60
    for t, health, state in (
        (-120, 100.0, "normal"),
        (-100, 60.0, "warning"),
        (-60, 90.0, "normal"),
    ):
        add_assessment(client, begin + t, health, state)
    recorder = Recorder(client, settings)
    recorder.record(Event())
    recorder.close()
    data = fresh_http.get(f"{URL}/trends", params=trends).json()["data"]
    (m1,) = data["series"].values()
    steps = [i for i, s in enumerate(m1["state"]) if s]
    assert [(m1["state"][i], m1["health"][i]) for i in steps] == [
        ("warning", 60.0),
        ("normal", 90.0),
    ]
    assert (len(m1["state"]), data["step_s"]) == (60, 60)
    assert data["from_t"] + 60 * steps[0] == begin - 120
    assert fresh_http.get(f"{URL}/trends", params={"machine_id": "a b"}).status_code == 422


def test_machines_that_fall_silent_or_send_again_are_told_from_the_look_before(
    client: Client,
) -> None:
    now = server_time(client)
    arrived = {f"M{k}": now - 60 for k in range(6)} | {"A": now, "B": now - 29.5}
    client.zadd(keys.MACHINES, arrived | {"NEW": 0})
    state = fleet_state(client, 30.0)
    assert sorted(state.silent) == [f"M{k}" for k in range(6)]
    client.zadd(keys.MACHINES, {"M0": now})
    eventually(lambda: server_time(client) > now + 0.6)
    state = fleet_state(client, 30.0, state)  # fewer send than are silent
    assert sorted(state.silent) == ["B", "M1", "M2", "M3", "M4", "M5"]
    client.zadd(keys.MACHINES, dict.fromkeys([f"M{k}" for k in range(5)], now))
    client.zrem(keys.MACHINES, "M5")
    state = fleet_state(client, 30.0, state)  # fewer are silent than send
    assert state.silent == {"B": pytest.approx(now - 29.5)}


def test_a_row_has_the_reason_that_its_state_rests_on_then_the_latest(
    http: httpx.Client, client: Client
) -> None:
    commit_health(client, "M1", broken_bar="fault")
    held = {"state": "fault", "code": "rotor_asymmetry", "reason": "bars", "t": 1_764_000_000.0}
    latest = {"state": "unknown", "code": "other", "reason": "too short", "t": 1_764_000_095.0}
    last = {f"last_{name}": value for name, value in latest.items()}
    change_memory(client, "M1", "broken_bar", **last, held=held)
    note_change(client, "M1")
    (row,) = http.get("/api/v1/fleet").raise_for_status().json()["data"]["rows"]
    (why,) = row["reasons"]
    assert (why["reason"], why["time"]) == ("bars", "2025-11-24T16:00:00.000Z")
    assert (why["latest"]["state"], why["latest"]["reason"]) == ("unknown", "too short")
    assert row["last_diagnosis"] == "2025-11-24T16:01:00.000Z", "to the minute"
    machine = http.get("/api/v1/machines/M1").raise_for_status().json()["data"]
    assert machine["reasons"] == row["reasons"]
    assert machine["last_diagnosis"] == "2025-11-24T16:01:35.000Z"


def test_silence_is_told_of_every_state_and_nothing_silent_is_normal(
    settings: Settings, client: Client
) -> None:
    for m, state in (("M1", "normal"), ("M2", "fault"), ("M3", "normal")):
        commit_health(client, m, bearing=state)
    old = {m: server_time(client) - 660 for m in ("M1", "M2")}
    client.zadd(keys.MACHINES, old)
    with serving(settings) as http:
        fleet = http.get("/api/v1/fleet?group=site").raise_for_status().json()["data"]
        assert fleet["states"] == {"fault": 1, "warning": 0, "unknown": 1, "normal": 1}
        assert fleet["silent"] == {"fault": 1, "warning": 0, "unknown": 1, "normal": 0}
        assert [g["silent"] for g in fleet["groups"]] == [2]
        listed = http.get("/api/v1/machines").raise_for_status().json()["data"]
    assert [(m["state"], m["silent"]) for m in listed] == [
        ("unknown", True),
        ("fault", True),
        ("normal", False),
    ]
