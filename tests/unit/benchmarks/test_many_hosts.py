"""Many hosts: the simulation where the answer is known, and the table."""

import re

import pytest

from benchmarks.many_hosts.carried import carried
from benchmarks.many_hosts.figures import figures
from benchmarks.many_hosts.layout import Costs, Delays, Layout
from benchmarks.many_hosts.simulation import Disturbance, Simulation
from tests.paths import ROOT
from vtox.motor.faults import FAMILIES

DELAYS = Delays(takeover_s=1.0, failover_s=3.0, reconnect_s=1.0)


def costs(record_s: float) -> Costs:
    return Costs(
        task_s=dict.fromkeys(FAMILIES, 0.0),
        record_s=dict.fromkeys(FAMILIES, record_s),
        second_s=dict.fromkeys(FAMILIES, 0.0),
    )


def test_every_record_is_answered_in_time_where_nothing_happens() -> None:
    tasks = Simulation(Layout(machines=8, worker_hosts=2), costs(0.02), DELAYS).run(30.0)
    # In 30 s a machine has 30 records of 1 s, 15 of 2 s and 3 of 10 s; sums of fractions may hold
    # back the last of each family.
    assert sum(t.records for t in tasks) == pytest.approx(8 * (30 + 15 + 3), abs=3)
    f = figures(tasks, 30.0, [], DELAYS)
    assert (f.available, f.in_time) == (1.0, 1.0)


def test_without_capacity_records_are_late() -> None:
    tasks = Simulation(Layout(machines=8, worker_hosts=1), costs(0.2), DELAYS).run(60.0)
    assert figures(tasks, 60.0, [], DELAYS).in_time < 0.7


def test_what_a_host_took_that_is_cut_off_is_dispatched_again() -> None:
    layout = Layout(machines=8, worker_hosts=2)
    cut = [Disturbance("cut", 10.0, 60.0)]
    tasks = Simulation(layout, costs(0.02), DELAYS).run(80.0, cut)
    assert all(t.answered_t is not None for t in tasks)
    waited = max(t.answered_t - t.complete_t for t in tasks if t.answered_t is not None)
    assert DELAYS.redispatch_s < waited < DELAYS.redispatch_s + 3 * DELAYS.maintenance_s
    assert figures(tasks, 80.0, cut, DELAYS).recovery_s == (0.0,)


def test_another_bridge_takes_over_when_the_lease_has_run_out() -> None:
    stopped = [Disturbance("bridge", 10.0, 30.0)]
    tasks = Simulation(Layout(machines=8, worker_hosts=2), costs(0.01), DELAYS).run(50.0, stopped)
    waited = max(t.answered_t - t.complete_t for t in tasks if t.answered_t is not None)
    assert DELAYS.lease_s < waited < DELAYS.lease_s + DELAYS.takeover_s + 1.0


def test_a_primary_that_is_silent_is_given_up_by_the_time_out() -> None:
    stopped = [Disturbance("silent", 10.0, 3.0)]
    tasks = Simulation(Layout(machines=8, worker_hosts=2), costs(0.01), DELAYS).run(50.0, stopped)
    # 5 s and 1 s to connect; what was answered and not read before is read then, and what was not
    # yet dispatched waits for others of its task.
    assert DELAYS.away_s("silent", 3.0) == 6.0
    f = figures(tasks, 50.0, stopped, DELAYS)
    assert 3.0 <= f.recovery_s[0] < 4.0
    assert f.available == pytest.approx(1 - 6 / 50, abs=0.02)


def test_the_page_has_what_the_command_computes() -> None:
    page = (ROOT / "docs/explanation/scaling.md").read_text()
    rows = re.findall(r"^\| ([^|]*) \| ([\d,]+) \| ([^|]*) \| ([^|]*) \|$", page, re.MULTILINE)
    assert [list(r) for r in rows] == list(carried())
