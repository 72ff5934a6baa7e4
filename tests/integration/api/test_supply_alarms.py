"""Alarms of one supply by HTTP: one alarm with its members, acted on at once, and ungrouped."""

from typing import Any

import httpx
import pytest

from tests.integration.reporting.history.entries import add_alert
from vtox.motor.values.domain import Motor, reason
from vtox.pipeline.store.alarms import alarm_book
from vtox.pipeline.store.alarms.flags import set_flag
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client

T0 = 1_764_000_000.0
ADA = {"by": "Ada"}
ACTIONS = "/api/v1/alarms/actions"
GROUP = f"M0:turn_short:{round(1000 * T0)}"


def raise_on_supply(client: Client, n: int = 4, *, of: int = 5) -> None:
    """Raise an alarm of `n` machines of Line 1, a second after each other, and one of Line 2."""
    alarm_book.advance(client)
    for i in range(of):
        place = {"site": "North", "asset_path": f"Plant/Line 1/Fan {i}"}
        machines.register(client, f"M{i}", Motor(**place))
    machines.register(client, "ALONE", Motor(site="North", asset_path="Plant/Line 2/Fan 1"))
    for i, machine_id in enumerate([*(f"M{i}" for i in range(n)), "ALONE"]):
        t = T0 + i
        alert_id = f"{machine_id}:turn_short:{round(1000 * t)}"
        add_alert(client, t, id=alert_id, machine_id=machine_id, fault="turn_short")


@pytest.fixture
def supply(fresh_http: httpx.Client, client: Client) -> httpx.Client:
    raise_on_supply(client)
    return fresh_http


def alarms(http: httpx.Client, query: str = "") -> dict[str, Any]:
    body: dict[str, Any] = http.get(f"/api/v1/alarms?{query}").raise_for_status().json()
    return body


def test_it_is_one_alarm_that_names_the_supply_and_its_members_stay(supply: httpx.Client) -> None:
    body = alarms(supply, "grouped=true")
    (group,) = body["groups"]
    assert (group["id"], group["site"], group["supply"]) == (GROUP, "North", "Plant/Line 1")
    assert (group["machines"], group["of_machines"], group["open"]) == (4, 5, 4)
    assert group["machine_ids"] == ["M0", "M1", "M2", "M3"]
    assert group["code"] == "machines_of_supply_move_together"
    assert "4 of the 5 machines of Plant/Line 1 (North)" in group["reason"]
    assert [a["machine_id"] for a in body["data"]] == ["ALONE"]
    assert (body["open"], body["open_grouped"]) == (5, 2)
    members = alarms(supply, f"group={GROUP}")["data"]
    assert [a["machine_id"] for a in members] == ["M3", "M2", "M1", "M0"]
    assert {(a["state"], a["group"]) for a in members} == {("unacknowledged", GROUP)}
    assert len(alarms(supply)["data"]) == 5, "who asks for alarms has each"
    supply.post(f"/api/v1/alarms/{GROUP}/acknowledge", json=ADA).raise_for_status()
    (group,) = alarms(supply)["groups"]
    assert group["counts"] == {"unacknowledged": 3, "acknowledged": 1}
    assert alarms(supply, "state=acknowledged")["groups"][0]["id"] == GROUP
    assert alarms(supply, "state=shelved")["groups"] == []


def test_one_acknowledgement_acts_on_all_of_them_after_the_count(supply: httpx.Client) -> None:
    sent = {"filter": {"group": GROUP}, "action": "acknowledge", **ADA}
    trial = supply.post(ACTIONS, json={**sent, "dry_run": True}).json()["data"]
    assert (trial["matched"], trial["count"], trial["done"]) == (4, 4, False)
    refused = supply.post(ACTIONS, json={**sent, "expected_count": 3})
    assert (refused.status_code, refused.json()["code"]) == (409, "count_changed")
    done = supply.post(ACTIONS, json={**sent, "expected_count": 4}).json()["data"]
    assert (done["count"], done["done"]) == (4, True)
    (group,) = alarms(supply)["groups"]
    assert (group["state"], group["counts"]) == ("acknowledged", {"acknowledged": 4})
    assert alarms(supply, "machine_id=ALONE")["data"][0]["state"] == "unacknowledged"


def test_an_operator_ungroups_one_or_all_and_nothing_is_lost(
    supply: httpx.Client, client: Client
) -> None:
    path = f"/api/v1/alarms/{GROUP}"
    alone = supply.post(f"{path}/ungroup", json={"comment": "own fault", **ADA}).json()["data"]
    assert (alone["group"], alone["last_comment"]) == ("", "own fault")
    assert supply.post(f"{path}/ungroup", json=ADA).json()["code"] == "already_ungrouped"
    (group,) = alarms(supply)["groups"]
    assert group["machine_ids"] == ["M1", "M2", "M3"]
    sent = {"filter": {"group": group["id"]}, "action": "ungroup", "expected_count": 3, **ADA}
    supply.post(ACTIONS, json=sent).raise_for_status()
    body = alarms(supply, "grouped=true")
    assert (body["groups"], len(body["data"]), body["open_grouped"]) == ([], 5, 5)
    actions = supply.get(path).json()["data"]["actions"]
    assert [(a["action"], a["by"], a["text"]) for a in actions] == [("ungroup", "Ada", "own fault")]
    assert alarm_book.advance(client).alarms[GROUP].ungrouped


def test_where_most_do_not_alarm_each_stays_its_own(
    fresh_http: httpx.Client, client: Client
) -> None:
    raise_on_supply(client, 3, of=6)
    body = alarms(fresh_http, "grouped=true")
    assert (body["groups"], body["open"], body["open_grouped"]) == ([], 4, 4)


def test_a_site_that_sends_nothing_is_one_alarm(fresh_http: httpx.Client, client: Client) -> None:
    alarm_book.advance(client)
    for i in range(4):
        machines.register(client, f"S{i}", Motor(site="South", asset_path=f"Pit/Fan {i}"))
        set_flag(client, f"S{i}", "silent", True, reason("machine_silent"))
    body = alarms(fresh_http, "grouped=true")
    (group,) = body["groups"]
    assert (group["site"], group["supply"], group["within_s"]) == ("South", "", None)
    assert (group["code"], group["machines"]) == ("no_machine_of_site_sends", 4)
    assert body["data"] == []
    filters = {"action": "acknowledge", "filter": {"group": group["id"]}, "expected_count": 4}
    fresh_http.post(ACTIONS, json=filters | ADA).raise_for_status()
    set_flag(client, "S1", "silent", False, reason("windows_arrive"))
    (group,) = alarms(fresh_http)["groups"]
    assert (group["state"], group["active"]) == ("acknowledged", 3)
    assert group["reason"] == "4 of the 4 machines of this site fell silent, 3 still are"
