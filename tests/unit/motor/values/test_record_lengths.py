"""Lengths of records by nameplate: the length that each fault needs, bounded."""

from dataclasses import replace

import pytest

from vtox.motor.values.bearing import Bearing
from vtox.motor.values.domain import Motor
from vtox.motor.values.record_lengths import MAX_RECORD_S, record_length_s
from vtox.pipeline.configuration.settings import Settings

TWO_POLES = Motor(pole_pairs=1, supply_hz=50, rated_speed_rpm=2970)


@pytest.mark.parametrize(
    ("motor", "seconds"),
    [
        (None, 2.0),
        (Motor(), 2.0),
        (Motor(pole_pairs=2, supply_hz=50, rated_speed_rpm=1440), 2.0),
        # A slip of 1 %, 0.4 % at a typical load: 4 bins of 1/20 s are 0.2 Hz.
        (TWO_POLES, 20.0),
        (replace(TWO_POLES, rated_speed_rpm=2997), MAX_RECORD_S),
        # 25 turns at 300 rpm.
        (Motor(pole_pairs=10, supply_hz=50, rated_speed_rpm=300 * 0.97), 6.0),
        # 0.015 turns from a whole order, 0.006 of them hidden: 2 bins at 24 Hz.
        (
            Motor(pole_pairs=2, rated_speed_rpm=1440, bearing=Bearing(orders={"BPFO": 3.015})),
            10.0,
        ),
        # Nothing parts it from the third order of the shaft.
        (Motor(rated_speed_rpm=1440, bearing=Bearing(orders={"BPFO": 3.005})), 2.0),
    ],
)
def test_records_of_bearings_are_as_long_as_the_nameplate_asks(
    motor: Motor | None, seconds: float
) -> None:
    assert record_length_s("bearing", motor) == seconds


@pytest.mark.parametrize("family", ["turn_short", "bearing", "broken_bar"])
def test_a_setting_bounds_them(family: str) -> None:
    most = record_length_s(family, replace(TWO_POLES, rated_speed_rpm=2997), 12.0)
    assert most == {"turn_short": 1.0, "bearing": 12.0, "broken_bar": 12.0}[family]


def test_the_setting_is_the_longest_by_default() -> None:
    assert Settings(_env_file=None).record_max_s == MAX_RECORD_S  # type: ignore[call-arg]
