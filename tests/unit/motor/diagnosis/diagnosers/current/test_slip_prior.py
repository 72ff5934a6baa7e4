"""Slip by speed sensor or nameplate: right if they determine it, else a reason."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.signals.current_lines import MOTOR
from vtox.motor.diagnosis.diagnosers.current.slip_prior import Slip, slip_prior
from vtox.motor.values.domain import Motor, Reason, Recording

F0_HZ = 50.0
PLATE = replace(MOTOR, rated_voltage_v=400.0)


def prior(
    motor: Motor = MOTOR,
    *,
    pairs: int | None = 2,
    rms_a: float = 8.0,
    speed_rpm: float | None = None,
) -> Slip:
    recording = Recording({"ia": np.zeros(8)}, 1000.0, speed_rpm=speed_rpm)
    return slip_prior(recording, motor, pairs, F0_HZ, rms_a)


def test_a_speed_sensor_gives_the_slip() -> None:
    got = prior(speed_rpm=1470.0)
    assert (got.source, got.value) == ("speed sensor", pytest.approx(0.02))
    assert got.is_known
    assert got.is_measured
    assert (got.low, got.high) == pytest.approx((0.019, 0.021))
    assert got.doubts == ()


def test_a_speed_just_above_synchronous_is_no_slip() -> None:
    assert prior(speed_rpm=1500.5, rms_a=3.0).value == 0.0


def test_a_synchronous_speed_drives_no_load() -> None:
    got = prior(speed_rpm=1500.0)
    assert got.source == "nameplate and load"
    assert [x.code for x in got.doubts] == ["speed_implausible"]


def test_a_shaft_at_rest_does_not_belong_to_a_running_motor() -> None:
    assert [x.code for x in prior(speed_rpm=0.0).doubts] == ["speed_implausible"]


@pytest.mark.parametrize(("rms_a", "slip"), [(10.0, 0.03), (7.0, 0.018), (4.0, 0.005)])
def test_nameplate_and_load_allow_the_true_slip(rms_a: float, slip: float) -> None:
    got = prior(rms_a=rms_a)
    assert got.source == "nameplate and load"
    assert got.is_known
    assert not got.is_measured
    assert got.low <= slip <= got.high


def test_without_a_rated_current_any_load_is_possible() -> None:
    wide, got = prior(replace(MOTOR, rated_current_a=None)), prior()
    assert wide.low < got.low < got.high < wide.high


def test_a_drive_slips_by_as_many_rpm_at_any_frequency() -> None:
    got = prior(replace(MOTOR, supply="inverter", supply_hz=100.0, rated_speed_rpm=2955.0))
    assert got.value == pytest.approx(prior(replace(MOTOR, rated_speed_rpm=1455.0)).value)


@pytest.mark.parametrize(
    ("changes", "code", "values"),
    [
        ({"pairs": None}, "pole_pairs_unknown", {}),
        ({"motor": Motor(pole_pairs=2)}, "rated_speed_unknown", {}),
        (
            {"motor": replace(MOTOR, rated_speed_rpm=1500.0)},
            "rated_speed_implausible",
            {"rated_speed_rpm": 1500.0, "pole_pairs": 2, "supply_hz": 50.0},
        ),
        (
            {"motor": replace(MOTOR, supply_hz=None, supply="inverter")},
            "rated_supply_unknown",
            {"rated_speed_rpm": 1455.0},
        ),
        (
            {"motor": Motor(pole_pairs=2), "speed_rpm": 2900.0},
            "speed_implausible",
            {"speed_rpm": 2900.0, "f0_hz": 50.0, "pole_pairs": 2},
        ),
    ],
)
def test_an_unknown_slip_has_its_reason(
    changes: dict[str, Any], code: str, values: dict[str, float]
) -> None:
    got = prior(**changes)
    assert (got.source, got.reason) == ("none", Reason(code, values))
    assert np.isnan(got.value)
    assert not got.is_known
    assert got.doubts == ()


def test_the_speed_of_another_machine_is_not_believed() -> None:
    got = prior(speed_rpm=2900.0)
    assert got.source == "nameplate and load"
    assert [x.code for x in got.doubts] == ["speed_implausible"]


@pytest.mark.parametrize(
    ("rms_a", "source", "doubts"),
    [
        (7.0, "nameplate and load", ["speed_copied_from_nameplate"]),
        (10.0, "speed sensor", []),
    ],
)
def test_the_rated_speed_counts_as_measured_at_rated_load_only(
    rms_a: float, source: str, doubts: list[str]
) -> None:
    got = prior(rms_a=rms_a, speed_rpm=1455.0)
    assert got.source == source
    assert [x.code for x in got.doubts] == doubts


def test_the_supply_completes_the_nameplate() -> None:
    assert prior(replace(MOTOR, supply_hz=None)) == prior()


def test_the_power_factor_narrows_the_slip() -> None:
    wide, narrow = prior(PLATE), prior(replace(PLATE, rated_power_w=5500.0))
    assert wide.low < narrow.low < 0.024 < narrow.high <= wide.high
    # A power that fits no current of this motor is not used.
    assert prior(replace(PLATE, rated_power_w=1e5)).low == wide.low


def test_a_small_motor_may_be_magnetised_by_most_of_its_current() -> None:
    """Magnetising 0.85 of rated current, at a third of the torque."""
    rms_a = 1.1 * np.sqrt(0.85**2 + (1 - 0.85**2) * 0.3**2)
    plate = replace(MOTOR, rated_current_a=1.1)
    assert prior(plate, rms_a=rms_a).low > 0.009
    assert prior(replace(plate, rated_power_w=370.0), rms_a=rms_a).low < 0.009
    assert prior(replace(plate, rated_voltage_v=400.0), rms_a=rms_a).low < 0.009
