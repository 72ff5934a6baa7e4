"""False alerts of sound machines: none without alarms, and the product's alerts."""

import pytest

from evaluation.alerts import AlertRate, alert_rate
from evaluation.outcome import Outcome, outcome
from vtox.motor.values.domain import Diagnosis


def verdict(state: str, block: int, machine: str = "m") -> Outcome:
    d = Diagnosis(fault="broken_bar", state=state)  # type: ignore[arg-type]
    tags = {"diagnosis": d, "block": block, "record_s": 10.0}
    return outcome(d, faulty=False, machine=machine, tags=tags)


def test_alarms_that_never_follow_each_other_raise_no_alert() -> None:
    spread = [verdict(s, k) for k in range(30) for s in ("normal", "warning", "normal")]
    assert alert_rate(spread, days=1.0, seed=1).raised == 0


def test_one_condition_of_twenty_that_alarms_throughout_raises_no_alert() -> None:
    blocks = [verdict("warning" if k == 0 else "normal", k) for k in range(20) for _ in range(3)]
    rate = alert_rate(blocks, days=1.0, seed=1)
    assert (rate.raised, rate.days) == (0, 1.0)


def test_conditions_that_alarm_on_all_days_raise_one_alert() -> None:
    blocks = [verdict("warning", k) for k in range(20) for _ in range(3)]
    rate = alert_rate(blocks, days=5.0, seed=1)
    assert (rate.raised, rate.days) == (1, 5.0)
    assert rate == alert_rate(blocks, days=5.0, seed=1)


def test_machines_without_alarms_count_as_days() -> None:
    quiet = [verdict("normal", k, f"m{n}") for n in range(5) for k in range(3)]
    rate = alert_rate(quiet, days=2.0, seed=1)
    assert (rate.raised, rate.days, rate.machines) == (0, 10.0, 5)


def test_interval_is_that_of_a_poisson_rate() -> None:
    low, high = AlertRate(0, 10.0, 5).interval
    assert low == 0
    assert high == pytest.approx(0.369, abs=1e-3)
    assert str(AlertRate(0, 0.0, 0)) == "none"
