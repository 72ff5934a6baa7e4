"""The evaluation of profiles: machine-months with alarms and trials, and its report."""

import pytest

from evaluation.profiles import lines, run_machine


@pytest.mark.long
def test_a_machine_month_says_alarms_and_finds() -> None:
    found = run_machine(7, 0)
    assert found.kind == "pump"
    assert found.trials.total() > 0
    assert any("machine-month" in line for line in lines([found]))
