"""Recordings through the whole system: `vtox replay`, the workers and the summary."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cluster import Cluster, cluster
from tests.paths import ROOT
from tests.recordings.folder import recordings
from tests.recordings.test_itsc import HEALTHY, MOTOR, truths, whole_recording
from tests.recordings.test_real_motor_life import WITHIN_S, known_for_days
from vtox import learn_baseline
from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration import keys

pytestmark = pytest.mark.long

FS_HZ = 1000.0
SECONDS = 6
# The short is on from the third window to the fourth.
ON_S, OFF_S = 2.0, 4.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    with cluster(folder, "--without", "api", "--without", "flower") as started:
        started.wait_for_workers(len(FAMILIES))
        yield started


def replay(running: Cluster, *arguments: str | Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "vtox", "replay", *map(str, arguments), "--json"]
    environment = os.environ | {"VTOX_DATA_DIR": str(running.settings.data_dir)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=90)
    assert done.returncode == 0, done.stderr.decode()
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def write(path: Path, seed: int, negative: float = 0.0) -> Path:
    """A motor whose phase currents differ a little, with a short between `ON_S` and `OFF_S`."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(SECONDS * FS_HZ)) / FS_HZ
    size = 0.01 + negative * ((t >= ON_S) & (t < OFF_S))
    columns = [t]
    for k in range(3):
        turn = 2 * np.pi * 50 * t
        x = np.cos(turn - k * 2 * np.pi / 3) + size * np.cos(turn + k * 2 * np.pi / 3)
        columns.append(1000 * (8 * np.sqrt(2) * x + 0.02 * rng.standard_normal(len(t))))
    header = "time_s,ia_mA,ib_mA,ic_mA"
    np.savetxt(
        path, np.column_stack(columns), delimiter=",", header=header, comments="", fmt="%.6g"
    )
    return path


def test_a_short_shows_while_it_is_on(running: Cluster, tmp_path: Path) -> None:
    motor = tmp_path / "motor.toml"
    motor.write_text("pole_pairs = 2\nsupply_hz = 50.0\nrated_current_a = 10.0\n")
    healthy = tmp_path / "healthy"
    healthy.mkdir()
    for i in range(4):
        write(healthy / f"h{i}.csv", seed=i)
    (healthy / "labels.csv").write_text("recording,fault\nh0,none\n")
    bad = write(tmp_path / "bad.csv", seed=9, negative=0.2)
    known = ("--motor", motor, "--baseline", healthy)
    summary = replay(running, healthy, bad, "--machine", "R1", *known, "--speed", "max")
    states = {Path(f["file"]).name: f["states"]["turn_short"] for f in summary["files"]}
    found = states.pop("bad.csv")
    assert found.get("warning", 0) + found.get("fault", 0) == 2
    assert found["normal"] == 4
    assert list(states.values()) == [{"normal": SECONDS}] * 4
    assert all(f["states"]["insulation"] == {"unknown": SECONDS} for f in summary["files"])


def test_without_a_baseline_the_level_alone_does_not_decide(
    running: Cluster, tmp_path: Path
) -> None:
    path = write(tmp_path / "x.csv", seed=1)
    summary = replay(running, path, "--machine", "R2", "--speed", "10", "--window", "0.5")
    assert summary["files"][0]["windows"] == 2 * SECONDS
    assert summary["files"][0]["states"]["turn_short"] == {"unknown": SECONDS}


@pytest.mark.recordings
def test_the_life_of_a_motor_is_an_alert_an_episode(running: Cluster, tmp_path: Path) -> None:
    """All recordings of real shorts as one machine's life, by the stream."""
    folder = recordings("itsc")
    learnt = known_for_days(learn_baseline([whole_recording(h) for h in HEALTHY], MOTOR))
    exported = tmp_path / "baseline.json"
    exported.write_text(learnt.to_json())
    known = ("--motor", ROOT / "docs/motors/itsc.toml", "--baseline", exported)
    summary = replay(running, folder, "--machine", "R3", *known, "--speed", "max")
    begun = {Path(f["file"]).stem: f["t_start"] for f in summary["files"]}
    true = sorted((begun[t.name] + t.on_s, begun[t.name] + t.off_s) for t in truths() if t.percent)
    assert len(true) == 24
    entries = running.client().xrange(keys.ALERTS)
    alerts = [{k.decode(): v.decode() for k, v in e.items()} for _, e in entries]
    episodes: dict[str, dict[str, float]] = {}
    for a in alerts:
        if a["machine_id"] == "R3":
            assert a["fault"] == "turn_short"
            episodes.setdefault(a["id"], {})[a["event"]] = float(a["t"])
    found = sorted((e["raised"], e["cleared"]) for e in episodes.values())
    assert np.shape(found) == np.shape(true)
    assert np.abs(np.subtract(found, true)).max() <= WITHIN_S
    for file in summary["files"]:
        if "HLT" in file["file"]:
            assert file["states"]["turn_short"] == {"normal": 5}


@pytest.mark.recordings
def test_stuck_samples_are_refused(running: Cluster) -> None:
    summary = replay(running, recordings("stuck"), "--machine", "R4", "--speed", "max")
    for file in summary["files"]:
        for states in file["states"].values():
            assert set(states) == {"unknown"}
