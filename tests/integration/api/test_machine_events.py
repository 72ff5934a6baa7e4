"""Events of a machine by HTTP: from the history, and newer ones from the streams."""

from threading import Event

import httpx

from tests.integration.reporting.history.entries import add, add_alert
from vtox.motor.alarms.book import Action, ActionName
from vtox.motor.alarms.work_orders import WorkOrder
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms.alarm_actions import encode_action
from vtox.pipeline.store.server.client import Client, server_time
from vtox.reporting.history.recorder import Recorder

ALARM = "M1:bearing:1"
ORDER = WorkOrder(system="CMMS", reference="4711", url="")


def act(client: Client, t: float, name: ActionName, **details: object) -> None:
    known = {"machine_id": "M1", "by": "Ada", "alarm_id": ALARM, "fault": "bearing"} | details
    action = Action(name=name, ms=round(1000 * t), **known)  # type: ignore[arg-type]
    add(client, keys.ALARM_ACTIONS, encode_action(action))


def record(client: Client, settings: Settings) -> None:
    recorder = Recorder(client, settings)
    recorder.record(Event())
    recorder.close()


def test_what_is_recorded_and_what_is_newer_come_once_and_in_order(
    fresh_http: httpx.Client, client: Client, settings: Settings
) -> None:
    now = server_time(client)
    add_alert(client, now - 500)
    add_alert(client, now - 450, id="M2:bearing:1", machine_id="M2")
    act(client, now - 400, "comment", text="Greased.")
    record(client, settings)
    act(client, now - 300, "work_order", work_order=ORDER)
    add_alert(client, now - 200, event="cleared")
    path = "/api/v1/machines/M1/events"
    found = fresh_http.get(path, params={"from_t": now - 1000}).raise_for_status().json()["data"]
    events = found["events"]
    assert [e["event"] for e in events] == ["cleared", "work_order", "comment", "raised"]
    assert [e["kind"] for e in events] == ["alert", "action", "action", "alert"]
    assert [e["by"] for e in events] == ["", "Ada", "Ada", ""]
    assert events[2]["text"] == "Greased."
    assert events[1]["work_order"]["reference"] == "4711"
    assert (events[3]["level"], events[3]["code"]) == ("warning", "impacts")
    assert found["complete"]
    part = {"from_t": now - 450, "to_t": now - 250, "limit": 1}
    found = fresh_http.get(path, params=part).json()["data"]
    assert ([e["event"] for e in found["events"]], found["complete"]) == (["work_order"], False)
    rows = fresh_http.get(path, params={"from_t": now - 1000, "format": "csv"}).text.splitlines()
    assert len(rows) == 5


def test_a_machine_without_events_has_none_and_a_time_has_an_order(http: httpx.Client) -> None:
    path = "/api/v1/machines/M1/events"
    assert http.get(path).raise_for_status().json()["data"]["events"] == []
    wrong = http.get(path, params={"from_t": 200, "to_t": 100})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "from_t")
