"""Sensitivity by HTTP: read, set, refused by field, two who change it at once."""

from typing import Any

import httpx
import pytest

from vtox.motor.faults import FAULTS, PERSISTENCE
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys

PATH = "/api/v1/machines/M1/sensitivity"


@pytest.fixture(autouse=True)
def machine(http: httpx.Client) -> None:
    http.put("/api/v1/machines/M1", json={}).raise_for_status()


def test_defaults_then_set_then_defaults_again(http: httpx.Client) -> None:
    seen = http.get(PATH).raise_for_status().json()["data"]
    assert (seen["version"], seen["set"], seen["faults"]) == (0, None, {})
    assert list(seen["in_force"]) == list(FAULTS)
    assert seen["in_force"] == seen["defaults"]
    table = {
        "k": 2,
        "n": 6,
        "clear": 4,
        "days": 2,
        "of_days": 3,
        "min_severity": 0.2,
        "min_confidence": 0.0,
    }
    put = http.put(PATH, json={"faults": {"bearing": table}, "version": 0, "by": "Ada"})
    assert put.raise_for_status().json()["data"] == http.get(PATH).json()["data"]
    data = put.json()["data"]
    assert (data["version"], data["faults"]) == (1, {"bearing": table})
    assert data["in_force"]["bearing"] == table
    assert data["in_force"]["broken_bar"]["k"] == PERSISTENCE["broken_bar"].k
    assert (
        http.put(PATH, json={"faults": {}, "by": "Bob"}).json()["data"]["in_force"]
        == seen["defaults"]
    )
    versions = http.get(PATH).json()["data"]["versions"]
    assert [(v["version"], v["by"]) for v in versions] == [(2, "Bob"), (1, "Ada")]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "faults"),
        ({"faults": []}, "faults"),
        ({"faults": {}, "version": "1"}, "version"),
        ({"faults": {}, "versions": 1}, "versions"),
        ({"faults": {"bearing": {"k": 9}}}, "bearing.k"),
        ({"faults": {"bearing": {"days": 5}}}, "bearing.days"),
        ({"faults": {"bearing": {"of_days": 15}}}, "bearing.of_days"),
        ({"faults": {"bearing": {"slot_s": 1}}}, "bearing.slot_s"),
        ({"faults": {}, "by": ""}, "by"),
        ({"faults": {}, "by": "a\nb"}, "by"),
    ],
)
def test_what_is_impossible_is_refused_by_field(
    http: httpx.Client, body: dict[str, Any], field: str
) -> None:
    answer = http.put(PATH, json={"by": "Ada"} | body)
    code = "invalid" if field == "by" else "bad_sensitivity"
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["errors"][0]["field"] == field
    assert http.get(PATH).json()["data"]["version"] == 0


def test_a_version_that_is_no_longer_in_force_is_not_replaced(http: httpx.Client) -> None:
    http.put(PATH, json={"faults": {}, "by": "Ada"}).raise_for_status()
    answer = http.put(PATH, json={"faults": {}, "version": 0, "by": "Bob"})
    assert (answer.status_code, answer.json()["code"]) == (409, "setting_changed")


def test_a_machine_that_is_not_known_has_none(http: httpx.Client) -> None:
    path = PATH.replace("M1", "M2")
    assert http.get(path).status_code == 404
    assert http.put(path, json={"faults": {}, "by": "Ada"}).status_code == 404


def test_the_key_that_set_it_stands_beside_the_version(http: httpx.Client, client: Client) -> None:
    reader, _ = apikeys.create(client, ["read"], "board")
    operator, _ = apikeys.create(client, ["operate"], "Bo")
    engineer, record = apikeys.create(client, ["engineer"], "Ada")
    sent = {"json": {"faults": {}}}
    for key in (reader, operator):
        assert http.put(PATH, **sent, headers={"X-API-Key": key}).status_code == 403
    answer = http.put(PATH, **sent, headers={"X-API-Key": engineer}).raise_for_status()
    assert answer.json()["data"]["by"] == f"Ada ({record.id})"
