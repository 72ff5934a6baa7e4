"""Vibration of machines that no rule was designed on: more troubles, other bearings and rates.

The troubles of `evaluation.bad_shafts` in both stages, and further ones in one stage only. The
final stage has other bearings and another sampling rate too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import pi

import numpy as np
from scipy.signal import lfilter

from evaluation.bad_shafts import BEARINGS, TROUBLES, Trouble, random_shaft, signal
from evaluation.families.close_rates import (
    creeping_near_cage,
    mixed_supplies,
    other_bearing,
    wheel_near_cage,
)
from evaluation.vibration import (
    Shaft,
    Turning,
    coloured_noise,
    modulated_noise,
    periodic_wave,
    ringing_impacts,
    shaft_lines,
    supply_lines,
)
from vtox.motor.values.arrays import Float64
from vtox.motor.values.domain import Recording

SECONDS = 4.0
# Bearings of the final stage; none is among `BEARINGS`.
FINAL_BEARINGS = ((7, 0.22), (8, 0.29), (9, 0.24), (10, 0.17), (11, 0.14), (14, 0.13), (16, 0.10))


@dataclass(frozen=True, slots=True)
class VibrationFamily:
    """The machines of one stage: their troubles, bearings and sampling rate."""

    name: str
    troubles: Mapping[str, Trouble]
    bearings: tuple[tuple[int, float], ...]
    fs_hz: float

    def shaft(self, rng: np.random.Generator, trouble: str) -> Shaft:
        """Return a machine with this trouble."""
        return random_shaft(rng, trouble, bearings=self.bearings)

    def record(
        self, s: Shaft, rng: np.random.Generator, seconds: float = SECONDS
    ) -> tuple[Recording, Float64]:
        """Return one record of a machine and the true angle of its shaft, turns."""
        return signal(s, rng, self.troubles[s.trouble], seconds=seconds, fs_hz=self.fs_hz)


def _screw(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    """Return the lobes of a screw compressor that mesh, and gas that follows them."""
    lobes = int(rng.choice([4, 5]))
    phase = lobes * turning.turns
    mesh = size * periodic_wave(phase, 5, rng) * (1 + 0.2 * periodic_wave(turning.turns, 2, rng))
    return mesh + modulated_noise(turning, periodic_wave(phase, 3, rng), min(1, 0.3 * size), rng)


def _chain(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    """Return the links of a chain on a sprocket, one of which is worn."""
    teeth, links = int(rng.integers(15, 25)), int(rng.integers(60, 120))
    x = 0.5 * size * periodic_wave(teeth * turning.turns, 3, rng)
    return x + size * ringing_impacts(turning, teeth / links * turning.turns, 1, rng, jitter=0.02)


def _planetary(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    """Return a planetary gear: mesh with sidebands of the carrier and of its planets."""
    sun, ring, planets = (
        int(rng.integers(17, 31)),
        int(rng.integers(60, 100)),
        int(rng.choice([3, 4])),
    )
    carrier = turning.turns * sun / (sun + ring)
    swing = 1 + rng.uniform(0.2, 0.8) * periodic_wave(planets * carrier, 2, rng)
    x = size * swing * periodic_wave(ring * carrier, 3, rng)
    return x + 0.5 * size * modulated_noise(turning, periodic_wave(carrier, 3, rng), 0.5, rng)


def _cavitation(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    """Return bubbles that collapse at random, more of them behind each blade."""
    blades = int(rng.integers(4, 8))
    wave = periodic_wave(blades * turning.turns, 2, rng)
    rate = 400 * (1 + rng.uniform(0, 0.6) * wave) * turning.t_s[1]
    train = (rng.uniform(size=len(wave)) < rate) * rng.exponential(1.0, len(wave))
    hz = turning.resonances_hz[0]
    pole = np.exp((-1 / 4e-4 + 2j * pi * hz) * turning.t_s[1])
    x = lfilter([1.0], [1.0, -pole], train.astype(complex)).imag
    return size * np.asarray(x / x.std())


def _soft_foot(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    """Return magnetic pull that the shaft modulates: lines at 2f, and 2sf next to it."""
    f, t = turning.shaft.supply_hz, turning.t_s
    pull = 1 + rng.uniform(0.1, 0.6) * periodic_wave(turning.turns, 2, rng)
    poles = 2 * turning.shaft.pole_pairs * turning.turns
    slip = periodic_wave(2 * f * t - 2 * poles / 2, 2, rng)
    return size * pull * np.cos(4 * pi * f * t) * (1 + 0.3 * slip) + shaft_lines(
        turning, range(1, 5), 0.5 * size, rng
    )


def _two_shafts(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    """Return a gear train of two steps, both wheels eccentric, one tooth worn."""
    x = np.zeros(len(turning.t_s))
    turns = turning.turns
    for _ in range(2):
        teeth, ratio = int(rng.integers(15, 30)), float(rng.uniform(0.2, 0.6))
        wheel = turns * teeth / round(teeth / ratio)
        swing = 1 + rng.uniform(0.1, 0.5) * periodic_wave(wheel, 3, rng)
        x += size * swing * periodic_wave(teeth * turns, 2, rng)
        turns = wheel
    return x + 0.5 * size * ringing_impacts(turning, turns, 1, rng)


def _piston(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    """Return a piston compressor: valves that open and close at fixed angles."""
    cylinders = int(rng.choice([1, 2, 3]))
    pattern = tuple(rng.uniform(0.5, 1, 2 * cylinders))
    per_turn = 2 * cylinders
    x = ringing_impacts(turning, turning.turns, per_turn, rng, jitter=0.02, pattern=pattern)
    return size * x + shaft_lines(turning, range(1, 9), 0.4 * size, rng)


def _hammer_mill(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    """Return material that is hit: random impacts, their strength following the rotor."""
    rows = int(rng.choice([4, 6, 8]))
    wave = np.maximum(periodic_wave(rows * turning.turns, 2, rng), 0)
    strength = wave * rng.gamma(0.5, 2.0, len(wave)) * (rng.uniform(size=len(wave)) < 0.05)
    hz = turning.resonances_hz[-1]
    pole = np.exp((-1 / 1e-3 + 2j * pi * hz) * turning.t_s[1])
    x = lfilter([1.0], [1.0, -pole], strength.astype(complex)).imag
    return size * np.asarray(x / max(float(x.std()), 1e-12)) + shaft_lines(
        turning, range(1, 4), size, rng
    )


def _stall(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    """Return a fan near stall: flow that turns slower than the shaft and comes and goes."""
    cells = rng.uniform(0.4, 0.8) * turning.turns * int(rng.integers(1, 4))
    slow = np.interp(turning.t_s, np.arange(0, 5, 0.25), rng.uniform(0, 1, 20))
    blades = int(rng.integers(7, 14))
    wave = slow * periodic_wave(cells, 3, rng)
    x = modulated_noise(turning, wave, min(1, 0.5 * size), rng)
    return size * x + shaft_lines(turning, (blades, 2 * blades), size, rng)


def _neighbour_bearing(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    """Return a neighbour at another speed whose bearing is damaged."""
    turns = turning.turns[-1] / turning.t_s[-1] * float(rng.uniform(0.6, 1.4)) * turning.t_s
    order = float(rng.uniform(2.5, 7.5))
    x = 0.5 * size * ringing_impacts(turning, turns, order, rng, jitter=0.01)
    return x + shaft_lines(replace(turning, turns=turns), range(1, 4), size, rng)


def _drive_whine(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    """Return the force of a drive's carrier with its sidebands, and pull at twice the supply."""
    f, t = turning.shaft.supply_hz, turning.t_s
    carrier = float(rng.choice([2_000.0, 3_000.0, 4_000.0]))
    x = supply_lines(turning, size, rng)
    for k in (1, 2):
        for m in (-4, -2, 0, 2, 4):
            angle = 2 * pi * (k * carrier + m * f) * t + rng.uniform(0, 6.28)
            x += rng.exponential(size / k) * np.cos(angle)
    return x


def _ball_mill(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    """Return balls that fall in a slow drum behind a gear, and the gear."""
    drum = turning.turns * float(rng.uniform(0.01, 0.05))
    teeth = int(rng.integers(17, 29))
    falls = modulated_noise(turning, periodic_wave(8 * drum, 3, rng), 0.8, rng)
    mesh = periodic_wave(teeth * turning.turns, 3, rng)
    return size * (falls + 0.5 * mesh) + 0.3 * size * coloured_noise(turning, rng)


DESIGN = VibrationFamily(
    "design",
    {
        **TROUBLES,
        "screw compressor": _screw,
        "chain": _chain,
        "cavitation": _cavitation,
        "soft foot": _soft_foot,
        "two gears": _two_shafts,
        "wheel near the cage": wheel_near_cage,
        "creeping near the cage": creeping_near_cage,
        "other bearing": other_bearing,
        "mixed supplies": mixed_supplies,
    },
    BEARINGS,
    12_800.0,
)
SHAFT_TROUBLES = ("unbalance", "misalignment", "looseness", "coupling")
FINAL = VibrationFamily(
    "final",
    {
        **TROUBLES,
        "planetary gear": _planetary,
        "piston compressor": _piston,
        "hammer mill": _hammer_mill,
        "fan near stall": _stall,
        "neighbour's damaged bearing": _neighbour_bearing,
        "whine of a drive": _drive_whine,
        "ball mill": _ball_mill,
    },
    FINAL_BEARINGS,
    20_000.0,
)


def vibration_family(*, final: bool) -> VibrationFamily:
    """Return the machines of a stage."""
    return FINAL if final else DESIGN
