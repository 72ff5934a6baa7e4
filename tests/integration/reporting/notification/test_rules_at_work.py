"""Quiet hours, digests, suspended alarms, and actions of operators, on the real streams."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.integration.pipeline.store.test_alarm_book import ALARM, action
from tests.integration.reporting.history.entries import add_alert
from tests.integration.reporting.notification.conftest import hook, on_each_database, rules_of
from tests.integration.reporting.notification.receiver import Receiver
from tests.integration.reporting.notification.test_delivery import (
    raise_alarms,
    running,
    settled,
    state,
)
from tests.waiting import eventually
from vtox.motor.alarms.work_orders import WorkOrder
from vtox.motor.values.domain import Motor
from vtox.pipeline.store.alarms.alarm_book import act, advance
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client, server_time_ms
from vtox.reporting.notification import plan
from vtox.reporting.notification.notifier import Notifier
from vtox.reporting.notification.rules import Rules

New = Callable[[Rules], Notifier]


def events(receiver: Receiver) -> list[str]:
    return [json.loads(r.body)["type"] for r in receiver.requests]


def clock(minutes: int) -> str:
    """A time of day by UTC, so many minutes from now."""
    return (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%H:%M")


def test_only_what_a_rule_names_is_sent(
    new_notifier: New, client: Client, receiver: Receiver
) -> None:
    machines.register(client, "M3", Motor(site="Hall 2", asset_path="Line 1/Pump"))
    rule = {"targets": ["hook"], "assets": ["Line 1"], "sites": ["Hall 2"]}
    notifier = new_notifier(rules_of({"hook": hook(receiver)}, rule))
    expected = raise_alarms(client, 5)
    with running(notifier):
        eventually(lambda: receiver.taken)
        eventually(lambda: settled(notifier))
    assert receiver.taken == [expected[3]]
    alarm = json.loads(receiver.requests[0].body)["data"]["alarm"]
    assert (alarm["site"], alarm["asset_path"]) == ("Hall 2", "Line 1/Pump")


def test_what_operators_do_is_sent_where_a_rule_wants_it(
    new_notifier: New, client: Client, receiver: Receiver
) -> None:
    advance(client)
    rule = {"targets": ["hook"], "events": ["acknowledged", "ordered", "closed"]}
    notifier = new_notifier(rules_of({"hook": hook(receiver)}, rule))
    add_alert(client, 5.0)
    act(client, action(text="seen"))
    act(client, action("comment", text="not sent"))
    order = WorkOrder(system="CMMS", reference="WO-1")
    act(client, action("work_order", work_order=order))
    act(client, action("close", outcome="confirmed"))
    with running(notifier):
        eventually(lambda: len(receiver.taken) == 3)
    assert events(receiver) == ["alarm.acknowledged", "alarm.ordered", "alarm.closed"]
    first = json.loads(receiver.requests[0].body)["data"]
    assert (first["operator"]["by"], first["alarm"]["level"]) == ("Ada", "warning")


def test_in_quiet_hours_nothing_is_sent(
    new_notifier: New, client: Client, receiver: Receiver
) -> None:
    quiet = {"from": clock(-2), "to": clock(30)}
    rule = {"targets": ["hook"], "levels": ["warning"], "quiet": quiet}
    at_once = {"targets": ["hook"], "levels": ["fault"]}
    notifier = new_notifier(rules_of({"hook": hook(receiver)}, rule, at_once))
    raise_alarms(client, 3)
    client.xadd(
        "system_alerts",
        {"id": "M9:bearing:9", "machine_id": "M9", "fault": "bearing", "level": "fault"}
        | {"event": "raised", "t": 9},
    )
    with running(notifier):
        eventually(lambda: receiver.taken)
        eventually(lambda: state(notifier).waiting == 3)
    assert len(receiver.requests) == 1


@on_each_database
def test_a_digest_gathers_a_day_and_is_sent_once(
    new_notifier: New, client: Client, receiver: Receiver, monkeypatch: Any
) -> None:
    due_ms: list[int] = []

    def next_time(*_: object) -> int:
        """The time of the digest, which comes while the test waits."""
        if not due_ms:
            due_ms.append(server_time_ms(client) + 1500)
        return due_ms[0]

    monkeypatch.setattr(plan, "next_time", next_time)
    rule = {"targets": ["hook"], "digest": "07:00"}
    notifier = new_notifier(rules_of({"hook": hook(receiver)}, rule))
    raise_alarms(client, 3)
    notifier.try_once()
    assert (state(notifier).held, receiver.requests) == (3, [])
    for _ in range(2):
        with running(new_notifier(notifier.rules)):
            eventually(lambda: receiver.taken)
            eventually(lambda: settled(notifier))
    (request,) = receiver.requests
    message = json.loads(request.body)
    assert (message["type"], message["data"]["count"]) == ("digest", 3)
    assert [e["machine_id"] for e in message["data"]["events"]] == ["M0", "M1", "M2"]
    assert state(notifier).held == 0


@on_each_database
def test_an_alarm_that_is_suspended_waits_for_the_end_of_that(
    new_notifier: New, client: Client, receiver: Receiver
) -> None:
    advance(client)
    machines.register(client, "M1", Motor())
    add_alert(client, 5.0)
    act(client, action("shelve", text="known", until_ms=4_000_000_000_000))
    add_alert(client, 6.0, "cleared")
    notifier = new_notifier(rules_of({"hook": hook(receiver)}))
    # It comes back while the fault of the machine is shelved.
    add_alert(client, 7.0, id="M1:bearing:7000")
    notifier.try_once()
    assert (state(notifier).held, receiver.requests) == (1, [])
    with running(notifier):
        assert notifier.problem == ""
        act(client, action("unshelve"))
        eventually(lambda: receiver.taken)
        eventually(lambda: settled(notifier))
    assert events(receiver) == ["alarm.raised"]


def test_an_alarm_that_ends_while_it_is_suspended_is_not_told(
    new_notifier: New, client: Client, receiver: Receiver
) -> None:
    advance(client)
    machines.register(client, "M1", Motor())
    add_alert(client, 5.0)
    act(client, action("shelve", text="known", until_ms=4_000_000_000_000))
    notifier = new_notifier(rules_of({"hook": hook(receiver)}))
    add_alert(client, 7.0, id="M1:bearing:7000")
    notifier.try_once()
    assert state(notifier).held == 1
    add_alert(client, 8.0, "cleared", id="M1:bearing:7000")
    expected = raise_alarms(client, 1, 20)
    with running(notifier):
        eventually(lambda: receiver.taken == expected)
    assert (state(notifier).held, state(notifier).waiting) == (0, 0)
    assert ALARM not in str(receiver.requests)


def test_who_was_told_of_an_alarm_is_told_of_its_end_though_it_grew_worse_while_suspended(
    new_notifier: New, client: Client, receiver: Receiver
) -> None:
    advance(client)
    machines.register(client, "M1", Motor())
    notifier = new_notifier(rules_of({"hook": hook(receiver)}))
    add_alert(client, 5.0)
    notifier.try_once()
    act(client, action("shelve", text="known", until_ms=4_000_000_000_000))
    add_alert(client, 6.0, "escalated", level="fault")
    notifier.try_once()
    assert (state(notifier).waiting, state(notifier).held) == (1, 1)
    add_alert(client, 7.0, "cleared", level="fault")
    with running(notifier):
        eventually(lambda: len(receiver.taken) == 2)
    assert events(receiver) == ["alarm.raised", "alarm.cleared"]
    assert state(notifier).held == 0


@on_each_database
def test_entries_of_other_programs_do_no_harm(
    new_notifier: New, client: Client, receiver: Receiver
) -> None:
    notifier = new_notifier(rules_of({"hook": hook(receiver)}))
    client.xadd("system_alerts", {"junk": "x"})
    client.xadd("system_alerts", {"id": b"\xff\x00:1", "event": "raised", "values": "["})
    client.xadd("system_alerts", {"id": "x" * 90_000, "event": "raised", "t": "1e400"})
    client.xadd("alarm_actions", {"action": "sing", "t": "1"})
    client.xadd("alarm_actions", {"action": "close", "t": "1", "machine_id": b"\xff"})
    expected = raise_alarms(client, 1)
    with running(notifier):
        eventually(lambda: expected[0] in receiver.taken)
    assert notifier.problem == ""
