"""`vtox simulate` against a real server: commissioning, sending in time, and no orphans."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from typer import Typer
from typer.testing import CliRunner

from tests.paths import ROOT
from tests.waiting import eventually, is_alive
from vtox.cli.main import add
from vtox.motor.simulator.fleet import fleet
from vtox.motor.values.baseline import Baseline
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.machines.machine_states import load_states
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.windows.wire import decode


def run(settings: Settings, *arguments: str) -> str:
    app = Typer()
    add(app, "simulate")
    where = {"VTOX_REDIS_URL": settings.working_url(), "COLUMNS": "80"}
    result = CliRunner().invoke(app, arguments, env=where)
    if result.exception:
        raise result.exception
    return result.output


def test_every_machine_is_commissioned_before_it_sends(client: Client, settings: Settings) -> None:
    said = run(settings, "--machines", "2", "--duration", "2", "--seed", "5")
    assert "2 machines commissioned" in said
    assert "4 windows sent" in said
    machines = fleet(2, seed=5)
    for machine, state in zip(machines, load_states(client, ["V001", "V002"]), strict=True):
        assert state.motor == machine.motor
        assert state.baseline is not None
        assert Baseline.from_json(state.baseline).bands
    entries = client.xrange(keys.RAW)
    windows = [decode(fields) for _, fields in entries]
    assert [(w.machine_id, w.seq) for w in windows] == [
        ("V001", 0),
        ("V002", 0),
        ("V001", 1),
        ("V002", 1),
    ]
    late_s = [
        int(entry_id.partition(b"-")[0]) / 1000 - (w.t0 + w.duration_s)
        for (entry_id, _), w in zip(entries, windows, strict=True)
    ]
    assert min(late_s) > -0.01, "none before its time"
    # A busy host delays some of them; times that were wrong would be so for all.
    assert min(late_s) < 0.8, "less than a window"


def test_each_invocation_is_a_run_of_its_own(client: Client, settings: Settings) -> None:
    for _ in range(2):
        run(settings, "--machines", "1", "--duration", "1", "--no-commission")
    assert len({fields[b"run"] for _, fields in client.xrange(keys.RAW)}) == 2
    assert load_states(client, ["V001"])[0].motor is None


def test_faster_than_time_the_data_end_now(client: Client, settings: Settings) -> None:
    run(settings, "--machines", "1", "--duration", "20", "--speed", "max", "--no-commission")
    last = decode(client.xrevrange(keys.RAW, count=1)[0][1])
    assert last.seq == 19
    assert last.t0 + last.duration_s == pytest.approx(time.time(), abs=10)


@pytest.mark.long
def test_killed_while_commissioning_it_leaves_no_process(
    client: Client, settings: Settings
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "vtox", "simulate", "--machines", "400"],
        cwd=ROOT,
        env=os.environ | {"VTOX_REDIS_URL": settings.working_url()},
        stdout=subprocess.DEVNULL,
    )
    parent = psutil.Process(process.pid)
    eventually(lambda: len(parent.children(recursive=True)) >= 2)
    # So long that they are at work, not only starting.
    time.sleep(3)
    children = parent.children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    eventually(lambda: not any(map(is_alive, children)))


def test_what_is_sent_is_told_on_one_line(client: Client, settings: Settings) -> None:
    options = ("--machines", "50", "--fault-mode", "light", "--duration", "1", "--no-commission")
    said = run(settings, *options)
    (line,) = (text for text in said.splitlines() if text.startswith("Sending:"))
    assert line.endswith("from the signals they send).")
