"""Flicker at twice slip frequency and rotor cages lie on different curves of pm/am."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.motor_model.case import Case, ShaftLoad, SupplyVoltage
from evaluation.motor_model.plants import PLANTS, Plant, load_for_slip
from evaluation.motor_model.records import nameplate, records, with_lower_sideband
from vtox.motor.diagnosis.diagnosers.broken_bar import diagnoser as broken_bar
from vtox.motor.diagnosis.diagnosers.broken_bar.flicker import looks_like_flicker, phase_ratios
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.values.domain import CURRENTS

TANGENTS = np.tan(np.radians([25.0, 35.0, 45.0, 55.0, 65.0]))
SLIPS = {"2kw2": 0.035, "3hp": 0.03, "500hp": 0.009}


def answer(ratio: complex, tangent: float, noise: float = 1e-10) -> bool:
    am = np.array([1e-3 + 0j])
    floor = np.array([noise])
    return looks_like_flicker(am, ratio * am, floor, floor, np.array([tangent]))[0]


@pytest.mark.parametrize("tangent", TANGENTS)
def test_each_curve_is_recognised(tangent: float) -> None:
    of_flicker, above, of_cage = phase_ratios(tangent)
    assert all(answer(r, tangent) for r in (*of_flicker, *above))
    assert not any(answer(r, tangent) for r in of_cage)


def test_a_lower_sideband_alone_is_of_no_flicker() -> None:
    assert not any(answer(1j, t) for t in TANGENTS)


def test_noise_and_an_unknown_power_factor_leave_it_open() -> None:
    ratio = phase_ratios(1.0)[0][20]
    assert answer(ratio, 1.0)
    assert not answer(ratio, 1.0, noise=1e-6)
    assert not answer(ratio, np.nan)


def flickering(plant: Plant, slip: float) -> Case:
    load = ShaftLoad(torque=load_for_slip(plant, slip), inertia=2.0, noise=2e-3)
    hz = 2 * slip * plant.supply_hz
    return Case(plant=plant, load=load, supply=SupplyVoltage(flicker=4e-3, flicker_hz=hz))


@pytest.mark.long
def test_a_flicker_that_meets_twice_slip_frequency_is_no_broken_bar() -> None:
    """Currents of three machines with a speed: flicker at 2sf, then broken bars."""
    flicker = [flickering(PLANTS[name], slip) for name, slip in SLIPS.items()]
    bars = [replace(c, supply=SupplyVoltage()) for c in flicker]
    bars = with_lower_sideband(bars, [-46.0] * len(bars), seconds=3.0)
    made = list(records([*flicker, *bars], 8.0, 1_000.0, channels=CURRENTS))
    analysis = front_end(
        [r.recording(tachometer=True) for r in made], [nameplate(r.case.plant) for r in made]
    )
    codes = [d.code for d in broken_bar.diagnose(analysis, [None] * len(made))]
    assert codes == ["supply_flicker_or_broken_bars"] * 3 + ["rotor_asymmetry"] * 3
