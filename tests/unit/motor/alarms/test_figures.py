"""Figures of alarms: frequency, chattering by its definition, false alarms with their interval."""

import pytest
from scipy.stats import poisson

from vtox.motor.alarms.false_alarms import false_alarm_rate, poisson_interval
from vtox.motor.alarms.figures import (
    FrequentAlarm,
    RaisedAlarm,
    alarm_load,
    chatter_window_s,
    chattering,
    most_frequent,
)
from vtox.motor.alarms.life import Outcome


def alarms(*times_s: float, machine_id: str = "M1", fault: str = "bearing") -> list[RaisedAlarm]:
    """Alarms of one fault, each with its own id."""
    return [
        RaisedAlarm(f"{machine_id}:{fault}:{t}", machine_id, fault, round(1000 * t))
        for t in times_s
    ]


def test_the_most_frequent_come_first_with_their_share() -> None:
    raised = alarms(1, 2, 3) + alarms(4, machine_id="M2")
    first, second = most_frequent(raised, 10)
    assert (first.machine_id, first.alarms, first.share) == ("M1", 3, 0.75)
    assert second == FrequentAlarm("M2", "bearing", 1, 0.25)
    assert most_frequent([], 10) == []


def test_the_load_of_each_person_is_judged_by_the_limit_of_the_site() -> None:
    quiet, flood = alarm_load([1, 0, 2], 2, 0.5), alarm_load([0, 9], 1, 4.5)
    assert (quiet.verdict, quiet.per_person_day, quiet.days_above) == ("within", 0.5, 1)
    assert (flood.verdict, flood.days_above) == ("within", 1)
    assert alarm_load([0, 9], 1, 4.4).verdict == "above"
    at_limit = alarm_load([120_004], 10_000, 12.0)
    assert (at_limit.verdict, at_limit.per_person_day) == ("within", 12.0)
    assert alarm_load([5], 1, None).verdict == "no_limit"
    nothing = alarm_load([], 3, 4.0)
    assert (nothing.verdict, nothing.per_person_day, nothing.days) == ("unknown", None, 0)


def test_chattering_is_three_alarms_in_the_time_of_60_records() -> None:
    assert [chatter_window_s(f) for f in ("turn_short", "bearing", "broken_bar", "workers:q")] == [
        60,
        120,
        600,
        600,
    ]
    (found,) = chattering(alarms(0, 500, 560, 619, 1000))
    assert (found.times, found.first_ms, found.last_ms) == (3, 500_000, 619_000)
    assert chattering(alarms(0, 60, 120)) == [], "the third one is a window later"
    assert chattering(alarms(0, 1) + alarms(2, machine_id="M2")) == []


@pytest.mark.parametrize("count", [0, 1, 5, 40])
def test_the_interval_is_exact(count: int) -> None:
    low, high = poisson_interval(count, 10.0)
    assert poisson.cdf(count, 10 * high) == pytest.approx(0.025)
    if count:
        assert poisson.sf(count - 1, 10 * low) == pytest.approx(0.025)
    else:
        assert low == 0.0


def rate(n: int, days: float, *given: Outcome) -> tuple[str, str]:
    """Verdict and code of `n` alarms, the first of them with outcomes."""
    raised = alarms(*range(n))
    outcomes = {a.alarm_id: o for a, o in zip(raised, given, strict=False)}
    found = false_alarm_rate(raised, outcomes, days)
    return found.verdict, found.code


def test_the_promise_is_kept_broken_or_not_decided() -> None:
    assert rate(0, 1400) == ("kept", "less_than_promised")
    assert rate(0, 1300) == ("undecided", "too_few_machine_days")
    assert rate(1, 1400, "confirmed") == ("kept", "less_than_promised")
    assert rate(3, 1400, "confirmed") == ("undecided", "outcomes_missing")
    assert rate(9, 40, *["false_alarm"] * 9) == ("broken", "more_than_promised")


def test_without_outcomes_or_machine_days_nothing_is_known() -> None:
    assert rate(3, 40) == ("unknown", "no_outcomes")
    assert rate(3, 40, "not_inspected") == ("unknown", "no_outcomes")
    assert rate(0, 0) == ("unknown", "no_machine_days")
    found = false_alarm_rate(alarms(1), {}, 40.0)
    assert (found.per_machine_day, found.low, found.at_most) == (None, None, None)


def test_only_faults_of_machines_can_be_false_alarms() -> None:
    others = alarms(1, fault="silent") + alarms(2, machine_id="", fault="backlog")
    outcomes: dict[str, Outcome] = {a.alarm_id: "false_alarm" for a in others}
    found = false_alarm_rate(others, outcomes, 40.0)
    assert (found.alarms, found.per_machine_day) == (0, 0.0)
