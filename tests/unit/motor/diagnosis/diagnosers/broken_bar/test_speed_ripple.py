"""An interharmonic below the supply frequency is no broken bar; a cage of any inertia is one."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.motor_model.case import Case, ShaftLoad, SupplyVoltage
from evaluation.motor_model.plants import PLANTS, load_for_slip
from evaluation.motor_model.records import nameplate, records, with_lower_sideband
from vtox.motor.diagnosis.diagnosers.broken_bar import diagnoser as broken_bar
from vtox.motor.diagnosis.diagnosers.broken_bar.speed_ripple import apart_db, off_swing_deg
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.values.arrays import Complex128
from vtox.motor.values.domain import CURRENTS

LAG_RAD = 0.6
SLIPS = {"2kw2": 0.035, "3hp": 0.03, "50hp": 0.03}


def modulation(upper: complex) -> tuple[Complex128, Complex128]:
    """Return am and pm of a lower sideband of 1 and an upper one, in the frame of the voltage."""
    u = upper * np.exp(2j * LAG_RAD)
    return np.array([1 + u]) / 2, np.array([(u - 1) / 2j])


def off_deg(upper: complex, noise: float = 0.0, tangent: float = float(np.tan(LAG_RAD))) -> float:
    return float(off_swing_deg(*modulation(upper), np.array([noise]), np.array([tangent]))[0])


def test_the_upper_sideband_of_a_heavy_rotor_leads_by_a_right_angle() -> None:
    assert off_deg(0.1j) == 0.0
    assert off_deg(0.1) == pytest.approx(90 - np.degrees(np.arcsin(0.03)))
    assert off_deg(-0.1j) == pytest.approx(180 - np.degrees(np.arcsin(0.03)))
    assert apart_db(*modulation(0.1j))[0] == pytest.approx(20.0)


def test_noise_that_hides_the_upper_sideband_leaves_its_angle_open() -> None:
    assert off_deg(-0.1j, noise=0.06) == 0.0
    assert off_deg(-0.002j) == 0.0
    assert np.isnan(off_deg(0.1, tangent=np.nan))


def sound(name: str, inertia: float) -> Case:
    plant = PLANTS[name]
    load = ShaftLoad(torque=load_for_slip(plant, SLIPS[name]), inertia=inertia, noise=2e-3)
    return Case(plant=plant, load=load, supply=SupplyVoltage(wander_hz=0.002))


def with_interharmonic(case: Case) -> Case:
    hz = case.plant.supply_hz * (1 - 2.06 * SLIPS[case.plant.name])
    return replace(case, supply=replace(case.supply, interharmonic=1e-2, interharmonic_hz=hz))


@pytest.mark.long
def test_an_interharmonic_below_the_supply_is_no_broken_bar() -> None:
    """Currents and nameplate: a line of the supply near f - 2sf, then cages of three machines."""
    of_supply = [with_interharmonic(sound("2kw2", inertia)) for inertia in (1.0, 2.0)]
    bars = [sound(name, inertia) for name in SLIPS for inertia in (2.0, 20.0, 100.0)]
    bars = with_lower_sideband(bars, [-44.0] * len(bars), seconds=3.0)
    made = list(records([*of_supply, *bars], 8.0, 1_000.0, channels=CURRENTS))
    analysis = front_end([r.recording() for r in made], [nameplate(r.case.plant) for r in made])
    codes = [d.code for d in broken_bar.diagnose(analysis, [None] * len(made))]
    assert codes == ["sideband_alone"] * 2 + ["rotor_asymmetry"] * len(bars)
