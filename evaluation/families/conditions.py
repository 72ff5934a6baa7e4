"""Supplies and loads of the machine families: their variations and the ranges of these.

The ranges are those of users' networks and machines. EN 50160 gives those of the supply: unbalance
to 2 %, flicker, ripple control to some per cent. Torque follows the angle of the shaft in
compressors; elsewhere a slower shaft or the material makes it.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from evaluation.motor_model.case import ShaftLoad, SupplyVoltage
from evaluation.motor_model.plants import Plant

# Frequencies that ripple control uses in Europe, Hz.
RIPPLE_HZ = (175.0, 183.3, 216.7, 283.3, 316.7, 383.3, 425.0, 492.0, 600.0, 750.0, 1_042.0)
SupplyDraw = Callable[[np.random.Generator, Plant], SupplyVoltage]
LoadDraw = Callable[[np.random.Generator, Plant], ShaftLoad]


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a number between the two, uniform in its logarithm."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _quiet(rng: np.random.Generator, plant: Plant) -> SupplyVoltage:
    angle = np.exp(2j * np.pi * rng.uniform())
    return SupplyVoltage(
        hz=plant.supply_hz * (1 + float(rng.normal(0, 3e-4))),
        wander_hz=log_uniform(rng, 0.001, 0.012),
        unbalance=complex(rng.uniform(0.001, 0.015) * angle),
        amplitude_noise=log_uniform(rng, 2e-4, 1e-3),
        harmonics={
            5: rng.uniform(0.003, 0.03),
            7: rng.uniform(0.002, 0.02),
            11: rng.uniform(0.001, 0.01),
        },
    )


def _flicker(rng: np.random.Generator, plant: Plant) -> SupplyVoltage:
    size, hz = log_uniform(rng, 5e-4, 1e-2), log_uniform(rng, 0.4, 9.0)
    return replace(_quiet(rng, plant), flicker=size, flicker_hz=hz)


def _interharmonic(rng: np.random.Generator, plant: Plant) -> SupplyVoltage:
    size = log_uniform(rng, 3e-4, 5e-3)
    hz = plant.supply_hz + float(rng.choice([-1, 1])) * log_uniform(rng, 0.7, 28.0)
    return replace(_quiet(rng, plant), interharmonic=size, interharmonic_hz=hz)


def _ripple_control(rng: np.random.Generator, plant: Plant) -> SupplyVoltage:
    size, hz = log_uniform(rng, 3e-3, 3e-2), float(rng.choice(RIPPLE_HZ))
    return replace(_quiet(rng, plant), ripple=size, ripple_hz=hz)


def _moving_unbalance(rng: np.random.Generator, plant: Plant) -> SupplyVoltage:
    return replace(_quiet(rng, plant), unbalance_motion=log_uniform(rng, 1e-4, 5e-4))


def _drive(rng: np.random.Generator, plant: Plant) -> SupplyVoltage:
    return SupplyVoltage(
        hz=plant.supply_hz * float(rng.uniform(0.5, 1.0)),
        unbalance=complex(rng.uniform(5e-4, 4e-3) * np.exp(2j * np.pi * rng.uniform())),
        amplitude_noise=log_uniform(rng, 2e-4, 8e-4),
        harmonics={5: rng.uniform(0.001, 0.01), 7: rng.uniform(0.001, 0.008)},
        switching_hz=float(rng.choice([1_000.0, 2_000.0, 4_000.0, 8_000.0])),
    )


def _slow_drive(rng: np.random.Generator, plant: Plant) -> SupplyVoltage:
    """Return a drive whose reference moves and whose rectifier lets through the grid."""
    supply = _drive(rng, plant)
    size, hz = log_uniform(rng, 2e-4, 2e-3), log_uniform(rng, 0.5, 6.0)
    return replace(supply, wander_hz=log_uniform(rng, 0.002, 0.02), flicker=size, flicker_hz=hz)


SUPPLIES: Mapping[str, SupplyDraw] = {
    "quiet": _quiet,
    "flicker": _flicker,
    "interharmonic": _interharmonic,
    "ripple control": _ripple_control,
    "moving unbalance": _moving_unbalance,
    "drive": _drive,
    "unsteady drive": _slow_drive,
}


def _steady(rng: np.random.Generator, plant: Plant) -> ShaftLoad:
    return ShaftLoad(
        torque=float(rng.uniform(0.45, 1.0)),
        quadratic=float(rng.uniform(0.5, 1.0)),
        inertia=float(rng.uniform(1, 5)),
        noise=log_uniform(rng, 1e-3, 1e-2),
    )


def _fan(rng: np.random.Generator, plant: Plant) -> ShaftLoad:
    return replace(_steady(rng, plant), quadratic=1.0, inertia=log_uniform(rng, 5, 25))


def _light(rng: np.random.Generator, plant: Plant) -> ShaftLoad:
    return replace(_steady(rng, plant), torque=float(rng.uniform(0.08, 0.4)))


def _piston(rng: np.random.Generator, plant: Plant) -> ShaftLoad:
    """Return a piston compressor with a flywheel: torque follows the crank."""
    first, second = rng.uniform(0.1, 0.8), rng.uniform(0.05, 0.4)
    pulses = {1.0: float(first), 2.0: float(second), 3.0: float(second * rng.uniform(0.1, 0.6))}
    inertia = log_uniform(rng, 4, 20)
    return replace(_steady(rng, plant), quadratic=0.0, inertia=inertia, pulses=pulses)


def _screw(rng: np.random.Generator, plant: Plant) -> ShaftLoad:
    lobes = int(rng.choice([4, 5]))
    pulses = {float(lobes): log_uniform(rng, 0.01, 0.1), 1.0: log_uniform(rng, 2e-3, 2e-2)}
    return replace(_steady(rng, plant), quadratic=0.2, pulses=pulses)


def _belt_compressor(rng: np.random.Generator, plant: Plant) -> ShaftLoad:
    """Return a piston compressor behind a belt: its crank turns slower than the shaft."""
    ratio = float(rng.uniform(0.25, 0.8))
    pulses = {ratio: log_uniform(rng, 0.05, 0.4), 2 * ratio: log_uniform(rng, 0.02, 0.2)}
    return replace(
        _steady(rng, plant), quadratic=0.0, inertia=log_uniform(rng, 3, 12), pulses=pulses
    )


def _conveyor(rng: np.random.Generator, plant: Plant) -> ShaftLoad:
    """Return material that comes unevenly, and rollers behind a gear."""
    return replace(
        _steady(rng, plant),
        quadratic=0.0,
        noise=log_uniform(rng, 3e-3, 3e-2),
        wander=log_uniform(rng, 0.01, 0.08),
        pulses={float(rng.uniform(0.02, 0.2)): log_uniform(rng, 5e-3, 5e-2)},
    )


def _gearbox(rng: np.random.Generator, plant: Plant) -> ShaftLoad:
    """Return an output shaft that is not true, by a ratio of 1.5 to 30, and its second harmonic."""
    ratio, size = 1 / log_uniform(rng, 1.5, 30), log_uniform(rng, 3e-3, 6e-2)
    pulses = {ratio: size, 2 * ratio: size * float(rng.uniform(0.1, 0.8))}
    return replace(_steady(rng, plant), quadratic=0.2, pulses=pulses)


def _drifting(rng: np.random.Generator, plant: Plant) -> ShaftLoad:
    drift = float(rng.choice([-1, 1]) * log_uniform(rng, 0.02, 0.3))
    return replace(_steady(rng, plant), torque=float(rng.uniform(0.4, 0.85)), drift=drift)


def _crusher(rng: np.random.Generator, plant: Plant) -> ShaftLoad:
    return replace(
        _steady(rng, plant),
        torque=float(rng.uniform(0.3, 0.8)),
        quadratic=0.0,
        inertia=log_uniform(rng, 3, 15),
        noise=log_uniform(rng, 0.03, 0.2),
        wander=log_uniform(rng, 0.03, 0.15),
    )


def _mixer(rng: np.random.Generator, plant: Plant) -> ShaftLoad:
    """Return a stirrer behind a slow gear, in a mass that grows stiff."""
    ratio = 1 / log_uniform(rng, 10, 60)
    blades = int(rng.integers(2, 5))
    pulses = {ratio: log_uniform(rng, 5e-3, 5e-2), blades * ratio: log_uniform(rng, 0.01, 0.1)}
    drift = float(rng.uniform(-0.05, 0.1))
    return replace(_steady(rng, plant), quadratic=0.3, pulses=pulses, drift=drift)


LOADS: Mapping[str, LoadDraw] = {
    "steady": _steady,
    "fan": _fan,
    "light": _light,
    "piston": _piston,
    "screw": _screw,
    "belt compressor": _belt_compressor,
    "conveyor": _conveyor,
    "gearbox": _gearbox,
    "drifting": _drifting,
    "crusher": _crusher,
    "mixer": _mixer,
}
