"""A motor under load in phasors: an equivalent circuit with every kind of loss, and its truth."""

from dataclasses import dataclass, replace
from math import pi, sqrt

import numpy as np

from evaluation.motor_model.plants import PLANTS, Plant, slip_at_torque, steady_state
from vtox.motor.values.domain import Motor


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One steady state: phasors (peak) of positive and negative sequence, and what is true."""

    v1: complex
    i1: complex
    v2: complex
    i2: complex
    input_w: float
    shaft_w: float
    hz: float

    @property
    def efficiency(self) -> float:
        """Output over input."""
        return self.shaft_w / self.input_w


def loaded(
    plant: Plant,
    torque: float,
    *,
    unbalance: complex = 0j,
    iron: float = 0.02,
    friction: float = 0.01,
    additional: float = 0.005,
    voltage: float = 1.0,
    hz: float | None = None,
) -> Loaded:
    """Return the motor at a torque of the air gap over rated torque.

    `iron`, `friction` and `additional` are losses at rated load over rated power: iron as a
    resistance across the terminals, the others as torque that never reaches the coupling.
    """
    f = hz or plant.supply_hz
    v1 = plant.peak_phase_v * voltage * f / plant.supply_hz
    slip = slip_at_torque(plant, torque * plant.rated_torque_nm, hz=f, volts=v1)
    one = steady_state(plant, slip, hz=f, volts=v1)
    two = steady_state(plant, 2 - slip, hz=f, volts=v1 * abs(unbalance)) if unbalance else None
    across = iron * plant.rated_power_w / (1.5 * plant.peak_phase_v**2)
    v2 = v1 * unbalance
    i1 = one.stator_a + across * v1
    i2 = (two.stator_a / abs(unbalance) * unbalance if two else 0j) + across * v2
    speed = 2 * pi * f / plant.pole_pairs * (1 - slip)
    net_nm = one.torque_nm - (two.torque_nm if two else 0.0)
    rated = steady_state(plant, slip_at_torque(plant, plant.rated_torque_nm))
    lost_w = plant.rated_power_w * (
        friction * (f / plant.supply_hz) ** 2 + additional * abs(one.stator_a / rated.stator_a) ** 2
    )
    input_w = 1.5 * ((v1 * np.conj(i1)).real + (v2 * np.conj(i2)).real)
    return Loaded(
        v1=v1,
        i1=i1,
        v2=v2,
        i2=i2,
        input_w=float(input_w),
        shaft_w=float(net_nm * speed - lost_w),
        hz=f,
    )


def nameplate(plant: Plant, *, resistance: bool = False, **losses: float) -> Motor:
    """Return the nameplate of such a motor, rounded as nameplates are."""
    x = loaded(plant, 1.0, **losses)
    amps = abs(x.i1) / sqrt(2)
    slip = slip_at_torque(plant, plant.rated_torque_nm)
    return replace(
        plant.nameplate,
        rated_power_w=x.shaft_w,
        rated_current_a=round(amps, 1),
        rated_speed_rpm=float(round(60 * plant.supply_hz / plant.pole_pairs * (1 - slip))),
        rated_efficiency=round(x.efficiency, 3),
        stator_resistance_ohm=plant.stator_ohm if resistance else None,
    )


def terminals(x: Loaded) -> tuple[np.ndarray, np.ndarray]:
    """Return phasors of currents and voltages, shape (1, 3, 1)."""
    turn = np.exp(-2j * np.pi / 3 * np.arange(3))
    i = x.i1 * turn + x.i2 * turn.conj()
    v = x.v1 * turn + x.v2 * turn.conj()
    return i[None, :, None], v[None, :, None]


MACHINES = tuple(PLANTS.values())
