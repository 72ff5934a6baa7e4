"""The sensitivity of a machine: allowed settings, and their effects."""

from typing import Any

import pytest

from tests.unit.motor.alarms.health.test_update import record
from vtox.motor.alarms.health.alert_values import Alert
from vtox.motor.alarms.health.sensitivity import DEFAULT, Sensitivity, rules_from_dict
from vtox.motor.alarms.health.update import MachineHistory, update
from vtox.motor.errors import SensitivityError
from vtox.motor.faults import FAULTS, PERSISTENCE
from vtox.motor.values.domain import Diagnosis


def alerts_of(table: dict[str, Any], *diagnoses: Diagnosis) -> list[Alert]:
    """Feed one diagnosis a record to a machine of that sensitivity to bearing faults; no days."""
    rules = Sensitivity(faults=rules_from_dict({"bearing": {"days": 1, **table}})).rules
    history, alerts = MachineHistory(), []
    for n, d in enumerate(diagnoses):
        after = update(history, record(n), [d], rules=rules)
        history = after.history
        alerts += after.alerts
    return alerts


def bearing_fault(severity: float = 0.4, confidence: float = 0.9) -> Diagnosis:
    values = {"severity": severity, "confidence": confidence}
    return Diagnosis(fault="bearing", state="warning", code="it_shows", **values)  # type: ignore[arg-type]


RULE = PERSISTENCE["bearing"]
NOTHING = Diagnosis(fault="bearing", state="normal", severity=0.0, confidence=0.9)


def test_what_is_not_set_is_the_default_of_the_fault() -> None:
    assert DEFAULT.rules == PERSISTENCE
    rules = Sensitivity(faults=rules_from_dict({"bearing": {"k": 2}})).rules
    assert set(rules) == set(FAULTS)
    assert (rules["bearing"].k, rules["bearing"].n) == (2, PERSISTENCE["bearing"].n)
    assert rules["turn_short"] == PERSISTENCE["turn_short"]
    assert rules_from_dict({"turn_short": {"n": 9}})["turn_short"].slot_s == 0.2


@pytest.mark.parametrize(
    ("table", "field"),
    [
        ({"gearbox": {}}, "gearbox"),
        ({"bearing": 3}, "bearing"),
        ({"bearing": {"hold": 0.5}}, "bearing.hold"),
        ({"bearing": {"k": 0}}, "bearing.k"),
        ({"bearing": {"k": True}}, "bearing.k"),
        ({"bearing": {"k": 6, "n": 5}}, "bearing.k"),
        ({"bearing": {"n": 21}}, "bearing.n"),
        ({"bearing": {"days": 0}}, "bearing.days"),
        ({"bearing": {"days": 5}}, "bearing.days"),
        ({"bearing": {"of_days": 15}}, "bearing.of_days"),
        ({"bearing": {"clear": 2.0}}, "bearing.clear"),
        ({"bearing": {"min_severity": 1.1}}, "bearing.min_severity"),
        ({"bearing": {"min_severity": float("nan")}}, "bearing.min_severity"),
        ({"bearing": {"min_confidence": 10**400}}, "bearing.min_confidence"),
        ({"bearing": {"min_confidence": "0.5"}}, "bearing.min_confidence"),
    ],
)
def test_an_impossible_sensitivity_is_refused_by_field(table: dict[str, Any], field: str) -> None:
    with pytest.raises(SensitivityError) as raised:
        rules_from_dict(table)
    assert raised.value.field == field


def test_k_of_n_and_clear_are_those_of_the_machine() -> None:
    one = {"k": 1, "n": 1, "clear": 2}
    events = [a.event for a in alerts_of(one, bearing_fault(), NOTHING, NOTHING, bearing_fault())]
    assert events == ["raised", "cleared", "raised"]
    assert (
        alerts_of({"k": 5, "n": 5}, *[bearing_fault()] * 4, NOTHING, *[bearing_fault()] * 4) == []
    )


@pytest.mark.parametrize("least", [{"min_severity": 0.5}, {"min_confidence": 0.95}])
def test_what_is_found_below_the_sensitivity_raises_nothing(least: dict[str, float]) -> None:
    assert alerts_of(least, *[bearing_fault()] * 20) == []
    reaching = bearing_fault(severity=0.5, confidence=0.95)
    assert [a.event for a in alerts_of(least, *[reaching] * RULE.k)] == ["raised"]


def test_what_is_found_below_the_sensitivity_clears_and_says_so() -> None:
    clear = RULE.clear
    found_and_less = [bearing_fault(0.8)] * RULE.k + [bearing_fault(0.2)] * clear
    alerts = alerts_of({"min_severity": 0.5}, *found_and_less)
    assert [(a.event, a.code) for a in alerts] == [
        ("raised", "it_shows"),
        ("cleared", "below_sensitivity"),
    ]
    assert alerts[1].values == {"slots": clear, "severity": 0.5, "confidence": 0.0}
