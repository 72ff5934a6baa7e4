"""Decoys at nearly the rate of a bearing's part: slow wheels, chains, bearings of other shafts.

They belong to the design stage. Ratios, harmonics, modulation, wear and steadiness of the turning
are drawn, so that a rule made on them holds for more than one gear.
"""

from math import pi

import numpy as np

from evaluation.vibration import (
    Turning,
    bearing_of,
    modulated_noise,
    periodic_wave,
    ringing_impacts,
    shaft_lines,
)
from vtox.motor.values.arrays import Float64

# Largest relative difference in speed of a wheel, chain or drum from the bearing cage.
NEAR_CAGE = 0.04
# Elements, and ball over pitch diameter, of bearings of other shafts.
OTHER_ELEMENTS, OTHER_RATIO = (6, 19), (0.1, 0.3)


def wheel_near_cage(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    """Return a gear whose wheel turns about as the bearing cage: eccentric, some teeth worn."""
    teeth = int(rng.integers(13, 41))
    wheel = round(teeth / _near_cage(turning, rng))
    slow = turning.turns * teeth / wheel
    swing = 1 + rng.uniform(0, 0.8) * periodic_wave(slow, int(rng.integers(1, 7)), rng)
    x = size * swing * periodic_wave(teeth * turning.turns, int(rng.integers(1, 4)), rng)
    x += size * rng.uniform(0, 0.3) * periodic_wave(slow, 2, rng)
    if rng.uniform() < 0.6:
        worn = tuple(rng.uniform(0.2, 1, int(rng.integers(1, 4))))
        jitter = float(rng.choice([0.0, 0.003, 0.02]))
        x += (
            size
            * rng.uniform(0.2, 1)
            * ringing_impacts(turning, slow, len(worn), rng, jitter=jitter, pattern=worn)
        )
    return x


def creeping_near_cage(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    """Return a belt, a chain or a drum about as fast as the bearing cage, which creeps.

    Its seam knocks, its weight shows little, and it modulates the noise.
    """
    slow = turning.turns * _near_cage(turning, rng)
    steps = rng.normal(0, 10 ** rng.uniform(-4, -2), round(slow[-1]) + 2)
    slow = slow + np.interp(slow, np.arange(len(steps)), np.cumsum(steps))
    seam = ringing_impacts(turning, slow, 1, rng, jitter=float(rng.uniform(0, 0.03)))
    wave = periodic_wave(slow, int(rng.integers(1, 7)), rng)
    x = size * rng.uniform(0, 1) * seam
    x += size * rng.uniform(0, 0.2) * periodic_wave(slow, 3, rng)
    return x + rng.uniform(0.2, 1) * size * modulated_noise(turning, wave, rng.uniform(0, 1), rng)


def other_bearing(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    """Return a damaged bearing of another shaft: next to the machine, or behind its gear."""
    bearing = bearing_of(int(rng.integers(*OTHER_ELEMENTS)), float(rng.uniform(*OTHER_RATIO)))
    part = str(rng.choice(["BPFO", "BPFI", "BSF"]))
    order = bearing.defect_orders[part] * (2 if part == "BSF" else 1)
    order *= 1 + rng.uniform(-0.01, 0.01)
    mean = turning.turns[-1] / turning.t_s[-1]
    turns = turning.turns if rng.uniform() < 0.3 else mean * turning.t_s
    turns = turns * float(rng.uniform(0.4, 1.8))
    clock = turns.copy()
    if part == "BSF":
        clock = bearing.defect_orders["FTF"] * turns
    load = None if part == "BPFO" else 0.6 + rng.uniform(0, 0.4) * np.cos(2 * pi * clock)
    x = size * ringing_impacts(turning, turns, order, rng, jitter=0.01, load=load)
    return x + shaft_lines(turning, range(1, 3), 0.3 * size, rng)


def mixed_supplies(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    """Return torque and pull at k*f of supply and grid that shaft and load modulate: k*f +- m*f_n.

    The load turns by the shaft or behind a gear; few or many of the lines are strong.
    """
    s, t = turning.shaft, turning.t_s
    load = turning.turns * (1.0 if rng.uniform() < 0.5 else float(rng.uniform(0.1, 3.0)))
    wave = np.zeros(len(t))
    for f in {s.supply_hz, s.grid_hz}:
        for k in (1, 2, 3, 4, 6, 12):
            for m in range(-5, 6):
                line = np.cos(2 * pi * (k * f * t + m * load) + rng.uniform(0, 6.28))
                wave += rng.exponential(1 / (1 + abs(m)) ** rng.uniform(0.5, 2) / k) * line
    depth = float(rng.uniform(0.2, 0.95))
    x = size * modulated_noise(turning, wave / np.abs(wave).max(), depth, rng)
    if rng.uniform() < 0.5:
        pulses = int(rng.choice([1, 2, 3, 6]))
        strength = 1 + depth * periodic_wave(load, int(rng.integers(1, 6)), rng)
        clock = float(rng.choice([s.supply_hz, s.grid_hz])) * t
        x += size * ringing_impacts(turning, clock, pulses, rng, jitter=0.0, load=strength)
    return x


def _near_cage(turning: Turning, rng: np.random.Generator) -> float:
    """Return turns a turn of the shaft, near those of the bearing cage."""
    cage = turning.shaft.bearing.defect_orders["FTF"]
    return cage * (1 + float(rng.uniform(-NEAR_CAGE, NEAR_CAGE)))
