"""Pole pairs, rated slip and rotor bars from nameplate, supply and speed."""

from dataclasses import replace

import numpy as np
import pytest

from vtox.motor.diagnosis.diagnosers.current.pole_pairs import (
    bars_per_pair,
    grids_of_speed,
    pole_pairs,
    rated_hz,
    rated_slip,
)
from vtox.motor.values.domain import Motor, Recording

SILENT = Recording({"ia": np.zeros(8)}, 1000.0)
PLATE = Motor(supply_hz=50.0, rated_speed_rpm=1455.0)


@pytest.mark.parametrize(
    ("motor", "speed_rpm", "pairs"),
    [
        (Motor(pole_pairs=3), 1470.0, 3),
        (PLATE, None, 2),
        (Motor(rated_speed_rpm=2880.0), None, 1),
        (Motor(), 970.0, 3),
        (Motor(), None, None),
        (Motor(), np.float64(1e-320), None),
        (Motor(), 1700.0, None),  # 43 % below the synchronous speed of one pair
        (Motor(supply="inverter", rated_speed_rpm=1455.0), None, None),
    ],
)
def test_pole_pairs(motor: Motor, speed_rpm: float | None, pairs: int | None) -> None:
    assert pole_pairs(motor, replace(SILENT, speed_rpm=speed_rpm), 50.02) == pairs


@pytest.mark.parametrize(
    ("speed_rpm", "pairs", "grids"),
    [
        (1480.0, None, (50.0,)),
        (1750.0, 2, (60.0,)),
        (590.0, None, (50.0, 60.0)),  # 5 pairs at 50 Hz, 6 at 60
        (590.0, 6, (60.0,)),
        (1510.0, None, (50.0, 60.0)),  # above a synchronous speed: braking, or read wrong
    ],
)
def test_a_speed_allows_the_grids_whose_synchronous_speed_is_just_above(
    speed_rpm: float, pairs: int | None, grids: tuple[float, ...]
) -> None:
    assert grids_of_speed(speed_rpm, pairs) == grids


@pytest.mark.parametrize(("f0_hz", "hz"), [(50.9, 50.0), (59.1, 60.0), (55.0, None)])
def test_the_supply_of_a_grid_is_public(f0_hz: float, hz: float | None) -> None:
    assert rated_hz(Motor(), f0_hz) == hz
    assert rated_hz(Motor(supply="inverter"), f0_hz) is None
    assert rated_hz(Motor(supply_hz=87.0), f0_hz) == 87.0


def test_rated_slip_is_that_of_a_loaded_motor() -> None:
    assert rated_slip(PLATE, 2, 50.0) == pytest.approx(0.03)
    assert rated_slip(PLATE, None, 50.0) is None
    assert rated_slip(replace(PLATE, rated_speed_rpm=1500.0), 2, 50.0) is None
    assert rated_slip(replace(PLATE, rated_speed_rpm=1300.0), 2, 50.0) is None


def test_rotor_bars_per_pole_pair() -> None:
    assert bars_per_pair(replace(PLATE, rotor_bars=28), SILENT, 50.0) == 14.0
    assert np.isnan(bars_per_pair(PLATE, SILENT, 50.0))
    assert np.isnan(bars_per_pair(Motor(rotor_bars=28), SILENT, 50.0))
