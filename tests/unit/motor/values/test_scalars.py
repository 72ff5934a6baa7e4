"""Readings, limits and zones: accepted ones, refused ones, and machines that cross a limit."""

from typing import Any

import numpy as np
import pytest

from tests import naive
from vtox.motor.diagnosis.dsp.velocity import vibration_velocity
from vtox.motor.errors import NameplateError, WireError
from vtox.motor.values.domain import Motor, Reason
from vtox.motor.values.scalars import ScalarLimit, name_and_unit, parse_limits, readings_of
from vtox.motor.values.vibration_zones import MachineClass, limits_of, machine_class

FS_HZ, SECONDS = 12_000.0, 4.0


def test_readings_of_a_table() -> None:
    (r,) = readings_of("M1", 1.5, {"oil_pressure": [2, "bar"]})
    assert r == ("M1", 1.5, "oil_pressure", 2.0, "bar")
    assert name_and_unit(r.quantity) == ("oil_pressure", "bar")


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ({}, "1 to 64"),
        ([1], "1 to 64"),
        ({"p": 2.1}, r'expected \[value, "unit"\]'),
        ({"p": [2.1]}, r'expected \[value, "unit"\]'),
        ({"P": [2.1, "bar"]}, "1 to 32 of a-z"),
        ({"p": ["2.1", "bar"]}, "expected a finite number"),
        ({"p": [True, "bar"]}, "expected a finite number"),
        ({"p": [float("nan"), "bar"]}, "expected a finite number"),
        ({"p": [2.1, "a b"]}, "expected a unit"),
        ({"p": [2.1, ""]}, "expected a unit"),
        ({"p": [2.1, "ba\u200br"]}, "expected a unit"),  # looks like bar
        ({"p": [2.1, "\u202erab"]}, "expected a unit"),
    ],
)
def test_what_is_no_reading_is_refused_by_name(table: Any, names: str) -> None:
    with pytest.raises(WireError, match=names):
        readings_of("M1", 1.0, table)


def test_limits_of_a_nameplate() -> None:
    text = "oil_pressure < 1.2 bar fault; winding > 120 degC warning"
    assert list(parse_limits(text)) == [
        ScalarLimit("oil_pressure", "<", 1.2, "bar", "fault"),
        ScalarLimit("winding", ">", 120.0, "degC", "warning"),
    ]
    assert Motor(scalar_limits=text).scalar_limits == text


def test_a_limit_may_ask_for_a_time_or_readings_and_an_end() -> None:
    first = "a > 120 degC warning for 10 min back 115"
    (a, b, c) = parse_limits(f"{first}; b < 1 bar fault for 3 readings; c > 1 V fault back 1")
    assert (a.delay_s, a.readings, a.back) == (600.0, 1, 115.0)
    assert (b.delay_s, b.readings, b.back) == (0.0, 3, None)
    assert (c.delay_s, c.readings, c.back) == (0.0, 1, 1.0)
    assert [a.crossed(v, was=True) for v in (116.0, 115.0)] == [True, False]
    assert not a.crossed(119.0)


WRONG_ENDS = (
    "for 0 readings",
    "for 1.5 readings",
    "for 200 h",
    "for x s",
    "for 5",
    "back 2",
    "back x",
)


@pytest.mark.parametrize(
    "text",
    [
        *("p > 1 bar", "p > x bar fault", "P > 1 bar fault", "p = 1 bar fault"),
        *(f"p > 1 bar fault {end}" for end in WRONG_ENDS),
    ],
)
def test_limits_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(NameplateError, match=r"scalar_limits: .* expected NAME > VALUE UNIT"):
        Motor(scalar_limits=text)


def test_a_value_on_its_limit_is_one_alarm() -> None:
    (high, low) = parse_limits("a > 100 degC fault; a < 10 degC warning")
    assert [high.crossed(v) for v in (100.0, 100.1)] == [False, True]
    assert [high.crossed(v, was=True) for v in (99.0, 97.9)] == [True, False]
    assert [low.crossed(v, was=True) for v in (10.1, 10.3)] == [True, False]


@pytest.mark.parametrize(
    ("plate", "expected"),
    [
        ({}, "velocity_no_class"),
        ({"rated_power_w": 30e3}, "velocity_no_class"),
        ({"rated_power_w": 15e3, "support": "rigid"}, "velocity_power_outside"),
        ({"rated_power_w": 60e6, "support": "rigid"}, "velocity_power_outside"),
        (
            {"rated_power_w": 30e3, "support": "rigid", "rated_speed_rpm": 500},
            "velocity_slow_shaft",
        ),
        ({"rated_power_w": 15.1e3, "support": "rigid"}, (1.4, 2.8, 4.5)),
        ({"rated_power_w": 300e3, "support": "flexible"}, (2.3, 4.5, 7.1)),
        ({"rated_power_w": 301e3, "support": "rigid"}, (2.3, 4.5, 7.1)),
        ({"rated_power_w": 301e3, "support": "flexible"}, (3.5, 7.1, 11.0)),
    ],
)
def test_the_class_of_a_machine_or_why_it_has_none(plate: Any, expected: Any) -> None:
    found = machine_class(Motor(**plate))
    assert (found.code if isinstance(found, Reason) else found.ends) == expected


def test_zones_are_limits_unless_the_nameplate_has_its_own() -> None:
    motor = Motor(rated_power_w=30e3, support="rigid")
    known = machine_class(motor)
    assert isinstance(known, MachineClass)
    assert [known.zone(v) for v in (1.4, 1.41, 2.81, 4.51)] == ["A", "B", "C", "D"]
    of_x = [(x.value, x.level) for x in limits_of(motor) if x.name == "vibration_velocity"]
    assert of_x == [(2.8, "warning"), (4.5, "fault")]
    own = Motor(
        rated_power_w=30e3, support="rigid", scalar_limits="vibration_velocity > 9 mm/s fault"
    )
    assert [x.value for x in limits_of(own)] == [9.0]


def test_the_velocity_of_a_tone_is_its_closed_form() -> None:
    t = np.arange(int(FS_HZ * SECONDS)) / FS_HZ
    x = 5.0 + 3.0 * np.sin(2 * np.pi * 49.3 * t) + 40.0 * np.sin(2 * np.pi * 2500 * t)
    assert vibration_velocity(x, FS_HZ) == pytest.approx(
        3e3 / np.sqrt(2) / (2 * np.pi * 49.3), rel=1e-3
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_velocity_is_that_of_an_integration_in_time(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(FS_HZ * 2.5 * SECONDS)
    t = np.arange(n) / FS_HZ
    lines = sum(
        rng.uniform(1, 5) * np.sin(2 * np.pi * f * t + rng.uniform(0, 6))
        for f in rng.uniform(12, 980, 8)
    )
    # Its second half is twice as loud, and it moves below the band.
    x = (lines + rng.normal(size=n)) * (1 + (t > t[-1] / 2)) + 2 * np.sin(2 * np.pi * 3 * t)
    v, cut = naive.velocity(x, FS_HZ)
    found = vibration_velocity(x[cut : cut + len(v)], FS_HZ)
    assert found == pytest.approx(naive.rms_mm_s(v), rel=0.01)


@pytest.mark.parametrize(
    ("fs_hz", "n", "code"),
    [(2559.0, 20_000, "velocity_rate_too_low"), (12e3, 11_999, "velocity_record_too_short")],
)
def test_a_band_that_is_not_reached_is_refused(fs_hz: float, n: int, code: str) -> None:
    found = vibration_velocity(np.ones(n), fs_hz)
    assert isinstance(found, Reason)
    assert found.code == code
