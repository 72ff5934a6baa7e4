"""Each fault has one family; each family its own queue and a task that a worker registers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import celeryconfig
from tests.paths import ROOT
from vtox.motor.faults import FAMILIES, FAULTS
from vtox.motor.values.domain import Motor
from vtox.motor.values.record_lengths import record_length_s

SCRIPT = """
import json
from vtox.pipeline.queues.celery_app import app
app.loader.import_default_modules()
print(json.dumps({
    "tasks": sorted(t for t in app.tasks if t.startswith("vtox.")),
    "queues": {q.name: [q.exchange.name, q.routing_key] for q in app.conf.task_queues},
}))
"""


def test_the_queues_of_the_contract() -> None:
    assert list(FAMILIES) == ["turn_short", "bearing", "broken_bar"]
    assert FAMILIES["turn_short"].faults == ("turn_short", "insulation")
    assert FAMILIES["bearing"].faults == ("bearing", "eccentricity")
    assert FAMILIES["broken_bar"].faults == ("broken_bar",)
    assert list(FAULTS) == ["turn_short", "insulation", "bearing", "eccentricity", "broken_bar"]


def test_tasks_and_queues_of_a_worker(tmp_path: Path) -> None:
    """In a separate process, with a foreign celeryconfig.py in its folder that must not win."""
    found = registered(tmp_path)
    assert found["tasks"] == sorted(f.task for f in FAMILIES.values())
    assert found["queues"] == {f: [f, f] for f in FAMILIES}


def test_a_pool_process_has_time_to_start_on_a_busy_host() -> None:
    assert celeryconfig.worker_proc_alive_timeout >= 60.0


def registered(tmp_path: Path) -> dict[str, object]:
    (tmp_path / "celeryconfig.py").write_text('broker_url = "redis://elsewhere/0"\n')
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"VTOX_REDIS_URL": "redis://127.0.0.1:1", "PATH": "", "PYTHONPATH": str(ROOT)},
    )
    assert found.returncode == 0, found.stderr
    return dict(json.loads(found.stdout))


@pytest.mark.parametrize(
    ("rated_speed_rpm", "seconds"), [(1440, 10.0), (1485, 39.0), (1492.5, 40.0), (1499, 40.0)]
)
def test_long_records_are_as_long_as_the_slip_asks(rated_speed_rpm: float, seconds: float) -> None:
    motor = Motor(pole_pairs=2, supply_hz=50, rated_speed_rpm=rated_speed_rpm)
    assert record_length_s("broken_bar", motor) == seconds
    assert record_length_s("bearing", motor) == FAMILIES["bearing"].min_record_s
    assert record_length_s("broken_bar", Motor()) == FAMILIES["broken_bar"].min_record_s
