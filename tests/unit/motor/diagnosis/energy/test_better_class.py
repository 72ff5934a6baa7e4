"""The saving of a better class: an interval that narrows with the nameplate, or why none."""

from dataclasses import replace

import pytest

from tests.unit.motor.diagnosis.energy.test_rated_losses import MOTOR
from vtox.motor.diagnosis.energy.better_class import class_saving
from vtox.motor.diagnosis.energy.efficiency_class import class_efficiency
from vtox.motor.values.domain import Motor
from vtox.motor.values.energy import MeterCounts

# A day at three quarters of 11 kW, at an efficiency of 0.88.
DAY = MeterCounts(estimated_ms=86_400_000, shaft_j=712_800_000, lost_j=97_200_000)
OLD = replace(MOTOR, rated_efficiency=0.876)


def test_the_interval_holds_what_two_circuits_differ_by() -> None:
    best = class_efficiency("IE4", 11_000, 2)
    assert best is not None
    found = class_saving(OLD, DAY)
    # Losses over rated ones as now, by a motor at the limit of the class.
    at_limit = 97.2 / 3.6 * (1 - (1 / best - 1) / (1 / 0.876 - 1))
    assert found.low_kwh is not None
    assert found.high_kwh is not None
    assert found.ie_class == "IE4"
    assert 0 < found.low_kwh < at_limit < found.high_kwh < 97.2 / 3.6


def test_a_motor_that_is_nearly_as_good_cannot_be_told_apart() -> None:
    best = class_efficiency("IE4", 11_000, 2)
    assert best is not None
    found = class_saving(replace(MOTOR, rated_efficiency=best - 0.002), DAY)
    assert found.low_kwh is not None
    assert found.low_kwh < 0


@pytest.mark.parametrize(
    ("motor", "counts", "code"),
    [
        (None, DAY, "rated_power_unknown"),
        (replace(OLD, rated_efficiency=None), DAY, "rated_efficiency_unknown"),
        (OLD, MeterCounts(), "no_estimated_hours"),
        (
            replace(OLD, supply="inverter", stator_resistance_ohm=0.5),
            DAY,
            "saving_on_inverter_unknown",
        ),
        (replace(OLD, supply_hz=60.0, rated_speed_rpm=1755.0), DAY, "class_without_efficiency"),
        (replace(OLD, rated_efficiency=0.965), DAY, "no_better_class"),
    ],
)
def test_what_is_not_told_has_a_code(motor: Motor | None, counts: MeterCounts, code: str) -> None:
    found = class_saving(motor, counts)
    assert (found.code, found.low_kwh) == (code, None)
