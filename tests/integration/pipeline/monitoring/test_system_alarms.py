"""Alarms of the system on a real server: raised once, kept, escalated, cleared.

The time that a condition must last is moved by the test, in the keys where the server keeps it.
"""

import json
import socket
import time
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from tests.integration.helpers import add_window, bridging, eventually
from vtox.motor.alarms.health.alert_values import Alert
from vtox.motor.faults import FAMILIES
from vtox.motor.values import codec
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.configuration.system_limits import AlarmLimits
from vtox.pipeline.monitoring.conditions import (
    DEAD_LETTERS_S,
    DELETED_CLEAR_S,
    FIRST_WORKER_S,
    NO_WORKER_S,
    OPCUA_SILENT_S,
    ORPHAN_SEARCHES_S,
    RECORDER_STOPPED_S,
    STALLED_S,
    unassigned_limit_s,
)
from vtox.pipeline.monitoring.monitor import watch_system
from vtox.pipeline.monitoring.readiness import (
    NOTIFIER_SILENT_S,
    RECORDER_SILENT_S,
    TARGET_FAILS,
    checks,
)
from vtox.pipeline.store.alarms.open_alerts import OpenAlert, events_after, open_alerts
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.ledger.absent_processes import report_absent
from vtox.pipeline.store.ledger.backlog import report_waiting
from vtox.pipeline.store.ledger.heartbeats import (
    NotifierHeartbeat,
    OpcuaHeartbeat,
    RecorderHeartbeat,
    TargetState,
    Worker,
)
from vtox.pipeline.store.server.client import Client, connect, server_time, server_time_ms
from vtox.pipeline.store.stream.window_log import create_group
from vtox.pipeline.store.system.status import snapshot

# A busy host may delay us so long between two lines; times that the tests compare differ more.
SLACK_S = 10.0


@pytest.fixture
def working(client: Client) -> Client:
    """A system in which nothing is wrong."""
    create_group(client, keys.RAW)
    report(client)
    return client


def report(client: Client, *queues: str) -> None:
    """Let a worker of these queues report, by default of all."""
    beat = Worker(
        name="w@h",
        host=socket.gethostname(),
        pid=1,
        queues=queues or tuple(FAMILIES),
        windows_per_s=0.0,
        started_t=0.0,
        last_seen_t=server_time(client),
    )
    heartbeats.send(client, beat)


def pass_time(client: Client, seconds: float) -> None:
    """Move everything that the monitor keeps into the past."""
    for name, text in client.hgetall(keys.ALARMS).items():
        state = json.loads(text)
        moved = {k: state[k] - seconds * 1000 for k in ("since", "over") if k in state}
        client.hset(keys.ALARMS, name, json.dumps(state | moved))
    watch = json.loads(client.get(keys.WATCH))
    watch["dead_letters"] = [[t - seconds, n] for t, n in watch["dead_letters"]]
    client.set(keys.WATCH, json.dumps(watch))


def look(client: Client, settings: Settings) -> dict[str, OpenAlert]:
    """Let the monitor look twice, as two of them do; return the alarms that are open then."""
    for _ in range(2):
        watch_system(client, settings)
    assert all(a.machine_id == "" for a in open_alerts(client))
    return {a.fault: a for a in open_alerts(client)}


def events(client: Client) -> list[tuple[str, str, str]]:
    """The events so far: condition, event, code."""
    return [(a.fault, a.event, a.code) for a in events_after(client, "0-0")[0]]


def add_old(client: Client, age_s: float, n: int = 0) -> str:
    """Add an entry that came so long ago."""
    entry_id = f"{server_time_ms(client) - round(age_s * 1000)}-{n}"
    client.xadd(keys.RAW, {"machine_id": "M1"}, id=entry_id)
    return entry_id


def read(client: Client) -> None:
    client.xreadgroup(keys.GROUP, "bridge", {keys.RAW: ">"})


def test_nothing_is_raised_where_nothing_is_wrong(working: Client, settings: Settings) -> None:
    add_window(working)
    read(working)
    assert look(working, settings) == {}
    assert working.exists(keys.ALARMS, keys.ALERTS) == 0


@pytest.mark.parametrize(
    ("changes", "silent_s", "code"),
    [
        ({"problem": "full", "free_mb": 90.0, "needed_mb": 1024.0}, 0.0, "history_disk_full"),
        ({"problem": "away"}, 0.0, "history_not_written"),
        ({}, RECORDER_SILENT_S + 1, "recorder_silent"),
        ({"recorded_t": 0.0}, 0.0, "history_behind"),
    ],
)
def test_a_history_that_is_not_recorded(
    working: Client, settings: Settings, changes: dict[str, Any], silent_s: float, code: str
) -> None:
    def report_recorder(age_s: float = 0.0, **changes: Any) -> None:
        now = server_time(working)
        known = {"pid": 1, "host": "h", "address": "a", "recorded_t": now}
        heartbeats.send(working, RecorderHeartbeat(last_seen_t=now - age_s, **known | changes))

    report_recorder(silent_s, **changes)
    assert look(working, settings) == {}
    pass_time(working, RECORDER_STOPPED_S)
    alarm = look(working, settings)["recorder"]
    assert (alarm.level, alarm.code) == ("warning", code)
    if "free_mb" in changes:
        assert alarm.values == {"free_mb": 90.0, "needed_mb": 1024.0}
    report_recorder()
    assert look(working, settings) == {}
    assert events(working)[-1] == ("recorder", "cleared", "history_recorded")


@pytest.mark.parametrize(
    ("changes", "silent_s", "code"),
    [
        ({}, NOTIFIER_SILENT_S + 1, "notifier_silent"),
        ({"problem": "away"}, 0.0, "nobody_notified"),
        (
            {"targets": {"cmms": TargetState(failures=TARGET_FAILS, waiting=3)}},
            0.0,
            "target_not_reached",
        ),
        ({"targets": {"cmms": TargetState(dead=2)}}, 0.0, "messages_not_delivered"),
    ],
)
@pytest.mark.parametrize("ends", ["works again", "is stopped"])
def test_nobody_is_notified(
    working: Client,
    settings: Settings,
    changes: dict[str, Any],
    silent_s: float,
    code: str,
    ends: str,
) -> None:
    def report_notifier(age_s: float = 0.0, **changes: Any) -> None:
        seen_t = server_time(working) - age_s
        beat = NotifierHeartbeat(pid=1, host="h", last_seen_t=seen_t, **changes)
        heartbeats.send(working, beat)

    report_notifier(silent_s, **changes)
    assert look(working, settings) == {}
    pass_time(working, RECORDER_STOPPED_S)
    alarm = look(working, settings)["notifier"]
    assert (alarm.level, alarm.code) == ("warning", code)
    if ends == "works again":
        report_notifier(targets={"cmms": TargetState(failures=TARGET_FAILS - 1)})
    else:
        working.delete(keys.NOTIFIER)
    assert look(working, settings) == {}
    assert events(working)[-1] == ("notifier", "cleared", "notification_goes_on")


def test_a_process_that_does_not_start(working: Client, settings: Settings) -> None:
    report_absent(working, "h", {"flower": "the port is in use"})
    report_absent(working, "i", {"flower": "no password"})
    alarm = look(working, settings)["process:flower"]
    assert (alarm.level, alarm.code) == ("warning", "process_absent")
    assert alarm.values == {"process": "flower", "hosts": ("h", "i")}
    found = [c.values for c in checks(snapshot(working)) if c.name == "process:flower"]
    assert found[0] == {"host": "h", "problem": "the port is in use"}
    for host in ("h", "i"):
        report_absent(working, host, {})
    assert look(working, settings) == {}
    assert events(working)[-1] == ("process:flower", "cleared", "process_back")


def test_a_certificate_that_ends(working: Client, settings: Settings) -> None:
    def report_opcua(days: float, age_s: float = 0.0) -> None:
        now = server_time(working)
        times = {"last_seen_t": now - age_s, "certificate_end_t": now + 86_400 * days}
        heartbeats.send(working, OpcuaHeartbeat(pid=1, host="h", **times))

    report_opcua(days=31)
    assert look(working, settings) == {}
    report_opcua(days=29.9)
    alarm = look(working, settings)["opcua_certificate"]
    assert (alarm.level, alarm.code) == ("warning", "certificate_ends")
    assert alarm.values == {"host": "h", "days": pytest.approx(29.9, abs=0.1)}
    report_opcua(days=29.9, age_s=OPCUA_SILENT_S + 1)
    assert look(working, settings) == {}
    assert events(working)[-1] == ("opcua_certificate", "cleared", "certificate_renewed")


def test_windows_that_nobody_reads(working: Client, settings: Settings) -> None:
    add_old(working, AlarmLimits().backlog_s * 0.9)
    assert look(working, settings) == {}
    working.delete(keys.RAW)
    create_group(working, keys.RAW)
    add_old(working, AlarmLimits().backlog_s + 5)
    alarm = look(working, settings)["backlog"]
    assert (alarm.level, alarm.code) == ("warning", "windows_unread")
    assert alarm.values["age_s"] == pytest.approx(AlarmLimits().backlog_s + 5, abs=SLACK_S)
    read(working)
    add_old(working, AlarmLimits().backlog_s * 0.9)
    assert "backlog" in look(working, settings), "not cleared just below its limit"
    read(working)
    assert look(working, settings) == {}
    assert events(working) == [
        ("backlog", "raised", "windows_unread"),
        ("backlog", "cleared", "windows_read_in_time"),
    ]


def test_records_that_wait_for_a_queue_are_a_backlog_and_no_lost_windows(
    working: Client, settings: Settings
) -> None:
    old = unassigned_limit_s(settings) + 5
    waiting = add_old(working, old)
    read(working)
    working.hset(keys.PROGRESS, waiting, "a-a")
    report_waiting(working, {"bearing": server_time(working) - old, "turn_short": None})
    look(working, settings)
    pass_time(working, ORPHAN_SEARCHES_S)
    alarms = look(working, settings)
    assert list(alarms) == ["backlog"]
    assert alarms["backlog"].code == "records_waiting"
    report_waiting(working, dict.fromkeys(FAMILIES))
    working.hset(keys.PROGRESS, waiting, "aaa")
    assert look(working, settings) == {}


def test_a_pending_window_that_nobody_holds(working: Client, settings: Settings) -> None:
    old = unassigned_limit_s(settings) + 5
    at_work, unheld = add_old(working, old + 1), add_old(working, old)
    read(working)
    working.hset(keys.PROGRESS, mapping={at_work: "ada", unheld: "aa-"})
    assert look(working, settings) == {}, "the bridge searches for it"
    pass_time(working, ORPHAN_SEARCHES_S)
    alarm = look(working, settings)["orphans"]
    assert (alarm.level, alarm.code) == ("fault", "window_in_no_record")
    assert alarm.values["age_s"] == pytest.approx(old, abs=SLACK_S)
    working.hset(keys.PROGRESS, unheld, "aaa")
    assert look(working, settings) == {}
    assert [e for _, e, _ in events(working)] == ["raised", "cleared"]


def test_dead_letters_that_grow(working: Client, settings: Settings) -> None:
    few = AlarmLimits().dead_letters - 1
    assert look(working, settings) == {}
    with bridging(settings):
        for seq in range(few):
            add_window(working, seq=seq, dtype="f9")
        eventually(lambda: working.xlen(keys.DEAD_LETTERS) == few)
        assert "dead_letters" not in look(working, settings)
        add_window(working, seq=few, fs_hz=-1)
        eventually(lambda: working.xlen(keys.DEAD_LETTERS) == few + 1)
    alarm = look(working, settings)["dead_letters"]
    assert alarm.values["dead_letters"] == few + 1
    assert alarm.values["codes"][0] == working.xrange(keys.DEAD_LETTERS)[0][1][b"code"].decode()
    assert len(alarm.values["codes"]) == 2
    pass_time(working, DEAD_LETTERS_S)
    assert look(working, settings) == {}
    assert [e for _, e, _ in events(working)] == ["raised", "cleared"]


def test_a_queue_without_a_worker(working: Client, settings: Settings) -> None:
    look(working, settings)
    report(working, "turn_short", "broken_bar")
    working.hset(keys.COUNTERS, "in_flight_windows:bearing", 7)
    assert look(working, settings) == {}, "its worker may just be started anew"
    pass_time(working, NO_WORKER_S)
    (alarm,) = look(working, settings).values()
    assert (alarm.fault, alarm.level) == ("workers:bearing", "fault")
    assert alarm.values == {"queue": "bearing", "windows": 7}
    assert alarm.t == pytest.approx(server_time(working) - NO_WORKER_S, abs=SLACK_S), (
        "when it began"
    )
    report(working)
    assert look(working, settings) == {}
    assert [e for _, e, _ in events(working)] == ["raised", "cleared"]


def test_a_start_raises_nothing_until_a_worker_is_overdue(
    working: Client, settings: Settings
) -> None:
    report(working, "turn_short", "bearing")
    look(working, settings)
    pass_time(working, FIRST_WORKER_S - SLACK_S)
    assert look(working, settings) == {}
    pass_time(working, SLACK_S)
    assert set(look(working, settings)) == {"workers:broken_bar"}
    report(working)
    assert look(working, settings) == {}


def test_what_ran_before_the_system_stopped_does_not_count_at_its_start(
    working: Client, settings: Settings
) -> None:
    look(working, settings)
    stopped = json.loads(working.get(keys.WATCH))
    assert stopped["served"] == sorted(FAMILIES)
    working.set(keys.WATCH, json.dumps(stopped | {"t": stopped["t"] - 3600}))
    report(working, "turn_short", "bearing")
    look(working, settings)
    assert json.loads(working.get(keys.WATCH))["served"] == ["bearing", "turn_short"]
    pass_time(working, NO_WORKER_S)
    assert look(working, settings) == {}


def test_workers_that_finish_nothing_while_windows_wait(
    working: Client, settings: Settings
) -> None:
    working.hset(keys.COUNTERS, "in_flight_windows:bearing", 7)
    look(working, settings)
    pass_time(working, STALLED_S)
    (alarm,) = look(working, settings).values()
    assert (alarm.fault, alarm.code) == ("stalled:bearing", "queue_stalled")
    working.hincrby(keys.COUNTERS, "windows:bearing", 1)
    watch_system(working, settings)
    assert open_alerts(working) == []
    pass_time(working, STALLED_S)
    watch_system(working, settings)
    assert open_alerts(working) == [], "it was finished meanwhile"


def test_memory_above_the_limit(tmp_path: Path) -> None:
    with EmbeddedServer(load(data_dir=tmp_path, redis_maxmemory_mb=64)) as small:
        client, settings = connect(small.url, "test"), load(redis_url=small.url)
        report(client)

        def used_mb() -> float:
            return float(client.info()["used_memory"]) / 2**20

        def fill(megabytes: int) -> None:
            # In small pieces: an allocator may round one large piece up by several MB, and the
            # buffer that brought it counts until the server frees it, at some later time.
            while used_mb() < megabytes:
                client.rpush("ballast", bytes(50_000))
            while used_mb() > megabytes:
                client.rpop("ballast")

        fill(48)
        assert look(client, settings) == {}
        fill(56)
        assert look(client, settings)["memory"].level == "warning"
        fill(62)
        assert look(client, settings)["memory"].level == "fault"
        fill(50)
        assert look(client, settings)["memory"], "not cleared just below its limit"
        fill(40)
        assert look(client, settings) == {}
        assert [e for _, e, _ in events(client)] == ["raised", "escalated", "cleared"]


def test_a_clock_that_differs(
    working: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = time.time
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: right() + 3600)
        alarm = look(working, settings)["clocks"]
    assert alarm.values["hosts"] == (socket.gethostname(),)
    assert alarm.values["offset_s"] == pytest.approx(3600, abs=SLACK_S)
    assert look(working, settings) == {}


def test_ids_of_the_future(working: Client, settings: Settings) -> None:
    add_old(working, -60)
    alarm = look(working, settings)["stream_ids"]
    assert alarm.values["ahead_s"] == pytest.approx(60, abs=SLACK_S)
    working.delete(keys.RAW)
    assert look(working, settings) == {}


def test_windows_that_somebody_deletes_before_they_are_read(
    working: Client, settings: Settings
) -> None:
    assert look(working, settings) == {}
    for seq in range(5):
        add_window(working, seq=seq)
    working.xtrim(keys.RAW, maxlen=2, approximate=False)
    alarm = look(working, settings)["deleted_windows"]
    assert (alarm.level, alarm.values) == ("fault", {"windows": 3})
    working.xtrim(keys.RAW, maxlen=1, approximate=False)
    assert look(working, settings)["deleted_windows"].values == {"windows": 4}
    pass_time(working, DELETED_CLEAR_S)
    assert look(working, settings) == {}
    assert [e for _, e, _ in events(working)] == ["raised", "cleared"]


def test_two_monitors_raise_an_alarm_once(working: Client, settings: Settings) -> None:
    add_old(working, AlarmLimits().backlog_s + 5)
    together = Barrier(4)

    def watch() -> None:
        own = connect(settings.working_url(), "monitor")
        together.wait()
        for _ in range(5):
            watch_system(own, settings)

    monitors = [Thread(target=watch) for _ in range(4)]
    for m in monitors:
        m.start()
    for m in monitors:
        m.join()
    assert events(working) == [("backlog", "raised", "windows_unread")]


@pytest.mark.parametrize("hours", [1, -1], ids=["long ago", "before the clock was set back"])
def test_a_condition_that_was_not_observed_meanwhile_begins_anew(
    working: Client, settings: Settings, hours: int
) -> None:
    look(working, settings)
    report(working, "turn_short", "broken_bar")
    look(working, settings)
    state = json.loads(working.hget(keys.ALARMS, "workers:bearing"))
    moved = {k: state[k] - hours * 3_600_000 for k in ("since", "seen")}
    working.hset(keys.ALARMS, "workers:bearing", json.dumps(state | moved))
    assert look(working, settings) == {}
    pass_time(working, NO_WORKER_S)
    assert set(look(working, settings)) == {"workers:bearing"}


def test_what_another_version_remembers_does_not_end_the_monitor(
    working: Client, settings: Settings
) -> None:
    for text in ("{", "[]", '{"t": 1, "interval_s": 10, "of_the_future": 1}'):
        working.set(keys.WATCH, text)
        assert look(working, settings) == {}


def test_readiness_warns_of_a_monitor_that_no_longer_looks(
    working: Client, settings: Settings
) -> None:
    watch_system(working, settings)
    monitor = {c.name: c for c in checks(snapshot(working))}["monitor"]
    assert monitor.status == "pass"
    watch = json.loads(working.get(keys.WATCH))
    watch["t"] -= 3 * settings.monitor_interval_s
    working.set(keys.WATCH, json.dumps(watch))
    monitor = {c.name: c for c in checks(snapshot(working))}["monitor"]
    assert monitor.status == "warn"
    assert monitor.code == "monitor_is_away"
    assert monitor.values["age_s"] == pytest.approx(3 * settings.monitor_interval_s, abs=SLACK_S)


def test_an_entry_says_what_is_wrong(working: Client, settings: Settings) -> None:
    add_old(working, AlarmLimits().backlog_s + 5)
    look(working, settings)
    ((_, fields),) = working.xrange(keys.ALERTS)
    alert = codec.decode_fields(Alert, fields)
    assert alert.id == f"system:backlog:{round(alert.t * 1000)}"
    assert (alert.machine_id, alert.fault, alert.event) == ("", "backlog", "raised")
    assert alert.code == "windows_unread"
    assert alert.reason
    assert set(alert.values) == {"age_s"}
