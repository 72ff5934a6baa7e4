"""The alarm book skips unreadable alerts, and follows those behind them."""

import pytest

from tests.broken_entries import broken
from tests.integration.reporting.history.test_broken_entries import GOOD
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.alarms.alarm_book import KeptBook, advance
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.stream.outputs import newest_id


@pytest.mark.long
def test_no_alert_stops_the_alarm_book(client: Client) -> None:
    advance(client)
    GOOD[keys.ALERTS](client, server_time(client))
    ((_, good),) = client.xrange(keys.ALERTS)
    for i, fields in enumerate(broken(good)):
        own = {b"id": b"M1:bearing:%d" % (i + 2)}
        client.xadd(keys.ALERTS, fields | own)
        client.xadd(keys.ALERTS, fields)
        client.xadd(keys.ALERTS, fields | {b"event": b"escalated", b"level": b"fault"} | own)
    client.xadd(keys.ALERTS, good | {b"machine_id": b"LAST", b"id": b"LAST:bearing:1"})
    unkept = KeptBook().read(client, keep=False)[0]
    for book in (unkept, advance(client), KeptBook().read(client)[0]):
        assert book.alarms["LAST:bearing:1"].active
    assert client.hget(keys.ALARM_BOOK, "#position").decode() == newest_id(client, keys.ALERTS)
