"""The monitor on a real server: differences of counters, none across a pause; silent machines."""

import json
import time
from pathlib import Path
from statistics import fmean
from threading import Event, Thread

import pytest

from tests.integration.helpers import add_window, bridging, count_work, counters, eventually
from vtox.motor.values.domain import reason
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.configuration.usable_cores import usable_cores
from vtox.pipeline.monitoring import monitor, silence
from vtox.pipeline.monitoring.measured_load import measured_load
from vtox.pipeline.monitoring.requirements import TYPICAL
from vtox.pipeline.monitoring.silence import SilenceWatch
from vtox.pipeline.store.alarms.flags import set_flag
from vtox.pipeline.store.alarms.open_alerts import events_after, open_alerts
from vtox.pipeline.store.ledger.retention import server_memory
from vtox.pipeline.store.server.client import (
    Client,
    connect,
    server_thread_s,
    server_time,
    server_time_ms,
)
from vtox.pipeline.store.stream.window_log import create_group, read_until_t
from vtox.pipeline.store.system.status import snapshot


def finish(client: Client, windows: int) -> None:
    """Count windows as the commit scripts do."""
    client.hincrby(keys.COUNTERS, "windows_in", windows)
    client.hincrby(keys.COUNTERS, "windows_done", windows)


def test_an_entry_is_the_difference_of_two_readings(client: Client, settings: Settings) -> None:
    finish(client, 100)
    assert monitor.measure(client, settings) is None, "the first call only keeps the counters"
    finish(client, 30)
    time.sleep(0.2)
    entry = monitor.measure(client, settings)
    assert entry
    assert entry.interval_s
    assert (entry.windows_in, entry.windows_done) == (30, 30)
    assert entry.throughput == entry.ingest_rate == pytest.approx(30 / entry.interval_s, rel=0.01)
    assert client.xlen(keys.METRICS) == 1


def send_beat(client: Client, name: str, queue: str) -> None:
    client.sadd(keys.WORKERS, name)
    head = {"name": name, "host": "here", "pid": 1, "last_seen_t": time.time()}
    client.hset(keys.worker(name), mapping=head | {"queues": json.dumps([queue])})


def test_busy_is_the_share_of_the_time_of_all_workers_of_a_queue(
    client: Client, settings: Settings
) -> None:
    for name in ("one@here", "two@here"):
        send_beat(client, name, "bearing")
        count_work(client, name, "bearing", windows=1, diagnosis_s=1.0, busy_s=5.0)
    monitor.measure(client, settings)
    send_beat(client, "late@here", "bearing")
    count_work(client, "late@here", "bearing", windows=1, diagnosis_s=1.0, busy_s=9.0)
    count_work(client, "one@here", "bearing", windows=1, diagnosis_s=0.1, busy_s=0.1)
    time.sleep(0.5)
    entry = monitor.measure(client, settings)
    assert entry
    assert entry.interval_s
    assert entry.busy["bearing"] == pytest.approx(0.05 / entry.interval_s, rel=0.02)
    assert entry.machines == 0
    snap = snapshot(client)
    assert snap.metrics[0].busy == pytest.approx(entry.busy, abs=1e-3)


def test_a_pause_is_not_averaged_into_today(client: Client, settings: Settings) -> None:
    monitor.measure(client, settings)
    finish(client, 30)
    measured_t = float(client.hget(keys.MONITOR, "t") or 0)
    client.hset(keys.MONITOR, "t", measured_t - 4 * settings.monitor_interval_s)
    assert monitor.measure(client, settings) is None
    finish(client, 7)
    assert monitor.measure(client, settings).windows_done == 7
    assert counters(client)["windows_done"] == 37, "what was finished meanwhile stays counted"


@pytest.mark.parametrize("entry", [{"throughput": 5}, {"t": "now", "interval_s": 1}])
def test_what_others_write_there_is_passed_over(
    client: Client, settings: Settings, entry: dict[str, str]
) -> None:
    monitor.measure(client, settings)
    client.xadd(keys.METRICS, entry)
    finish(client, 3)
    time.sleep(0.05)
    assert monitor.measure(client, settings).windows_done == 3


def test_a_window_in_the_backlog_is_no_silence(client: Client, settings: Settings) -> None:
    create_group(client, keys.RAW)
    read = add_window(client)
    client.xreadgroup(keys.GROUP, "bridge", {keys.RAW: ">"})
    read_t = int(read.partition("-")[0]) / 1000
    client.zadd(keys.MACHINES, {"V001": read_t, "M2": read_t - 60})
    add_window(client, seq=1)
    eager = load(redis_url=settings.redis_url, silence_after_s=0.01)
    eventually(lambda: client.info("server")["uptime_in_seconds"] > 0)
    SilenceWatch(client, eager).look(read_until_t(client))
    assert [a.machine_id for a in open_alerts(client)] == ["M2"]


def test_an_outage_of_the_bridge_is_no_silence_of_the_machines(
    client: Client, settings: Settings
) -> None:
    # An interval must be longer than the admission of a read, as 10 s always are.
    quick = load(redis_url=settings.redis_url, monitor_interval_s=0.5, silence_after_s=20)
    fleet = [f"M{k}" for k in range(10)]
    # Silence begins no earlier than the server.
    eventually(lambda: client.info("server")["uptime_in_seconds"] > quick.silence_after_s)
    now_ms = server_time_ms(client)
    client.zadd(keys.MACHINES, dict.fromkeys(fleet, now_ms / 1000 - 120))
    for age_s in range(60, 0, -1):
        for k, m in enumerate(fleet):
            add_window(client, m, seq=60 - age_s, entry_id=f"{now_ms - 1000 * age_s}-{k}")
    stop = Event()
    watcher = Thread(
        target=monitor.run,
        args=(connect(quick.working_url(), "monitor"), quick, stop, lambda: True),
        daemon=True,
    )
    with bridging(quick, lambda *_: time.sleep(0.05)):  # too slow to catch up between two looks
        watcher.start()
        eventually(lambda: counters(client).get("windows_in") == 60 * len(fleet))
        time.sleep(2.5 * quick.monitor_interval_s)
        stop.set()
        watcher.join()
    assert [a for a in events_after(client, "0-0")[0] if a.fault == "silent"] == []


def test_an_outage_of_the_server_is_no_silence_of_the_machines(tmp_path: Path) -> None:
    with EmbeddedServer(load(data_dir=tmp_path)) as fresh, connect(fresh.url, "test") as client:
        settings = load(redis_url=fresh.url)
        now = server_time(client)
        client.zadd(keys.MACHINES, {"M1": now - 60, "M2": now - 90})
        set_flag(client, "M2", "silent", True, reason("machine_silent"))
        watch = SilenceWatch(client, settings)
        watch.look(now)
        assert [a.machine_id for a in open_alerts(client)] == ["M2"], "none raised, none cleared"
        watch.look(now + settings.silence_after_s + 2)
        assert {a.machine_id for a in open_alerts(client)} == {"M1", "M2"}


def test_windows_that_a_full_server_refuses_are_no_silence(tmp_path: Path) -> None:
    with EmbeddedServer(load(data_dir=tmp_path, redis_maxmemory_mb=64)) as small:
        client, settings = connect(small.url, "test"), load(redis_url=small.url)
        now = server_time(client)
        client.zadd(keys.MACHINES, {"M1": now})
        client.setrange("ballast", (63 << 20) - 1, b"x")
        watch = SilenceWatch(client, settings)
        watch.look(now + 60)
        assert open_alerts(client) == []
        client.delete("ballast")
        eventually(lambda: server_memory(client).share < 0.5)
        watch.look(now + 60)
        assert [a.machine_id for a in open_alerts(client)] == ["M1"]


def test_a_window_that_was_read_is_admitted_before_silence_is_judged(settings: Settings) -> None:
    quick = load(redis_url=settings.redis_url, monitor_interval_s=0.2, silence_after_s=20)
    client, stop, passes = connect(quick.working_url(), "test"), Event(), 0
    client.zadd(keys.MACHINES, {"M1": server_time(client) - 60})

    def owner() -> bool:
        nonlocal passes
        passes += 1
        if passes == 2:  # the bridge has read the backlog after an outage and admits it now
            client.zadd(keys.MACHINES, {"M1": server_time(client)})
            stop.set()
        return True

    monitor.run(client, quick, stop, owner)
    assert open_alerts(client) == []


def test_a_clock_that_is_set_back_makes_no_machine_silent(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = load(redis_url=settings.redis_url, monitor_interval_s=0.05)
    client, stop, passes = connect(quick.working_url(), "test"), Event(), 0
    monkeypatch.setattr(monitor, "read_until_t", lambda client: server_time(client) + 3600)

    def owner() -> bool:
        nonlocal passes
        passes += 1
        client.zadd(keys.MACHINES, {"M1": server_time(client)})
        if passes == 2:
            stop.set()
        return True

    monitor.run(client, quick, stop, owner)
    assert [a for a in open_alerts(client) if a.fault == "silent"] == []


def test_a_machine_that_stops_sending_is_one_alert_until_it_sends_again(
    client: Client, settings: Settings
) -> None:
    now = server_time(client)
    client.zadd(keys.MACHINES, {"M1": now, "M2": now + 60, "M3": 0})
    watch = SilenceWatch(client, settings)
    for _ in range(2):
        watch.look(now + 60)
    (alert,) = open_alerts(client)
    assert (alert.machine_id, alert.fault, alert.code) == ("M1", "silent", "machine_silent")
    client.zadd(keys.MACHINES, {"M1": now + 59})
    watch.look(now + 60)
    assert open_alerts(client) == []
    events, _ = events_after(client, "0-0")
    assert [(a.id, a.event, a.code) for a in events] == [
        (alert.id, "raised", "machine_silent"),
        (alert.id, "cleared", "windows_arrive"),
    ]


def test_a_silent_machine_is_looked_at_once_and_all_are_when_the_clock_is_set_back(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    arrivals_since = silence.arrivals_since

    def counted(client: Client, t: float) -> dict[str, float]:
        looks.append(len(found := arrivals_since(client, t)))
        return found

    monkeypatch.setattr(silence, "arrivals_since", counted)
    now, watch = server_time(client), SilenceWatch(client, settings)
    eventually(lambda: client.info("server")["uptime_in_seconds"] > 0)
    client.zadd(keys.MACHINES, {f"M{k}": now - 600 for k in range(20)} | {"V1": now})
    for ahead_s in (60, 70, 80):
        client.zadd(keys.MACHINES, {"V1": now + ahead_s})
        watch.look(now + ahead_s)
    assert len(open_alerts(client)) == 20
    client.zadd(keys.MACHINES, {"M3": now + 45})  # the clock was set back
    watch.look(now + 50)
    assert looks == [21, 1, 1, 21]
    assert len(open_alerts(client)) == 19


def test_the_load_of_a_machine_is_that_of_those_that_send(
    client: Client, settings: Settings
) -> None:
    assert measured_load(client, snapshot(client)) == TYPICAL
    monitor.measure(client, settings)
    now = server_time(client)
    client.zadd(keys.MACHINES, {"M1": now, "M2": now, "OLD": now - 600})
    add_window(client, "M1")
    finish(client, 8)
    send_beat(client, "one@here", "bearing")
    count_work(client, "one@here", "bearing", windows=4, diagnosis_s=1.0, busy_s=2.0)
    monitor.measure(client, settings)
    time.sleep(0.2)
    finish(client, 8)
    monitor.measure(client, settings)
    snap = snapshot(client)
    found = measured_load(client, snap)
    assert (found.machines, found.busy_s["bearing"]) == (2, 0.5)
    assert found.busy_s["turn_short"] == TYPICAL.busy_s["turn_short"]
    rates = [m.ingest_rate for m in snap.metrics if m.ingest_rate]
    assert found.windows_per_s == pytest.approx(fmean(rates) / 2)
    assert found.window_bytes > 0
    assert found.cpu_s == TYPICAL.cpu_s, "what was used is not known"


def test_the_time_of_the_server_and_the_bridge_is_that_of_their_threads(
    client: Client, settings: Settings
) -> None:
    client.zadd(keys.MACHINES, {"M1": server_time(client)})
    send_beat(client, "one@here", "bearing")
    monitor.measure(client, settings)
    before = server_thread_s(client), time.process_time()
    client.eval("for i = 1, 2000000 do end", 0)
    finish(client, 8)
    entry = monitor.measure(client, settings)
    used = server_thread_s(client), time.process_time()
    assert entry
    assert entry.interval_s
    assert entry.ingest_rate
    for name, since, until in zip(("server", "bridge"), before, used, strict=True):
        assert since is not None
        assert until is not None
        assert 0 < entry.busy[name] * entry.interval_s
        assert entry.busy[name] * entry.interval_s == pytest.approx(
            until - since, abs=0.02, rel=0.2
        )
    found = measured_load(client, snapshot(client))
    assert found.busy_s["server"] == pytest.approx(entry.busy["server"] / entry.ingest_rate)
    assert found.busy_s["recorder"] == TYPICAL.busy_s["recorder"], "it does not say"


def test_the_cpu_time_of_a_window_goes_by_the_cores_of_the_monitor(
    client: Client, settings: Settings
) -> None:
    monitor.measure(client, settings)
    client.zadd(keys.MACHINES, {"M1": server_time(client)})
    send_beat(client, "one@here", "bearing")
    monitor.measure(client, settings)
    count_work(client, "one@here", "bearing", windows=4, diagnosis_s=0.0, busy_s=0.1)
    finish(client, 8)
    time.sleep(0.2)
    entry = monitor.measure(client, settings, cpu=0.5)
    assert entry
    assert entry.ingest_rate
    assert entry.cores == usable_cores()
    snap = snapshot(client)
    cpu_s = measured_load(client, snap).cpu_s
    rates = [m.ingest_rate for m in snap.metrics if m.ingest_rate]
    assert cpu_s == pytest.approx(0.5 * entry.cores / fmean(rates), rel=0.01)
    send_beat(client, "two@there", "bearing")
    client.hset(keys.worker("two@there"), "host", "there")
    assert measured_load(client, snapshot(client)).cpu_s == TYPICAL.cpu_s
