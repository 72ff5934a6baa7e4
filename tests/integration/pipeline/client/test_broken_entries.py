"""A reader skips unreadable entries, and yields those behind them."""

import pytest

from tests.broken_entries import broken
from tests.integration.reporting.history.test_broken_entries import GOOD
from vtox.pipeline.client.reader import Reader
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client, server_time


@pytest.mark.parametrize("stream", [keys.RESULTS, keys.ALERTS])
def test_no_entry_ends_a_reader(client: Client, stream: str) -> None:
    GOOD[stream](client, server_time(client))
    ((_, good),) = client.xrange(stream)
    for fields in broken(good):
        client.xadd(stream, fields)
    last = GOOD[stream](client, server_time(client))
    with Reader(client) as reader:
        read = reader.results if stream == keys.RESULTS else reader.alerts
        items = [item for item in read(after="0-0", quiet_s=0.1)]
    assert items[-1].id == last
    assert len(items) > 300
