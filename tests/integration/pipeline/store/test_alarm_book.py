"""The alarm book on the real server: the effects of alerts, two operators at once, restarts."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from tests.integration.pipeline.store.test_retire import with_open_alert
from tests.integration.reporting.history.entries import add_alert
from vtox.motor.alarms.book import Action, Book
from vtox.motor.errors import AlarmRefused
from vtox.motor.values.domain import Motor, reason
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms.alarm_actions import actions_after, decode_action, encode_action
from vtox.pipeline.store.alarms.alarm_book import act, advance
from vtox.pipeline.store.alarms.flags import set_flag
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client, connect

ALARM = "M1:bearing:1"


def action(name: Any = "acknowledge", by: str = "Ada", **more: Any) -> Any:
    def make(book: Book, now_ms: int) -> Iterator[Action]:
        alarm = book.alarms[ALARM]
        about = {"alarm_id": ALARM, "machine_id": alarm.machine_id, "fault": alarm.fault}
        yield Action(name=name, ms=now_ms, by=by, **about, **more)

    return make


def test_the_book_follows_the_alerts(client: Client) -> None:
    advance(client)
    add_alert(client, 5.0)
    (alarm,) = advance(client).alarms.values()
    assert (alarm.id, alarm.state, alarm.code) == (ALARM, "unacknowledged", "impacts")
    add_alert(client, 6.0, "cleared")
    assert advance(client).alarms[ALARM].state == "returned_unacknowledged"


def test_the_first_book_has_what_is_open_and_nothing_that_ended(client: Client) -> None:
    add_alert(client, 5.0)
    add_alert(client, 6.0, "cleared")
    machines.register(client, "M1", Motor())
    alarm_id = with_open_alert(client, "M1", "broken_bar")
    set_flag(client, "M1", "silent", True, reason("machine_silent"))
    alarms = advance(client).alarms
    assert {a.fault for a in alarms.values()} == {"broken_bar", "silent"}
    assert alarms[alarm_id].level == "fault"
    assert advance(client).alarms == alarms


def test_alerts_of_other_programs_do_no_harm(client: Client) -> None:
    advance(client)
    for alert_id in ("", "#version", "#out|M1", "x", "a:b", "a:-1"):
        client.xadd(keys.ALERTS, {"id": alert_id, "event": "raised", "machine_id": "\0"})
    client.xadd(keys.ALERTS, {"id": b"\xff:1", "event": "raised", "values": "["})
    client.xadd(keys.ALERTS, {"junk": "x"})
    add_alert(client, 5.0)
    assert ALARM in advance(client).alarms
    assert ALARM in advance(client).alarms


def test_two_operators_at_once_are_told_the_truth(client: Client, settings: Settings) -> None:
    advance(client)
    add_alert(client, 5.0)
    n = 4
    start = Barrier(n)

    def press(i: int) -> str:
        with connect(settings.working_url(), "test") as own:
            start.wait()
            try:
                act(own, action(by=f"operator {i}"))
            except AlarmRefused as error:
                return str(error)
            return "done"

    with ThreadPoolExecutor(n) as pool:
        answers = list(pool.map(press, range(n)))
    alarm = advance(client).alarms[ALARM]
    assert answers.count("done") == 1
    assert set(answers) == {
        "done",
        f"{ALARM} is acknowledged already, by {alarm.acknowledged_by}",
    }
    ((_, written),) = actions_after(client, "0-0")
    assert (written.by, written.ms) == (alarm.acknowledged_by, alarm.acknowledged_ms)


def test_a_change_that_was_thought_out_for_another_book_is_made_anew(client: Client) -> None:
    advance(client)
    add_alert(client, 5.0)
    advance(client)
    overtaken = []

    def actions(book: Book, now_ms: int) -> Iterator[Action]:
        if not overtaken:
            overtaken.append(act(client, action("comment", by="Bob", text="first")))
        yield from action("comment", text="second")(book, now_ms)

    act(client, actions)
    alarm = advance(client).alarms[ALARM]
    assert (alarm.comments, alarm.last_comment) == (2, "second")
    assert [a.text for _, a in actions_after(client, "0-0")] == ["first", "second"]


def test_a_refused_action_writes_nothing(client: Client) -> None:
    advance(client)
    add_alert(client, 5.0)
    act(client, action())
    with pytest.raises(AlarmRefused, match="by Ada"):
        act(client, action(by="Bob"))
    assert client.xlen(keys.ALARM_ACTIONS) == 1


def test_a_request_that_is_sent_again_writes_one_entry(client: Client) -> None:
    advance(client)
    add_alert(client, 5.0)
    assert len(act(client, action(request_id="r1"))) == 1
    assert act(client, action(request_id="r1")) == []
    assert client.xlen(keys.ALARM_ACTIONS) == 1


def test_a_retired_machine_leaves_no_alarm(client: Client) -> None:
    advance(client)
    machines.register(client, "M1", Motor())
    add_alert(client, 5.0)
    act(client, action("shelve", until_ms=1 << 43, text="x"))
    machines.retire(client, "M1")
    book = advance(client)
    assert (book.alarms, book.shelved) == ({}, {})
    assert advance(client) == book


def test_a_machine_that_is_forgotten_leaves_no_alarm(client: Client) -> None:
    advance(client)
    client.zadd(keys.MACHINES, {"M1": 5.0})
    add_alert(client, 5.0)
    add_alert(client, 6.0, "cleared")
    assert ALARM in advance(client).alarms
    assert machines.forget_silent(client, 100.0) == 1
    assert advance(client).alarms == {}


def test_what_is_stored_of_a_later_version_is_ignored(client: Client) -> None:
    advance(client)
    add_alert(client, 5.0)
    act(client, action("shelve", until_ms=1 << 43, text="x"))
    before = advance(client)
    stored = client.hget(keys.ALARM_BOOK, ALARM)
    client.hset(keys.ALARM_BOOK, ALARM, stored[:-1] + b',"later":1}')
    assert advance(client).alarms == before.alarms


def test_an_action_comes_back_from_its_entry() -> None:
    written = Action(
        name="close",
        machine_id="M1",
        fault="bearing",
        alarm_id=ALARM,
        ms=1_764_000_000_123,
        by="Zoë",
        key_id="a1",
        text="pitted\nouter race",
        until_ms=1_764_000_001_000,
        outcome="confirmed",
        request_id="r",
    )
    texts = [t.encode() for t in encode_action(written)]
    assert decode_action(dict(zip(texts[::2], texts[1::2], strict=True))) == written
    assert decode_action({b"action": b"sing", b"t": b"1"}) is None
    assert decode_action({b"action": b"close", b"t": b"1", b"outcome": b"?"}) is None
