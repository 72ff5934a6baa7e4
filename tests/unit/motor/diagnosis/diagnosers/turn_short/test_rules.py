"""The order of the table: which outcome comes first, and which doubts it carries."""

from typing import Any

import pytest

from tests.unit.motor.diagnosis.diagnosers.columns import columns, outcome
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_model import LEAST_PERIODS
from vtox.motor.diagnosis.diagnosers.turn_short.evidence import BASES, TurnShortEvidence
from vtox.motor.diagnosis.diagnosers.turn_short.rules import RULES
from vtox.motor.values.domain import reason

NO_BASELINE = (reason("no_baseline"),)
NOT_PAIRED = (reason("voltages_between_lines"),)
HEALTHY = {
    "three_currents": True,
    "frames": True,
    "zero_sequence_ratio": 0.01,
    "negative_sequence_ratio": 0.01,
    "low_a": 9.0,
    "high_a": 10.0,
    "load_a": 9.5,
    "needed_a": 2.0,
    "steady_limit": 0.2,
    "limit_ratio": 0.2,
}


def codes(**given: Any) -> list[str]:
    _, reasons = outcome(RULES, columns(TurnShortEvidence, **HEALTHY | given))
    return [r.code for r in reasons]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["baseline_too_uncertain"]),
        ({"limited_by_supply": True}, ["supply_not_excluded"]),
        (
            {"baseline_problems": NO_BASELINE},
            ["no_baseline", "supply_and_clamps_not_excluded"],
        ),
        (
            {"baseline_problems": NO_BASELINE, "unrated": True},
            ["no_baseline", "supply_and_clamps_not_excluded", "rated_current_unknown"],
        ),
        ({"steady_limit": 0.04, "baseline_problems": NO_BASELINE}, ["asymmetry_not_steady"]),
        ({"voltage_problems": NOT_PAIRED, "steady_limit": 0.04}, ["voltages_between_lines"]),
        ({"renamed": True}, ["phases_renamed"]),
    ],
)
def test_a_limit_too_high_says_why(given: dict[str, Any], expected: list[str]) -> None:
    assert codes(undecided=True, **given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"renamed": True, "rescaled": True}, ["phases_renamed"]),
        ({"rescaled": True, "one_clamp": True}, ["current_scale_changed"]),
        ({"one_clamp": True, "in_part": True}, ["clamp_changed", "part_of_record"]),
        ({"one_of_two_clamps": True}, ["clamp_of_two_not_excluded"]),
        ({"by_voltage": True, "joint": "b"}, ["turn_short_found", "joint_not_excluded"]),
        ({"joint": "b"}, ["asymmetry_found"]),
        ({"voltage_problems": NOT_PAIRED}, ["asymmetry_found", "voltages_between_lines"]),
    ],
)
def test_over_the_limit_the_measurement_comes_first(
    given: dict[str, Any], expected: list[str]
) -> None:
    assert codes(over=True, **given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"input_problems": NO_BASELINE, "zero_sequence_ratio": 0.5}, "no_baseline"),
        ({"zero_sequence_ratio": 0.5, "low_a": 0.0}, "currents_do_not_sum_to_zero"),
        ({"low_a": 0.0, "load_a": 0.0}, "current_not_steady"),
        ({"load_a": 1.9, "inverter": True}, "load_too_low"),
        ({"inverter": True, "baseline_problems": NO_BASELINE, "over": True}, "no_baseline"),
        ({"inverter": True, "voltage_problems": NOT_PAIRED}, "voltages_between_lines"),
        ({"voltages": True, "unbalance_ratio": 0.03}, "voltage_unbalance_too_large"),
        ({}, "asymmetry_within_limit"),
    ],
)
def test_conditions_come_before_any_asymmetry(given: dict[str, Any], expected: str) -> None:
    assert codes(**given) == [expected]


@pytest.mark.parametrize(
    ("voltage", "baseline", "text"),
    [
        (True, True, "voltage and baseline"),
        (True, False, "voltage, no baseline"),
        (False, True, "currents and baseline"),
        (False, False, "currents, no baseline"),
    ],
)
def test_the_basis_has_four_texts(voltage: bool, baseline: bool, text: str) -> None:
    """They are values of the indicator `basis`, which users compare with."""
    assert BASES[2 * voltage + baseline] == text


def test_a_drive_is_decided_by_its_baseline_and_what_is_sound_has_a_doubt() -> None:
    assert codes(inverter=True, over=True) == ["asymmetry_found"]
    assert codes(inverter=True) == ["asymmetry_within_limit", "inverter_without_voltages"]
    assert codes(inverter=True, voltages=True) == ["asymmetry_within_limit"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"inverter": True}, ["voltage_unbalance_too_large"]),
        ({"inverter": True, "learnt": True}, ["turn_short_found"]),
        ({"learnt": True}, ["voltage_unbalance_too_large"]),
    ],
)
def test_an_unbalance_that_a_drive_itself_makes_is_compared_with_its_baseline(
    given: dict[str, Any], expected: list[str]
) -> None:
    known = {"voltages": True, "by_voltage": True, "over": True, "unbalance_ratio": 0.03}
    assert codes(**known | given) == expected


@pytest.mark.parametrize(
    ("given", "doubts"),
    [
        ({"periods": 1, "supply_may_move": True}, ["few_periods_learnt"]),
        ({"periods": LEAST_PERIODS, "supply_may_move": True}, []),
        ({"periods": 1}, []),  # a drive, or more than a supply draws
    ],
)
def test_before_enough_days_a_supply_that_moves_is_not_excluded(
    given: dict[str, Any], doubts: list[str]
) -> None:
    assert codes(over=True, learnt=True, **given) == ["asymmetry_found", *doubts]
