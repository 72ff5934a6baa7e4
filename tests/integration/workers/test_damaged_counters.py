"""A count that another program wrote over leaves no commit half done, and begins again."""

from collections.abc import Iterator

import pytest

from tests.integration.helpers import add_window, bridging, eventually
from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.ledger import metrics
from vtox.pipeline.store.machines.fleet import FleetChanges, fleet_state
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.unreadable import Unreadable, note_skipped
from vtox.pipeline.store.system.status import snapshot
from workers import batch
from workers.celery_signals import process

FAMILY = "bearing"
MEASURED = ("t", "windows_in", "windows_done", "latency", "busy_s")
DAMAGED = (b"\xff", b"9" * 400)


@pytest.fixture
def record_ids(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[str]]:
    """A record in the ledger of each of six machines."""
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    process.cache_clear()
    add_records(client, settings, 0)
    yield open_records(client)
    process.cache_clear()


def add_records(client: Client, settings: Settings, first: int) -> None:
    """Bring one record of each of six machines into the ledger."""
    for seq in (first, first + 1):
        for n in range(6):
            add_window(client, f"V{n}", seq=seq)
    with bridging(settings):
        eventually(lambda: client.hlen(keys.ledger(FAMILY)) == 6)


def open_records(client: Client) -> list[str]:
    return sorted(i.decode() for i in client.hkeys(keys.ledger(FAMILY)))


def damage(client: Client, text: bytes) -> None:
    """Write over all counts of the hashes that a commit adds to."""
    workers = [keys.worker(name.decode()) for name in client.zrange(keys.WORKERS, 0, -1)]
    client.hset(keys.MONITOR, mapping=dict.fromkeys(MEASURED, text))
    client.hset(keys.UNREADABLE, "recorder", text)
    for name in (keys.FLEET, keys.COUNTERS, keys.LATENCY, *workers):
        fields = [f for f in client.hkeys(name) if f != b"epoch"]
        if fields:
            client.hset(name, mapping=dict.fromkeys(fields, text))


@pytest.mark.parametrize("text", DAMAGED, ids=["bytes", "long"])
def test_records_commit_once_over_damaged_counts(
    client: Client, settings: Settings, record_ids: list[str], text: bytes
) -> None:
    changes = FleetChanges(client)
    changes.take()
    assert batch.work(FAMILY, record_ids[:3]) == 3
    damage(client, text)
    assert batch.work(FAMILY, record_ids[3:]) == 3
    assert open_records(client) == []
    assert client.xlen(keys.RESULTS) == 6 * len(FAMILIES[FAMILY].faults)
    damage(client, text)
    add_records(client, settings, 2)
    assert batch.work(FAMILY, open_records(client)) == 6
    assert client.xlen(keys.RESULTS) == 12 * len(FAMILIES[FAMILY].faults)
    assert int(client.hget(keys.COUNTERS, f"records:{FAMILY}")) == 6
    damage(client, text)
    assert snapshot(client).queues[FAMILY].in_flight == 0
    assert metrics.read(client)[1] is None
    note_skipped(client, "recorder", keys.ALERTS, [(b"1-0", Unreadable("bad_json", "x"))])
    assert client.hget(keys.UNREADABLE, "recorder") == b"1"
    assert changes.take() is None or fleet_state(client, 60.0).change > 0


def test_a_change_after_a_damaged_number_is_seen(client: Client, record_ids: list[str]) -> None:
    changes = FleetChanges(client)
    fleet_state(client, 60.0)
    changes.take()
    client.hset(keys.FLEET, "change", "x")
    assert batch.work(FAMILY, record_ids) == 6
    found = changes.take()
    assert found is None or sorted(found) == [f"V{n}" for n in range(6)]
    client.hset(keys.FLEET, "change", "x")
    assert changes.take() is None, "all may be other ones"
