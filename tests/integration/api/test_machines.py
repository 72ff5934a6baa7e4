"""Machines by HTTP: registering, listing in parts, looking at one, retiring."""

import json
import time
from typing import Any

import httpx
import pytest

from vtox.motor.alarms.health.marks import MARKS
from vtox.motor.words.catalogue import Sentence, catalogue
from vtox.motor.words.rendering import render
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client, server_time

PLATE = {"pole_pairs": 2, "supply_hz": 50.0, "rated_speed_rpm": 1450.0}


def commit_health(client: Client, machine_id: str, **faults: str) -> None:
    """Write the fields of a machine that the workers' commits write."""
    now = time.time()
    memory = {
        "t": now,
        "faults": {
            f: {
                "last_state": s,
                "last_reason": f"because of {f}",
                "severities": [0.4],
                "alert_severity": 0.4,
                "level": s if s in ("warning", "fault") else "",
                "marks": MARKS[s],
                "starts": [now],
            }
            for f, s in faults.items()
        },
    }
    latest = {
        "machine_id": machine_id,
        "fault": "bearing",
        "family": "bearing",
        "state": "warning",
        "severity": 0.4,
        "confidence": None,
        "statistic": 3.5,
        "threshold": 2.0,
        "reason": "outer race",
        "first_seq": 4,
        "last_seq": 5,
        "t_start": 1764000000.0,
        "t_end": 1764000001.0,
        "detail": {"indicators": {"defect": "BPFO"}, "evidence": [{"hz": 91.4}], "closed": None},
    }
    fields = {"memory": json.dumps(memory), "latest:bearing": json.dumps(latest)}
    client.hset(keys.machine(machine_id), mapping=fields)
    client.zadd(keys.MACHINES, {machine_id: time.time()})
    note_change(client, machine_id)


def change_memory(client: Client, machine_id: str, fault: str, **changes: Any) -> None:
    """Change the memory of a machine about a fault."""
    memory = json.loads(client.hget(keys.machine(machine_id), "memory") or b"{}")
    memory["faults"].setdefault(fault, {}).update(changes)
    client.hset(keys.machine(machine_id), "memory", json.dumps(memory))


def note_change(client: Client, machine_id: str) -> None:
    """Number a change of a machine, as the scripts of register and commit do."""
    change = client.hincrby(keys.FLEET, "change", 1)
    client.zadd(keys.FLEET_CHANGES, {machine_id: change})


def test_register_then_see_then_retire(http: httpx.Client) -> None:
    put = http.put("/api/v1/machines/M1", json=PLATE).raise_for_status().json()["data"]
    assert put["nameplate"] == PLATE | {"supply": "grid"}
    seen = http.get("/api/v1/machines/M1").raise_for_status().json()["data"]
    assert seen == put
    assert (seen["state"], seen["registered"]) == ("unknown", True)
    assert seen["reason"] == render("no_window_yet", {})
    assert seen["baseline_state"]["state"] == "none"
    assert http.delete("/api/v1/machines/M1").status_code == 204
    assert http.get("/api/v1/machines/M1").status_code == 404
    assert http.delete("/api/v1/machines/M1").status_code == 404


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"poles": 4}, "poles", "unknown field"),
    ({"pole_pairs": 0}, "pole_pairs", "expected a whole number from 1"),
    ({"pole_pairs": "two"}, "pole_pairs", "expected a whole number"),
    ({"supply": "solar"}, "supply", "grid, inverter"),
    ({"bearing": 7}, "bearing", "expected a table"),
    ({"bearing": {"orders": {"BPFX": 3}}}, "bearing.orders", "expected BPFO"),
    (PLATE | {"rated_speed_rpm": 9000}, "rated_speed_rpm", "slip"),
]


@pytest.mark.parametrize(("plate", "field", "words"), WRONG)
def test_an_impossible_nameplate_is_refused_by_field(
    http: httpx.Client, plate: dict[str, Any], field: str, words: str
) -> None:
    answer = http.put("/api/v1/machines/M1", json=plate)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "bad_nameplate")
    assert problem["errors"][0]["field"] == field
    assert words in problem["detail"]


@pytest.mark.parametrize("body", [b"[1]", b"7", b'"x"'])
def test_a_nameplate_is_an_object(http: httpx.Client, body: bytes) -> None:
    answer = http.put(
        "/api/v1/machines/M1", content=body, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_a_nameplate_that_is_no_json(http: httpx.Client) -> None:
    kind = {"Content-Type": "application/json"}
    answer = http.put("/api/v1/machines/M1", content=b"{", headers=kind)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_what_was_found_is_told(http: httpx.Client, client: Client) -> None:
    commit_health(client, "M1", bearing="warning", turn_short="normal")
    m = http.get("/api/v1/machines/M1").json()["data"]
    assert (m["state"], m["health"]) == ("warning", 60.0)
    assert m["reason"] == "bearing: because of bearing"
    assert m["faults"] == {"bearing": "warning", "turn_short": "normal"}
    assert m["last_window_age_s"] < 5
    assert not m["silent"]
    assert m["sending"]["source"] == "", "nothing was learned yet"
    d = m["diagnoses"]["bearing"]
    assert (d["statistic"], d["threshold"], d["indicators"]) == (3.5, 2.0, {"defect": "BPFO"})
    assert d["start"] == "2025-11-24T16:00:00.000Z"
    assert d["evidence"] == [{"hz": 91.4}]


def test_when_the_next_window_is_due(http: httpx.Client, client: Client) -> None:
    http.put("/api/v1/machines/M1", json={"expected_every_s": 3600}).raise_for_status()
    client.zadd(keys.MACHINES, {"M1": server_time(client) - 7200})
    m = http.get("/api/v1/machines/M1").json()["data"]
    assert (m["silent"], m["sending"]["every_s"], m["sending"]["source"]) == (
        False,
        3600,
        "nameplate",
    )
    assert m["last_window"] < m["sending"]["next_window"] < m["sending"]["silent_from"]


def test_json_never_carries_nan(http: httpx.Client, client: Client) -> None:
    commit_health(client, "M1", bearing="warning")
    stored = client.hget(keys.machine("M1"), "latest:bearing") or b""
    broken = stored.replace(b'"confidence": null', b'"confidence": NaN')
    assert broken != stored
    client.hset(keys.machine("M1"), "latest:bearing", broken)
    answer = http.get("/api/v1/machines/M1")
    assert answer.status_code == 200
    assert "NaN" not in answer.text


# As a worker keeps it: records agree since T0, on one of one day, and the slip has not moved.
SEEN = ["", "w", [1_764_000_000, 0, 9, 9, 0, 0], [3, 4], ["warning", "www", [1.0, 2.0, 3.0]]]
SEEN += [1_764_000_000.0, [1_764_000_000, [9, -4.6, 0.0, 0.0, 0.0, 0.0]], False]


def test_what_days_have_not_confirmed_is_seen(http: httpx.Client, client: Client) -> None:
    commit_health(client, "M1", bearing="normal")
    change_memory(client, "M1", "broken_bar", last_state="warning", last_t=1e9, days=SEEN)
    found = http.get("/api/v1/machines/M1").json()["data"]["assessment"]["faults"]["broken_bar"]
    seen = found["seen"]
    assert (seen["level"], seen["t"], seen["shown"], seen["judged"]) == ("warning", 1.764e9, 1, 1)
    assert [(n["code"], n["sentence"]) for n in seen["needs"]] == [
        ("days_needed", "seen on 1 of 1 days; an alarm needs 3 of 4"),
        ("line_at_one_load", "the line has not been seen at another load"),
    ]
    in_chinese = http.get("/api/v1/machines/M1", headers={"Accept-Language": "zh"})
    found = in_chinese.json()["data"]["assessment"]["faults"]["broken_bar"]
    assert found["seen"]["needs"][1]["sentence"] == "尚未在其他负载下看到该谱线"


def test_unknown_says_why(http: httpx.Client, client: Client) -> None:
    commit_health(client, "M1", insulation="unknown")
    m = http.get("/api/v1/machines/M1").json()["data"]
    assert (m["state"], m["health"]) == ("unknown", None)
    assert m["reason"] == "insulation: because of insulation"


def test_reasons_carry_codes(
    http: httpx.Client, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(catalogue("en").sentences, "rotor_blue", Sentence("blue", "Wash it."))
    commit_health(client, "M1", bearing="warning", turn_short="warning", insulation="normal")
    change_memory(client, "M1", "bearing", last_code="rotor_blue")
    (m,) = http.get("/api/v1/machines").raise_for_status().json()["data"]
    old, coded = m["reasons"]
    assert coded == {
        "fault": "bearing",
        "code": "rotor_blue",
        "time": None,
        "latest": None,
        "values": {},
        "doubts": [],
        "reason": "blue",
        "what_to_do": "Wash it.",
    }
    assert (old["fault"], old["code"], old["what_to_do"]) == ("turn_short", "", "")


def test_a_machine_that_stopped_sending_is_silent(http: httpx.Client, client: Client) -> None:
    client.zadd(keys.MACHINES, {"M1": time.time() - 100})
    m = http.get("/api/v1/machines/M1").json()["data"]
    assert m["silent"]
    assert m["reason"] == render("no_diagnosis_yet", {})


def test_the_list_comes_in_parts_that_lead_on(http: httpx.Client, client: Client) -> None:
    names = [f"M{i:02d}" for i in range(25)]
    client.zadd(keys.MACHINES, dict.fromkeys(reversed(names), 0))
    found: list[str] = []
    path: str | None = "/api/v1/machines?limit=10"
    parts = 0
    while path:
        part = http.get(path).raise_for_status().json()
        found += [m["machine_id"] for m in part["data"]]
        path = part["next"]
        parts += 1
    assert found == names
    assert parts == 3


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x"])
def test_limits_have_limits(http: httpx.Client, query: str) -> None:
    problem = http.get(f"/api/v1/machines?{query}").json()
    assert (problem["status"], problem["errors"][0]["field"]) == (422, "limit")


@pytest.mark.parametrize("cursor", ["a b", "-M1", "x" * 65, "M1/"])
def test_a_cursor_of_machines_is_an_id(http: httpx.Client, cursor: str) -> None:
    problem = http.get(f"/api/v1/machines?cursor={cursor}").json()
    assert (problem["status"], problem["errors"][0]["field"]) == (422, "cursor")
    assert "not the id of a machine" in problem["detail"]


@pytest.mark.parametrize(
    "path", ["machines/{}", "machines/{}/history", "fleet/trends?machine_id={}"]
)
def test_what_is_wrong_with_an_id_is_said_in_words_with_its_place(
    http: httpx.Client, path: str
) -> None:
    problem = http.get(f"/api/v1/{path.format('M1%20b')}").json()
    assert (problem["status"], problem["errors"][0]["field"]) == (422, "machine_id")
    assert "character 3 is ' ', expected 1 to 64 of A to Z" in problem["detail"]
    assert "[A-Z" not in problem["detail"]
