"""Alerts by HTTP: every event, and the open alerts."""

import httpx
import pytest

from tests.integration.helpers import T0, eventually
from tests.integration.pipeline.store.test_retire import with_open_alert
from vtox.motor.values.domain import Motor, reason
from vtox.motor.words.catalogue import Sentence, catalogue
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.alarms.flags import set_flag
from vtox.pipeline.store.alarms.system_alarms import Condition, keep
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client


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


def test_an_alert_says_what_to_do(
    http: httpx.Client, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(catalogue("en").sentences, "rotor_blue", Sentence("blue", "Wash it."))
    entry = {"id": "e1", "machine_id": "M1", "fault": "bearing", "level": "warning"}
    entry |= {"event": "raised", "t": "1764000000.5", "reason": "blue"}
    client.xadd(keys.ALERTS, entry)
    client.xadd(keys.ALERTS, entry | {"code": "rotor_blue"})
    new, old = http.get("/api/v1/alerts").raise_for_status().json()["data"]
    assert (new["code"], new["what_to_do"]) == ("rotor_blue", "Wash it.")
    assert (old["code"], old["what_to_do"]) == ("", "")


def test_alarms_of_the_system_have_no_machine(http: httpx.Client, client: Client) -> None:
    machines.register(client, "M1", Motor())
    set_flag(client, "M1", "silent", True, reason("machine_silent"))
    why = reason("queue_without_worker", queue="bearing", windows=7)
    keep(client, Condition(name="workers:bearing", holds=True, why=why, level="fault"), 30)
    # The state may be one second old.
    (alarm,) = eventually(lambda: http.get("/api/v1/cluster/status").json()["data"]["alarms"])
    assert (alarm["machine_id"], alarm["fault"], alarm["level"]) == ("", "workers:bearing", "fault")
    assert alarm["values"] == {"queue": "bearing", "windows": 7}
    assert "celery -A vtox worker" in alarm["what_to_do"]
    assert alarm in http.get("/api/v1/alerts/open").json()["data"]
    for about, fault in (("system", "workers:bearing"), ("machine", "silent")):
        (event,) = http.get(f"/api/v1/alerts?about={about}").json()["data"]
        assert event["fault"] == fault
    assert (
        'vtox_system_alarm{alarm="workers:bearing",level="fault"} 1.0' in http.get("/metrics").text
    )


def test_open_alerts(http: httpx.Client, client: Client) -> None:
    for m in ("M1", "M2"):
        machines.register(client, m, Motor())
    bearing = with_open_alert(client, "M1", "bearing")
    set_flag(client, "M2", "silent", True, reason("machine_silent"))
    set_flag(client, "M1", "clock", True, reason("clock_off"))
    set_flag(client, "M1", "clock", False, reason("clock_right"))
    body = http.get("/api/v1/alerts/open?limit=1").raise_for_status().json()
    (latest,) = body["data"]
    assert (latest["machine_id"], latest["fault"], latest["level"]) == ("M2", "silent", "warning")
    body = http.get(body["next"]).raise_for_status().json()
    (first,) = body["data"]
    assert (first["id"], first["level"], first["code"]) == (bearing, "fault", "it_shows")
    assert first["what_to_do"] == "", "a code that this version does not know"
    assert first["t"] == T0
    assert body["next"] is None
    assert http.get("/api/v1/alerts/open?cursor=x").status_code == 422
    machines.retire(client, "M1")
    assert [a["fault"] for a in http.get("/api/v1/alerts/open").json()["data"]] == ["silent"]
