"""Families of machines that no rule was designed on: 2 to 8 poles, 1 to 315 kW, 50 and 60 Hz.

The circuits are drawn about values per unit that catalogues of cage motors show over power and
poles; no machine of `evaluation.motor_model.plants` is among them. Families of the final sets
are none of those of the design sets.
"""

from dataclasses import dataclass, replace
from math import pi

import numpy as np

from evaluation.families.catalogue import FAMILIES, Family
from evaluation.families.conditions import LOADS, SUPPLIES, log_uniform
from evaluation.motor_model.case import Case, Clamps, Earth, Faults, ShaftLoad, Voltmeters
from evaluation.motor_model.plants import Plant
from evaluation.motor_model.records import nameplate
from vtox.motor.values.domain import Motor

# Records that follow each other in one condition: the same supply and load, other noise.
BLOCK = 3
# Bars in common use by pole pairs.
ROTOR_BARS = {
    1: (18, 20, 22, 26, 28),
    2: (28, 34, 36, 40, 44),
    3: (33, 44, 51, 56),
    4: (44, 56, 58),
}
# Rotor asymmetry of sound cages: sidebands of about -95 to -61 dBc.
SOUND_ASYMMETRY = (2e-5, 8e-4)
# Broken bars and rings: about -56 to -34 dBc.
BROKEN_ASYMMETRY = (3e-3, 4e-2)
# Once-a-turn modulation of the air gap that sound machines show: f - fr at -75 to -55 dBc.
AIR_GAP = (5e-4, 5e-3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine of a family with its instruments; its records differ in supply and load."""

    number: int
    family: Family
    case: Case
    seed: int

    @property
    def name(self) -> str:
        """Family and number."""
        return self.case.plant.name

    @property
    def motor(self) -> Motor:
        """The nameplate, complete."""
        motor = nameplate(self.case.plant)
        return replace(motor, supply="inverter") if self.family.drive else motor


def machine(family: Family, number: int, seed: int) -> Machine:
    """Return machine `number` of a family, sound."""
    rng = np.random.default_rng([seed, FAMILIES.index(family), number, 1])
    plant = _plant(family, f"{family.name} {number}", rng)
    case = Case(
        plant=plant,
        faults=Faults(
            rotor_asymmetry=_asymmetry(rng, *SOUND_ASYMMETRY),
            air_gap=log_uniform(rng, *AIR_GAP),
        ),
        earth=_earth(rng),
        clamps=_clamps(rng),
        voltmeters=_voltmeters(rng),
        slot_harmonic=log_uniform(rng, 5e-4, 1e-2),
        saturation={
            3: log_uniform(rng, 2e-4, 3e-3),
            5: log_uniform(rng, 1e-3, 1.5e-2),
            7: log_uniform(rng, 5e-4, 8e-3),
        },
    )
    return Machine(number=number, family=family, case=case, seed=seed)


def record_case(m: Machine, number: int, purpose: int = 0, *, broken: bool = False) -> Case:
    """Return the case of one record: the machine with a supply and a load of its family.

    `BLOCK` records in a row differ in noise only.
    """
    block, place = divmod(number, BLOCK)
    rng = np.random.default_rng([*_key(m), block, purpose, 2])
    supply, load = conditions(m, number)
    case = replace(
        m.case,
        seed=int(rng.integers(2**62)) + place,
        supply=SUPPLIES[supply](rng, m.case.plant),
        load=_load(m, load, rng),
    )
    if not broken:
        return case
    asymmetry = _asymmetry(rng, *BROKEN_ASYMMETRY)
    return replace(case, faults=replace(case.faults, rotor_asymmetry=asymmetry))


def _load(m: Machine, name: str, rng: np.random.Generator) -> ShaftLoad:
    """Return a load that keeps gear and inertia of the machine, and moves otherwise."""
    own = LOADS[name](np.random.default_rng([*_key(m), list(LOADS).index(name), 3]), m.case.plant)
    now = LOADS[name](rng, m.case.plant)
    strength = float(rng.uniform(0.8, 1.2))
    pulses = {order: strength * size for order, size in own.pulses.items()}
    return replace(now, quadratic=own.quadratic, inertia=own.inertia, pulses=pulses)


def _key(m: Machine) -> list[int]:
    return [m.seed, FAMILIES.index(m.family), m.number]


def conditions(m: Machine, number: int) -> tuple[str, str]:
    """Return the names of supply and load of record `number`; one machine drives one thing."""
    supplies, loads = m.family.supplies, m.family.loads
    return supplies[number // BLOCK % len(supplies)], loads[m.number % len(loads)]


def _asymmetry(rng: np.random.Generator, low: float, high: float) -> complex:
    return complex(log_uniform(rng, low, high) * np.exp(2j * pi * rng.uniform()))


def _plant(family: Family, name: str, rng: np.random.Generator) -> Plant:
    """Return a machine whose values per unit follow power and poles, each with its own spread."""
    pairs, kw = int(rng.choice(family.pole_pairs)), log_uniform(rng, *family.kw)
    slip = min(max(0.055 * kw**-0.36 * rng.uniform(0.8, 1.25), 0.005), 0.06)
    # Apparent power at rated load, VA, from power factor times efficiency.
    base_va = 1e3 * kw / min(0.6 + 0.05 * np.log(kw), 0.86) * (1 + 0.03 * (pairs - 1))
    base_ohm, w = family.volts**2 / base_va, 2 * pi * family.supply_hz
    magnetising = min(1.9 * kw**0.11, 3.6) / (1 + 0.22 * (pairs - 1)) * rng.uniform(0.85, 1.15)
    speed_rpm = 60 * family.supply_hz / pairs * (1 - slip)
    inertia_s = log_uniform(rng, 0.05, 0.25)  # kinetic energy over rated power
    return Plant(
        name=name,
        stator_ohm=base_ohm * float(0.05 * kw**-0.38 * rng.uniform(0.8, 1.25)),
        rotor_ohm=base_ohm * float(slip * rng.uniform(0.9, 1.05)),
        stator_leakage_h=base_ohm / w * float(rng.uniform(0.06, 0.10)),
        rotor_leakage_h=base_ohm / w * float(rng.uniform(0.06, 0.11)),
        magnetising_h=base_ohm / w * float(magnetising),
        inertia_kgm2=2 * inertia_s * 1e3 * kw / (speed_rpm * pi / 30) ** 2,
        pole_pairs=pairs,
        supply_hz=family.supply_hz,
        voltage_v=family.volts,
        rated_power_w=1e3 * kw,
        rated_speed_rpm=speed_rpm,
        rotor_bars=int(rng.choice(ROTOR_BARS[pairs])),
    )


def _earth(rng: np.random.Generator) -> Earth:
    capacitance = log_uniform(rng, 2e-9, 6e-8) * (1 + rng.uniform(-0.02, 0.02, 3))
    conductance = 1 / log_uniform(rng, 5e7, 2e9) * (1 + rng.uniform(-0.1, 0.1, 3))
    return Earth(
        capacitance_f=(float(capacitance[0]), float(capacitance[1]), float(capacitance[2])),
        conductance_s=(float(conductance[0]), float(conductance[1]), float(conductance[2])),
        noise_a=log_uniform(rng, 1e-6, 2e-5),
    )


def _clamps(rng: np.random.Generator) -> Clamps:
    gain, delay = rng.uniform(-0.01, 0.01, 3), rng.uniform(-1e-5, 1e-5, 3)
    return Clamps(
        gain=(float(gain[0]), float(gain[1]), float(gain[2])),
        delay_s=(float(delay[0]), float(delay[1]), float(delay[2])),
        noise=log_uniform(rng, 2e-4, 2e-3),
        bits=int(rng.choice([12, 14, 16])),
        full_scale=float(rng.uniform(2.5, 6)),
    )


def _voltmeters(rng: np.random.Generator) -> Voltmeters:
    gain = rng.uniform(-0.005, 0.005, 3)
    return Voltmeters(
        gain=(float(gain[0]), float(gain[1]), float(gain[2])),
        noise=log_uniform(rng, 1e-4, 1e-3),
        bits=int(rng.choice([12, 14, 16])),
    )
