"""Diagnoses from conductance and capacitance: the first rule that holds decides."""

from typing import Any

import pytest

from tests.unit.motor.diagnosis.diagnosers.columns import columns, outcome
from vtox.motor.diagnosis.diagnosers.insulation.evidence import InsulationEvidence
from vtox.motor.diagnosis.diagnosers.insulation.rules import RULES

# 20 Mohm or more, the whole winding measured, no change of 15 nF.
SOUND = {
    "resistance_megohm": 25.0,
    "least_s": 2e-8,
    "most_s": 5e-8,
    "possible_megohm": 20.0,
    "possible_microsiemens": 0.05,
    "capacitance_nanofarad": 15.0,
    "temperature_c": 40.0,
    "change_f": 0.0,
    "bound_f": 1e-9,
    "phase": "b",
    "whole": True,
}


@pytest.mark.parametrize(
    ("given", "state", "code"),
    [
        ({}, "normal", "insulation_sound"),
        ({"least_s": 2.1e-7}, "warning", "winding_leaks"),
        ({"least_s": 1.1e-6}, "fault", "winding_leaks"),
        ({"least_s": 1.1e-6, "phase_leaks": True}, "fault", "phase_leaks"),
        ({"change_f": -1.1e-9}, "warning", "winding_capacitance_changed"),
        ({"change_f": 1.1e-9, "phase_changed": True}, "warning", "phase_capacitance_changed"),
        ({"change_f": 1.1e-9, "least_s": 1.1e-6}, "fault", "winding_leaks"),
        ({"change_f": float("nan")}, "normal", "insulation_sound"),
        ({"most_s": 1.1e-6}, "unknown", "leakage_too_noisy"),
        ({"most_s": 1.1e-6, "change_f": 1.1e-9}, "warning", "winding_capacitance_changed"),
        ({"whole": False}, "unknown", "no_phase_leaks"),
    ],
)
def test_the_first_rule_that_holds_decides(given: dict[str, Any], state: str, code: str) -> None:
    decided, (why, *_) = outcome(RULES, columns(InsulationEvidence, **SOUND | given))
    assert (decided.state, why.code) == (state, code)


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({}, {"resistance_megohm": 25, "capacitance_nanofarad": 15}),
        ({"most_s": 2e-6, "possible_megohm": 0.5}, {"possible_megohm": 0.5, "needed_megohm": 1}),
        ({"whole": False}, {"possible_microsiemens": 0.05}),
        (
            {"least_s": 1.1e-6, "phase_leaks": True},
            {"resistance_megohm": 25, "phase": "b", "limit_megohm": 1},
        ),
    ],
)
def test_values_are_the_columns_of_their_names(
    given: dict[str, Any], values: dict[str, Any]
) -> None:
    _, (why, *_) = outcome(RULES, columns(InsulationEvidence, **SOUND | given))
    assert why.values == values


def test_what_was_not_measured_is_a_doubt() -> None:
    x = columns(InsulationEvidence, **SOUND | {"whole": False, "temperature_c": float("nan")})
    _, (_, *doubts) = outcome(RULES, x)
    assert [d.code for d in doubts] == ["temperature_unknown", "equal_loss_not_excluded"]
