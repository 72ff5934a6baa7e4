"""Shaft load, efficiency and losses against equivalent circuits with every kind of loss."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.motor_model.plants import PLANTS, Plant
from tests.signals.loaded_motor import MACHINES, Loaded, loaded, nameplate, terminals
from vtox.motor.diagnosis.dsp.power import power_sums
from vtox.motor.diagnosis.energy.rated_losses import rated_columns
from vtox.motor.diagnosis.energy.shaft_load import ShaftEstimate, power_of_currents, shaft_load
from vtox.motor.values.domain import Motor

LOADS = (0.3, 0.5, 0.75, 1.0, 1.2)
by_name = pytest.mark.parametrize("plant", MACHINES, ids=lambda p: p.name)


def estimate(x: Loaded, motor: Motor, slip: float = np.nan) -> ShaftEstimate:
    i, v = terminals(x)
    nothing = np.zeros((1, 6, 39), np.complex64)
    sums = power_sums(np.concatenate([i, v], axis=1), nothing)
    return shaft_load(sums, np.array([x.hz]), np.array([slip]), rated_columns([motor]))


@by_name
@pytest.mark.parametrize("unbalance", [0.0, 0.03])
def test_with_the_resistance_load_is_within_1_per_cent(plant: Plant, unbalance: float) -> None:
    motor = nameplate(plant, resistance=True)
    for torque in LOADS:
        x = loaded(plant, torque, unbalance=unbalance)
        found = estimate(x, motor)
        assert found.shaft_w[0] / motor.rated_power_w == pytest.approx(
            x.shaft_w / motor.rated_power_w, abs=0.01
        )
        assert found.efficiency[0] == pytest.approx(x.efficiency, abs=0.02)


@by_name
def test_without_it_the_interval_covers_the_truth(plant: Plant) -> None:
    for iron, friction in ((0.02, 0.01), (0.035, 0.02), (0.012, 0.006)):
        losses = {"iron": iron, "friction": friction}
        motor = nameplate(plant, **losses)
        for torque in LOADS:
            x = loaded(plant, torque, **losses)
            found = estimate(x, motor)
            assert abs(found.shaft_w[0] - x.shaft_w) < 1.5 * found.shaft_half_w[0]
            assert 2 * found.shaft_half_w[0] < 0.08 * motor.rated_power_w


@by_name
def test_losses_by_kind_add_up(plant: Plant) -> None:
    x = loaded(plant, 0.8, unbalance=0.02)
    found = estimate(x, nameplate(plant, resistance=True))
    kinds = ("stator_w", "rotor_w", "iron_w", "friction_w", "additional_w")
    parts = sum(getattr(found, kind)[0] for kind in kinds)
    assert parts == pytest.approx(found.loss_w[0], rel=1e-6)
    assert found.loss_w[0] == pytest.approx(x.input_w - x.shaft_w, rel=0.06)


def test_unbalance_costs_what_it_takes_and_how_it_brakes() -> None:
    plant = PLANTS["50hp"]
    x, even = loaded(plant, 0.8, unbalance=0.03), loaded(plant, 0.8)
    found = estimate(x, nameplate(plant, resistance=True))
    cost = (x.input_w - x.shaft_w) - (even.input_w - even.shaft_w)
    assert found.unbalance_w[0] == pytest.approx(cost, rel=0.05)


def test_torque_is_shaft_power_over_speed() -> None:
    plant = PLANTS["3hp"]
    found = estimate(loaded(plant, 0.7), nameplate(plant, resistance=True))
    speed = 2 * np.pi * plant.supply_hz / plant.pole_pairs * (1 - found.slip[0])
    assert found.torque_nm[0] == pytest.approx(found.shaft_w[0] / speed, rel=1e-9)


def test_a_measured_speed_takes_the_place_of_the_estimated_slip() -> None:
    plant = PLANTS["3hp"]
    found = estimate(loaded(plant, 0.7), nameplate(plant), slip=0.04)
    assert found.slip[0] == 0.04


@pytest.mark.parametrize("voltage", [0.9, 1.1])
def test_another_voltage_is_allowed_for(voltage: float) -> None:
    plant = PLANTS["50hp"]
    motor = nameplate(plant, resistance=True)
    x = loaded(plant, 0.6, voltage=voltage)
    error = estimate(x, motor).shaft_w[0] - x.shaft_w
    assert abs(error) < 0.01 * motor.rated_power_w


@pytest.mark.parametrize("hz", [30.0, 45.0])
def test_a_drive_below_rated_frequency_is_within_2_per_cent(hz: float) -> None:
    plant = PLANTS["2kw2"]
    motor = replace(nameplate(plant, resistance=True), supply="inverter")
    x = loaded(plant, 0.8, hz=hz)
    error = estimate(x, motor).shaft_w[0] - x.shaft_w
    assert abs(error) < 0.02 * motor.rated_power_w


def test_without_a_nameplate_nothing_is_estimated() -> None:
    found = estimate(loaded(PLANTS["3hp"], 1.0), Motor())
    assert np.isnan(found.shaft_w[0])


def test_currents_alone_give_a_power_with_a_wide_interval() -> None:
    plant = PLANTS["50hp"]
    motor = nameplate(plant)
    for torque in (0.7, 1.0):
        x = loaded(plant, torque)
        watts, half = power_of_currents(np.array([abs(x.i1) / 2**0.5]), rated_columns([motor]))
        assert abs(watts[0] - x.input_w) < half[0] < 0.12 * motor.rated_power_w
