"""Runs of senders that restart, over restarts of the bridge."""

import orjson

from tests.integration.helpers import T0, add_window, bridging, eventually
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.server.client import Client

FAMILIES = ("turn_short", "broken_bar")


def records(client: Client, family: str) -> list[tuple[str, int]]:
    rows = map(orjson.loads, client.hvals(keys.ledger(family)))
    return [(r["run"], seq) for r in rows for seq in range(r["first_seq"], r["last_seq"] + 1)]


def test_machine_run_and_seq_name_a_window_once_over_restarts_of_sender_and_bridge(
    client: Client, settings: Settings
) -> None:
    for restart in range(3):
        for seq in range(4):
            add_window(client, seq=seq, t0=T0 + 100 * restart + seq)
    with bridging(settings):
        eventually(lambda: len(records(client, "turn_short")) == 12)
    with bridging(settings):
        eventually(lambda: len(records(client, "broken_bar")) == 12)
    expected = {(run, seq) for run in ("", "#1", "#2") for seq in range(4)}
    for family in FAMILIES:
        assert sorted(records(client, family)) == sorted(expected)
