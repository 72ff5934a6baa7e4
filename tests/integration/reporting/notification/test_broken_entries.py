"""The notifier skips unreadable entries, and reports those behind them."""

from collections.abc import Callable

import pytest

from tests.broken_entries import broken
from tests.integration.reporting.history.test_broken_entries import GOOD
from tests.integration.reporting.notification.conftest import hook, rules_of
from tests.integration.reporting.notification.receiver import Receiver
from tests.integration.reporting.notification.test_delivery import running
from tests.waiting import eventually
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client, server_time
from vtox.reporting.notification import outbox_digests
from vtox.reporting.notification.notifier import Notifier
from vtox.reporting.notification.rules import Rules

pytestmark = pytest.mark.long


@pytest.mark.parametrize("stream", [keys.ALERTS, keys.ALARM_ACTIONS])
def test_no_entry_of_a_stream_stops_the_notifier(
    new_notifier: Callable[[Rules], Notifier], client: Client, receiver: Receiver, stream: str
) -> None:
    events = ["raised", "cleared", "commented"]
    rules = rules_of(
        {"hook": hook(receiver, language="zh")},
        {"targets": ["hook"], "machines": ["LAST"], "events": events},
        {"targets": ["hook"], "events": events, "digest": "00:00"},
    )
    notifier = new_notifier(rules)
    now = server_time(client)
    GOOD[stream](client, now)
    ((_, good),) = client.xrange(stream)
    for fields in broken(good):
        client.xadd(stream, fields)
    client.xadd(stream, good | {b"machine_id": b"LAST"})
    with running(notifier):
        eventually(lambda: receiver.taken, detail=lambda: notifier.problem)
    assert notifier.problem == ""
    assert (
        len(
            outbox_digests.gathered(
                notifier.reader, "hook", outbox_digests.due_digests(notifier.reader, 1 << 60)[0][1]
            )
        )
        > 100
    )
