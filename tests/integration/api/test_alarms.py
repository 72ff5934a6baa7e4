"""Alarms by HTTP: their states, the actions of operators, and every refusal."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.integration.conftest import serving
from tests.integration.reporting.history.entries import add_alert
from tests.waiting import eventually
from vtox.motor.values.domain import Motor, reason
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms import alarm_book
from vtox.pipeline.store.alarms.flags import set_flag
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client, server_time_ms
from vtox.pipeline.store.system import apikeys

ALARM = "M1:bearing:1"
PATH = f"/api/v1/alarms/{ALARM}"
ADA = {"by": "Ada"}
SHELVE = {"reason": "spare ordered", "for_s": 3600, **ADA}


@pytest.fixture
def alarm(http: httpx.Client, client: Client) -> str:
    """An alarm of M1 that was just raised."""
    alarm_book.advance(client)
    add_alert(client, 5.0)
    return ALARM


def alarm_ids(http: httpx.Client, query: str = "") -> list[str]:
    body = http.get(f"/api/v1/alarms?{query}").raise_for_status().json()
    return [a["id"] for a in body["data"]]


def post(http: httpx.Client, name: str, body: dict[str, Any], path: str = PATH) -> Any:
    answer = http.post(f"{path}/{name}", json=body)
    return answer.json()["data"] if answer.status_code == 200 else answer.json()


def test_an_alarm_is_acknowledged_commented_and_closed(http: httpx.Client, alarm: str) -> None:
    (row,) = http.get("/api/v1/alarms").raise_for_status().json()["data"]
    assert (row["state"], row["open"], row["what_to_do"]) == ("unacknowledged", True, "")
    assert post(http, "acknowledge", ADA)["state"] == "acknowledged"
    assert post(http, "comment", {"by": "Bob", "comment": " heard\nit "})["comments"] == 1
    closed = post(http, "close", {"outcome": "confirmed", "comment": "pitted", **ADA})
    assert (closed["outcome"], closed["closed_by"], closed["open"]) == ("confirmed", "Ada", False)
    detail = http.get(PATH).raise_for_status().json()["data"]
    assert [(a["action"], a["by"], a["text"]) for a in detail["actions"]] == [
        ("acknowledge", "Ada", ""),
        ("comment", "Bob", "heard\nit"),
        ("close", "Ada", "pitted"),
    ]
    assert http.get("/api/v1/alarms").json()["open"] == 0


def test_lists_are_filtered_counted_and_come_in_pages(http: httpx.Client, client: Client) -> None:
    alarm_book.advance(client)
    for i in range(5):
        more = {"id": f"M{i}:bearing:{i + 1}", "machine_id": f"M{i}"}
        entry = {"fault": "bearing", "level": "fault" if i else "warning", "t": i + 1}
        client.xadd(keys.ALERTS, more | entry | {"event": "raised"})
    http.post("/api/v1/alarms/M0:bearing:1/acknowledge", json=ADA)
    assert alarm_ids(http, "machine_id=M3") == ["M3:bearing:4"]
    assert alarm_ids(http, "level=warning") == ["M0:bearing:1"]
    assert alarm_ids(http, "state=acknowledged") == ["M0:bearing:1"]
    assert alarm_ids(http, "fault=broken_bar") == []
    assert len(alarm_ids(http, "open=true")) == 5
    body = http.get("/api/v1/alarms?limit=2&state=unacknowledged").json()
    assert (body["counts"]["unacknowledged"], body["counts"]["acknowledged"], body["open"]) == (
        4,
        1,
        5,
    )
    pages = [[a["id"] for a in body["data"]]]
    while body["next"]:
        body = http.get(body["next"]).raise_for_status().json()
        pages.append([a["id"] for a in body["data"]])
    assert pages == [["M4:bearing:5", "M3:bearing:4"], ["M2:bearing:3", "M1:bearing:2"]]
    assert http.get("/api/v1/alarms?cursor=x").status_code == 422
    assert http.get("/api/v1/alarms?state=x").status_code == 422


def test_faults_come_before_what_is_newer_and_what_ended_last(
    http: httpx.Client, client: Client
) -> None:
    alarm_book.advance(client)
    for t, level in ((1, "fault"), (2, "warning"), (3, "fault"), (4, "warning")):
        add_alert(client, t, id=f"M{t}:bearing:{t}000", machine_id=f"M{t}", level=level)
    expected = [f"M{t}:bearing:{t}000" for t in (3, 1, 4, 2)]
    assert alarm_ids(http) == expected
    http.post("/api/v1/alarms/M3:bearing:3000/close", json={"outcome": "confirmed", **ADA})
    assert alarm_ids(http) == [*expected[1:], expected[0]]
    first = http.get("/api/v1/alarms?limit=2").json()
    http.post("/api/v1/alarms/M4:bearing:4000/close", json={"outcome": "confirmed", **ADA})
    (left, *_) = http.get(first["next"]).raise_for_status().json()["data"]
    assert left["id"] == expected[3], "who turns the page misses nothing"


def test_what_matters_most_comes_first_and_says_why(http: httpx.Client, client: Client) -> None:
    alarm_book.advance(client)
    for t, plate in enumerate(({"criticality": 1}, {"criticality": 5}, {}), start=1):
        machines.register(client, f"M{t}", Motor(**plate))  # type: ignore[arg-type]
        add_alert(client, t, id=f"M{t}:bearing:{t}000", machine_id=f"M{t}", level="fault")
    eventually(lambda: http.get("/api/v1/fleet").json()["data"]["machines"] == 3)
    assert [i[:2] for i in alarm_ids(http)] == ["M2", "M3", "M1"]
    pages = http.get("/api/v1/alarms?limit=1").json()
    assert http.get(pages["next"]).json()["data"][0]["machine_id"] == "M3"
    first = pages["data"][0]["priority"]
    assert first["sentence"].endswith("by severity 4 of 5 and by confidence 3 of 5")
    assert (first["number"], first["action"]) == (60, "now")
    assert alarm_ids(http, "action=now") == ["M2:bearing:2000"]
    assert [i[:2] for i in alarm_ids(http, "action=next_stop")] == ["M3", "M1"]
    http.post("/api/v1/alarms/M2:bearing:2000/close", json={"outcome": "confirmed", **ADA})
    assert alarm_ids(http, "action=now") == []
    fleet = http.get("/api/v1/fleet?action=now").json()["data"]
    assert fleet["rows"] == [], "its fault has no assessment"


def test_a_work_order_says_what_was_found(http: httpx.Client, alarm: str) -> None:
    order = {"system": "CMMS", "reference": "WO-1", "outcome": "false_alarm"} | ADA
    closed = post(http, "work-order", order)
    assert (closed["outcome"], closed["open"], closed["priority"]) == ("false_alarm", False, None)
    again = post(http, "work-order", order | {"outcome": "confirmed"})
    assert again["outcome"] == "false_alarm", "what a person said stays"


def test_an_alarm_is_assigned_to_a_person_and_to_nobody(http: httpx.Client, alarm: str) -> None:
    assert http.get("/api/v1/alarms").json()["assignees"] == {"": 1}
    assert post(http, "assign", {"assignee": " Eve ", **ADA})["assignee"] == "Eve"
    assert http.get("/api/v1/alarms").json()["assignees"] == {"Eve": 1}
    assert alarm_ids(http, "assignee=Eve") == [alarm]
    assert alarm_ids(http, "assignee=") == alarm_ids(http, "assignee=Bob") == []
    assert post(http, "assign", {"assignee": "Eve", **ADA})["code"] == "already_assigned"
    assert post(http, "assign", {"assignee": None, **ADA})["assignee"] == ""
    assert post(http, "assign", ADA)["code"] == "invalid"
    actions = http.get(PATH).json()["data"]["actions"]
    assert [(a["action"], a["by"], a["text"]) for a in actions] == [
        ("assign", "Ada", "Eve"),
        ("assign", "Ada", ""),
    ]


def test_an_alarm_says_since_when_its_machine_is_silent(settings: Settings, client: Client) -> None:
    alarm_book.advance(client)
    machines.register(client, "M1", Motor())
    add_alert(client, 5.0)
    t = server_time_ms(client) / 1000
    client.zadd(keys.MACHINES, {"M1": t - 660})
    with serving(settings) as http:
        (row,) = http.get("/api/v1/alarms").json()["data"]
        assert row["silent_since"][:19] == datetime.fromtimestamp(t - 660, UTC).isoformat()[:19]
        client.zadd(keys.MACHINES, {"M1": t})
        (row,) = http.get("/api/v1/alarms").json()["data"]
        assert row["silent_since"] is None, "it sends again"


def test_a_shelved_alarm_is_not_open_until_its_end(http: httpx.Client, client: Client) -> None:
    machines.register(client, "M1", Motor())
    set_flag(client, "M1", "silent", True, reason("machine_silent"))
    (silent,) = http.get("/api/v1/alerts/open").json()["data"]
    path = f"/api/v1/alarms/{silent['id']}"
    shelved = post(http, "shelve", SHELVE, path)
    (suspension,) = shelved["suspensions"]
    assert (shelved["state"], suspension["by"]) == ("shelved", "Ada")
    assert suspension["reason"] == "spare ordered"
    assert alarm_ids(http, "open=true") == []
    assert http.get("/api/v1/alerts/open").json()["data"] == []
    (held,) = http.get("/api/v1/alarms/suspensions").json()["data"]["shelved"]
    assert held == suspension == shelved["shelved"]
    later = alarm_book.advance(client).at(server_time_ms(client) + 3_601_000)
    assert later.alarms[silent["id"]].state == "unacknowledged"
    assert post(http, "unshelve", ADA, path)["state"] == "unacknowledged"
    assert http.get("/api/v1/alerts/open").json()["data"] != []


def test_a_shelving_ends_at_a_time_that_is_given(http: httpx.Client, alarm: str) -> None:
    until = (datetime.now(UTC) + timedelta(days=2)).isoformat(timespec="seconds")
    (suspension,) = post(http, "shelve", {"reason": "x", "until": until, **ADA})["suspensions"]
    assert suspension["until"] == until.replace("+00:00", ".000Z")


BAD_SHELVINGS = [
    ({}, "expected either until or for_s"),
    ({"for_s": 60, "until": "2100-01-01T00:00:00Z"}, "expected either until or for_s"),
    ({"for_s": 1}, "for_s"),
    ({"for_s": 17 * 86400}, "for_s"),
    ({"until": "2020-01-01T00:00:00Z"}, "not in the next 16 days"),
    ({"until": "2100-01-01T00:00:00Z"}, "not in the next 16 days"),
    ({"until": "2100-01-01T00:00:00"}, "timezone"),
    ({"until": "soon"}, "until"),
]


@pytest.mark.parametrize(("end", "why"), BAD_SHELVINGS)
def test_a_shelving_without_a_good_end_is_refused(
    http: httpx.Client, alarm: str, end: dict[str, Any], why: str
) -> None:
    answer = http.post(f"{PATH}/shelve", json={"reason": "x", **end, **ADA})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert why in answer.json()["detail"]


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("acknowledge", {}, "by"),
        ("acknowledge", {"by": "  "}, "by"),
        ("acknowledge", {"by": "A" * 65}, "by"),
        ("acknowledge", {"by": "A\nB"}, "by"),
        ("acknowledge", {**ADA, "comment": "\0"}, "comment"),
        ("acknowledge", {**ADA, "note": "x"}, "note"),
        ("comment", ADA, "comment"),
        ("comment", {**ADA, "comment": " "}, "comment"),
        ("comment", {**ADA, "comment": "x" * 2001}, "comment"),
        ("shelve", {"for_s": 60, **ADA}, "reason"),
        ("close", ADA, "outcome"),
        ("close", {**ADA, "outcome": "good"}, "outcome"),
    ],
)
def test_bad_fields_are_named(
    http: httpx.Client, alarm: str, name: str, body: dict[str, Any], field: str
) -> None:
    answer = http.post(f"{PATH}/{name}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert [e["field"] for e in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("name", ["acknowledge", "comment", "shelve", "unshelve", "close"])
def test_an_alarm_that_nobody_knows_is_404(http: httpx.Client, client: Client, name: str) -> None:
    body = {"comment": {"comment": "x"}, "shelve": SHELVE, "close": {"outcome": "confirmed"}}
    answer = http.post(f"/api/v1/alarms/M1:x:1/{name}", json={**body.get(name, {}), **ADA})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert http.get("/api/v1/alarms/M1:x:1").status_code == 404


def test_what_is_done_already_is_409(http: httpx.Client, client: Client, alarm: str) -> None:
    def code(name: str, body: dict[str, Any] = ADA) -> tuple[int, str, str]:
        answer = http.post(f"{PATH}/{name}", json=body)
        return answer.status_code, answer.json()["code"], answer.json()["detail"]

    assert code("unshelve")[:2] == (409, "not_shelved")
    post(http, "acknowledge", ADA)
    status, name, why = code("acknowledge", {"by": "Bob"})
    assert (status, name) == (409, "already_acknowledged")
    assert "by Ada" in why
    post(http, "shelve", SHELVE)
    assert code("acknowledge")[:2] == (409, "suspended")
    post(http, "close", {"outcome": "false_alarm", **ADA})
    status, name, why = code("close", {"outcome": "confirmed", "by": "Bob"})
    assert (status, name) == (409, "already_closed")
    assert "false_alarm by Ada" in why
    add_alert(client, 9.0, "cleared")
    assert client.xlen(keys.ALARM_ACTIONS) == 3


def test_who_acts_is_whose_key_it_is(http: httpx.Client, client: Client, alarm: str) -> None:
    keyed = {s: apikeys.create(client, [s], f"Key of {s}")[0] for s in apikeys.SCOPES}

    def press(scope: str, body: dict[str, Any]) -> httpx.Response:
        return http.post(f"{PATH}/acknowledge", json=body, headers={"X-API-Key": keyed[scope]})

    assert [press(s, {}).status_code for s in ("read", "ingest")] == [403, 403]
    done = press("operate", {"by": "Somebody else"}).raise_for_status().json()["data"]
    assert done["acknowledged_by"] == "Key of operate"
    assert http.get("/api/v1/alarms", headers={"X-API-Key": keyed["operate"]}).status_code == 200
    assert press("admin", {}).status_code == 409


def test_a_work_order_is_shown_once_however_often_it_is_sent(
    http: httpx.Client, client: Client, alarm: str
) -> None:
    order = {"system": "CMMS", "reference": "WO 17/3", "url": "https://cmms.example/wo/17?a=1"}
    post(http, "close", {"outcome": "confirmed", **ADA})
    for _ in range(3):
        assert post(http, "work-order", order | ADA)["work_orders"] == [order]
    moved = order | {"url": "https://new.example/17"}
    assert post(http, "work-order", moved | {"by": "Bob"})["work_orders"] == [moved]
    assert alarm_book.advance(client).alarms[ALARM].work_orders[0].url == moved["url"]
    actions = http.get(PATH).json()["data"]["actions"]
    assert [(a["action"], a["by"], a["work_order"]) for a in actions] == [
        ("close", "Ada", None),
        ("work_order", "Ada", order),
        ("work_order", "Bob", moved),
    ]


@pytest.mark.parametrize(
    "bad",
    [
        {"url": "javascript:alert(1)"},
        {"url": "https://"},
        {"url": "https://a.example/ x"},
        {"system": " "},
        {"reference": "a\nb"},
        {"comment": "x"},
    ],
)
def test_a_bad_work_order_is_refused(http: httpx.Client, alarm: str, bad: dict[str, str]) -> None:
    order = {"system": "CMMS", "reference": "WO-1"} | ADA
    answer = http.post(f"{PATH}/work-order", json=order | bad)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert http.get(PATH).json()["data"]["work_orders"] == []
