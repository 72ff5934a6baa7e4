"""Bridge and workers next to those of another version: rows and tasks unknown to them."""

import orjson
import pytest

from tests.integration.helpers import add_window, bridging, counters, eventually
from tests.signals.phasor_motor import MOTOR
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.queues.task_queues import TaskQueues
from vtox.pipeline.store.ledger.ledger import Ledger
from vtox.pipeline.store.machines.machine_states import load_states
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.window_log import group_info
from vtox.pipeline.store.system.status import snapshot
from workers import batch, bearing
from workers.celery_signals import process

QUEUE = "bearing"


@pytest.fixture(autouse=True)
def worker(client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker process of this version."""
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    process.cache_clear()


def dispatched(client: Client, settings: Settings, windows: int = 8) -> list[str]:
    """Let a bridge dispatch records of 2 s; return their names."""
    for k in range(windows):
        add_window(client, seq=k)
    with bridging(settings):
        eventually(lambda: client.hlen(keys.ledger(QUEUE)) == windows // 2)
    return sorted(i.decode() for i in client.hkeys(keys.ledger(QUEUE)))


def change_row(client: Client, record_id: str, **fields: object) -> None:
    row = orjson.loads(client.hget(keys.ledger(QUEUE), record_id)) | fields
    client.hset(keys.ledger(QUEUE), record_id, orjson.dumps(row))


def dead_letters(client: Client) -> list[tuple[str, str, str]]:
    names = (b"family", b"seq", b"code")
    return [tuple(e[n].decode() for n in names) for _, e in client.xrange(keys.DEAD_LETTERS)]


def test_a_row_with_more_fields_or_of_the_version_before_is_diagnosed(
    client: Client, settings: Settings
) -> None:
    more, before, *_ = ids = dispatched(client, settings)
    change_row(client, more, quality=0.9)
    row = orjson.loads(client.hget(keys.ledger(QUEUE), before))
    del row["v"]
    client.hset(keys.ledger(QUEUE), before, orjson.dumps(row))
    assert batch.work(QUEUE, ids) == 4
    assert dead_letters(client) == []


def test_a_row_of_an_unknown_version_is_a_dead_letter_and_spares_its_neighbours(
    client: Client, settings: Settings
) -> None:
    first, *others = ids = dispatched(client, settings)
    change_row(client, first, v=2, ranges=[[0, 1]])
    assert batch.work(QUEUE, ids) == len(others)
    assert dead_letters(client) == [
        (QUEUE, "0", "unknown_version"),
        (QUEUE, "1", "unknown_version"),
    ]
    assert counters(client)["in_flight_windows:bearing"] == 0


def test_a_bridge_serves_on_beside_a_row_of_an_unknown_version(
    client: Client, settings: Settings
) -> None:
    hasty = load(redis_url=settings.redis_url, redispatch_after_s=0.3)
    first, *others = dispatched(client, settings)
    change_row(client, first, v=2)
    with bridging(hasty) as sent:
        eventually(lambda: dead_letters(client))
        eventually(lambda: {i for f, ids in sent if f == QUEUE for i in ids} == set(others))


@pytest.mark.parametrize("damage", [b"{", b"[]", b"7", b'{"v": 1, "machine_id": "V001"}'])
def test_the_windows_of_a_damaged_row_are_joined_again(
    client: Client, settings: Settings, damage: bytes
) -> None:
    first, *others = ids = dispatched(client, settings)
    client.hset(keys.ledger(QUEUE), first, damage)
    assert batch.work(QUEUE, ids) == len(others)
    assert counters(client)["in_flight_windows:bearing"] == 0
    with bridging(settings, lambda f, ids: f == QUEUE and batch.work(f, ids) and None):
        eventually(lambda: counters(client)["windows:bearing"] == 8)
    results = [e for _, e in client.xrange(keys.RESULTS) if e[b"fault"] == b"bearing"]
    assert sorted(e[b"first_seq"] for e in results) == [b"0", b"2", b"4", b"6"]
    assert dead_letters(client) == []


def test_a_damaged_row_that_was_started_too_often_does_not_stop_the_others(
    client: Client, settings: Settings
) -> None:
    first, *others = ids = dispatched(client, settings)
    client.hset(keys.ledger(QUEUE), first, b"{")
    client.hset(keys.attempts(QUEUE), first, 99)
    assert batch.work(QUEUE, ids) == len(others)
    assert not client.hlen(keys.ledger(QUEUE))


def test_a_task_with_more_arguments_is_executed_and_one_of_an_unknown_version_refused(
    client: Client, settings: Settings
) -> None:
    first, *others = dispatched(client, settings)
    assert bearing.bearing(others, "later", priority=1) == len(others)
    assert bearing.bearing([first], v=2) == 0
    assert [code for _, _, code in dead_letters(client)] == ["unknown_version"] * 2


def test_a_foreign_message_in_a_queue_does_not_stop_the_bridge(
    client: Client, settings: Settings
) -> None:
    for message in (b"x", b"{}", b'{"body": "e30="}', b'{"body": 7}', b'{"body": "W1s3XV0="}'):
        client.lpush(keys.CELERY_PREFIX + QUEUE, message)
    assert TaskQueues().waiting_tasks(QUEUE) is None
    assert Ledger(client, settings).overdue(QUEUE, 0, [[], []]) == {}


def test_what_another_version_keeps_of_a_machine_is_read_as_far_as_it_is_known(
    client: Client, settings: Settings
) -> None:
    register(client, "V001", MOTOR)
    name = keys.machine("V001")
    motor = orjson.loads(client.hget(name, "motor")) | {"frame_size": 132}
    client.hset(name, "motor", orjson.dumps(motor))
    assert load_states(client, ["V001"])[0].motor == MOTOR
    for memory in (b"{", b"[]", b'{"faults": {"bearing": 7}}', b'{"last_published": 3}'):
        client.hset(name, "memory", memory)
        assert load_states(client, ["V001"])[0].history.faults == {}
    for field, damaged in (("motor", b"{"), ("learning", b"{"), ("baseline", b"{")):
        client.hset(name, field, damaged)
    client.hset(keys.known_windows("V001"), "a|1|2||5", "7-0")
    client.sadd(keys.WORKERS, "other")
    client.hset(keys.worker("other"), mapping={"last_seen_t": 1, "load": 3})
    assert snapshot(client).workers == ()
    assert batch.work(QUEUE, dispatched(client, settings)) == 4
    assert group_info(client, keys.RAW).pending == 8
