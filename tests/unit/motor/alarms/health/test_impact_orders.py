"""Impacts raise an alert only where they stay at one order of the shaft."""

from typing import Any

import pytest

from tests.unit.motor.alarms.health.test_update import RECORDS_ALONE, record
from vtox.motor.alarms.health.alarm_level import AlarmHistory, advance
from vtox.motor.alarms.health.impact_orders import impact_orders, share_an_order
from vtox.motor.alarms.health.marks import slots_of
from vtox.motor.alarms.health.update import HealthUpdate, MachineHistory, update
from vtox.motor.values.domain import Diagnosis

RULE = RECORDS_ALONE["bearing"]
OUTER, INNER = 3.58, 5.42


def comb(order: float, ratio: float = 2.0) -> dict[str, Any]:
    return {"defect": "BPFO", "found_order": order, "statistic": ratio, "threshold": 1.0}


def finding(*orders: float) -> Diagnosis:
    rows = (*map(comb, orders), comb(1.0, ratio=0.9))
    return Diagnosis(fault="bearing", state="warning", severity=0.5, evidence=rows)


def updates(*diagnoses: Diagnosis) -> list[HealthUpdate]:
    history, all_of = MachineHistory(), []
    for n, d in enumerate(diagnoses):
        all_of.append(update(history, record(n), [d], rules=RECORDS_ALONE))
        history = all_of[-1].history
    return all_of


def events(*diagnoses: Diagnosis) -> list[str]:
    return [a.event for u in updates(*diagnoses) for a in u.alerts]


def test_only_impacts_above_their_threshold_have_orders() -> None:
    assert impact_orders(finding(OUTER, INNER)) == (OUTER, INNER)
    assert impact_orders(Diagnosis(fault="broken_bar", state="fault")) == ()


@pytest.mark.parametrize(("now", "same"), [(OUTER * 1.014, True), (OUTER * 0.98, False)])
def test_an_order_is_the_same_but_for_slippage(now: float, same: bool) -> None:
    assert share_an_order((INNER, OUTER), (now,)) is same


def test_impacts_that_stay_at_an_order_raise_an_alert() -> None:
    steady = [finding(OUTER * (1 + 0.002 * k)) for k in range(RULE.k)]
    assert events(*steady) == ["raised"]


def test_impacts_now_at_one_order_now_at_another_raise_none() -> None:
    assert events(*[finding(o) for o in (OUTER, INNER) * RULE.n]) == []


def test_damage_of_two_parts_raises_an_alert_whichever_leads() -> None:
    both = [finding(OUTER), finding(OUTER, INNER), finding(INNER), finding(INNER, OUTER)]
    assert events(*both, *both) == ["raised"]


def test_an_open_alert_outlives_impacts_at_another_order() -> None:
    raised = [finding(OUTER)] * RULE.k
    assert events(*raised, finding(INNER), finding(OUTER)) == ["raised"]


def test_recorded_marks_give_the_same_events() -> None:
    diagnoses = [finding(o) for o in (*[OUTER] * 5, INNER, *[OUTER] * RULE.k)]
    told = updates(*diagnoses)
    assert [u.marks["bearing"] for u in told][4:8] == ["w", "W", "W", "w"]
    live = [(a.event, a.t) for u in told for a in u.alerts]
    history, recorded = AlarmHistory(), []
    for n, (d, u) in enumerate(zip(diagnoses, told, strict=True)):
        slots = slots_of(d, record(n), RULE)._replace(marks=u.marks["bearing"])
        history, changes = advance(history, slots, RULE)
        recorded += [(e.name, e.t) for e in changes]
    assert recorded == live == [("raised", 6.0)]
