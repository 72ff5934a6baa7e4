"""The recorder on a real server and real databases: each entry once, gaps named."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Select, Table, func, select

from tests.integration.reporting.history.entries import (
    add,
    add_alert,
    add_assessment,
    add_metrics,
    add_result,
)
from tests.waiting import eventually
from vtox.motor.values.domain import Motor
from vtox.pipeline.cluster import parent_watch
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.configuration.tables import Keep
from vtox.pipeline.monitoring.readiness import checks
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.machines.baselines import set_baseline
from vtox.pipeline.store.server.client import Client, connect, server_time
from vtox.pipeline.store.stream.stream_reader import Missed
from vtox.pipeline.store.system.status import snapshot
from vtox.reporting.history import recorder as recorder_module
from vtox.reporting.history.database import engine_to_read
from vtox.reporting.history.recorder import Recorder
from vtox.reporting.history.schema import (
    alerts,
    baselines,
    hours,
    minutes,
    missed,
    outcomes,
    records,
    series,
)
from vtox.reporting.history.writing import positions_of

STOP = threading.Event()


def rows(settings: Settings, table: Table) -> list[dict[str, object]]:
    engine = engine_to_read(settings)
    try:
        with engine.begin() as db:
            return [dict(r._mapping) for r in db.execute(select(table))]
    finally:
        engine.dispose()


def number(settings: Settings, what: Select[tuple[int]]) -> int:
    engine = engine_to_read(settings)
    try:
        with engine.begin() as db:
            return int(db.execute(what).scalar() or 0)
    finally:
        engine.dispose()


def count(settings: Settings, table: Table) -> int:
    return number(settings, select(func.count()).select_from(table))


def sum_of_records(settings: Settings, table: Table) -> int:
    return number(settings, select(func.sum(table.c.n)))


def test_every_stream_is_recorded(recorder: Recorder, client: Client, settings: Settings) -> None:
    now = server_time(client)
    add_result(client, now - 1, statistic=3.0)
    add_result(client, now, state="unknown", code="load_too_low", statistic=None)
    add_assessment(client, now, 75.0, "warning")
    add_metrics(client, now, throughput=50.0, backlog=7)
    add_alert(client, now)
    assert recorder.record(STOP) == 5
    quantities = {(r["machine_id"], r["quantity"]) for r in rows(settings, series)}
    assert quantities == {("M1", "bearing"), ("M1", "health"), ("", "throughput"), ("", "backlog")}
    assert {r["value"] for r in rows(settings, records)} == {3.0, None, 75.0, 50.0, 7.0}
    assert {(r["state"], r["code"]) for r in rows(settings, outcomes)} == {
        ("normal", "no_defect_lines"),
        ("unknown", "load_too_low"),
        ("warning", ""),
        ("", ""),
    }
    (alert,) = rows(settings, alerts)
    assert (alert["event"], alert["code"], alert["machine_id"]) == ("raised", "impacts", "M1")
    assert sum_of_records(settings, minutes) == sum_of_records(settings, hours) == 5


def test_what_was_recorded_is_not_recorded_again(
    new_recorder: Callable[[], Recorder], client: Client, settings: Settings
) -> None:
    now = server_time(client)
    for i in range(30):
        add_result(client, now + i)
    assert new_recorder().record(STOP) == 30
    assert new_recorder().record(STOP) == 0
    add_result(client, now)
    assert new_recorder().record(STOP) == 1
    assert count(settings, records) == sum_of_records(settings, minutes) == 31


def test_two_recorders_double_nothing(
    new_recorder: Callable[[], Recorder],
    client: Client,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recorder_module, "ENTRIES_PER_READ", 20)
    monkeypatch.setattr(recorder_module, "POINTS_PER_TRANSACTION", 40)
    now = server_time(client)
    for i in range(1500):
        add_result(client, now - i)
    both = [new_recorder(), new_recorder()]
    threads = [
        threading.Thread(target=lambda r=r: eventually(lambda: r.try_once(STOP))) for r in both
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert count(settings, records) == 1500
    assert sum_of_records(settings, minutes) == sum_of_records(settings, hours) == 1500


def test_a_recorder_that_lost_the_race_reads_the_history_again(
    new_recorder: Callable[[], Recorder], client: Client, settings: Settings
) -> None:
    now = server_time(client) - 100
    late, other = new_recorder(), new_recorder()
    add_result(client, now, first_seq=0, last_seq=1)
    assert late.try_once(STOP)
    # Another one records the same series on, in which a result then comes again.
    add_result(client, now + 10, first_seq=2, last_seq=3)
    assert other.try_once(STOP)
    add_result(client, now + 10, first_seq=2, last_seq=3)
    assert late.try_once(STOP), late.problem
    assert count(settings, records) == 2


@pytest.fixture
def process(settings: Settings, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts `vtox recorder` as a user would."""
    given = {
        "VTOX_REDIS_URL": str(settings.redis_url),
        "VTOX_DATA_DIR": str(settings.data_dir),
        "VTOX_DATABASE_URL": settings.database_url or "",
    }
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "vtox", "recorder"]
        environment = parent_watch.child_environment(given)
        with (tmp_path / "recorder.log").open("ab") as log:
            started.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        return started[-1]

    yield start
    for p in started:
        if p.poll() is None:
            p.send_signal(signal.SIGCONT)
            p.kill()
        p.wait(10)


@pytest.mark.long
def test_a_recorder_killed_and_stopped_in_a_drain_loses_and_doubles_nothing(
    process: Callable[[], subprocess.Popen[bytes]], client: Client, settings: Settings
) -> None:
    now = server_time(client)
    pipe = client.pipeline(transaction=False)
    for i in range(3 * recorder_module.POINTS_PER_TRANSACTION):
        fields = {"machine_id": f"M{i % 50}", "fault": "bearing", "t_end": now - i / 100}
        pipe.xadd(keys.RESULTS, fields | {"t_start": now - i / 100 - 2, "state": "normal"})
    ids = [i.decode() for i in pipe.execute()]
    first = process()
    eventually(lambda: heartbeats.recorder(client) is not None)
    first.kill()
    first.wait(10)
    stopped = process()
    eventually(lambda: getattr(heartbeats.recorder(client), "pid", 0) == stopped.pid)
    stopped.send_signal(signal.SIGSTOP)
    third = process()
    time.sleep(1)
    stopped.send_signal(signal.SIGCONT)

    eventually(lambda: count(settings, records) == len(ids), 60)
    for p in (stopped, third):
        p.terminate()
        # On a busy box the third may not be far enough yet to end in order.
        assert p.wait(60) in (0, -signal.SIGTERM)
    assert {f"{r['id_ms']}-{r['id_seq']}" for r in rows(settings, records)} == set(ids)
    assert sum_of_records(settings, minutes) == sum_of_records(settings, hours) == len(ids)


def test_what_was_trimmed_unread_is_written_down(
    new_recorder: Callable[[], Recorder], client: Client, settings: Settings
) -> None:
    now = server_time(client)
    first = add_result(client, now)
    recorder = new_recorder()
    assert recorder.try_once(STOP)
    assert count(settings, missed) == 0, "what was trimmed before the first start is no gap"
    ids = [add_result(client, now + i) for i in range(10)]
    client.xtrim(keys.RESULTS, minid=ids[7], approximate=False)
    assert recorder.try_once(STOP)
    assert rows(settings, missed) == [
        {"stream": keys.RESULTS, "after_id": first, "before_id": ids[7], "entries": 7}
    ]
    assert count(settings, records) == 4
    (check,) = (c for c in checks(snapshot(client)) if c.name == "recorder")
    assert check.status == "warn"
    assert f"7 entries of {keys.RESULTS}" in check.observed
    assert recorder.try_once(STOP)
    assert count(settings, missed) == 1
    add_result(client, now)
    client.xtrim(keys.RESULTS, maxlen=0, approximate=False)
    assert new_recorder().try_once(STOP)
    assert [r["entries"] for r in rows(settings, missed)] == [7, 1]


def test_foreign_entries_do_not_stop_it(
    recorder: Recorder, client: Client, settings: Settings
) -> None:
    now = server_time(client)
    strange = (
        {"a": "b"},
        {"machine_id": "M\0", "fault": "bearing", "t_end": now},
        {"machine_id": "M1", "fault": "\xff" * 99, "t_end": now},
        {"machine_id": "M1", "fault": "bearing", "t_end": "nan"},
        {"machine_id": "M1", "fault": "bearing", "t_end": -5},
        {"machine_id": "M1", "fault": "bearing", "t_end": 1e300, "t_start": -1e300},
        {"machine_id": "M1", "fault": "bearing", "t_end": now, "state": "?\0", "code": "x\0"},
        {"machine_id": "M1", "fault": "bearing", "t_end": now, "statistic": "inf"},
    )
    for fields in strange:
        for stream in (keys.RESULTS, keys.ASSESSMENTS, keys.ALERTS, keys.METRICS):
            client.xadd(stream, fields)
    client.xadd(keys.ALERTS, {"machine_id": "M\0", "code": "\0", "values": "[", "t": "nan"})
    add(client, keys.RESULTS, ["machine_id", "M1"], f"{2**64 - 1}-1")
    assert recorder.try_once(STOP), recorder.problem
    assert count(settings, records) == 2


def test_a_database_that_is_away_is_named_and_waited_for(
    recorder: Recorder, client: Client, settings: Settings
) -> None:
    away = recorder.settings = settings.model_copy(
        update={"database_url": "postgresql://vtox:s3cret@127.0.0.1:1/history"}
    )
    add_result(client, server_time(client))
    assert not recorder.try_once(STOP)
    assert "s3cret" not in recorder.problem
    (check,) = (c for c in checks(snapshot(client)) if c.name == "recorder")
    assert (check.status, "127.0.0.1:1" in check.observed) == ("warn", True)
    assert away.database_url
    recorder.close()
    recorder.settings = settings
    assert recorder.try_once(STOP)
    assert count(settings, records) == 1


def test_what_is_older_than_kept_is_deleted(
    new_recorder: Callable[[], Recorder], client: Client, settings: Settings
) -> None:
    now = server_time(client)
    for age_h in (0, 30, 20 * 24, 800 * 24):
        add_result(client, now - 3600 * age_h)
    recorder = new_recorder()
    recorder.record(STOP)
    assert [count(settings, t) for t in (records, minutes, hours)] == [1, 2, 3]
    shorter = {
        "keep": Keep(history_records="0.0001s", history_minutes="1d", history_hours="10d"),
    }
    recorder = new_recorder()
    recorder.settings = settings.model_copy(update=shorter)
    recorder.record(STOP)
    assert [count(settings, t) for t in (records, minutes, hours)] == [0, 1, 2]


def test_a_retired_machine_has_no_history_and_a_new_one_of_its_name_begins_anew(
    recorder: Recorder, client: Client, settings: Settings
) -> None:
    now = server_time(client)
    for machine_id in ("M1", "M2"):
        machines.register(client, machine_id, Motor(pole_pairs=2))
        set_baseline(client, machine_id, '{"bands": []}')
        add_result(client, now, machine_id=machine_id)
    add_alert(client, now)
    recorder.record(STOP)
    add_result(client, now, statistic=2.0)
    assert machines.retire(client, "M1")
    time.sleep(0.002)
    add_result(client, now, statistic=3.0)
    recorder.record(STOP)
    assert [count(settings, t) for t in (minutes, hours, baselines, alerts)] == [2, 2, 1, 0]
    assert sorted(r["value"] for r in rows(settings, records)) == [1.0, 3.0]
    recorder.record(STOP)
    assert count(settings, records) == 2
    assert client.hlen(keys.RETIRED) == 0


def test_versions_of_baselines_are_kept(
    recorder: Recorder, client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "BASELINES_EVERY_S", 0.0)
    machines.register(client, "M1", Motor(pole_pairs=2))
    for _ in range(2):
        set_baseline(client, "M1", '{"bands": []}')
        recorder.record(STOP)
        recorder.record(STOP)
    set_baseline(client, "M1", None)
    recorder.record(STOP)
    engine = engine_to_read(settings)
    with engine.connect() as db:
        kept = db.execute(select(baselines.c.version).order_by(baselines.c.version)).scalars()
        assert list(kept) == [1, 2]
    engine.dispose()


def test_a_restarted_server_that_lost_its_last_entries_is_read_on(
    recorder: Recorder, client: Client, settings: Settings
) -> None:
    now = server_time(client)
    for i in range(5):
        add_result(client, now + i)
    recorder.record(STOP)
    client.delete(keys.RESULTS)
    assert recorder.try_once(STOP)
    add_result(client, now)
    assert recorder.try_once(STOP)
    assert count(settings, records) == 6
    assert count(settings, missed) == 0


def test_results_that_the_server_lost_and_has_again_count_once(
    new_recorder: Callable[[], Recorder], client: Client, settings: Settings
) -> None:
    now = server_time(client)
    # Times are of the sender's clock; if it is ahead, the arrival of the entry counts.
    times = {"M1": now - 50, "M2": now + 50, "OLD": now - 40 * 86_400}
    recorder = new_recorder()
    assert recorder.try_once(STOP)
    for again in (False, True):
        for machine_id, t in times.items():
            for k in range(5):
                seqs = {"first_seq": 2 * k, "last_seq": 2 * k + 1, "run": "r\0" * 99}
                add_result(client, t + 2 * k, machine_id=machine_id, **seqs)
        for event in ("raised", "escalated"):
            add_alert(client, now, event)
        # Diagnosed again beyond the horizon of duplicates, and recorded together with the first.
        add_result(client, times["M1"], machine_id="M1", first_seq=0, last_seq=1, run="r\0" * 99)
        if again:
            add_result(client, now, machine_id="M1", first_seq=0, last_seq=1, run="another")
            add_result(client, now, fault="turn_short", first_seq=0, last_seq=1)
            add_alert(client, now + 1, "escalated")
        assert recorder.try_once(STOP), recorder.problem
        client.delete(keys.RESULTS, keys.ALERTS)  # as a server that lost its last second
        time.sleep(0.01)
    assert sum_of_records(settings, hours) == 15 + 2
    assert sum_of_records(settings, minutes) == 10 + 2
    assert count(settings, alerts) == 3
    for k in range(5):
        seqs = {"first_seq": 2 * k, "last_seq": 2 * k + 1, "run": "r\0" * 99}
        add_result(client, now - 50 + 2 * k, **seqs)
    assert new_recorder().try_once(STOP)
    assert count(settings, records) == 10 + 2


def test_the_file_is_its_owners_alone(recorder: Recorder, settings: Settings) -> None:
    recorder.record(STOP)
    if not settings.database_url:
        assert os.stat(settings.history_file).st_mode & 0o077 == 0
    assert recorder._engine is not None
    assert positions_of(recorder._engine)[keys.RESULTS].entry_id == "0-0"


def test_a_recorder_may_only_read(settings: Settings, client: Client) -> None:
    """The position is in SQL: nothing of the recorder's is in the streams."""
    add_result(client, server_time(client))
    with connect(settings.working_url(), "test") as other:
        recorder = Recorder(other, settings)
        recorder.record(STOP)
        recorder.close()
    assert client.xinfo_groups(keys.RESULTS) == []
    assert client.xlen(keys.RESULTS) == 1


def test_missed_entries_have_times() -> None:
    gap = Missed(keys.RESULTS, "1000-0", "3000-5", 2)
    assert (gap.after_s, gap.before_s) == (1.0, 3.0)
