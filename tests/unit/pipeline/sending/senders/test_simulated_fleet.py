import itertools
import json

import numpy as np
import pytest
from typer import Typer
from typer.testing import CliRunner

from vtox.cli.main import add
from vtox.motor.errors import InputError
from vtox.motor.faults import FAULTS
from vtox.motor.simulator.fleet import fleet
from vtox.motor.simulator.signals import window
from vtox.motor.values.nameplate import motor_from_dict
from vtox.pipeline.sending.senders import simulated_fleet
from vtox.pipeline.windows.wire import Limits, encode, entry_header


def run(*arguments: str) -> str:
    app = Typer()
    add(app, "simulate")
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "100"})
    if result.exception:
        raise result.exception
    return result.output


def test_machines_are_spread_evenly_and_time_never_drifts() -> None:
    machines = fleet(10)
    jobs = list(simulated_fleet.jobs(machines, t0=100.0, run="r", duration_s=3))
    assert len(jobs) == 30
    due = [job.due_s for job in jobs]
    assert np.diff(due) == pytest.approx(0.1)
    assert due[0] == 1.0
    sent = [job.make() for job in jobs[:3] + jobs[-1:]]
    assert [w.machine_id for w in sent] == ["V001", "V002", "V003", "V010"]
    # A window is sent as it ends.
    assert [w.t0 + 1 - 100 for w in sent] == pytest.approx([due[0], due[1], due[2], due[-1]])
    assert [w.seq for w in sent] == [0, 0, 0, 2]


def test_without_a_duration_it_never_ends() -> None:
    endless = simulated_fleet.jobs(fleet(2), t0=0.0, run="r", duration_s=None)
    assert len(list(itertools.islice(endless, 1000))) == 1000


def test_windows_are_what_the_bridge_takes() -> None:
    for job in simulated_fleet.jobs(fleet(50), t0=1.7e9, run="sim.x", duration_s=1):
        simulated_window = job.make()
        entry_header(encode(simulated_window), Limits())
        assert simulated_window.vehicle_id == simulated_window.machine_id


def test_list_tells_the_truth_without_a_server() -> None:
    listed = json.loads(run("--list", "--json", "--machines", "50"))
    machines = fleet(50)
    assert [m["machine_id"] for m in listed] == [m.machine_id for m in machines]
    assert [m["fault"] for m in listed] == [m.fault for m in machines]
    assert motor_from_dict(listed[0]["nameplate"]) == machines[0].motor
    shown = {m["fault"] for m in listed if m["detectable"]} - {None}
    assert shown == set(FAULTS)
    for m in listed:
        assert (m["fault"] is None) == (m["severity"] is None) == (m["onset"] is None)
        assert m["detectable"] or m["reason"]


def test_list_for_people_names_faulty_machines_only() -> None:
    text = run("--list", "--machines", "20")
    for m in fleet(20):
        assert (m.machine_id in text) == (m.fault is not None)


def test_seed_mode_severity_and_onset_reach_the_fleet() -> None:
    assert run("--list", "--json") == run("--list", "--json")
    assert run("--list", "--json") != run("--list", "--json", "--seed", "7")
    listed = json.loads(run("--list", "--json", "--severity", "bearing=0.9:1", "--onset", "30:40"))
    faulty = [m for m in listed if m["fault"]]
    assert all(m["severity"] >= 0.9 for m in faulty if m["fault"] == "bearing")
    assert all(30 <= m["onset"] <= 40 for m in faulty)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--fault-mode", "wild"), "light, moderate, severe, critical"),
        (("--severity", "rust=0:1"), "expected one of turn_short"),
        (("--severity", "bearing=0.5:2"), "from 0 to 1"),
        (("--onset", "20:10"), "rising"),
        (("--onset", "soon"), "expected FROM:TO"),
        (("--speed", "10"), "needs --duration"),
        (("--speed", "fast"), "--speed fast"),
    ],
)
def test_impossible_options(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(*arguments)


def test_a_machine_sends_what_its_signals_say() -> None:
    machine = fleet(5)[0]
    job = next(simulated_fleet.jobs([machine], t0=0.0, run="r", duration_s=1))
    channels, speed_rpm = window(machine, 0, 1.0, 10_000.0)
    assert job.make().speed_rpm == speed_rpm
    for name, x in job.make().channels.items():
        assert np.array_equal(x, channels[name])
