"""The snapshot and the sources of throughput on the real server."""

import json
import os
import socket
import time
from dataclasses import replace

import pytest

from api.shapes.metrics import exposition
from tests.integration.helpers import bridging, eventually
from vtox.cli.shared.status_table import broker_line, scaling_line
from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.monitoring.readiness import checks
from vtox.pipeline.monitoring.throughput import Reading, Sampler, throughput
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.ledger.backlog import oldest_records_s, report_waiting
from vtox.pipeline.store.ledger.heartbeats import HostScaling
from vtox.pipeline.store.ledger.task_queues import forget_broker, write_broker
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.server.partition_table import set_number
from vtox.pipeline.store.stream.window_log import group_info
from vtox.pipeline.store.system.status import read_group, snapshot
from vtox.pipeline.windows.partitions import Partition


def store_heartbeat(client: Client, name: str, queues: str, **more: float) -> None:
    now = time.time()
    fields = {
        "name": name,
        "host": "h",
        "pid": 7,
        "queues": json.dumps(queues.split(",")),
        "last_seen_t": now,
    }
    client.hset(keys.worker(name), mapping={**fields, "windows_per_s": 12.5, **more})
    client.sadd(keys.WORKERS, name)


def test_an_empty_server_is_all_zeros(client: Client) -> None:
    snap = snapshot(client)
    assert snap.group is None
    assert set(snap.lengths.values()) == {0}
    assert snap.workers == ()
    assert snap.backlog == 0
    assert snap.server is not None
    assert snap.server.product == "valkey"
    assert abs(snap.t - time.time()) < 5


def test_windows_before_the_first_start_are_backlog(client: Client) -> None:
    client.xadd(keys.RAW, {"a": 1})
    assert snapshot(client).backlog == 1


def test_the_group_tells_lag_pending_and_finished(client: Client) -> None:
    client.xgroup_create(keys.RAW, keys.GROUP, id="0", mkstream=True)
    group = snapshot(client).group
    assert group is not None
    assert group == group_info(client, keys.RAW), "the group has one reader"
    assert (group.finished, group.lag) == (0, 0)
    for _ in range(5):
        client.xadd(keys.RAW, {"a": 1})
    ((_, entries),) = client.xreadgroup(keys.GROUP, "c", {keys.RAW: ">"}, count=3)
    client.xack(keys.RAW, keys.GROUP, entries[0][0])
    snap = snapshot(client)
    assert snap.group is not None
    assert (snap.group.lag, snap.group.pending, snap.group.finished) == (2, 2, 1)
    assert snap.backlog == 4


def test_what_the_server_cannot_tell_is_none(client: Client) -> None:
    client.xgroup_create(keys.RAW, keys.GROUP, id="0", mkstream=True)
    ids = [client.xadd(keys.RAW, {"a": 1}) for _ in range(3)]
    client.xreadgroup(keys.GROUP, "c", {keys.RAW: ">"}, count=1)
    client.xdel(keys.RAW, ids[2])
    snap = snapshot(client)
    assert snap.group is not None
    assert snap.group.lag is None
    assert snap.backlog is None


def test_queues_count_tasks_windows_and_workers(client: Client) -> None:
    client.lpush(keys.CELERY_PREFIX + "bearing", "task", "task")
    client.hset(
        keys.COUNTERS,
        mapping={
            "in_flight_windows:bearing": 9,
            "windows:bearing": 70,
            "records:bearing": 7,
            "dead:bearing": 2,
        },
    )
    store_heartbeat(client, "a@h", "bearing,turn_short")
    queues = snapshot(client).queues
    q = queues["bearing"]
    assert (q.waiting, q.in_flight, q.done, q.records_done, q.dead, q.workers) == (
        2,
        9,
        70,
        7,
        2,
        1,
    )
    assert queues["broken_bar"].workers == 0


def test_lengths_of_another_broker_are_those_that_the_bridge_counted(client: Client) -> None:
    client.lpush(keys.CELERY_PREFIX + "bearing", "left by an earlier broker")
    write_broker(client, "amqp://rabbit:5672", "", dict.fromkeys(FAMILIES, 3))
    snap = snapshot(client)
    assert {q.waiting for q in snap.queues.values()} == {3}
    assert [c.status for c in checks(snap) if c.name == "broker"] == ["pass"]
    client.hset(keys.BROKER, "t", snap.t - 60)
    assert_unknown(client, "no bridge has counted for 60 s")
    write_broker(client, "amqp://rabbit:5672", "amqp://rabbit:5672: Connection refused", {})
    assert_unknown(client, "amqp://rabbit:5672: Connection refused")
    forget_broker(client)
    assert snapshot(client).queues["bearing"].waiting == 1


def test_a_queue_that_takes_no_tasks_leaves_the_lengths_of_the_others(client: Client) -> None:
    write_broker(client, "amqp://rabbit:5672", "queue broken_bar: timed out", {"bearing": 3})
    snap = snapshot(client)
    assert {name: q.waiting for name, q in snap.queues.items()} == {
        "turn_short": None,
        "bearing": 3,
        "broken_bar": None,
    }
    assert [c.status for c in checks(snap) if c.name == "broker"] == ["fail"]


def assert_unknown(client: Client, reason: str) -> None:
    snap = snapshot(client)
    assert {q.waiting for q in snap.queues.values()} == {None}
    (check,) = (c for c in checks(snap) if c.name == "broker")
    assert (check.status, reason in check.observed) == ("fail", True)
    assert f"lengths of queues unknown: {reason}" in broker_line(snap)
    text = exposition(snap, throughput(snap, [])).decode()
    assert 'vtox_queue_workers{queue="bearing"}' in text
    assert "vtox_queue_waiting_tasks{" not in text


def test_a_heartbeat_that_ran_out_is_no_worker(client: Client) -> None:
    client.sadd(keys.WORKERS, "gone@h")
    client.hincrby(keys.worker("counted-once-more@h"), "tasks_done", 1)
    client.sadd(keys.WORKERS, "counted-once-more@h")
    store_heartbeat(client, "here@h", "bearing")
    assert [w.name for w in snapshot(client).workers] == ["here@h"]


def test_readiness_names_what_is_missing_and_the_remedy(client: Client) -> None:
    failed = {c.name: c.remedy for c in checks(snapshot(client)) if c.status == "fail"}
    assert set(failed) == {"group", "bridge", *(f"workers:{f}" for f in FAMILIES)}
    assert failed["workers:bearing"].endswith("`celery -A vtox worker -Q bearing`.")


def test_readiness_passes_with_everything_there(client: Client) -> None:
    client.xgroup_create(keys.RAW, keys.GROUP, id="0", mkstream=True)
    client.set(keys.LEASE, "token", px=5000)
    store_heartbeat(client, "all@h", ",".join(FAMILIES))
    assert {c.status for c in checks(snapshot(client))} == {"pass"}


def test_a_bridge_that_went_silent_is_named_and_one_that_left_is_not(
    client: Client, settings: Settings
) -> None:
    with bridging(settings):
        eventually(lambda: snapshot(client).bridge_alive)
        silent = replace(snapshot(client), bridge_alive=False)
    (found,) = (c for c in checks(silent) if c.name == "bridge")
    assert f"(pid {os.getpid()} on host {socket.gethostname()}) has not reported" in found.observed
    assert f"kill -9 {os.getpid()}" in found.remedy
    forgotten = replace(silent, t=silent.t + 3600)
    for snap in (forgotten, snapshot(client)):
        (found,) = (c for c in checks(snap) if c.name == "bridge")
        assert found.observed == "no bridge runs"


def test_metrics_come_first_and_carry_their_age(client: Client) -> None:
    entry = {"t": time.time() - 4, "interval_s": 10, "throughput": 49.8, "latency_p50_ms": ""}
    client.xadd(keys.METRICS, entry)
    store_heartbeat(client, "a@h", ",".join(FAMILIES))
    snap = snapshot(client)
    found = throughput(snap, [])
    assert (found.windows_per_s, found.source) == (49.8, "performance_metrics")
    assert found.age_s is not None
    assert 3.9 < found.age_s < 30
    assert snap.metrics[0].latency_p50_ms is None


def test_then_the_activity_of_the_stream(client: Client) -> None:
    client.xadd(keys.METRICS, {"t": time.time() - 60, "interval_s": 10, "throughput": 49.8})
    client.xgroup_create(keys.RAW, keys.GROUP, id="0", mkstream=True)
    before = read_group(client)[0] - 5
    for _ in range(10):
        client.xadd(keys.RAW, {"a": 1})
    ((_, entries),) = client.xreadgroup(keys.GROUP, "c", {keys.RAW: ">"})
    client.xack(keys.RAW, keys.GROUP, *(i for i, _ in entries))
    sampler = Sampler()
    sampler.take(client)
    readings = [Reading(before, 0, 0), *sampler.readings()]
    found = throughput(snapshot(client), readings)
    assert found.source == "stream_activity"
    assert found.windows_per_s is not None
    (now,) = sampler.readings()
    assert found.windows_per_s == pytest.approx(10 / (now.t - before), rel=0.01)


def test_then_the_workers_then_nothing(client: Client) -> None:
    store_heartbeat(client, "a@h", ",".join(FAMILIES), windows_per_s=36.0)
    found = throughput(snapshot(client), [])
    assert (found.windows_per_s, found.source) == (12.0, "workers")
    client.delete(keys.worker("a@h"))
    found = throughput(snapshot(client), [])
    assert found.windows_per_s is None
    assert json.dumps(found.reason)


def test_the_age_of_the_oldest_record_is_that_of_its_dispatch_or_arrival(client: Client) -> None:
    now = server_time(client)
    client.zadd(keys.due("bearing"), {"never sent": 0, "old": now - 30, "new": now - 1})
    client.set(keys.LEASE, "token")
    report_waiting(client, {"broken_bar": now - 7, "turn_short": None})
    ages = oldest_records_s(client)
    assert ages["bearing"] == pytest.approx(30, abs=1)
    assert ages["broken_bar"] == pytest.approx(7, abs=1)
    assert ages["turn_short"] == 0.0
    client.delete(keys.LEASE)
    assert oldest_records_s(client)["broken_bar"] == 0.0, "of a bridge that is gone"
    set_number(client, 2)
    client.zadd(Partition(1).due("turn_short"), {"of the other partition": now - 50})
    assert oldest_records_s(client)["turn_short"] == pytest.approx(50, abs=1)


def test_a_host_says_how_many_workers_it_has_and_why(client: Client) -> None:
    t = server_time(client)
    report = HostScaling(
        host="b",
        pid=1,
        last_seen_t=t,
        workers=3,
        least=1,
        most=6,
        code="records_wait",
        values={"family": "bearing", "age_s": 9.0},
        change=1,
        changed_t=t - 20,
    )
    heartbeats.send(client, report)
    client.hset(keys.SCALING, "damaged", "{")
    client.hset(keys.SCALING, "later", '{"host": "c", "last_seen_t": 1}')
    (found,) = snapshot(client).scaling
    assert found == report
    assert scaling_line(found, t) == (
        "b: 3 of 1 to 6 workers, one more 20 s ago; the oldest record of bearing has waited for 9 s"
    )
    heartbeats.send(client, replace(report, last_seen_t=t - 120))
    assert snapshot(client).scaling == ()
