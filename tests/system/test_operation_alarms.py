"""Alarms of operation, each once: over a restart, a dispatch again, and late windows."""

import os
import signal
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.cluster import Cluster, cluster
from tests.system.test_kill import pid_of
from tests.waiting import eventually
from vtox.motor.alarms.profile.values import DAY_MIN, LEARNING_DAYS
from vtox.motor.faults import FAMILIES
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.server.client import Client, server_time
from vtox.reporting.history.recorder import PAUSE_S

pytestmark = pytest.mark.alone

FS_HZ, AMPERES, VOLTS = 1000, 20.0, 230.0
MOTOR = Motor(pole_pairs=2, supply_hz=50, rated_speed_rpm=1450, rated_current_a=25)
# The load falls at noon of a working day, the last one but one, for so many minutes.
_DAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)
_DAY -= timedelta(days=max(0, _DAY.weekday() - 4))
NOON = round(_DAY.timestamp() / 60) + 720
FALLS, LOW = range(NOON, NOON + 20), 0.6
# So many of them are too few for an alarm.
BEFORE = 4
# A sensor that sends in every tenth minute of some hours.
USUAL = [
    NOON - day * DAY_MIN + k
    for day in range(LEARNING_DAYS, -1, -1)
    if (_DAY - timedelta(days=day)).weekday() < 5
    for k in range(-120, 120 if day else 0, 10)
]
HASTY = {"VTOX_REDISPATCH_AFTER_S": "3", "VTOX_CLOCK_TOLERANCE_S": "1e12"}
RAISED = ("load_low", "raised", "load_below_profile")


def send(client: Client, machine_id: str, minutes: Iterable[int], load: float = 1.0) -> None:
    """Add a window of 1 s of each minute, at a share of the usual current."""
    for minute in minutes:
        t, noise = np.arange(FS_HZ) / FS_HZ, np.random.default_rng(minute)
        fields: dict[str, str | bytes] = {
            "machine_id": machine_id,
            "seq": str(minute),
            "t0": repr(60.0 * minute + 1),
            "fs_hz": str(FS_HZ),
            "dtype": "f4",
        }
        for k, phase in enumerate("abc"):
            angle = 2 * np.pi * (50 * t - k / 3)
            for name, x in (
                (f"i{phase}", load * AMPERES * np.cos(angle - 0.5)),
                (f"v{phase}", VOLTS * np.sqrt(2) * np.cos(angle)),
            ):
                fields[name] = (x + noise.normal(0, 0.02, FS_HZ)).astype("<f4").tobytes()
        client.xadd(keys.RAW, fields)


def alarms(client: Client, machine_id: str) -> list[tuple[str, ...]]:
    """Return event, code and compared values of each alarm of a machine."""
    found = [e for _, e in client.xrange(keys.ALERTS) if e[b"machine_id"].decode() == machine_id]
    return [tuple(e[n].decode() for n in (b"fault", b"event", b"code", b"doubts")) for e in found]


def wait_for_answers(running: Cluster) -> None:
    """Wait until every window is answered."""
    client, log = running.client(), running.log.read_text

    def answered() -> bool:
        done = int(client.hget(keys.COUNTERS, "windows_done") or 0)
        return done == client.xinfo_stream(keys.RAW)["entries-added"]

    eventually(answered, 300, log)


def wait_for_record(client: Client) -> None:
    """Wait until the recorder has read all results of now."""
    now = server_time(client)
    eventually(lambda: (b := heartbeats.recorder(client)) and (b.recorded_t or 0) > now)


def test_each_fall_of_the_load_is_the_same_alarm_once(tmp_path: Path) -> None:
    names = ["AGAIN", "CALM", "LATE", "RESTARTED"]
    few = ("--without", "api", "--without", "flower")
    with cluster(tmp_path, *few, **HASTY) as running:
        running.wait_for_workers(len(FAMILIES))
        client = running.client()
        for m in names:
            register(client, m, MOTOR)
            send(client, m, USUAL)
        send(client, "CALM", FALLS, LOW)
        send(client, "RESTARTED", FALLS[:BEFORE], LOW)
        wait_for_answers(running)
        wait_for_record(client)
        assert [len(alarms(client, m)) for m in names] == [0, 1, 0, 0]
    with cluster(tmp_path, *few, **HASTY) as running:
        running.wait_for_workers(len(FAMILIES))
        client = running.client()
        send(client, "RESTARTED", FALLS[BEFORE:], LOW)
        fall_twice(running, "AGAIN")
        send(client, "LATE", FALLS, LOW)
        wait_for_answers(running)
        began = time.monotonic()
        eventually(lambda: alarms(client, "LATE"))
        assert time.monotonic() - began < PAUSE_S + 5
        send(client, "LATE", range(NOON - 59, NOON - 51), LOW / 2)  # the past is no news
        wait_for_answers(running)
        kill_recorder(client)
        wait_for_record(client)
        found = {m: alarms(client, m) for m in names}
    (calm,) = found["CALM"]
    assert calm[:3] == RAISED
    assert found == {m: [calm] for m in names}


def kill_recorder(client: Client) -> None:
    """Kill the recorder of now, not the one before a restart."""
    wait_for_record(client)
    beat = heartbeats.recorder(client)
    assert beat
    os.kill(beat.pid, signal.SIGKILL)


def sent_again(client: Client) -> int:
    return int(client.hget(keys.COUNTERS, "records_redispatched") or 0)


def fall_twice(running: Cluster, machine_id: str) -> None:
    """Let a worker hang over a part of a fall until its tasks are sent once more."""
    client = running.client()
    before = sent_again(client)
    worker = pid_of(running, "celery", "turn_short")
    os.kill(worker, signal.SIGSTOP)
    send(client, machine_id, FALLS[:BEFORE], LOW)
    eventually(lambda: sent_again(client) > before)
    os.kill(worker, signal.SIGCONT)
    send(client, machine_id, FALLS[BEFORE:], LOW)
    kill_recorder(client)
    wait_for_answers(running)
    eventually(lambda: alarms(client, machine_id))
