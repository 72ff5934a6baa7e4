"""Diagnoses of a machine by HTTP."""

import json
from typing import Any

import httpx
import pytest

from vtox.motor.faults import FAULTS
from vtox.motor.values.domain import Diagnosis, Record, reason
from vtox.motor.words.catalogue import Sentence, catalogue
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.entries import encode_results


@pytest.fixture
def sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two codes that no fault has."""
    for code, text in {
        "rotor_blue": "the rotor is blue by {share:.0%}",
        "paint_wet": "wet paint",
    }.items():
        monkeypatch.setitem(catalogue("en").sentences, code, Sentence(text, f"Mind {code}."))


def add_result(
    client: Client, machine_id: str, seq: int, fault: str, state: str, **changes: Any
) -> None:
    record = Record(
        machine_id=machine_id,
        run="",
        first_seq=seq,
        last_seq=seq,
        t_start=1764000000.0 + seq,
        t_end=1764000001.0 + seq,
        ids="1-1",
        windows=1,
        bytes=10,
    )
    d = Diagnosis(
        fault=fault,
        state=state,
        statistic=1.25,
        indicators={"slip": 0.02},
        evidence=({"hz": 50.0},),
        **({"code": "so_it_is"} | changes),
    )
    ((entry, _),) = encode_results(FAULTS[fault].name, [(record, d, "")])
    client.xadd(keys.RESULTS, dict(zip(*entry, strict=True)) | {"latency_ms": "83"})
    client.zadd(keys.MACHINES, {machine_id: 1.0})


def test_diagnoses_newest_first(http: httpx.Client, client: Client) -> None:
    for seq in range(3):
        add_result(client, "M1", seq, "bearing", "normal")
        add_result(client, "M2", seq, "bearing", "fault")
    body = http.get("/api/v1/machines/M1/diagnoses").raise_for_status().json()
    assert [d["first_seq"] for d in body["data"]] == [2, 1, 0]
    assert body["next"] is None
    assert body["latest"] == {}
    d = body["data"][0]
    assert (d["family"], d["statistic"], d["threshold"], d["latency_ms"]) == (
        "bearing",
        1.25,
        None,
        83,
    )
    assert (d["indicators"], d["evidence"]) == ({"slip": 0.02}, [{"hz": 50.0}])
    assert d["end"] == "2025-11-24T16:00:03.000Z"


BLUE = {"code": "rotor_blue", "values": {"share": 0.25}, "doubts": (reason("paint_wet"),)}


@pytest.mark.usefixtures("sentences")
def test_a_diagnosis_has_code_values_doubts_and_what_to_do(
    http: httpx.Client, client: Client
) -> None:
    add_result(client, "M1", 0, "bearing", "warning", **BLUE)
    (d,) = http.get("/api/v1/machines/M1/diagnoses").raise_for_status().json()["data"]
    assert (d["code"], d["values"]) == ("rotor_blue", {"share": 0.25})
    assert (d["sentence"], d["what_to_do"]) == ("the rotor is blue by 25%", "Mind rotor_blue.")
    (doubt,) = d["doubts"]
    assert (doubt["code"], doubt["values"], doubt["sentence"]) == ("paint_wet", {}, "wet paint")
    assert doubt["what_to_do"] == "Mind paint_wet."
    assert d["reason"] == f"{d['sentence']}; {doubt['sentence']}"


def test_an_entry_without_code_has_its_reason_alone(http: httpx.Client, client: Client) -> None:
    add_result(client, "M1", 0, "bearing", "unknown")
    ((_, entry),) = client.xrange(keys.RESULTS)
    client.delete(keys.RESULTS)
    # The form of entries before there were codes.
    old = {k: v for k, v in entry.items() if k != b"code"}
    old |= {b"reason": b"so it is", b"detail": b"{}"}
    client.xadd(keys.RESULTS, old)
    (d,) = http.get("/api/v1/machines/M1/diagnoses").raise_for_status().json()["data"]
    assert (d["code"], d["values"], d["doubts"], d["what_to_do"]) == ("", {}, [], "")
    assert d["sentence"] == d["reason"] == "so it is"


@pytest.mark.usefixtures("sentences")
@pytest.mark.parametrize("change", [{"values": {"other": 1}}, {"values": {"share": "x"}}])
def test_values_of_another_version_do_not_stop_a_page(
    http: httpx.Client, client: Client, change: dict[str, Any]
) -> None:
    add_result(client, "M1", 0, "bearing", "warning", **BLUE)
    ((_, entry),) = client.xrange(keys.RESULTS)
    client.xadd(keys.RESULTS, entry | {b"detail": json.dumps(change).encode()})
    d = http.get("/api/v1/machines/M1/diagnoses").raise_for_status().json()["data"][0]
    assert (d["sentence"], d["values"]) == ("rotor_blue", change["values"])


def test_filters(http: httpx.Client, client: Client) -> None:
    add_result(client, "M1", 1, "bearing", "normal")
    add_result(client, "M1", 2, "bearing", "fault")
    add_result(client, "M1", 3, "turn_short", "fault")
    path = "/api/v1/machines/M1/diagnoses"
    for query, expected in {
        "fault=bearing": [2, 1],
        "state=fault": [3, 2],
        "fault=bearing&state=fault": [2],
        "fault=insulation": [],
    }.items():
        found = http.get(f"{path}?{query}").raise_for_status().json()["data"]
        assert [d["first_seq"] for d in found] == expected


@pytest.mark.parametrize(
    "query",
    [
        "fault=rust",
        "state=fine",
        "cursor=abc",
        "cursor=1",
        f"cursor={2**64}-0",
        "limits=5",
        "machine_id=M1",
    ],
)
def test_wrong_filters_are_refused(http: httpx.Client, client: Client, query: str) -> None:
    add_result(client, "M1", 1, "bearing", "normal")
    answer = http.get(f"/api/v1/machines/M1/diagnoses?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


def test_the_cursor_walks_a_long_stream_once(http: httpx.Client, client: Client) -> None:
    for seq in range(1200):
        add_result(client, f"M{seq % 3}", seq, "bearing", "normal")
    found: list[int] = []
    path: str | None = "/api/v1/machines/M1/diagnoses?limit=150"
    while path:
        part = http.get(path).raise_for_status().json()
        found += [d["first_seq"] for d in part["data"]]
        path = part["next"]
    assert found == [seq for seq in reversed(range(1200)) if seq % 3 == 1]


def test_diagnoses_of_nobody(http: httpx.Client) -> None:
    assert http.get("/api/v1/machines/M1/diagnoses").status_code == 404
