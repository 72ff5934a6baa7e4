"""The bridge on a real server: how it dispatches, refuses, remembers and rebuilds."""

import time
from itertools import pairwise
from threading import Event, Thread
from typing import Any

import psutil
import pytest

from tests.cluster import free_ports
from tests.integration.helpers import T0, add_window, bridging, counters, eventually
from vtox.motor.faults import FAMILIES
from vtox.pipeline.bridge import lease, loop
from vtox.pipeline.bridge.gathering import MAX_GATHERING_S, READ_EVERY_S
from vtox.pipeline.bridge.loop import Bridge
from vtox.pipeline.cluster.ports import responds
from vtox.pipeline.cluster.probe_server import serve
from vtox.pipeline.cluster.scaling import CALM_S
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.queues.task_queues import TaskQueues
from vtox.pipeline.store.ledger.backlog import oldest_records_s
from vtox.pipeline.store.ledger.retention import ServerMemory
from vtox.pipeline.store.machines.machines import last_arrivals
from vtox.pipeline.store.server.client import Client, server_time_ms
from vtox.pipeline.store.stream.window_log import create_group, group_info


def families(sent: list[tuple[str, list[str]]]) -> dict[str, int]:
    """Number of records dispatched per family."""
    count = dict.fromkeys(FAMILIES, 0)
    for family, ids in list(sent):
        count[family] += len(ids)
    return count


def test_windows_sent_before_the_first_start_are_dispatched(
    client: Client, settings: Settings
) -> None:
    for k in range(25):
        add_window(client, seq=k)
    with bridging(settings) as sent:
        eventually(lambda: families(sent)["turn_short"] == 25 and families(sent)["broken_bar"] >= 1)
    assert families(sent)["turn_short"] == 25
    assert counters(client)["windows_in"] == 25
    assert group_info(client, keys.RAW).pending == 25, "nothing is acknowledged on dispatch"


def test_a_record_that_waited_for_silence_is_no_backlog(client: Client, settings: Settings) -> None:
    """The machine pauses, as senders of snapshots do."""
    now, silence_s = 0.0, 3.5
    bridge = Bridge(client, settings, lambda *_: None, clock=lambda: now)
    assert bridge.take_over()
    add_window(client, entry_id=f"{server_time_ms(client) - round(1000 * silence_s)}-0")
    bridge.serve_once()
    now += silence_s
    bridge.serve_once()
    assert bridge.dispatcher.ready["broken_bar"], "its batch may still fill"
    assert max(oldest_records_s(client).values()) < CALM_S
    bridge.release()


def test_duplicates_count_once(client: Client, settings: Settings) -> None:
    for k in (0, 1, 1, 0, 2, 2, 2):
        add_window(client, seq=k)
    with bridging(settings) as sent:
        eventually(lambda: counters(client).get("windows_duplicate") == 4)
        eventually(lambda: families(sent)["turn_short"] == 3)
    with bridging(settings):
        add_window(client, seq=1)
        eventually(lambda: counters(client)["windows_duplicate"] == 5)
    assert counters(client)["windows_in"] == 3


def test_a_sender_that_begins_anew_is_a_new_run_and_reported(
    client: Client, settings: Settings
) -> None:
    for k in range(3):
        add_window(client, seq=k)
    for k in range(3):
        add_window(client, seq=k, t0=T0 + 100 + k)
    with bridging(settings) as sent:
        eventually(lambda: families(sent)["turn_short"] == 6)
    assert counters(client)["windows_in"] == 6
    assert counters(client)["senders_restarted"] == 1


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("missing_field", {"machine_id": None}),
        ("bad_rate", {"fs_hz": 1e12}),
        ("bad_length", {"ia": b"\x00" * 3}),
        ("not_finite", {"dtype": "json", "ia": "[NaN, 1]"}),
        ("bad_version", {"v": 99}),
    ],
)
def test_malformed_entries_are_dead_letters_and_spare_their_neighbours(
    client: Client, settings: Settings, code: str, changes: dict[str, object]
) -> None:
    add_window(client, seq=0)
    bad = add_window(client, seq=1, **changes)
    add_window(client, "V002", seq=0)
    with bridging(settings) as sent:
        eventually(lambda: families(sent)["turn_short"] == 2)
        letter = eventually(lambda: client.xrange(keys.DEAD_LETTERS))[0][1]
    assert letter[b"code"].decode() == code
    assert letter[b"stream_id"].decode() == bad
    assert letter[b"family"] == b""
    assert letter[b"reason"]
    assert letter[b"entry.fs_hz"]


def test_a_successor_rebuilds_open_records(client: Client, settings: Settings) -> None:
    for k in range(6):
        add_window(client, seq=k)
    with bridging(settings) as sent:
        eventually(lambda: families(sent)["turn_short"] == 6)
        assert families(sent)["broken_bar"] == 0
    for k in range(6, 25):
        add_window(client, seq=k)
    with bridging(settings) as sent:
        eventually(lambda: families(sent)["broken_bar"] >= 1 and families(sent)["turn_short"] == 19)
    row = client.hgetall(keys.ledger("broken_bar"))
    assert any(b'"first_seq":0,' in r for r in row.values()), "windows 0 to 5 are in it"


def test_what_idles_is_dispatched_again(client: Client, settings: Settings) -> None:
    hasty = load(redis_url=settings.redis_url, redispatch_after_s=0.5)
    add_window(client)
    with bridging(hasty) as sent:
        eventually(lambda: families(sent)["turn_short"] >= 2)
    assert counters(client)["records_redispatched"] >= 1
    assert len({i for family, ids in sent for i in ids if family == "turn_short"}) == 1


def test_the_tasks_of_a_family_without_workers_stay_bounded(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    hasty = load(redis_url=settings.redis_url, redispatch_after_s=0.2)
    queue = keys.CELERY_PREFIX + "bearing"
    for k in range(8):
        add_window(client, seq=k)
    queues = TaskQueues()
    with bridging(hasty, queues.send, queues.waiting_tasks) as sent:
        eventually(lambda: families(sent)["bearing"] == 4)
        time.sleep(2.5)
        assert families(sent)["bearing"] == 4, "each was sent once"
        client.delete(queue)
        eventually(lambda: client.llen(queue))


def test_in_flight_is_bounded(client: Client, settings: Settings) -> None:
    narrow = load(redis_url=settings.redis_url, in_flight_windows=8)
    for k in range(600):
        add_window(client, seq=k)
    with bridging(narrow) as sent:
        eventually(lambda: families(sent)["turn_short"] > 0)
        eventually(lambda: counters(client).get("in_flight_windows:turn_short", 0) >= 8)
        info = group_info(client, keys.RAW)
    assert info.lag
    assert counters(client)["in_flight_windows:turn_short"] == 8


def test_batches_fill_up_while_the_workers_are_busy(client: Client, settings: Settings) -> None:
    small = load(redis_url=settings.redis_url, batch_windows=4, batch_wait_ms=1)
    with bridging(small) as sent:
        for k in range(30):
            add_window(client, seq=k)
            time.sleep(0.02)
        eventually(lambda: families(sent)["turn_short"] > 30 - 4)
        sizes = [len(ids) for family, ids in sent if family == "turn_short"]
    busy = next(k for k in range(len(sizes)) if sum(sizes[:k]) >= 2 * 4)
    assert len(sizes[busy:]) >= 4
    assert set(sizes[busy:]) == {4}, "nobody works, so nobody waits for less"


def test_a_full_batch_waits_for_no_other_window(client: Client, settings: Settings) -> None:
    small = load(redis_url=settings.redis_url, batch_windows=4)
    with bridging(small) as sent:
        for first, end in ((0, 8), (8, 12)):
            for k in range(first, end):
                add_window(client, seq=k)
            eventually(lambda end=end: families(sent)["turn_short"] == end)


def test_while_a_batch_fills_windows_are_read_some_at_a_time(
    client: Client, settings: Settings
) -> None:
    patient = load(redis_url=settings.redis_url, batch_wait_ms=400)
    with bridging(patient) as sent:
        began, before = time.monotonic(), _reads(client)
        for k in range(100):
            add_window(client, seq=k)
            time.sleep(max(0.0, began + 0.004 * (k + 1) - time.monotonic()))
        took = time.monotonic() - began
        assert _reads(client) - before < 3 + took / READ_EVERY_S
        eventually(lambda: families(sent)["turn_short"] == 100)


def test_on_a_busy_host_a_batch_gathers_longer(client: Client, settings: Settings) -> None:
    now, sent = 0.0, list[str]()
    bridge = Bridge(client, settings, lambda family, ids: sent.extend(ids), clock=lambda: now)
    assert bridge.take_over()
    add_window(client, seq=0)
    bridge.serve_once()
    bridge.let_gather(0.9)
    for now in (0.05, MAX_GATHERING_S - 0.01):
        bridge.serve_once()
        assert not sent
        assert bridge.pause_s == pytest.approx(min(8 * READ_EVERY_S, MAX_GATHERING_S - now))
    now = MAX_GATHERING_S + 0.01
    bridge.serve_once()
    assert len(sent) == 1
    bridge.release()


def test_the_bridge_asks_how_busy_its_host_is_and_does_without_an_answer(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[float | OSError] = [0.0, 90.0, FileNotFoundError("/proc/stat"), OSError(), 60.0]

    def cpu_percent(percpu: bool) -> list[float]:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return [answer]

    monkeypatch.setattr(psutil, "cpu_percent", cpu_percent)
    now = 0.0
    bridge = Bridge(client, settings, lambda family, ids: None, clock=lambda: now)
    assert bridge.take_over()
    pauses_s = []
    while answers:
        bridge.serve_once()
        pauses_s.append(bridge.read_every_s)
        now += loop.MAINTENANCE_EVERY_S
    assert pauses_s == pytest.approx(
        [READ_EVERY_S, 8 * READ_EVERY_S, READ_EVERY_S, READ_EVERY_S, 0.076]
    )
    bridge.release()


def test_finished_windows_stay_when_the_bridge_takes_over_where_memory_is_short(
    client: Client, settings: Settings
) -> None:
    now_ms = int(1000 * time.time())
    create_group(client, keys.RAW)
    for k in range(40, 0, -1):
        client.xadd(keys.RAW, {"machine_id": "M"}, id=f"{now_ms - 1000 * k}-1")
    for _, entries in client.xreadgroup(keys.GROUP, "done", {keys.RAW: ">"}):
        client.xack(keys.RAW, keys.GROUP, *(entry_id for entry_id, _ in entries))
    now = 0.0
    bridge = Bridge(client, settings, lambda family, ids: None, clock=lambda: now)
    for _ in range(2):
        before = client.xlen(keys.RAW)
        assert bridge.take_over()
        now += 1
        bridge._make_room(ServerMemory(760, 1000))
        assert 20 < client.xlen(keys.RAW) < before
    bridge._make_room(ServerMemory(800, 1000))
    assert client.xlen(keys.RAW) <= 1
    bridge.release()


def _reads(client: Client) -> int:
    return int(client.info("commandstats")["cmdstat_xreadgroup"]["calls"])


def test_a_second_bridge_stands_by_and_takes_over(client: Client, settings: Settings) -> None:
    with bridging(settings) as first:
        add_window(client, seq=0)
        eventually(lambda: families(first)["turn_short"] == 1)
        with bridging(settings) as second:
            add_window(client, seq=1)
            eventually(lambda: families(first)["turn_short"] == 2)
            assert families(second)["turn_short"] == 0
    with bridging(settings) as third:
        add_window(client, seq=2)
        eventually(lambda: families(third)["turn_short"] == 1)


def test_a_clock_far_off_is_one_alert(client: Client, settings: Settings) -> None:
    for k in range(3):
        add_window(client, seq=k, t0=1000.0 + k)
    with bridging(settings) as sent:
        eventually(lambda: families(sent)["turn_short"] == 3)
    alerts = [e for _, e in client.xrange(keys.ALERTS)]
    assert [(a[b"fault"], a[b"event"], a[b"code"]) for a in alerts] == [
        (b"clock", b"raised", b"clock_off")
    ]
    with bridging(settings) as sent:
        add_window(client, seq=3, t0=1003.0)
        eventually(lambda: families(sent)["turn_short"] == 1)
    assert client.xlen(keys.ALERTS) == 1


def test_a_bridge_keeps_its_lease_while_one_iteration_takes_longer(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each send takes long, as on a slow disk."""
    now, renewed_t = 0.0, [0.0]
    life_s = lease.LEASE_LIFE_MS / 1000

    def slow_send(*_: object) -> None:
        nonlocal now
        now += life_s / 4

    small = load(redis_url=settings.redis_url, batch_windows=1)
    bridge = Bridge(client, small, slow_send, clock=lambda: now)
    renew = bridge.ledger.renew_lease

    def note_renewal(*args: Any) -> None:
        renewed_t.append(now)
        renew(*args)

    monkeypatch.setattr(bridge.ledger, "renew_lease", note_renewal)
    for k in range(8):
        add_window(client, seq=k)
    assert bridge.take_over()
    iterations = 0
    while now < 2 * life_s:  # the first reads are small; one that finds nothing waits
        assert (iterations := iterations + 1) <= 20
        bridge.serve_once()
    assert max(b - a for a, b in pairwise([*renewed_t, now])) < life_s
    assert client.get(keys.LEASE) == bridge.token.encode()
    bridge.release()


def test_a_bridge_keeps_its_lease_while_it_sends_what_a_lost_worker_had_started(
    client: Client, settings: Settings
) -> None:
    """Each record goes alone: the full tasks of four workers are a thousand."""
    now, sent, ages_s = 0.0, list[str](), list[float]()

    def slow_send(family: str, record_ids: list[str]) -> None:
        nonlocal now
        now += 0.1
        sent.extend(record_ids)
        ages_s.append(now - bridge.lease.renewed_t)

    bridge = Bridge(client, settings, slow_send, clock=lambda: now)
    for k in range(100):
        add_window(client, seq=k)
    assert bridge.take_over()
    while client.hlen(keys.ledger("turn_short")) < 100:
        now += 1.0
        bridge.serve_once()
    started = [i.decode() for i in client.hkeys(keys.ledger("turn_short"))]
    bridge.ledger.start("turn_short", started, "lost")
    bridge.ledger.report("turn_short", started, "lost", interrupted=False)
    sent.clear()
    bridge.dispatcher.redispatch()
    assert sorted(sent) == sorted(started)
    assert max(ages_s) < lease.LEASE_LIFE_MS / 1000
    bridge.release()


def test_after_the_server_s_clock_was_set_back_windows_arrive_now(
    client: Client, settings: Settings
) -> None:
    """The ids of the stream stay ahead of it for as long as it was wrong."""
    now = time.time()
    create_group(client, keys.RAW)
    client.xack(keys.RAW, keys.GROUP, client.xadd(keys.RAW, {"a": 1}, id=f"{int(now) + 3600}000-0"))
    client.xgroup_setid(keys.RAW, keys.GROUP, "$")
    with bridging(settings) as sent:
        for k in range(3):
            add_window(client, seq=k, t0=now + k - 3)
        eventually(lambda: families(sent)["turn_short"] == 3)
    assert client.xlen(keys.ALERTS) == 0, "no clock of a machine is off"
    assert last_arrivals(client)["V001"] == pytest.approx(now, abs=60)


def test_a_bridge_that_stands_still_says_so_to_those_who_ask(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "MAX_ITERATION_S", 1.5)
    stop, go_on = Event(), Event()
    bridge = Bridge(client, settings, lambda *_: go_on.wait(20) and None)
    (port,) = free_ports(1)
    serve("127.0.0.1", port, live=bridge.live)
    thread = Thread(target=bridge.run, args=(stop,))
    thread.start()
    try:
        address = f"http://127.0.0.1:{port}/health/live"
        time.sleep(2)
        eventually(lambda: responds(address))  # with nothing to do it still goes round
        add_window(client)
        eventually(lambda: not responds(address))
        go_on.set()
        eventually(lambda: responds(address))
    finally:
        go_on.set()
        stop.set()
        thread.join(timeout=30)
