"""Coverage by HTTP: of a machine, and of the fleet."""

import time

import httpx

from tests.integration.api.test_machines import change_memory, commit_health, note_change
from vtox.motor.faults import FAULTS
from vtox.motor.values.domain import Diagnosis, Record, reason
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.entries import encode_results


def leave_latest(client: Client, machine_id: str, fault: str, d: Diagnosis) -> None:
    record = Record(
        machine_id=machine_id,
        run="",
        first_seq=0,
        last_seq=0,
        t_start=1764000000.0,
        t_end=1764000001.0,
        ids="1-1",
        windows=1,
        bytes=1,
    )
    ((_, text),) = encode_results(FAULTS[fault].name, [(record, d, "")])
    change_memory(client, machine_id, fault, last_state=d.state, last_code=d.code)
    client.hset(keys.machine(machine_id), f"latest:{fault}", text)
    note_change(client, machine_id)


def too_little_load(load_a: float) -> Diagnosis:
    why = reason("load_too_low", load_a=load_a, needed_a=3.5)
    return Diagnosis(fault="broken_bar", state="unknown", code=why.code, values=why.values)


def test_a_machine_says_what_it_is_blind_to_and_what_would_help(
    http: httpx.Client, client: Client
) -> None:
    commit_health(client, "M1", bearing="warning")
    leave_latest(client, "M1", "broken_bar", too_little_load(1.5))
    found = http.get("/api/v1/machines/M1/coverage").raise_for_status().json()["data"]
    assert (found["machine_id"], found["watched"]) == ("M1", 1)
    by_fault = {f["fault"]: f for f in found["faults"]}
    assert list(by_fault) == list(FAULTS)
    assert (by_fault["bearing"]["status"], by_fault["bearing"]["state"]) == ("watched", "warning")
    bars = by_fault["broken_bar"]
    assert (bars["status"], bars["code"], bars["unlock"]) == ("blind", "load_too_low", "load")
    assert bars["values"] == {"load_a": 1.5, "needed_a": 3.5}
    assert bars["sentence"]
    assert bars["what_to_do"]
    assert by_fault["insulation"]["code"] == "no_diagnosis_yet"


def test_a_silent_machine_is_watched_for_nothing(http: httpx.Client, client: Client) -> None:
    commit_health(client, "M1", bearing="normal")
    client.zadd(keys.MACHINES, {"M1": time.time() - 3600})
    found = http.get("/api/v1/machines/M1/coverage").json()["data"]
    assert found["watched"] == 0
    assert {f["code"] for f in found["faults"]} == {"machine_silent"}


def test_the_fleet_has_shares_and_the_most_frequent_reason_first(
    fresh_http: httpx.Client, client: Client
) -> None:
    why = reason("no_current")
    for n in range(5):
        commit_health(client, f"M{n}", bearing="normal")
        leave_latest(client, f"M{n}", "broken_bar", too_little_load(1.0 + n))
    no_current = Diagnosis(fault="broken_bar", state="unknown", code=why.code, values=why.values)
    leave_latest(client, "M4", "broken_bar", no_current)
    fleet = fresh_http.get("/api/v1/coverage").raise_for_status().json()["data"]
    assert fleet["machines"] == 5
    by_fault = {f["fault"]: f for f in fleet["faults"]}
    bearing, bars = by_fault["bearing"], by_fault["broken_bar"]
    assert (bearing["watched"], bearing["blind"], bearing["watched_share"]) == (5, 0, 1.0)
    assert bearing["reasons"] == []
    assert (bars["watched"], bars["blind"], bars["watched_share"]) == (0, 5, 0.0)
    codes = [(r["code"], r["machines"], r["unlock"], r["example"]) for r in bars["reasons"]]
    assert codes == [("load_too_low", 4, "load", "M0"), ("no_current", 1, "channel", "M4")]
    assert "1 A" in bars["reasons"][0]["sentence"]
    client.delete(keys.MACHINES)
    kept = fresh_http.get("/api/v1/coverage").json()["data"]
    assert kept == fleet, "counted at most once in some seconds, however many look"


def test_a_fleet_of_nobody(fresh_http: httpx.Client) -> None:
    fleet = fresh_http.get("/api/v1/coverage").raise_for_status().json()["data"]
    assert fleet["machines"] == 0
    assert {f["watched_share"] for f in fleet["faults"]} == {None}


def test_the_coverage_of_nobody(http: httpx.Client) -> None:
    assert http.get("/api/v1/machines/NOBODY/coverage").status_code == 404
