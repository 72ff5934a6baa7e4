"""A sender that knows only the raw entry, real workers, and the entries of the streams."""

import json
import time
from collections.abc import Iterator

import numpy as np
import pytest

from tests.cluster import Cluster, cluster
from vtox.motor.faults import FAMILIES, FAULTS
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.machines.machines import overview, register

FS_HZ = 2000
MOTOR = Motor(pole_pairs=2, supply_hz=50, rated_speed_rpm=1450, rated_current_a=10)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    calm = {"VTOX_CLOCK_TOLERANCE_S": "1e12"}
    with cluster(folder, "--without", "api", "--without", "flower", **calm) as started:
        started.wait_for_workers(len(FAMILIES))
        yield started


def send(running: Cluster, machine_id: str, seconds: int, unbalance: float = 0.01) -> None:
    """Send currents with a negative sequence of `unbalance`, ahead of time."""
    client, rng = running.client(), np.random.default_rng(7)
    for seq in range(seconds):
        t = seq + np.arange(FS_HZ) / FS_HZ
        fields: dict[str, str | bytes] = {
            "machine_id": machine_id,
            "seq": str(seq),
            "t0": repr(1.764e9 + seq),
            "fs_hz": str(FS_HZ),
            "dtype": "f4",
        }
        for k, name in enumerate(("ia", "ib", "ic")):
            angle = 2 * np.pi * 50 * t
            x = np.cos(angle - 2 * np.pi * k / 3) + unbalance * np.cos(angle + 2 * np.pi * k / 3)
            fields[name] = (10 * x + 0.01 * rng.normal(size=FS_HZ)).astype("<f4").tobytes()
        client.xadd(keys.RAW, fields)


def results(running: Cluster, machine_id: str) -> list[dict[str, str]]:
    entries = [e for _, e in running.client().xrange(keys.RESULTS)]
    rows = [{k.decode(): v.decode() for k, v in e.items()} for e in entries]
    return [r for r in rows if r["machine_id"] == machine_id]


def covered(rows: list[dict[str, str]]) -> dict[str, list[int]]:
    """Return fault -> the seq of every window answered, as often as it was."""
    return {
        fault: sorted(
            n
            for r in rows
            if r["fault"] == fault
            for n in range(int(r["first_seq"]), int(r["last_seq"]) + 1)
        )
        for fault in FAULTS
    }


def wait(condition, timeout_s: float = 60.0):  # type: ignore[no-untyped-def]
    end = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < end, "did not come true in time"
        time.sleep(0.1)
    return value


def test_every_window_is_answered_for_every_fault(running: Cluster) -> None:
    send(running, "PLAIN", 25)
    everything = {fault: list(range(25)) for fault in FAULTS}
    wait(lambda: covered(results(running, "PLAIN")) == everything)
    rows = results(running, "PLAIN")
    bearing = next(r for r in rows if r["fault"] == "bearing")
    assert bearing["state"] == "unknown"
    assert bearing["reason"]
    assert float(bearing["latency_ms"]) >= 0
    assert json.loads(bearing["detail"]).keys() >= {"indicators", "evidence"}


def test_a_gross_asymmetry_becomes_one_alert(running: Cluster) -> None:
    register(running.client(), "SKEW", MOTOR)
    send(running, "SKEW", 12, unbalance=0.35)
    alerts = wait(
        lambda: [
            e
            for _, e in running.client().xrange(keys.ALERTS)
            if e[b"machine_id"] == b"SKEW" and e[b"fault"] == b"turn_short"
        ]
    )
    wait(lambda: sum(r["fault"] == "turn_short" for r in results(running, "SKEW")) == 12)
    assert alerts[0][b"event"] == b"raised"
    assert {a[b"event"] for a in alerts} <= {b"raised", b"escalated"}
    assert len({a[b"id"] for a in alerts}) == 1
    (machine,) = overview(running.client(), ["SKEW"])
    assert machine.health
    assert machine.health.state in ("warning", "fault")


def test_a_registered_machine_learns_its_baseline_on_the_stream(running: Cluster) -> None:
    client = running.client()
    register(client, "CALM", MOTOR)
    send(running, "CALM", 62, unbalance=0.03)
    wait(lambda: overview(client, ["CALM"])[0].baseline, timeout_s=90)
    state = overview(client, ["CALM"])[0].baseline_state
    assert state["state"] == "ready"
    assert state["source"] == "stream"


def test_an_unregistered_machine_learns_nothing(running: Cluster) -> None:
    (machine,) = overview(running.client(), ["PLAIN"])
    assert machine.baseline_state == {"state": "none", "records": 0}
