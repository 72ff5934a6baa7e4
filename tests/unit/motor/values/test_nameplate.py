"""Nameplates: impossible values are refused by field, with the expected range."""

from typing import Any

import pytest

from vtox.motor.errors import NameplateError
from vtox.motor.values import codec
from vtox.motor.values.bearing import DEFECTS
from vtox.motor.values.domain import Motor
from vtox.motor.values.nameplate import motor_from_dict, motor_to_dict
from vtox.motor.values.nameplate_ranges import RANGES

GEOMETRY = {"balls": 9, "ball_diameter_mm": 7.94, "pitch_diameter_mm": 39.04}


def stored(motor: Motor) -> Motor:
    """Return a motor as the server gives it back."""
    return codec.decode(Motor, codec.encode(motor_to_dict(motor)))


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("pole_pairs", 2.5, "whole number from 1 to 100"),
        ("pole_pairs", 1e6, "1 to 100"),
        ("pole_pairs", True, "whole number"),
        ("rotor_bars", 20.5, "whole number from 8 to 1000"),
        ("gear_ratio", 0, "0.01 to 1000"),
        ("neighbour_orders", 0.71, "a list of at most 16 numbers"),
        ("neighbour_orders", "0.71", "a list of at most 16 numbers"),
        ("neighbour_orders", [0.5] * 17, "a list of at most 16 numbers"),
        ("supply_hz", 1e9, "1 to 2000 Hz"),
        ("supply_hz", float("nan"), "1 to 2000 Hz"),
        ("rated_current_a", 1e12, "0.001 to 100000 A"),
        ("rated_current_a", 10**400, "A"),
        ("rated_current_a", "9", "number from"),
        ("rated_efficiency", 91.4, "0.1 to 0.995 as a ratio: 0.914"),
        ("rated_power_factor", 1.2, "0.1 to 1"),
        ("stator_resistance_ohm", 0, "1e-05 to 10000 ohm"),
        ("max_starts_per_hour", -1, "0.004 to 3600 an hour"),
        ("expected_every_s", 0, "0.001 to 2\\.6784e\\+06 s"),
        ("ie_class", "IE9", "IE1, IE2, IE3, IE4"),
        ("rated_voltage_v", 1e7, "V"),
        ("rated_power_w", -1, "W"),
        ("rated_speed_rpm", 1e9, "0.1 to 200000 rpm"),
    ],
)
def test_an_impossible_value_is_refused(field: str, value: Any, expected: str) -> None:
    with pytest.raises(NameplateError, match=f"^{field}: .*expected .*{expected}") as refused:
        motor_from_dict({field: value})
    assert refused.value.field == field


def test_the_error_of_a_neighbour_says_which() -> None:
    with pytest.raises(NameplateError, match=r"^neighbour_orders\[1\]: -1, expected a number"):
        motor_from_dict({"neighbour_orders": [0.71, -1]})


def test_the_other_shafts_are_that_behind_the_gear_and_neighbours() -> None:
    motor = motor_from_dict({"gear_ratio": 4, "neighbour_orders": [0.71, 1.2]})
    assert motor.other_shafts == (0.25, 0.71, 1.2)
    assert stored(motor) == motor
    assert motor_from_dict({"neighbour_orders": []}) == Motor()


@pytest.mark.parametrize("site", ["", " North", "a" * 65, "a\n", "North/East", 7])
def test_a_site_is_one_name(site: Any) -> None:
    with pytest.raises(NameplateError, match=r"^site: .*expected a name of 1 to 64 characters"):
        motor_from_dict({"site": site})


@pytest.mark.parametrize("path", ["/a", "a/", "a//b", "/".join("abcdefghi"), "a/" + "b" * 65])
def test_an_asset_path_is_some_names(path: str) -> None:
    with pytest.raises(NameplateError, match=r"^asset_path: .*expected 1 to 8 names with /"):
        motor_from_dict({"asset_path": path})


def test_places_come_back() -> None:
    plate = {"site": "Quarry north", "asset_path": "Crushing/Line 2/Förderband 4"}
    assert motor_to_dict(stored(motor_from_dict(plate))) == {
        **plate,
        "supply": "grid",
    }


@pytest.mark.parametrize(
    ("bearing", "field"),
    [
        (GEOMETRY | {"balls": 8.5}, "bearing.balls"),
        (GEOMETRY | {"contact_angle_deg": 120}, "bearing.contact_angle_deg"),
        (GEOMETRY | {"pitch_diameter_mm": 7.0}, "bearing.ball_diameter_mm"),
        (GEOMETRY | {"ball_diameter_mm": 38.99, "pitch_diameter_mm": 39.0}, "bearing.orders.BPFO"),
        ({"orders": {}}, "bearing.orders"),
        ({"orders": 3.5}, "bearing.orders"),
        ({"orders": {"BPFO": 1e4}}, "bearing.orders.BPFO"),
        ({"orders": {"BPFX": 3.5}}, "bearing.orders"),
    ],
)
def test_an_impossible_bearing_is_refused(bearing: Any, field: str) -> None:
    with pytest.raises(NameplateError, match=field) as refused:
        motor_from_dict({"bearing": bearing})
    assert refused.value.field == field


def test_a_whole_number_may_be_written_with_a_point() -> None:
    motor = motor_from_dict({"pole_pairs": 2.0, "bearing": GEOMETRY | {"balls": 9.0}})
    assert motor == motor_from_dict({"pole_pairs": 2, "bearing": GEOMETRY})
    assert motor_to_dict(motor)["pole_pairs"] == 2
    assert stored(motor) == motor


def test_every_number_of_a_nameplate_has_its_range() -> None:
    numbers = set(Motor.__dataclass_fields__) - {
        "supply",
        "bearing",
        "site",
        "feeder",
        "asset_path",
        "ie_class",
        "support",
        "scalar_limits",
        "work_hours",
    }
    assert numbers == {name for name in RANGES if "." not in name}
    ends = {name: r.high for name, r in RANGES.items() if name in ("pole_pairs", "rotor_bars")}
    assert motor_from_dict(ends | {"bearing": {"orders": dict.fromkeys(DEFECTS, 200)}})
