"""Diagnoses, alerts and dead letters by HTTP."""

import httpx
import pytest

from tests.integration.helpers import T0
from tests.integration.store.test_retire import with_open_alert
from vtox import keys
from vtox.domain import Diagnosis, Motor, Record
from vtox.faults import FAULTS
from vtox.store import deadletters, machines
from vtox.store.client import Client
from vtox.store.entries import result_fields, text_fields
from vtox.store.flags import set_flag


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


def test_alerts(http: httpx.Client, client: Client) -> None:
    for i, event in enumerate(("raised", "escalated", "cleared")):
        entry = {"id": "e1", "machine_id": f"M{i}", "fault": "bearing", "level": "warning"}
        client.xadd(keys.ALERTS, entry | {"event": event, "t": 1764000000.5, "reason": "why"})
    body = http.get("/api/v1/alerts").raise_for_status().json()
    assert [a["event"] for a in body["data"]] == ["cleared", "escalated", "raised"]
    assert body["data"][0]["time"] == "2025-11-24T16:00:00.500Z"
    one = http.get("/api/v1/alerts?machine_id=M1").json()["data"]
    assert [a["event"] for a in one] == ["escalated"]
    assert len(http.get("/api/v1/alerts?event=raised").json()["data"]) == 1


def test_open_alerts(http: httpx.Client, client: Client) -> None:
    for m in ("M1", "M2"):
        machines.register(client, m, Motor())
    bearing = with_open_alert(client, "M1", "bearing")
    set_flag(client, "M2", "silent", True, "no window for 31 s")
    set_flag(client, "M1", "clock", True, "t0 is off")
    set_flag(client, "M1", "clock", False, "clock agrees")
    body = http.get("/api/v1/alerts/open?limit=1").raise_for_status().json()
    (latest,) = body["data"]
    assert (latest["machine_id"], latest["fault"], latest["level"]) == ("M2", "silent", "warning")
    body = http.get(body["next"]).raise_for_status().json()
    (first,) = body["data"]
    assert (first["id"], first["level"], first["reason"]) == (bearing, "fault", "it shows")
    assert first["t"] == T0
    assert body["next"] is None
    assert http.get("/api/v1/alerts/open?cursor=x").status_code == 422
    machines.retire(client, "M1")
    assert [a["fault"] for a in http.get("/api/v1/alerts/open").json()["data"]] == ["silent"]


def test_dead_letters_show_no_samples(http: httpx.Client, client: Client) -> None:
    letter = {
        "stream_id": "5-0",
        "machine_id": "M1",
        "seq": "9",
        "family": "",
        "code": "bad_length",
        "reason": "ia: 3 bytes",
        "attempts": "0",
        "t": "1764000000.5",
    }
    client.xadd(keys.DEAD_LETTERS, letter | {"entry.ia": b"\xff\x00\x01", "entry.seq": "9"})
    client.xadd(keys.DEAD_LETTERS, letter | {"machine_id": b"\xff\xfe", "attempts": "x", "t": "y"})
    gone, kept = http.get("/api/v1/dead-letters").raise_for_status().json()["data"]
    assert (kept["code"], kept["replayable"], kept["entry_bytes"]) == ("bad_length", True, 9)
    assert kept["entry_bytes"] == [*deadletters.newest_first(client)][1].entry_bytes
    assert not gone["replayable"]
    assert (gone["attempts"], gone["t"]) == (0, None)
    assert len(http.get("/api/v1/dead-letters?machine_id=M1").json()["data"]) == 1
