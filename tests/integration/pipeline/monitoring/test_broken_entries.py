"""The monitor measures in spite of unreadable entries, and does its parts separately."""

import time
from threading import Event, Thread

import pytest

from tests.broken_entries import broken
from tests.integration.reporting.history.entries import add_metrics
from tests.waiting import eventually
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.monitoring import monitor
from vtox.pipeline.store.server.client import Client, connect, server_time
from vtox.pipeline.store.system.status import snapshot


def test_no_entry_of_the_metrics_stops_the_monitor(client: Client, settings: Settings) -> None:
    now = server_time(client)
    add_metrics(client, now, windows_done=5, throughput=5.0, busy={"bearing": 0.5})
    ((_, good),) = client.xrange(keys.METRICS)
    monitor.measure(client, settings)
    for n, fields in enumerate(broken(good)):
        client.xadd(keys.METRICS, fields)
        if n % 32 == 0:  # as many as a look reads
            time.sleep(0.001)
            entry = monitor.measure(client, settings)
            assert entry is not None
            assert entry.throughput is not None
            monitor.watch_system(client, settings)


def test_a_part_that_fails_keeps_no_other_from_being_done(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(monitor, "measure", fail)
    quick = load(redis_url=settings.redis_url, monitor_interval_s=0.02)
    stop = Event()
    own = connect(quick.working_url(), "monitor")
    watcher = Thread(target=monitor.run, args=(own, quick, stop, lambda: True), daemon=True)
    watcher.start()
    try:
        eventually(lambda: snapshot(client).watch)
    finally:
        stop.set()
        watcher.join()
        own.close()
