"""`vtox demo` without a terminal: its lines, its detections, and its end."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster import free_ports
from vtox.motor.faults import FAULTS
from vtox.pipeline.monitoring.throughput import AVERAGE_S

pytestmark = pytest.mark.long

MACHINES, SENT_S = 12, 45


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    """The lines of one demo with an end, and its data folder."""
    folder = tmp_path_factory.mktemp("demo")
    api, coordinator, flower, worker = free_ports(4)
    given = {
        "VTOX_DATA_DIR": str(folder),
        "VTOX_API_PORT": str(api),
        "VTOX_COORDINATOR_PORT": str(coordinator),
        "VTOX_FLOWER_PORT": str(flower),
        "VTOX_WORKER_PORT": str(worker),
        "VTOX_MONITOR_INTERVAL_S": "2",
    }
    options = ["--machines", str(MACHINES), "--duration", str(SENT_S)]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "vtox", "demo", *options],
        env=os.environ | given,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), folder


def test_every_fault_is_detected_without_false_alarm(demo: tuple[list[str], Path]) -> None:
    lines, _ = demo
    (detected,) = [line for line in lines if line.startswith("detected: ")]
    assert dict(re.findall(r"(\w+) (\d+ of \d+)", detected)) == dict.fromkeys(FAULTS, "1 of 1")
    assert "false alarms: none" in lines


def test_until_machines_send_the_demo_says_how_far_it_is(demo: tuple[list[str], Path]) -> None:
    lines, _ = demo
    start = next(i for i, line in enumerate(lines) if "windows/s" in line)
    # If all is up within the first interval of lines, no line says that it starts.
    assert [x for x in lines[:start] if "starting: " in x or "commissioning: " in x]
    counts = [re.search(r" commissioning: (\d+) of 12 machines$", line) for line in lines]
    assert all(int(m.group(1)) < MACHINES for m in counts if m)


def test_lines_of_the_state_fit_a_terminal(demo: tuple[list[str], Path]) -> None:
    lines, _ = demo
    states = [line for line in lines if re.search("windows/s|starting: |commissioning: ", line)]
    assert max(map(len, states)) <= 80


def test_throughput_is_printed(demo: tuple[list[str], Path]) -> None:
    # Long first records delay windows and then finish them at once. In its first minute the
    # figure lags and overshoots; in half a minute no more can finish than was ever sent.
    # How exact it is in the long run is the subject of test_rate.py.
    lines, _ = demo
    matches = [re.search(r"([\d.]+) windows/s", line) for line in lines]
    rates = [float(m.group(1)) for m in matches if m]
    assert MACHINES / 2 < rates[-1] < MACHINES * SENT_S / AVERAGE_S


def test_each_address_is_printed_once(demo: tuple[list[str], Path]) -> None:
    lines, folder = demo
    text = "\n".join(lines)
    assert len(re.findall(r" page: http://127\.0\.0\.1:\d+$", text, re.MULTILINE)) == 1
    assert len(re.findall(r" flower: http://127\.0\.0\.1:\d+$", text, re.MULTILINE)) == 1
    assert f"log: {folder / 'demo' / 'cluster.log'}" in lines[0]


def test_alerts_are_printed_with_their_reason(demo: tuple[list[str], Path]) -> None:
    lines, _ = demo
    assert [line for line in lines if re.search(r" raised (warning|fault): V\d+ \w+: \w", line)]


def test_details_are_in_the_log_only(demo: tuple[list[str], Path]) -> None:
    lines, folder = demo
    assert not [line for line in lines if line.startswith("{")]
    log = [json.loads(line) for line in (folder / "demo" / "cluster.log").read_text().splitlines()]
    assert any(e["role"] == "simulate" for e in log)
