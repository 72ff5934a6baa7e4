"""Losses at rated load from a nameplate, and nameplates that do not give them."""

from dataclasses import replace

import pytest

from vtox.motor.diagnosis.energy.efficiency_class import class_efficiency, class_span
from vtox.motor.diagnosis.energy.rated_losses import rated_losses
from vtox.motor.values.domain import IeClass, Motor

MOTOR = Motor(
    pole_pairs=2,
    supply_hz=50.0,
    rated_speed_rpm=1465.0,
    rated_current_a=20.6,
    rated_voltage_v=400.0,
    rated_power_w=11_000.0,
    rated_efficiency=0.914,
)


@pytest.mark.parametrize(
    ("ie_class", "kw", "poles", "per_cent"),
    [
        # Tables 5 to 8 of IEC 60034-30-1:2014.
        ("IE1", 11, 4, 87.6),
        ("IE2", 11, 4, 89.8),
        ("IE3", 11, 4, 91.4),
        ("IE4", 11, 4, 93.3),
        ("IE3", 0.75, 4, 82.5),
        ("IE3", 75, 2, 94.7),
        ("IE2", 30, 6, 91.7),
        ("IE4", 200, 4, 96.7),
        ("IE3", 500, 4, 96.0),
    ],
)
def test_classes_have_the_efficiencies_of_the_standard(
    ie_class: IeClass, kw: float, poles: int, per_cent: float
) -> None:
    found = class_efficiency(ie_class, 1000 * kw, poles // 2)
    assert found is not None
    assert 100 * found == pytest.approx(per_cent, abs=0.051)


def test_a_class_spans_to_the_next_one() -> None:
    assert class_span("IE3", 11_000, 2) == pytest.approx((0.9142, 0.9334), abs=1e-4)
    low, high = class_span("IE4", 11_000, 2) or (0, 0)
    assert 1 - high == pytest.approx(0.8 * (1 - low))


def test_losses_are_input_less_output() -> None:
    x = rated_losses(MOTOR)
    assert x.loss_w == pytest.approx(11_000 / 0.914 - 11_000)
    assert x.loss_std_w == pytest.approx(0.05 * x.loss_w)
    assert x.slip == pytest.approx(1 - 1465 / 1500)


def test_a_class_is_less_certain_than_an_efficiency() -> None:
    by_class = rated_losses(replace(MOTOR, rated_efficiency=None, ie_class="IE3"))
    assert by_class.loss_std_w > rated_losses(MOTOR).loss_std_w
    assert by_class.loss_w == pytest.approx(11_000 / 0.9238 - 11_000, rel=1e-3)


def test_a_power_factor_gives_the_efficiency() -> None:
    x = rated_losses(replace(MOTOR, rated_efficiency=None, rated_power_factor=0.845))
    assert 11_000 / x.input_w == pytest.approx(0.912, abs=1e-3)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"rated_power_w": None}, "rated_power_unknown"),
        ({"rated_voltage_v": None}, "rated_voltage_unknown"),
        ({"pole_pairs": None, "rated_speed_rpm": None}, "rated_supply_or_poles_unknown"),
        ({"rated_efficiency": None}, "rated_efficiency_unknown"),
        ({"rated_current_a": None}, "rated_current_unknown"),
        (
            {"rated_efficiency": None, "ie_class": "IE3", "pole_pairs": 6},
            "class_without_efficiency",
        ),
        ({"supply": "inverter"}, "inverter_needs_resistance"),
        ({"stator_resistance_ohm": 3.0}, "losses_contradict_efficiency"),
    ],
)
def test_what_is_missing_has_a_code(changes: dict[str, object], why: str) -> None:
    motor = replace(MOTOR, rated_speed_rpm=None) if "pole_pairs" in changes else MOTOR
    assert rated_losses(replace(motor, **changes)).why == why  # type: ignore[arg-type]
