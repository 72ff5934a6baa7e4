"""Alarms of operation: one truth for all who read them, and shelving, service and silence hold."""

import json
from collections.abc import Callable
from threading import Event
from typing import Any

import httpx
import pytest

from tests.integration.api.browser import document_of, needs_browser, pages
from tests.integration.conftest import serving
from tests.integration.reporting.history.test_profiles import (
    END_MIN,
    EVERY_MIN,
    LOW_W,
    USUAL_W,
    send,
)
from tests.integration.reporting.notification.conftest import (
    hook,
    new_notifier,
    receiver,
    rules_of,
    secret,
)
from tests.integration.reporting.notification.receiver import Receiver
from tests.integration.reporting.notification.test_delivery import running
from tests.integration.reporting.reports.test_machine_report import keep
from tests.waiting import eventually
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms import alarm_book
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.server.client import Client, server_time
from vtox.reporting.history.recorder import Recorder
from vtox.reporting.notification.notifier import Notifier
from vtox.reporting.notification.rules import Rules

__all__ = ["new_notifier", "receiver", "secret"]

New = Callable[[Rules], Notifier]
ADA = {"by": "Ada"}
SAYS = "load 40 % below its usual value at 50 Hz on week"
ALARMS = "/api/v1/alarms?machine_id=M1"


@pytest.fixture
def falls(client: Client, settings: Settings) -> Callable[[int, int], None]:
    """Lets the load of a machine with a profile fall, from one minute to another."""
    register(client, "M1", Motor(supply_hz=50.0))
    base_min = int(server_time(client) // 60) - END_MIN - 2000

    def fall(begin: int, end: int) -> None:
        send(client, base_min + END_MIN, range(begin, end), LOW_W)
        record(client, settings)

    send(client, base_min, range(0, END_MIN, EVERY_MIN), USUAL_W)
    record(client, settings)
    return fall


def record(client: Client, settings: Settings) -> None:
    recorder = Recorder(client, settings)
    recorder.record(Event())
    recorder.close()


def alarms(http: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = http.get(ALARMS).raise_for_status().json()["data"]
    return found


@needs_browser
def test_api_page_report_and_notification_say_the_same(
    falls: Callable[[int, int], None],
    client: Client,
    settings: Settings,
    new_notifier: New,
    receiver: Receiver,
) -> None:
    alarm_book.advance(client)
    notifier = new_notifier(rules_of({"hook": hook(receiver)}))
    falls(0, 30)
    keep(client, "1-0")  # no report without samples
    with running(notifier):
        eventually(lambda: receiver.taken)
    (request,) = receiver.requests
    told = json.loads(request.body)["data"]["alarm"]
    with pages(settings) as address, httpx.Client(base_url=address, timeout=20) as http:
        (alarm,) = alarms(http)
        profile = http.get("/api/v1/machines/M1/profile").json()["data"]
        page = document_of(f"{address}/machines/M1", 1280)
        report = http.get("/api/v1/machines/M1/report").raise_for_status().text
    for name in ("id", "fault", "level", "code"):
        assert told[name] == alarm[name], name
    (why,) = alarm["doubts"]
    assert SAYS in why["sentence"]
    assert SAYS in told["reason"]
    assert profile["open"] == ["load_low"]
    assert SAYS in page
    assert SAYS in report
    usual = profile["profile"]["hours"][profile["profile"]["now"]["hour"]]
    load = profile["profile"]["now"]["load"]
    # A level has a width of 2 %.
    assert 1 - load / usual["low"] == pytest.approx(why["values"]["percent"] / 100, abs=0.02)


@pytest.mark.parametrize(
    ("path", "held", "back"),
    [
        ("alarms/{id}/shelve", "shelved", "alarms/{id}/unshelve"),
        ("machines/M1/out-of-service", "out_of_service", "machines/M1/in-service"),
    ],
)
def test_shelving_and_service_hold(
    falls: Callable[[int, int], None],
    client: Client,
    settings: Settings,
    new_notifier: New,
    receiver: Receiver,
    path: str,
    held: str,
    back: str,
) -> None:
    """Alarms go on unchanged meanwhile, and nothing is lost of them."""
    alarm_book.advance(client)
    falls(0, 30)
    notifier = new_notifier(rules_of({"hook": hook(receiver)}))
    with serving(settings) as http:
        (alarm,) = alarms(http)
        body = ADA | {"reason": "belt is changed"} | ({"for_s": 3600} if "{id}" in path else {})
        http.post(f"/api/v1/{path.format(id=alarm['id'])}", json=body).raise_for_status()
        falls(30, 60)
        assert [a["state"] for a in alarms(http)] == [held]
        notifier.try_once()
        sent = [json.loads(r.body)["type"] for r in receiver.requests]
        assert "alarm.raised" not in sent
        http.post(f"/api/v1/{back.format(id=alarm['id'])}", json=ADA).raise_for_status()
        assert [(a["id"], a["state"]) for a in alarms(http)] == [(alarm["id"], "unacknowledged")]


def test_silence_neither_ends_nor_repeats_them(
    falls: Callable[[int, int], None], settings: Settings
) -> None:
    falls(0, 30)
    with serving(settings) as http:
        (before,) = alarms(http)
        falls(1200, 1230)  # after a day without a record
        assert [(a["id"], a["state"]) for a in alarms(http)] == [(before["id"], before["state"])]
