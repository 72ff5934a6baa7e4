"""Signs too weak for one record warn where they stay at one order, counted in records."""

import pytest

from tests.unit.motor.alarms.health.test_impact_orders import INNER, OUTER, comb, finding, updates
from vtox.motor.alarms.health.marks import WEAK_TIMES
from vtox.motor.faults import PERSISTENCE
from vtox.motor.values.domain import Diagnosis

K, N = WEAK_TIMES * PERSISTENCE["bearing"].k, WEAK_TIMES * PERSISTENCE["bearing"].n
CLEAR = PERSISTENCE["bearing"].clear
SOUND = Diagnosis(fault="bearing", state="normal", code="because_n", severity=0.0)


def weak(order: float = OUTER) -> Diagnosis:
    evidence = (comb(order, ratio=1.5), {"kind": "weak_sign", "severity": 0.3})
    return Diagnosis(fault="bearing", state="unknown", code="because_weak", evidence=evidence)


def test_a_weak_comb_that_stays_is_a_warning_and_says_so() -> None:
    (*before, last) = updates(*[weak()] * K)
    assert not [a for u in before for a in u.alerts]
    assert [u.history.assessment.state for u in before] == ["unknown"] * (K - 1)
    (alert,) = last.alerts
    assert (alert.level, alert.event, alert.code) == ("warning", "raised", "weak_lines_stay")
    assert alert.values == {"order": OUTER, "found": K, "records": K}
    assert [r.code for r in alert.doubts] == ["because_weak"]
    assert (last.history.assessment.state, last.history.assessment.health) == ("warning", 70.0)
    assert last.history.assessment.faults["bearing"].why.code == "weak_lines_stay"


@pytest.mark.parametrize(
    ("diagnoses", "events"),
    [
        ([weak()] * (K - 1) + [SOUND], []),
        ([weak(), weak(), weak(), SOUND] * 4, ["raised"]),  # K of N
        ([weak(), weak(), SOUND] * 8, []),
        ([weak()] * (K - 1) + [weak(INNER)] * (K - 1), []),  # at another order: counted again
        ([weak()] * K + [SOUND] * CLEAR, ["raised", "cleared"]),
        ([weak()] * (K - 3) + [finding(OUTER)] * 3, ["raised"]),
        ([weak()] * 3 * N, ["raised"]),  # never a fault
    ],
)
def test_so_many_of_the_last_records_must_show_it(
    diagnoses: list[Diagnosis], events: list[str]
) -> None:
    alerts = [a for u in updates(*diagnoses) for a in u.alerts]
    assert [a.event for a in alerts] == events
    assert {a.level for a in alerts} <= {"warning"}


def risen() -> Diagnosis:
    evidence = (comb(OUTER), {"kind": "weak_sign", "severity": 0.3, "rise_db": 6.0})
    return Diagnosis(fault="bearing", state="unknown", code="because_weak", evidence=evidence)


def test_a_weak_comb_above_its_baseline_needs_half_as_many_records() -> None:
    (*before, last) = updates(*[risen()] * (K // WEAK_TIMES))
    assert not [a for u in before for a in u.alerts]
    assert [u.history.assessment.state for u in before] == ["unknown"] * (K // WEAK_TIMES - 1)
    (alert,) = last.alerts
    assert (alert.level, alert.event, alert.code) == ("warning", "raised", "weak_lines_risen")
    assert alert.values == {"order": OUTER, "rise_db": 6.0, "found": 6, "records": 6}
    assert last.history.assessment.faults["bearing"].why.code == "weak_lines_risen"
    both = [a for u in updates(*[risen(), weak()] * 5) for a in u.alerts]
    assert not both  # five of each do not do


def test_impacts_of_another_part_take_a_place_and_clear_nothing() -> None:
    impacts = {"kind": "impacts", "found_order": 4.4, "statistic": 20.0, "threshold": 1.0}
    elsewhere = Diagnosis(fault="bearing", state="unknown", evidence=(impacts,))
    one_in_two = [finding(OUTER), elsewhere] * 12
    assert [a for u in updates(*one_in_two) for a in u.alerts] == []
    after = updates(*[finding(OUTER)] * 6, *[elsewhere] * 20)
    assert [a.event for u in after for a in u.alerts] == ["raised"]
    assert updates(*[elsewhere] * 3)[-1].history.assessment.state == "unknown"
