"""A host whose clock is an hour wrong: ages and alerts go by the server's clock."""

import time

import psutil
import pytest

from tests.integration.helpers import add_window
from vtox.motor.alarms.health.alert_values import Alert
from vtox.motor.values import codec
from vtox.motor.values.domain import Motor, reason
from vtox.pipeline.configuration import keys
from vtox.pipeline.monitoring.throughput import from_workers
from vtox.pipeline.store.alarms.flags import set_flag
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.machines.baselines import set_baseline
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.system.status import snapshot
from workers.heartbeat import HeartbeatThread

HOUR_S = 3600.0
# Delay of a busy host between two lines.
SLACK_S = 60.0


@pytest.fixture(params=[HOUR_S, -HOUR_S], ids=["ahead", "behind"])
def offset_s(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    """This host's clock is wrong from now on."""
    offset_s: float = request.param
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + offset_s)
    return offset_s


def test_a_heartbeat_is_as_old_as_the_server_says(client: Client, offset_s: float) -> None:
    beat = HeartbeatThread(client, "w@h", ("turn_short", "bearing", "broken_bar"))
    beat._send(psutil.Process())
    snap = snapshot(client)
    (worker,) = snap.workers
    assert abs(snap.t - worker.last_seen_t) < SLACK_S
    assert abs(snap.t - (worker.started_t or 0)) < SLACK_S
    assert worker.clock_offset_s == pytest.approx(offset_s, abs=SLACK_S)
    assert from_workers(snap.workers, snap.t).windows_per_s is not None


def test_alerts_and_ages_have_the_time_of_the_server(client: Client, offset_s: float) -> None:
    machines.register(client, "M1", Motor())
    set_flag(client, "M1", "silent", True, reason("machine_silent"))
    set_baseline(client, "M1", '{"bands": []}')
    arrived = int(add_window(client).partition("-")[0]) / 1000
    client.zadd(keys.MACHINES, {"M1": arrived})
    (overview,) = machines.overview(client, ["M1"])
    assert not overview.silent(30.0)
    assert overview.last_window_age_s == pytest.approx(0, abs=SLACK_S)
    assert overview.baseline_state["learnt_t"] == pytest.approx(overview.as_of_t, abs=SLACK_S)
    machines.retire(client, "M1")
    for _, fields in client.xrange(keys.ALERTS):
        alert = codec.decode_fields(Alert, fields)
        assert alert.t == pytest.approx(server_time(client), abs=SLACK_S)
        assert int(alert.id.rpartition(":")[2]) / 1000 == pytest.approx(arrived, abs=SLACK_S)
