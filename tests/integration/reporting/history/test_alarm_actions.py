"""Actions of operators are in the history, and give the same alarm once the book forgot it."""

import threading
import time
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import text

from tests.integration.conftest import serving
from tests.integration.pipeline.store.test_alarm_book import ALARM, action
from tests.integration.reporting.history.entries import add_alert
from tests.integration.reporting.history.test_recorder import count, rows
from vtox.motor.alarms.work_orders import WorkOrder
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms.alarm_book import act, advance
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client, server_time
from vtox.reporting.history.database import engine_to_write
from vtox.reporting.history.recorder import Recorder
from vtox.reporting.history.schema import alarm_actions, alerts

STOP = threading.Event()
PATH = f"/api/v1/alarms/{ALARM}"


@pytest.fixture
def served(settings: Settings) -> Iterator[httpx.Client]:
    """The service over this database."""
    with serving(settings) as opened:
        yield opened


@pytest.fixture
def closed_alarm(client: Client) -> None:
    """An alarm that was acknowledged, ended, and was closed."""
    advance(client)
    now = server_time(client)
    machines.register(client, "M1", Motor())
    add_alert(client, now)
    # The order of events in the same millisecond is not kept.
    time.sleep(0.002)
    act(client, action(text="seen"))
    time.sleep(0.002)
    add_alert(client, now, "cleared")
    time.sleep(0.002)
    order = WorkOrder(system="CMMS", reference="WO-1", url="https://cmms.example/1")
    act(client, action("work_order", by="CMMS", work_order=order))
    time.sleep(0.002)
    act(client, action("close", by="Bob", outcome="confirmed", text="pitted", key_id="a1"))


@pytest.mark.usefixtures("closed_alarm")
def test_every_action_is_recorded_once(
    recorder: Recorder, client: Client, settings: Settings
) -> None:
    client.xadd(keys.ALARM_ACTIONS, {"action": "sing", "t": "1"})
    recorder.record(STOP)
    assert recorder.record(STOP) == 0
    first, order, second = rows(settings, alarm_actions)
    assert (first["action"], first["by_name"], first["text"]) == ("acknowledge", "Ada", "seen")
    assert (order["system"], order["reference"]) == ("CMMS", "WO-1")
    assert (second["action"], second["outcome"], second["key_id"]) == ("close", "confirmed", "a1")
    assert second["alarm_id"] == ALARM


@pytest.mark.usefixtures("closed_alarm")
def test_a_retired_machine_leaves_no_action(
    recorder: Recorder, client: Client, settings: Settings
) -> None:
    recorder.record(STOP)
    assert count(settings, alarm_actions) == 3
    machines.retire(client, "M1")
    recorder.record(STOP)
    assert (count(settings, alarm_actions), count(settings, alerts)) == (0, 0)


@pytest.mark.usefixtures("closed_alarm")
def test_an_alarm_is_the_same_from_the_book_and_from_the_history(
    recorder: Recorder, client: Client, served: httpx.Client
) -> None:
    before = served.get(PATH).raise_for_status().json()["data"]
    assert [a["action"] for a in before["actions"]] == ["acknowledge", "work_order", "close"]
    assert before["work_orders"][0]["url"] == "https://cmms.example/1"
    assert [d["code"] for d in before["doubts"]] == ["no_baseline"]
    recorder.record(STOP)
    assert served.get(PATH).json()["data"] == before
    # As after a month, when book and streams have nothing of it any more.
    client.xtrim(keys.ALARM_ACTIONS, maxlen=0, approximate=False)
    client.hdel(keys.ALARM_BOOK, ALARM)
    client.hincrby(keys.ALARM_BOOK, "#version", 1)
    assert served.get("/api/v1/alarms").json()["data"] == []
    assert served.get(PATH).raise_for_status().json()["data"] == before
    assert served.get(f"{PATH}0").status_code == 404


@pytest.mark.usefixtures("closed_alarm")
def test_what_the_recorder_has_not_read_yet_is_shown_too(
    recorder: Recorder, client: Client, served: httpx.Client
) -> None:
    recorder.record(STOP)
    act(client, action("comment", text="bearing changed"))
    shown = served.get(PATH).json()["data"]["actions"]
    assert [a["action"] for a in shown] == ["acknowledge", "work_order", "close", "comment"]


@pytest.mark.usefixtures("closed_alarm")
def test_actions_are_shown_while_the_tables_are_of_the_version_before(
    recorder: Recorder, settings: Settings, served: httpx.Client
) -> None:
    recorder.record(STOP)
    engine = engine_to_write(settings)
    with engine.begin() as db:
        db.execute(text("ALTER TABLE alarm_actions DROP COLUMN system"))
    engine.dispose()
    shown = served.get(PATH).raise_for_status().json()["data"]["actions"]
    assert [a["action"] for a in shown] == ["acknowledge", "work_order", "close"]
