"""Nameplates that contradict themselves: by code, with the values; sound plates say nothing."""

import pytest

from vtox.motor.values.bearing import Bearing
from vtox.motor.values.domain import Motor
from vtox.motor.values.plate_checks import contradictions
from vtox.motor.words.rendering import render


def codes(motor: Motor) -> list[str]:
    return [r.code for r in contradictions(motor)]


# kW, V, A, rpm, Hz, pole pairs of plates and catalogues: 60 W to 2 MW, 50 and 60 Hz, 2 to 8 poles.
SOUND = [
    (0.06, 400, 0.25, 1320, 50, 2),
    (0.18, 400, 0.75, 680, 50, 4),
    (0.75, 400, 1.9, 1435, 50, 2),
    (1.5, 230, 5.8, 2880, 50, 1),
    (3.7, 400, 8.0, 1450, 50, 2),
    (7.5, 460, 12.5, 1765, 60, 2),
    (55, 400, 97, 1480, 50, 2),
    (200, 690, 200, 2975, 50, 1),
    (2000, 6000, 228, 1492, 50, 2),
    (0.37, 400, 1.2, 900, 50, 3),
]


@pytest.mark.parametrize(("kw", "volts", "amps", "rpm", "hz", "poles"), SOUND)
def test_a_sound_plate_has_no_contradiction(
    kw: float, volts: float, amps: float, rpm: float, hz: float, poles: int
) -> None:
    plate = Motor(
        rated_power_w=1000 * kw,
        rated_voltage_v=volts,
        rated_current_a=amps,
        rated_speed_rpm=rpm,
        supply_hz=hz,
        pole_pairs=poles,
    )
    assert codes(plate) == []


def test_kilowatts_as_watts_are_found_with_and_without_the_voltage() -> None:
    (said,) = contradictions(Motor(rated_power_w=3.7, rated_voltage_v=400, rated_current_a=8))
    assert said.code == "plate_power_contradicts"
    assert said.values["low_w"] == pytest.approx(1386, abs=1)
    assert render(said.code, said.values).endswith("A, which give 1.386 to 5.653 kW")
    assert codes(Motor(rated_power_w=3.7, rated_current_a=8)) == ["plate_power_or_current"]
    assert codes(Motor(rated_power_w=3700, rated_current_a=8)) == []


@pytest.mark.parametrize("amps", [0.8, 80.0])
def test_a_current_that_does_not_fit_the_power_is_found(amps: float) -> None:
    plate = Motor(rated_power_w=3700, rated_voltage_v=400, rated_current_a=amps)
    assert codes(plate) == ["plate_power_contradicts"]


def test_power_factor_and_efficiency_narrow_the_range() -> None:
    plate = Motor(
        rated_power_w=3700,
        rated_voltage_v=400,
        rated_current_a=14,
        rated_efficiency=0.885,
        rated_power_factor=0.83,
    )
    assert codes(plate) == ["plate_power_contradicts"]


@pytest.mark.parametrize(
    ("rpm", "poles", "hz", "code"),
    [
        (1500, 2, 50, "plate_speed_is_synchronous"),
        (1500, 2, None, "plate_speed_is_synchronous"),
        (1800, 2, None, "plate_speed_is_synchronous"),
        (960, 2, 50, "plate_speed_contradicts_poles"),
        (2900, 2, None, "plate_speed_contradicts_poles"),
        (960, 2, None, "plate_speed_contradicts_poles"),
    ],
)
def test_a_speed_that_does_not_fit_the_poles_is_found(
    rpm: float, poles: int, hz: float | None, code: str
) -> None:
    assert codes(Motor(rated_speed_rpm=rpm, pole_pairs=poles, supply_hz=hz)) == [code]


def test_a_drive_without_a_rated_frequency_may_have_any_speed() -> None:
    assert codes(Motor(rated_speed_rpm=2900, pole_pairs=2, supply="inverter")) == []


def test_a_bearing_whose_makers_differ_needs_its_maker() -> None:
    (said,) = contradictions(Motor(bearing=Bearing(designation="6203-2Z")))
    assert said.code == "plate_bearing_needs_maker"
    assert (said.values["least_balls"], said.values["most_balls"]) == (7, 8)
    assert codes(Motor(bearing=Bearing(designation="NSK 6203-2Z"))) == []
