"""Why a limit too high for `normal` is what it is: one code for each cause, in order."""

from dataclasses import replace

import pytest

from vtox import Motor
from vtox.diagnosers.turn_short.basis import CONFIDENCE, LEAST_LIMIT, Basis
from vtox.diagnosers.turn_short.reasons import Grounds, indecision
from vtox.domain import reason

GROUNDS = Grounds(
    motor=Motor(rated_current_a=10.0),
    baseline_problem=None,
    voltage_problem=None,
    raw_ratio=0.02,
    limit_ratio=0.2,
    median_limit=0.2,
    steady_limit=0.2,
    limited_by="uncertainty",
)
NO_BASELINE, NOT_PAIRED = reason("no_baseline"), reason("voltages_between_lines")


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"median_limit": 0.05}, []),
        ({}, ["baseline_too_uncertain"]),
        ({"limited_by": "supply"}, ["supply_not_excluded"]),
        ({"baseline_problem": NO_BASELINE}, ["no_baseline", "supply_and_clamps_not_excluded"]),
        ({"steady_limit": 0.04, "baseline_problem": NO_BASELINE}, ["asymmetry_not_steady"]),
        ({"voltage_problem": NOT_PAIRED, "steady_limit": 0.04}, ["voltages_between_lines"]),
    ],
)
def test_the_first_rule_that_applies_is_the_code(
    change: dict[str, object], codes: list[str]
) -> None:
    assert [r.code for r in indecision(replace(GROUNDS, **change))] == codes  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("motor", "rated"),
    [
        (Motor(rated_current_a=10.0), True),
        (Motor(rated_power_w=4000.0, rated_voltage_v=400.0), True),
        (Motor(rated_power_w=4000.0), False),
        (Motor(), False),
    ],
)
def test_without_a_rated_current_a_doubt_says_so(motor: Motor, rated: bool) -> None:
    doubts = indecision(replace(GROUNDS, motor=motor, baseline_problem=NO_BASELINE))[1:]
    assert ("rated_current_unknown" in [d.code for d in doubts]) is not rated


def test_the_basis_has_four_texts() -> None:
    """They are values of the indicator `basis`, which users compare with."""
    texts = {(b.voltage, b.baseline): str(b) for b in LEAST_LIMIT}
    assert texts == {
        (True, True): "voltage and baseline",
        (True, False): "voltage, no baseline",
        (False, True): "currents and baseline",
        (False, False): "currents, no baseline",
    }
    assert set(CONFIDENCE) == set(LEAST_LIMIT) == {Basis(v, b) for v, b in texts}
