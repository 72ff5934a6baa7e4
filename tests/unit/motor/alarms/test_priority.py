"""Priority of alarms: three ratings, their product, and the order of lists by it."""

from dataclasses import replace

import pytest

from vtox.motor.alarms.health.assessment import FaultAssessment
from vtox.motor.alarms.life import Alarm
from vtox.motor.alarms.precedence import precedence
from vtox.motor.alarms.priority import Importance, Priority, alarm_priority

ALARM = Alarm(
    id="M1:bearing:1",
    machine_id="M1",
    fault="bearing",
    level="warning",
    t=1.0,
    raised_ms=1000,
    since_ms=1000,
)


def rated(
    level: str = "warning",
    severity: float | None = None,
    confidence: float | None = None,
    criticality: int | None = None,
    fault: str = "bearing",
) -> Priority:
    assessed = FaultAssessment("warning", alert_severity=severity, alert_confidence=confidence)
    alarm = replace(ALARM, level=level, fault=fault)
    return alarm_priority(alarm, assessed, Importance(criticality))


@pytest.mark.parametrize(
    ("given", "number", "action"),
    [
        (("warning", 0.5, 0.8, 5), 5 * 3 * 4, "now"),
        (("warning", 0.5, 0.8, None), 3 * 3 * 4, "next_stop"),
        (("warning", 0.05, 0.8, 5), 5 * 2 * 4, "next_stop"),
        (("warning", 1.0, 1.0, 1), 1 * 4 * 5, "next_stop"),
        (("fault", 0.1, 0.8, 3), 3 * 4 * 4, "next_stop"),
        (("fault", 0.95, 0.95, None), 3 * 5 * 5, "now"),
        (("fault", None, None, 2), 2 * 4 * 3, "next_stop"),
        (("fault", 0.9, 0.5, 1, "turn_short"), 1 * 5 * 3, "now"),
        (("warning", None, None, 4, "silent"), 4 * 2 * 5, "next_stop"),
    ],
)
def test_the_number_is_the_product_of_three_ratings(
    given: tuple[str, float | None, float | None, int | None], number: int, action: str
) -> None:
    found = rated(*given)
    assert (found.number, found.action) == (number, action)


def test_an_alarm_of_the_system_is_seen_to_first() -> None:
    alarm = replace(ALARM, machine_id="", fault="memory")
    found = alarm_priority(alarm, None, Importance())
    assert (found.number, found.action) == (100, "now")


def test_the_arithmetic_is_said_and_what_was_assumed() -> None:
    assert rated(severity=0.5, confidence=0.8, criticality=5).why.sentence == (
        "priority 60 of 125: criticality 5 of 5, "
        "multiplied by severity 3 of 5 and by confidence 4 of 5"
    )
    assert "as the nameplate has none" in rated().why.sentence


def test_the_order_is_priority_then_cost_then_the_latest_then_what_has_ended() -> None:
    low, high = rated(criticality=1), rated(criticality=5)
    dear = replace(low, cost_per_hour=900.0)
    alarms = [replace(ALARM, id=str(k), t=float(k)) for k in range(5)]
    alarms[4] = replace(alarms[4], active=False, acknowledged=True)
    urgent = {"0": low, "1": high, "2": dear, "3": low}
    ordered = sorted(alarms, key=lambda a: precedence(a, urgent))
    assert [a.id for a in ordered] == ["1", "2", "3", "0", "4"]
