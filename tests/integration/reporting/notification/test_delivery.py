"""Each alarm arrives once at a target that answers, even after failures."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.integration.reporting.history.entries import add_alert
from tests.integration.reporting.notification.conftest import (
    SECRET,
    hook,
    on_each_database,
    rules_of,
)
from tests.integration.reporting.notification.receiver import Receiver, Request, receiving
from tests.waiting import eventually
from vtox.motor.alarms.health.alert_values import Alert
from vtox.motor.values import codec
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.ledger.heartbeats import TargetState
from vtox.pipeline.store.server.client import Client
from vtox.reporting.history.database import engine_to_write
from vtox.reporting.notification import outbox, outbox_figures
from vtox.reporting.notification.events import alert_message_id
from vtox.reporting.notification.notifier import Notifier
from vtox.reporting.notification.rules import Rules

New = Callable[[Rules], Notifier]
MANY = 12


def raise_alarms(client: Client, n: int, first: int = 0) -> list[str]:
    """Raise alarms of as many machines; return the ids that their messages will have."""
    found = []
    for i in range(first, first + n):
        fields = {"id": f"M{i}:bearing:{i + 1}", "machine_id": f"M{i}", "fault": "bearing"}
        more = {"level": "warning", "event": "raised", "t": 5.0, "code": "x", "reason": "impacts"}
        client.xadd(keys.ALERTS, fields | more)
        ((_, entry),) = client.xrevrange(keys.ALERTS, count=1)
        found.append(alert_message_id(codec.decode_fields(Alert, entry)))
    return found


@contextmanager
def running(notifier: Notifier) -> Iterator[None]:
    """Run a notifier in a thread until the block ends."""
    stop = threading.Event()
    thread = threading.Thread(target=notifier.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def state(notifier: Notifier, target: str = "hook") -> TargetState:
    return outbox_figures.target_states(notifier.reader, [target])[target]


def settled(notifier: Notifier, target: str = "hook") -> bool:
    now = state(notifier, target)
    return now.waiting == 0 and now.delivered + now.dead > 0


def test_a_message_is_signed_as_standard_webhooks_says(
    new_notifier: New, client: Client, receiver: Receiver
) -> None:
    notifier = new_notifier(rules_of({"hook": hook(receiver)}, page="https://vtox.example/"))
    (message_id,) = raise_alarms(client, 1)
    with running(notifier):
        eventually(lambda: receiver.taken)
    (request,) = receiver.requests
    given = request.headers
    assert request.message_id == message_id
    assert abs(int(given["webhook-timestamp"]) - time.time()) < 30
    signed = f"{message_id}.{given['webhook-timestamp']}.".encode() + request.body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert given["webhook-signature"] == f"v1,{expected}"
    assert given["content-type"] == "application/json"
    assert given["host"] == f"127.0.0.1:{receiver.port}"
    message = json.loads(request.body)
    assert message["type"] == "alarm.raised"
    assert message["data"]["alarm"]["machine_id"] == "M0"
    assert message["data"]["title"] == "M0: bearing, raised, warning"
    assert message["data"]["url"] == "https://vtox.example/machines/M0"


@on_each_database
def test_a_receiver_that_was_down_gets_each_alarm_once(new_notifier: New, client: Client) -> None:
    with receiving(started=False) as receiver:
        notifier = new_notifier(rules_of({"hook": hook(receiver)}))
        with running(notifier):
            expected = raise_alarms(client, MANY)
            # A minute at the default of 5 s and twice as much each time; here 1.2 s from 0.05 s.
            eventually(lambda: state(notifier).failures >= 5)
            expected += raise_alarms(client, MANY, MANY)
            receiver.start()
            eventually(lambda: len(set(receiver.taken)) == 2 * MANY)
            eventually(lambda: settled(notifier))
        assert sorted(receiver.taken) == sorted(expected)
        assert state(notifier).failures == 0


REFUSALS: dict[str, Any] = {
    "500": lambda _: (500, {}),
    "429": lambda _: (429, {"retry-after": "1"}),
    "503 until a date": lambda _: (
        503,
        {"retry-after": format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)},
    ),
    "hangs": lambda _: "hang",
    "drips": lambda _: "drip",
    "dies": lambda _: "die",
    "401": lambda _: (401, {}),
    "422": lambda _: (422, {}),
}


@pytest.mark.parametrize("how", REFUSALS)
def test_what_is_refused_for_a_while_arrives_once(
    new_notifier: New, client: Client, receiver: Receiver, how: str
) -> None:
    def answer(request: Request) -> Any:
        return REFUSALS[how](request) if len(receiver.requests) <= 2 else (200, {})

    receiver.answer = answer
    timeout_s = 0.5 if how in ("hangs", "drips") else 20
    notifier = new_notifier(rules_of({"hook": hook(receiver, timeout_s=timeout_s)}))
    expected = raise_alarms(client, 3)
    with running(notifier):
        eventually(lambda: len(set(receiver.taken)) == 3)
        eventually(lambda: settled(notifier))
    # One that is slow to answer may be asked again, by the same id.
    twice = how in ("hangs", "drips")
    assert sorted(set(receiver.taken) if twice else receiver.taken) == sorted(expected)
    attempts = [r.t for r in receiver.requests]
    if "retry-after" in str(REFUSALS[how](receiver.requests[0])):
        assert attempts[1] - attempts[0] >= 0.8 if how == "429" else attempts[2] > attempts[0]


def test_redirects_are_not_followed(new_notifier: New, client: Client, receiver: Receiver) -> None:
    with receiving() as other:
        receiver.answer = lambda _: (307, {"location": other.url})
        notifier = new_notifier(rules_of({"hook": hook(receiver)}))
        raise_alarms(client, 1)
        with running(notifier):
            eventually(lambda: state(notifier).failures >= 2)
        assert (state(notifier).problem, other.requests) == ("redirect_refused 307", [])


def test_one_target_that_fails_holds_back_no_other(
    new_notifier: New, client: Client, receiver: Receiver
) -> None:
    receiver.answer = lambda _: "hang"
    with receiving() as sound, receiving(started=False) as away:
        targets = {"bad": hook(receiver, timeout_s=0.5), "away": hook(away), "sound": hook(sound)}
        notifier = new_notifier(rules_of(targets))
        with running(notifier):
            expected = raise_alarms(client, MANY)
            eventually(lambda: len(sound.taken) == MANY)
            eventually(lambda: state(notifier, "bad").failures and state(notifier, "away").failures)
        assert sorted(sound.taken) == sorted(expected)
        assert (state(notifier, "bad").problem, state(notifier, "away").problem) == (
            "timeout",
            "cannot_connect",
        )


def test_a_message_that_is_refused_holds_back_no_other_alarm(
    new_notifier: New, client: Client, receiver: Receiver
) -> None:
    refused = []
    for status, first in ((422, 0), (500, 10)):
        # The one that was refused before is tried again meanwhile.
        refused.append(b'"M%d"' % first)
        receiver.answer = lambda r, s=status: (s if any(m in r.body for m in refused) else 200, {})
        before = len(receiver.taken)
        notifier = new_notifier(rules_of({"hook": hook(receiver)}))
        raise_alarms(client, 4, first)
        with running(notifier):
            eventually(lambda b=before: len(receiver.taken) == b + 3)


@on_each_database
def test_an_alarm_is_told_in_its_order(
    new_notifier: New, client: Client, receiver: Receiver
) -> None:
    receiver.answer = lambda _: (200, {}) if len(receiver.requests) > 2 else (422, {})
    notifier = new_notifier(rules_of({"hook": hook(receiver)}))
    add_alert(client, 5.0)
    add_alert(client, 6.0, "escalated")
    add_alert(client, 7.0, "cleared")
    with running(notifier):
        eventually(lambda: len(receiver.taken) == 3)
    told = [json.loads(r.body)["data"]["event"] for r in receiver.requests]
    assert told == ["raised"] * 3 + ["escalated", "cleared"]


@on_each_database
@pytest.mark.parametrize("status", [500, 410])
def test_what_is_given_up_is_a_dead_letter_and_can_be_sent_again(
    new_notifier: New, client: Client, settings: Settings, receiver: Receiver, status: int
) -> None:
    receiver.answer = lambda _: (status, {})
    soon = 0.3 / 86_400 if status == 500 else 3.0
    notifier = new_notifier(rules_of({"hook": hook(receiver, give_up_after_days=soon)}))
    (message_id,) = raise_alarms(client, 1)
    with running(notifier):
        eventually(lambda: state(notifier).dead == 1)
    (letter,) = outbox_figures.dead_letters(notifier.reader, "", 10)
    assert (letter.message_id, letter.error) == (message_id, f"http_status {status}")
    assert state(notifier).waiting == 0
    receiver.answer = lambda _: (200, {})
    again = new_notifier(notifier.rules)
    engine = engine_to_write(settings)
    assert outbox.revive(engine, "hook", round(1000 * time.time()), "waiting") == 1
    engine.dispose()
    with running(again):
        eventually(lambda: receiver.taken == [message_id])


def test_what_was_raised_before_the_first_notifier_is_not_sent(
    new_notifier: New, client: Client, receiver: Receiver
) -> None:
    raise_alarms(client, 3)
    notifier = new_notifier(rules_of({"hook": hook(receiver)}))
    expected = raise_alarms(client, 1, 7)
    with running(notifier):
        eventually(lambda: receiver.taken)
        eventually(lambda: settled(notifier))
    assert receiver.taken == expected


@on_each_database
def test_what_comes_while_no_notifier_runs_is_sent_later(
    new_notifier: New, client: Client, receiver: Receiver
) -> None:
    rules = rules_of({"hook": hook(receiver)})
    new_notifier(rules)
    expected = raise_alarms(client, MANY)
    with running(new_notifier(rules)):
        eventually(lambda: len(receiver.taken) == MANY)
    with running(new_notifier(rules)):
        expected += raise_alarms(client, 1, MANY)
        eventually(lambda: len(receiver.taken) == MANY + 1)
    assert sorted(receiver.taken) == sorted(expected)


def test_a_deleted_outbox_is_made_anew_and_loses_no_later_alarm(
    new_notifier: New, client: Client, receiver: Receiver, settings: Settings
) -> None:
    notifier = new_notifier(rules_of({"hook": hook(receiver)}))
    first = raise_alarms(client, 2)
    with running(notifier):
        eventually(lambda: len(receiver.taken) == 2)
        settings.history_file.unlink()
        later = raise_alarms(client, 2, first=2)
        eventually(lambda: len(receiver.taken) == 4)
    assert sorted(r.message_id for r in receiver.requests) == sorted(first + later)


def test_alarms_that_the_server_lost_and_has_again_arrive_once(
    new_notifier: New, client: Client, receiver: Receiver
) -> None:
    notifier = new_notifier(rules_of({"hook": hook(receiver)}))
    ids = raise_alarms(client, 3)
    with running(notifier):
        eventually(lambda: len(receiver.taken) == 3)
        client.delete(keys.ALERTS)  # as a server that lost its last second
        ids += raise_alarms(client, 4)[3:]
        eventually(lambda: len(receiver.taken) == 4)
    assert sorted(r.message_id for r in receiver.requests) == sorted(ids)
