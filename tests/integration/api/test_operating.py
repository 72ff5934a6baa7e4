"""Many alarms at once, machines out of service, and who may act, by HTTP."""

from typing import Any

import httpx
import pytest

from tests.integration.api.test_alarms import ADA, alarm_ids
from vtox.motor.values.domain import Motor, reason
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.alarms import alarm_book
from vtox.pipeline.store.alarms.flags import set_flag
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys

BULK = "/api/v1/alarms/actions"
OUT, IN = "/api/v1/machines/M1/out-of-service", "/api/v1/machines/M1/in-service"
SILENT = {"fault": "silent"}


@pytest.fixture(autouse=True)
def alarms(client: Client) -> None:
    """Five machines that fell silent."""
    alarm_book.advance(client)
    for i in range(5):
        machines.register(client, f"M{i}", Motor())
        set_flag(client, f"M{i}", "silent", True, reason("machine_silent"))


def bulk(http: httpx.Client, action: str, **more: Any) -> httpx.Response:
    return http.post(BULK, json={"action": action, "filter": SILENT, **ADA, **more})


def test_the_count_comes_first_and_must_still_be_right(http: httpx.Client, client: Client) -> None:
    asked = bulk(http, "acknowledge", dry_run=True).raise_for_status().json()["data"]
    assert asked == {"matched": 5, "count": 5, "refused": {}, "done": False}
    assert client.xlen(keys.ALARM_ACTIONS) == 0
    http.post(f"/api/v1/alarms/{alarm_ids(http)[0]}/acknowledge", json=ADA)
    late = bulk(http, "acknowledge", expected_count=5)
    assert (late.status_code, late.json()["code"]) == (409, "count_changed")
    assert client.xlen(keys.ALARM_ACTIONS) == 1, "all or none"
    asked = bulk(http, "acknowledge", dry_run=True).json()["data"]
    assert (asked["count"], asked["refused"]) == (4, {"already_acknowledged": 1})
    done = bulk(http, "acknowledge", expected_count=4, comment="the link was cut").json()["data"]
    assert (done["count"], done["done"]) == (4, True)
    assert client.xlen(keys.ALARM_ACTIONS) == 5
    assert len(alarm_ids(http, "state=acknowledged")) == 5


def test_some_are_picked_by_their_ids(http: httpx.Client, client: Client) -> None:
    ids = alarm_ids(http)[:2]
    picked = {"filter": {"ids": [*ids, "gone:silent:1"]}, "assignee": "Eve"}
    asked = bulk(http, "assign", **picked, dry_run=True).raise_for_status().json()["data"]
    assert (asked["matched"], asked["count"]) == (2, 2)
    bulk(http, "assign", **picked, expected_count=2).raise_for_status()
    assert sorted(alarm_ids(http, "assignee=Eve")) == sorted(ids)
    assert sorted(alarm_ids(http, f"ids={ids[0]}&ids={ids[1]}")) == sorted(ids)
    assert bulk(http, "assign", **picked, dry_run=True).json()["data"]["refused"] == {
        "already_assigned": 2
    }


def test_metrics_count_what_is_open(http: httpx.Client) -> None:
    # Alarms of one millisecond are in any order, and M1 goes out of service.
    stays = next(i for i in alarm_ids(http) if not i.startswith("M1:"))
    http.post(f"/api/v1/alarms/{stays}/acknowledge", json=ADA)
    http.post(OUT, json={"reason": "repair", **ADA})
    text = http.get("/metrics").text
    assert 'vtox_open_alarms{level="warning",state="unacknowledged"} 3.0' in text
    assert 'vtox_open_alarms{level="warning",state="acknowledged"} 1.0' in text
    assert 'vtox_open_alarms{level="fault",state="acknowledged"} 0.0' in text


def test_a_request_on_many_that_is_sent_again_acts_once(http: httpx.Client, client: Client) -> None:
    for _ in range(2):
        done = bulk(http, "close", outcome="other_cause", expected_count=5, request_id="r1")
        assert done.json()["data"]["count"] == 5
    assert client.xlen(keys.ALARM_ACTIONS) == 5


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"filter": {}, "expected_count": 5}, "filter"),
        ({"filter": {"open": True}, "expected_count": 5}, "filter"),
        ({"filter": {"colour": "blue"}, "expected_count": 5}, "colour"),
        ({"expected_count": None}, "expected_count"),
        ({"action": "sing", "expected_count": 5}, "action"),
        ({"action": "close", "expected_count": 5}, "outcome"),
        ({"action": "comment", "expected_count": 5}, "comment"),
        ({"action": "shelve", "expected_count": 5, "for_s": 60}, "reason"),
        ({"action": "acknowledge", "expected_count": 5, "outcome": "confirmed"}, "outcome"),
        ({"by": None, "expected_count": 5}, "by"),
    ],
)
def test_what_is_not_clear_is_refused(
    http: httpx.Client, client: Client, body: dict[str, Any], why: str
) -> None:
    given = {"action": "acknowledge", "filter": SILENT, **ADA, **body}
    answer = http.post(BULK, json=given)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert why in answer.json()["detail"]
    assert client.xlen(keys.ALARM_ACTIONS) == 0


def test_many_are_shelved_with_one_reason(http: httpx.Client) -> None:
    more = {"reason": "network is mended", "for_s": 3600}
    bulk(http, "shelve", expected_count=5, **more).raise_for_status()
    body = http.get("/api/v1/alarms").json()
    assert (body["counts"]["shelved"], body["open"]) == (5, 0)
    assert len(http.get("/api/v1/alarms/suspensions").json()["data"]["shelved"]) == 5
    bulk(http, "unshelve", expected_count=5).raise_for_status()
    assert http.get("/api/v1/alarms").json()["open"] == 5


def test_alarms_of_a_machine_out_of_service_are_not_open(
    http: httpx.Client, client: Client
) -> None:
    out = http.post(OUT, json={"reason": "bearing is changed", **ADA}).raise_for_status()
    assert out.json()["data"]["in_service"] is False
    set_flag(client, "M1", "clock", True, reason("clock_off"))
    states = [a["state"] for a in http.get("/api/v1/alarms?machine_id=M1").json()["data"]]
    assert states == ["out_of_service"] * 2
    assert "M1" not in {a["machine_id"] for a in http.get("/api/v1/alerts/open").json()["data"]}
    (held,) = http.get("/api/v1/alarms/suspensions").json()["data"]["out_of_service"]
    assert (held["machine_id"], held["by"], held["until"]) == ("M1", "Ada", None)
    again = http.post(OUT, json={"reason": "x", **ADA})
    assert (again.status_code, again.json()["code"]) == (409, "already_out_of_service")
    assert "by Ada" in again.json()["detail"]
    assert http.post(IN, json=ADA).json()["data"]["in_service"] is True
    assert http.post(IN, json=ADA).json()["code"] == "in_service"
    assert len(alarm_ids(http, "machine_id=M1&state=unacknowledged")) == 2
    detail = http.get(f"/api/v1/alarms/{alarm_ids(http, 'machine_id=M1&fault=silent')[0]}").json()
    actions = [a["action"] for a in detail["data"]["actions"]]
    assert actions == ["take_out_of_service", "return_to_service"]


def test_a_machine_that_nobody_knows_is_404(http: httpx.Client) -> None:
    for path, body in ((OUT, {"reason": "x"}), (IN, {})):
        other = http.post(path.replace("M1", "M9"), json={**body, **ADA})
        assert (other.status_code, other.json()["code"]) == (404, "not_found")
    assert http.post(OUT, json=ADA).status_code == 422, "without a reason"


def test_who_asks_is_told_what_is_allowed(http: httpx.Client, client: Client) -> None:
    access = http.get("/api/v1/access").json()["data"]
    may = {"may_operate": True, "may_engineer": True}
    assert access == {"name": "", **may, "name_needed": True}
    for scope, operate, engineer in (
        ("read", False, False),
        ("operate", True, False),
        ("engineer", True, True),
        ("admin", True, True),
    ):
        text, _ = apikeys.create(client, [scope], "Ada")
        access = http.get("/api/v1/access", headers={"X-API-Key": text}).json()["data"]
        may = {"may_operate": operate, "may_engineer": engineer}
        assert access == {"name": "Ada", **may, "name_needed": False}
    read = apikeys.create(client, ["read"], "Bob")[0]
    for path in (BULK, OUT, IN):
        assert http.post(path, json={}, headers={"X-API-Key": read}).status_code == 403
