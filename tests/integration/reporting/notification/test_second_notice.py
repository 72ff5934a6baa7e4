"""Second notices of alarms that stay unacknowledged, over real streams, and a notifier killed."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.pipeline.store.test_alarm_book import action
from tests.integration.reporting.history.entries import add_alert
from tests.integration.reporting.notification.conftest import hook, on_each_database, rules_of
from tests.integration.reporting.notification.receiver import Receiver, receiving
from tests.integration.reporting.notification.test_delivery import running, state
from tests.integration.reporting.notification.test_processes import (
    RULES,
    environment,
    reports,
    start,
)
from tests.waiting import eventually
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms.alarm_book import act, advance
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client
from vtox.reporting.history import database
from vtox.reporting.notification import outbox_figures
from vtox.reporting.notification.notifier import Notifier
from vtox.reporting.notification.rules import Rules

__all__ = ["environment", "start"]

New = Callable[[Rules], Notifier]
# 0.6 s and 1.5 s.
SOON = {"unacknowledged_min": {"warning": 0.01, "fault": 0.025}}


@pytest.fixture
def second() -> Iterator[Receiver]:
    """The receiver of the second target."""
    with receiving() as opened:
        yield opened


@pytest.fixture
def notifier(new_notifier: New, client: Client, receiver: Receiver, second: Receiver) -> Notifier:
    """A notifier with a first and a second target."""
    advance(client)
    machines.register(client, "M1", Motor())
    targets = {"first": hook(receiver), "boss": hook(second)}
    return new_notifier(rules_of(targets, {"targets": ["first"]}, {"targets": ["boss"], **SOON}))


def wait_past(notifier: Notifier, receiver: Receiver, client: Client) -> None:
    """Wait until a later alarm of another machine has had its second notice."""
    add_alert(client, 9.0, id="M2:bearing:9000", machine_id="M2")
    with running(notifier):
        eventually(lambda: any("M2:bearing:9000" in str(r.body) for r in receiver.requests))
        eventually(lambda: state(notifier, "boss").held == 0)


@on_each_database
def test_an_unacknowledged_alarm_goes_once_to_a_second_target(
    notifier: Notifier, client: Client, receiver: Receiver, second: Receiver
) -> None:
    add_alert(client, 5.0)
    notifier.try_once()
    assert (state(notifier, "boss").held, second.requests) == (1, [])
    wait_past(notifier, second, client)
    assert (len(receiver.taken), len(second.taken)) == (2, 2)
    assert {f"{x}_unacknowledged" for x in receiver.taken} == set(second.taken)
    (message,) = (m for r in second.requests if "M1" in str(m := json.loads(r.body)))
    data = message["data"]
    assert (message["type"], data["unacknowledged_min"]) == ("alarm.raised", 0.01)
    assert data["text"].startswith("Nobody has acknowledged this alarm within 0.01 minutes.")


@pytest.mark.parametrize(
    "deed",
    [
        action(),
        action("shelve", text="known", until_ms=4_000_000_000_000),
        action("close", outcome="false_alarm"),
    ],
)
def test_what_a_person_has_seen_to_does_not_go(
    notifier: Notifier, client: Client, second: Receiver, deed: object
) -> None:
    add_alert(client, 5.0)
    notifier.try_once()
    act(client, deed)  # type: ignore[arg-type]
    add_alert(client, 9.0, id="M2:bearing:9000", machine_id="M2")
    with running(notifier):
        eventually(lambda: second.taken)
    assert ["M2" in str(r.body) for r in second.requests] == [True]


def test_an_alarm_that_grows_worse_goes_once_for_its_new_level(
    notifier: Notifier, client: Client, second: Receiver
) -> None:
    add_alert(client, 5.0)
    add_alert(client, 6.0, "escalated", level="fault")
    wait_past(notifier, second, client)
    with running(notifier):
        eventually(lambda: len(second.taken) == 2)
    bodies = [json.loads(r.body)["data"] for r in second.requests]
    of_m1 = [b["alarm"]["level"] for b in bodies if b["alarm"]["machine_id"] == "M1"]
    assert of_m1 == ["fault"]


def test_an_alarm_that_is_unshelved_has_its_time_again(
    notifier: Notifier, client: Client, second: Receiver
) -> None:
    add_alert(client, 5.0)
    act(client, action("shelve", text="known", until_ms=4_000_000_000_000))
    notifier.try_once()
    with running(notifier):
        eventually(lambda: state(notifier, "boss").held == 1)
        act(client, action("unshelve"))
        eventually(lambda: second.taken)
    assert len(second.requests) == 1


@on_each_database
def test_a_notifier_that_is_killed_sends_the_second_notice_once(
    start: Callable[[], "subprocess.Popen[bytes]"],
    environment: dict[str, str],
    settings: Settings,
    client: Client,
    receiver: Receiver,
) -> None:
    advance(client)
    rules = RULES.format(url=receiver.url) + "unacknowledged_min = { warning = 0.1 }"
    Path(environment["VTOX_NOTIFY_FILE"]).write_text(rules)
    first = start()
    eventually(lambda: reports(client, first))
    add_alert(client, 5.0)
    engine = database.engine_to_read(settings)
    eventually(lambda: outbox_figures.target_states(engine, ["hook"])["hook"].held == 1)
    assert receiver.requests == []
    first.kill()
    first.wait(10)
    last = start()
    eventually(lambda: receiver.taken)
    eventually(lambda: reports(client, last))
    assert outbox_figures.target_states(engine, ["hook"])["hook"].held == 0
    assert len(receiver.taken) == 1
    engine.dispose()
