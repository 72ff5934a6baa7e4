"""The metrics of the notifier: by target, and none without a target."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.conftest import serving
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.ledger.heartbeats import NotifierHeartbeat, TargetState
from vtox.pipeline.store.server.client import Client, server_time


def figures(http: httpx.Client) -> dict[tuple[str, str], float]:
    text = http.get("/metrics").raise_for_status().text
    found = (s for family in text_string_to_metric_families(text) for s in family.samples)
    return {
        (s.name, s.labels.get("target", "")): s.value
        for s in found
        if s.name.startswith("vtox_not")
    }


def test_metrics_have_what_waits_fails_and_was_given_up(settings: Settings, client: Client) -> None:
    with serving(settings) as http:
        assert figures(http) == {}
    now = server_time(client)
    state = TargetState(
        waiting=2, held=3, dead=4, delivered=5, failures=6, problem="timeout", oldest_t=now - 100
    )
    beat = NotifierHeartbeat(pid=1, host="h", last_seen_t=now, targets={"cmms": state})
    heartbeats.send(client, beat)
    with serving(settings) as http:
        found = figures(http)
    assert found.pop(("vtox_notifier_age_seconds", "")) < 30
    assert 100 <= found.pop(("vtox_notify_oldest_seconds", "cmms")) < 130
    assert found == {
        ("vtox_notify_waiting_messages", "cmms"): 2,
        ("vtox_notify_held_messages", "cmms"): 3,
        ("vtox_notify_dead_messages", "cmms"): 4,
        ("vtox_notify_failures", "cmms"): 6,
        ("vtox_notify_delivered_total", "cmms"): 5,
    }
    client.hset("vtox:notifier", "targets", "{")
    assert heartbeats.notifier(client).targets == {}
