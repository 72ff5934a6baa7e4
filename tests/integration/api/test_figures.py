"""Figures of the alarms by HTTP: from alerts, assessments and outcomes over the recorder."""

from collections.abc import Callable, Iterator
from threading import Event

import httpx
import pytest

from tests.integration.reporting.history.entries import add, add_assessment
from vtox.motor.alarms.book import Action
from vtox.motor.alarms.health.alert_values import Alert
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms import alarm_book
from vtox.pipeline.store.alarms.alarm_actions import encode_action
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.stream.entries import entry_of
from vtox.reporting.history.recorder import Recorder

URL = "/api/v1/alarms/figures"


@pytest.fixture
def record(client: Client, settings: Settings) -> Iterator[Callable[[], object]]:
    """A function that records the streams."""
    recorder = Recorder(client, settings)
    yield lambda: recorder.record(Event())
    recorder.close()


def add_alarm(client: Client, age_s: float, fault: str = "bearing", **changes: object) -> str:
    """Add the alert that raises an alarm so long ago, and return the id of the alarm."""
    t = server_time(client) - age_s
    machine_id = str(changes.get("machine_id", "M1"))
    of = {"machine_id": machine_id, "fault": fault, "level": "warning"}
    alarm_id = f"{machine_id}:{fault}:{round(1000 * t)}"
    alert = Alert(id=alarm_id, event="raised", t=t, **of)  # type: ignore[arg-type]
    add(client, keys.ALERTS, entry_of(alert), f"{round(1000 * t)}-*")
    return alarm_id


def close(client: Client, alarm_id: str, outcome: str) -> None:
    machine_id, fault, _ = alarm_id.rsplit(":", 2)
    ms = round(1000 * server_time(client))
    action = Action(
        name="close",
        machine_id=machine_id,
        fault=fault,
        alarm_id=alarm_id,
        ms=ms,
        by="Ada",
        outcome=outcome,  # type: ignore[arg-type]
    )
    add(client, keys.ALARM_ACTIONS, encode_action(action))  # type: ignore[arg-type]


def figures(http: httpx.Client, **query: int) -> dict:  # type: ignore[type-arg]
    answer = http.get(URL, params=query)
    assert answer.status_code == 200, answer.text
    data: dict = answer.json()["data"]  # type: ignore[type-arg]
    return data


def test_before_anything_was_recorded_nothing_is_known(
    fresh_http: httpx.Client, client: Client
) -> None:
    data = figures(fresh_http)
    assert (data["alarms"], data["per_machine_day"], data["recorded_until"]) == (0, None, None)
    assert len(data["by_day"]) == 30
    assert (data["false_alarms"]["verdict"], data["false_alarms"]["code"]) == (
        "unknown",
        "no_machine_days",
    )


def test_alarms_are_counted_and_judged_by_their_outcomes(
    fresh_http: httpx.Client, client: Client, record: Callable[[], object]
) -> None:
    now = server_time(client)
    for age_s in (7200, 3600, 0):
        add_assessment(client, now - age_s, 90.0)
    first = add_alarm(client, 2 * 86_400)
    chattering = [add_alarm(client, age_s, "turn_short") for age_s in (30, 20, 10)]
    add_alarm(client, 5, "backlog", machine_id="")
    close(client, first, "confirmed")
    close(client, first, "false_alarm")
    for alarm_id in chattering:
        close(client, alarm_id, "other_cause")
    record()
    data = figures(fresh_http)
    assert (data["alarms"], data["system_alarms"], data["machine_days"]) == (4, 1, 0.125)
    assert data["per_machine_day"] == 32.0
    assert sum(d["alarms"] for d in data["by_day"]) == 4
    assert data["by_machine"] == [
        {"machine_id": "M1", "alarms": 4, "machine_days": 0.125, "per_machine_day": 32.0}
    ]
    frequent = data["most_frequent"][0]
    assert (frequent["fault"], frequent["alarms"], frequent["share"]) == ("turn_short", 3, 0.6)
    (chatter,) = data["chattering"]
    assert (chatter["fault"], chatter["times"], chatter["window_s"]) == ("turn_short", 3, 60.0)
    false = data["false_alarms"]
    assert (false["alarms"], false["undecided"]) == (4, 0)
    assert false["outcomes"] == {"false_alarm": 1, "other_cause": 3}
    assert (false["verdict"], false["per_machine_day"]) == ("broken", 8.0)
    assert false["low"] < 8.0 < false["high"] == false["at_most"]
    assert data["load"] == {
        "verdict": "no_limit",
        "people": 1,
        "days": 3,
        "per_person_day": 1.667,
        "most": None,
        "days_above": 0,
    }
    assert figures(fresh_http, days=1)["alarms"] <= 3


def test_alarms_that_stand_are_listed_longest_first(
    fresh_http: httpx.Client, client: Client, record: Callable[[], object]
) -> None:
    fresh_http.get("/api/v1/alarms").raise_for_status()
    standing = [add_alarm(client, age_s) for age_s in (90_000, 50)]
    record()
    data = figures(fresh_http)
    # One fault of a machine has one alarm at a time.
    assert [s["id"] for s in data["standing"]] == [standing[1]]
    other = add_alarm(client, 40, "broken_bar")
    assert [s["id"] for s in figures(fresh_http, days=29)["standing"]] == [standing[1], other]


def test_days_have_limits(fresh_http: httpx.Client, client: Client) -> None:
    for days in (0, 367):
        assert fresh_http.get(URL, params={"days": days}).status_code == 422


def test_how_often_a_fault_and_code_were_found_right(
    fresh_http: httpx.Client, client: Client, record: Callable[[], object]
) -> None:
    outcomes = ("confirmed", "confirmed", "false_alarm", "not_inspected")
    for age_s, outcome in zip((14.0, 13.0, 12.0, 11.0), outcomes, strict=True):
        close(client, add_alarm(client, age_s), outcome)
    corrected = add_alarm(client, 5.0)
    close(client, corrected, "false_alarm")
    close(client, corrected, "confirmed")
    record()
    alarm_book.advance(client)
    open_alarm = add_alarm(client, 1.0)
    (shown,) = fresh_http.get("/api/v1/alarms?open=true").raise_for_status().json()["data"]
    assert shown["id"] == open_alarm
    found = shown["found_right"]
    assert (found["right"], found["inspected"]) == (3, 4)
    assert found["sentence"] == "alarms of this fault and code were found right 3 of 4 times"
