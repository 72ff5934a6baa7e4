"""The three sources of throughput and their order, on values alone."""

from dataclasses import replace
from typing import Any

import pytest

from vtox.motor.faults import FAMILIES
from vtox.pipeline.monitoring.throughput import (
    Reading,
    Sampler,
    arrivals_per_s,
    from_activity,
    from_metrics,
    from_workers,
    throughput,
)
from vtox.pipeline.store.ledger.heartbeats import Worker
from vtox.pipeline.store.stream.entries import Metrics
from vtox.pipeline.store.stream.window_log import ConsumerGroup
from vtox.pipeline.store.system.status import Snapshot

NOW = 1_764_000_000.0


def worker(*queues: str, rate: float | None, seen: float = NOW) -> Worker:
    return Worker(
        name="w@" + "-".join(queues),
        host="h",
        pid=1,
        port=None,
        queues=queues,
        cpu_percent=None,
        memory_bytes=None,
        tasks_done=0,
        windows_done=0,
        windows_per_s=rate,
        diagnosis_s=0.0,
        busy_s=0.0,
        started_t=None,
        last_seen_t=seen,
    )


def entry(**fields: float | None) -> Metrics:
    return replace(Metrics(t=NOW - 5, interval_s=10.0, throughput=50.0), **fields)


def snapshot(**fields: Any) -> Snapshot:
    empty: dict[str, Any] = {
        "t": NOW,
        "lengths": {},
        "group": None,
        "counters": {},
        "queues": {},
        "workers": (),
        "machines": 0,
        "bridge_alive": True,
        "bridge": None,
        "server": None,
        "metrics": (),
    }
    return Snapshot(**(empty | fields))


READINGS = [Reading(NOW - 13, 100, 120), Reading(NOW - 3, 400, 520)]
WORKERS = tuple(worker(f, rate=20.0) for f in FAMILIES)


def test_the_monitor_comes_first() -> None:
    found = throughput(snapshot(metrics=(entry(),), workers=WORKERS), READINGS)
    assert (found.windows_per_s, found.source, found.age_s) == (50.0, "performance_metrics", 5.0)
    assert found.reason == ""


def test_a_stale_monitor_gives_way_to_the_stream() -> None:
    old = entry(t=NOW - 31)
    found = throughput(snapshot(metrics=(old,), workers=WORKERS), READINGS)
    assert (found.windows_per_s, found.source, found.age_s) == (30.0, "stream_activity", 3.0)
    assert "stale" in found.reason


def test_workers_come_last() -> None:
    found = throughput(snapshot(workers=WORKERS), [])
    assert (found.windows_per_s, found.source) == (20.0, "workers")


def test_no_source_is_null_with_every_reason() -> None:
    found = throughput(snapshot(), [])
    assert (found.windows_per_s, found.source, found.age_s) == (None, None, None)
    assert "performance_metrics is empty" in found.reason
    assert "readings" in found.reason
    assert "no live worker" in found.reason


@pytest.mark.parametrize(("age", "fresh"), [(29.9, True), (30.1, False)])
def test_stale_after_three_intervals(age: float, fresh: bool) -> None:
    found = from_metrics((entry(t=NOW - age),), NOW)
    assert (found.windows_per_s is not None) is fresh


def test_an_entry_of_the_future_says_nothing() -> None:
    assert from_metrics((entry(t=NOW + 600),), NOW).windows_per_s is None
    assert from_metrics((entry(t=NOW - 900),), NOW).windows_per_s is None


@pytest.mark.parametrize("missing", ["throughput", "interval_s"])
def test_an_entry_without_the_figure_is_no_source(missing: str) -> None:
    assert missing in from_metrics((entry(**{missing: None}),), NOW).reason


def test_a_reading_alone_is_no_rate() -> None:
    assert from_activity(READINGS[:1], NOW).windows_per_s is None


def test_old_readings_are_no_rate() -> None:
    assert from_activity(READINGS, NOW + 10).windows_per_s is None


def test_arrivals_are_what_was_added() -> None:
    assert arrivals_per_s(READINGS) == 40.0
    assert arrivals_per_s([replace(r, arrived=None) for r in READINGS]) is None


def test_a_window_is_done_when_the_slowest_family_is() -> None:
    slow = worker("broken_bar", rate=7.0)
    found = from_workers([worker("turn_short", rate=20.0), worker("bearing", rate=19.0), slow], NOW)
    assert found.windows_per_s == 7.0


def test_workers_of_one_queue_add_up_and_shared_ones_share() -> None:
    two = [worker("bearing", rate=5.0), worker("bearing", rate=6.0)]
    found = from_workers([*two, worker("turn_short", "broken_bar", rate=24.0)], NOW)
    assert found.windows_per_s == 11.0


def test_a_family_without_a_worker_finishes_nothing() -> None:
    assert from_workers([worker("bearing", rate=5.0)], NOW).windows_per_s == 0.0


def test_a_silent_worker_is_not_a_source() -> None:
    assert from_workers([worker("bearing", rate=5.0, seen=NOW - 16)], NOW).windows_per_s is None


def group(read: int | None, pending: int = 0, lag: int | None = 0) -> ConsumerGroup:
    return ConsumerGroup(lag=lag, pending=pending, entries_read=read)


def test_the_sampler_keeps_half_a_minute_of_spaced_readings() -> None:
    sampler = Sampler()
    for s in range(100):
        sampler.add(NOW + s, group(read=10 * s, pending=5))
    kept = sampler.readings()
    assert [r.t - NOW for r in kept] == list(range(66, 100, 3))
    assert from_activity(kept, NOW + 99).windows_per_s == pytest.approx(10.0)


def test_the_sampler_starts_afresh_when_the_count_falls() -> None:
    sampler = Sampler()
    for t, read in ((0, 900), (3, 950), (6, 10), (9, 40)):
        sampler.add(NOW + t, group(read))
    assert from_activity(sampler.readings(), NOW + 9).windows_per_s == 10.0


def test_the_sampler_has_nothing_to_say_without_a_count() -> None:
    sampler = Sampler()
    sampler.add(NOW, None)
    sampler.add(NOW + 3, group(read=None))
    assert sampler.readings() == []
