"""The service shows the readable entries of each stream, and goes on sampling."""

import httpx
import pytest

from api.state import backend
from api.state.server import Server
from tests.broken_entries import broken
from tests.integration.reporting.history.entries import add_alert
from tests.integration.reporting.history.test_broken_entries import GOOD
from tests.waiting import eventually
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms.alarm_book import advance
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client, server_time

pytestmark = pytest.mark.long

PAGES = {
    keys.RESULTS: ["/machines/M1/diagnoses"],
    keys.ASSESSMENTS: ["/machines"],
    keys.METRICS: ["/cluster/status"],
    keys.ALERTS: ["/alerts", "/alarms", "/alerts/open", "/cluster/status"],
    keys.ALARM_ACTIONS: ["/alarms", "/alarms/M1:bearing:1"],
    keys.DEAD_LETTERS: ["/dead-letters"],
    keys.EVIDENCE: ["/machines/M1/evidence"],
}


def items(http: httpx.Client, address: str) -> int:
    """Read a list to its end; return how many items it has."""
    count, following = 0, f"/api/v1{address}"
    while following:
        page = http.get(following).raise_for_status().json()
        count, following = count + len(page["data"]), page.get("next")
    return count


@pytest.mark.parametrize("stream", GOOD)
def test_no_entry_of_a_stream_hides_others(http: httpx.Client, client: Client, stream: str) -> None:
    advance(client)
    machines.register(client, "M1", Motor())
    now = server_time(client)
    if stream == keys.ALARM_ACTIONS:
        add_alert(client, now)
    GOOD[stream](client, now)
    ((_, good),) = client.xrange(stream)
    sound = [items(http, page) for page in PAGES[stream]]
    for n, fields in enumerate(broken(good)):
        client.xadd(stream, fields)
        if stream == keys.ALERTS:
            client.xadd(stream, fields | {b"id": b"M1:bearing:%d" % (n + 2)})
    GOOD[stream](client, now)
    for page, before in zip(PAGES[stream], sound, strict=True):
        assert items(http, page) >= before
    assert http.get("/metrics").status_code == 200


def test_the_sampler_goes_on_after_whatever_it_meets(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def fail(_: Server) -> None:
        calls.append(1)
        raise RecursionError

    monkeypatch.setattr(Server, "sample", fail)
    monkeypatch.setattr(backend, "READING_EVERY_S", 0.01)
    with backend.Backend(settings):
        eventually(lambda: len(calls) > 2)
