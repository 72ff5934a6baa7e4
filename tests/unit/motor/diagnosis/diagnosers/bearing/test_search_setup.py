from dataclasses import replace

import pytest

from tests.signals.vibration import MOTOR, recording
from tests.unit.motor.diagnosis.diagnosers.bearing.cases import HEALTHY
from vtox.motor.diagnosis.diagnosers.bearing.search_setup import (
    ANYWHERE,
    SearchSetup,
    set_up_search,
)
from vtox.motor.diagnosis.dsp.comb_plan import BEARING_CAGE, PLAIN, SHAFT
from vtox.motor.values.bearing import Bearing
from vtox.motor.values.domain import Motor, Recording


def setup(x: Recording, motor: Motor | None = MOTOR) -> SearchSetup:
    found = set_up_search(0, x, motor)
    assert isinstance(found, SearchSetup), found
    return found


def refusal(x: Recording, motor: Motor | None = MOTOR) -> tuple[str, ...]:
    found = set_up_search(0, x, motor)
    assert not isinstance(found, SearchSetup)
    return tuple(r.code for r in found)


def test_a_rolling_element_is_searched_at_twice_its_spin() -> None:
    orders = setup(recording(HEALTHY, 4.0)).orders
    assert orders == pytest.approx({"BPFO": 3.585, "BPFI": 5.415, "BSF": 2 * 2.357, "FTF": 0.398})


def test_sidebands_are_those_of_the_part() -> None:
    sidebands = {t.name: t.sidebands for t in setup(recording(HEALTHY, 4.0)).targets}
    assert sidebands == {"BPFO": PLAIN, "BPFI": SHAFT, "BSF": BEARING_CAGE, "FTF": PLAIN}


def test_an_unknown_bearing_is_searched_anywhere() -> None:
    assert setup(recording(HEALTHY), replace(MOTOR, bearing=None)).targets == (ANYWHERE,)


def test_the_bearing_cage_order_follows_from_both_races() -> None:
    races = replace(MOTOR, bearing=Bearing(orders={"BPFO": 3.6, "BPFI": 5.4}))
    assert setup(recording(HEALTHY), races).bearing_cage_order == pytest.approx(0.4)
    outer = replace(MOTOR, bearing=Bearing(orders={"BPFO": 3.6}))
    assert setup(recording(HEALTHY), outer).bearing_cage_order is None


def test_a_short_record_is_searched_without_the_bearing_cage() -> None:
    assert set(setup(recording(HEALTHY, 1.0)).orders) == {"BPFO", "BPFI", "BSF"}


def test_too_few_turns_give_a_reason() -> None:
    assert refusal(recording(HEALTHY, 0.5)) == ("too_few_turns",)
    (why,) = set_up_search(0, recording(HEALTHY, 0.5), MOTOR)  # type: ignore[misc]
    assert why.values["turns"] == pytest.approx(0.5 * 24.3)
    assert why.values["needed_turns"] == 15


def test_a_low_rate_gives_a_reason() -> None:
    x = recording(HEALTHY, fs_hz=600.0)
    assert refusal(x) == ("vibration_rate_too_low",)
    (why,) = set_up_search(0, x, MOTOR)  # type: ignore[misc]
    assert why.values["needed_hz"] == pytest.approx(6 * 5.415 * 24.3, rel=1e-5)


def test_without_bearing_and_speed_both_are_given() -> None:
    x = recording(HEALTHY, speed=False)
    assert refusal(x, None) == ("no_bearing_geometry", "no_speed")


@pytest.mark.parametrize(("seconds", "segments"), [(2.0, 1), (10.0, 7)])
def test_long_records_are_cut_into_segments(seconds: float, segments: int) -> None:
    assert setup(recording(HEALTHY, seconds)).layout == (8, segments, 1)


def test_an_unknown_supply_is_that_of_the_grids_which_the_speed_allows() -> None:
    x = recording(HEALTHY)
    assert setup(x).mains_hz == (50.0,)
    unknown = replace(MOTOR, supply_hz=None)
    assert setup(x, unknown).mains_hz == (50.0,)  # 1458 rpm: 19 % below 60 Hz
    assert setup(replace(x, speed_rpm=590.0), Motor(bearing=MOTOR.bearing)).mains_hz == (50.0, 60.0)
    assert setup(x, replace(MOTOR, supply="inverter")).motor_supply_hz == ()
    assert setup(x, replace(MOTOR, supply="inverter")).mains_hz == (50.0, 60.0)


@pytest.mark.parametrize(
    ("rated_rpm", "grids"), [(1480.0, (50.0,)), (1750.0, (60.0,)), (590.0, (50.0, 60.0))]
)
def test_a_rated_speed_excludes_a_grid(rated_rpm: float, grids: tuple[float, ...]) -> None:
    plate = Motor(bearing=MOTOR.bearing, rated_speed_rpm=rated_rpm)
    x = replace(recording(HEALTHY), speed_rpm=590.0)
    assert setup(x, plate).mains_hz == grids
