"""Diagnoses of a machine by HTTP."""

import httpx
import pytest

from vtox import keys
from vtox.domain import Diagnosis, Record
from vtox.faults import FAULTS
from vtox.store.client import Client
from vtox.store.entries import result_fields, text_fields


def add_result(client: Client, machine_id: str, seq: int, fault: str, state: str) -> None:
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
        state=state,  # type: ignore[arg-type]
        reason="so it is",
        statistic=1.25,
        indicators={"slip": 0.02},
        evidence=({"hz": 50.0},),
    )
    fields = text_fields(result_fields(FAULTS[fault].name, record, d))
    entry = dict(zip(fields[::2], fields[1::2], strict=True)) | {"latency_ms": "83"}
    client.xadd(keys.RESULTS, entry)
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
