"""Vibration of bad shafts, sound or damaged bearings: machines that no rule was designed on.

Each machine has one trouble (`TROUBLES`) over a background that all machines share. The background
is noise coloured by two to four resonances, lines of shaft and supply, and a slightly moving speed.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import pi

import numpy as np

from evaluation.vibration import (
    Shaft,
    Turning,
    bearing_of,
    coloured_noise,
    modulated_noise,
    periodic_wave,
    ringing_impacts,
    shaft_lines,
    supply_lines,
)
from vtox.motor.values.arrays import Float64
from vtox.motor.values.domain import Recording

FS_HZ = 12_800.0
SECONDS = 4.0
# Elements, and ball over pitch diameter times the cosine of the contact angle. Deep-groove and
# angular-contact ball bearings of common sizes, and one roller bearing. BPFO of the third is 3.00.
BEARINGS = (
    (8, 0.205),
    (9, 0.203),
    (8, 0.25),
    (7, 0.27),
    (8, 0.24),
    (9, 0.18),
    (13, 0.16),
    (12, 0.12),
)
# Share of the true speed by which the one reported with the record errs, rms, and by which the
# speed wanders within the record.
SPEED_ERROR, SPEED_WANDER = 0.001, 0.0005
# Depth by which passing sound elements and their turning cage modulate the noise. The 4 to 8
# elements under load carry it in turn, and differ by some micrometres.
BALL_PASS = (0.003, 0.1)


Trouble = Callable[[Turning, float, np.random.Generator], Float64]


def random_shaft(
    rng: np.random.Generator,
    trouble: str,
    *,
    defect: str = "",
    damage: float = 0.0,
    bearings: Sequence[tuple[int, float]] = BEARINGS,
) -> Shaft:
    """Return a machine of 2 to 6 poles with this trouble, its size from 0.3 to 10 (log-uniform)."""
    grid_hz = float(rng.choice([50.0, 60.0])) * (1 + float(rng.normal(0, 2e-4)))
    # One in three behind a drive, in its upper half.
    supply_hz = grid_hz * (float(rng.uniform(0.5, 1.0)) if rng.uniform() < 1 / 3 else 1.0)
    pairs = int(rng.choice([1, 2, 2, 3]))
    elements, ratio = bearings[rng.integers(len(bearings))]
    ratio *= float(rng.uniform(0.98, 1.02))
    if trouble == "mixed lines" and rng.uniform() < 0.5:
        pairs = 1
    return Shaft(
        trouble=trouble,
        size=float(10 ** rng.uniform(-0.5, 1.0)),
        shaft_hz=supply_hz / pairs * (1 - float(rng.uniform(0.003, 0.05))),
        supply_hz=supply_hz,
        grid_hz=grid_hz,
        bearing=bearing_of(elements, ratio),
        defect=defect,
        damage=damage,
        lag=float(rng.uniform(0.0, 0.01)),
    )


def recording(
    s: Shaft, rng: np.random.Generator, *, seconds: float = SECONDS, fs_hz: float = FS_HZ
) -> Recording:
    """Return the vibration of a machine with the speed that was reported for it."""
    return signal(s, rng, TROUBLES[s.trouble], seconds=seconds, fs_hz=fs_hz)[0]


def signal(
    s: Shaft,
    rng: np.random.Generator,
    trouble: Trouble,
    *,
    seconds: float = SECONDS,
    fs_hz: float = FS_HZ,
) -> tuple[Recording, Float64]:
    """Return the same with the true angle of the shaft, turns at every sample."""
    turning = _turning(s, rng, round(seconds * fs_hz), fs_hz)
    x = _background(turning, rng) + trouble(turning, s.size, rng)
    if s.defect:
        x += s.damage * _defect(turning, rng)
    rpm = 60 * float(np.mean(np.diff(turning.turns)) * fs_hz) * (1 + SPEED_ERROR * rng.normal())
    return Recording({"vibration": x.astype(np.float32)}, fs_hz, rpm), turning.turns


def _turning(s: Shaft, rng: np.random.Generator, samples: int, fs_hz: float) -> Turning:
    t_s = np.arange(samples) / fs_hz
    slow = np.cumsum(rng.standard_normal(9))
    wander = np.interp(t_s, np.linspace(0, t_s[-1], 9), slow - slow.mean())
    wander *= SPEED_WANDER / max(float(wander.std()), 1e-9)
    share = t_s / t_s[-1]
    swing = s.swing * np.sin(4 * pi * share + rng.uniform(0, 6.28))
    speed = s.shaft_hz * (1 + wander + s.ramp * (share - 0.5) + swing)
    resonances = fs_hz * rng.uniform(0.08, 0.42, int(rng.integers(2, 5)))
    return Turning(t_s, np.cumsum(speed) / fs_hz, s, resonances)


def _background(turning: Turning, rng: np.random.Generator) -> Float64:
    """Return the rolling noise of a bearing, and small lines of shaft, supply and slots.

    Elements that pass the load zone of a sound bearing modulate its noise by `BALL_PASS`.
    """
    slots = int(rng.integers(20, 50))
    s = turning.shaft
    cage = s.bearing.defect_orders["FTF"] * (1 - s.lag) * turning.turns
    elements = s.bearing.defect_orders["BPFO"] / s.bearing.defect_orders["FTF"]
    outer, slow = np.exp(rng.uniform(*np.log(BALL_PASS), 2))
    wave = outer * periodic_wave(elements * cage, 3, rng) + slow * periodic_wave(cage, 3, rng)
    x = modulated_noise(turning, wave, 1.0, rng) + shaft_lines(turning, range(1, 4), 0.3, rng)
    x += supply_lines(turning, 0.2, rng)
    for side in (-2, 0, 2):
        phase = slots * turning.turns + side * turning.shaft.supply_hz * turning.t_s
        x += rng.exponential(0.1) * np.cos(2 * pi * phase + rng.uniform(0, 6.28))
    return x


def _unbalance(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    x = 3 * size * np.cos(2 * pi * turning.turns)
    return x + modulated_noise(
        turning, periodic_wave(turning.turns, 2, rng), min(1, 0.2 * size), rng
    )


def _misalignment(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    x = shaft_lines(turning, range(1, 4), 2 * size, rng)
    return x + modulated_noise(
        turning, periodic_wave(turning.turns, 4, rng), min(1, 0.2 * size), rng
    )


def _looseness(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    every_other = float(rng.choice([0.0, 0.3, 0.6, 1.0]))
    x = shaft_lines(turning, tuple(k / 2 for k in range(1, 21)), 0.3 * size, rng)
    pattern = (1.0, every_other)
    return x + size * ringing_impacts(turning, turning.turns, 1, rng, jitter=0.02, pattern=pattern)


def _coupling(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    jaws = int(rng.integers(2, 7))
    pattern = tuple(rng.uniform(0.4, 1, jaws))
    x = shaft_lines(turning, range(1, 2 * jaws), 0.3 * size, rng)
    return x + size * ringing_impacts(turning, turning.turns, jaws, rng, pattern=pattern)


def _blades(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    blades = int(rng.integers(3, 12))
    wave = 0.7 * periodic_wave(blades * turning.turns, 3, rng) + 0.3 * periodic_wave(
        turning.turns, 3, rng
    )
    flow = modulated_noise(turning, wave, min(1, 0.3 * size), rng)
    return shaft_lines(turning, (blades, 2 * blades), size, rng) + size * flow


def _gear(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    teeth, ratio = int(rng.integers(13, 31)), rng.uniform(0.15, 0.8)
    other = round(teeth / ratio)
    slow = turning.turns * teeth / other
    swing = (
        1
        + rng.uniform(0, 0.6) * periodic_wave(slow, 3, rng)
        + rng.uniform(0, 0.4) * periodic_wave(turning.turns, 3, rng)
    )
    x = size * swing * periodic_wave(teeth * turning.turns, 3, rng)
    if rng.uniform() < 0.5:  # a worn tooth of the wheel
        x += 0.5 * size * ringing_impacts(turning, slow, 1, rng)
    return x


def _belt(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    turns = turning.turns * rng.uniform(0.15, 0.9) * (1 - rng.uniform(0, 0.01))
    x = size * periodic_wave(turns, 5, rng) + modulated_noise(
        turning, periodic_wave(turns, 5, rng), 0.5, rng
    )
    return x + 0.5 * size * ringing_impacts(turning, turns, 1, rng, jitter=0.01)


def _rub(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    part = int(rng.choice([1, 2, 3]))
    window = np.cos(2 * pi * turning.turns / part) > rng.uniform(0.3, 0.9)
    x = shaft_lines(turning, tuple(k / part for k in range(1, 4 * part)), 0.3 * size, rng)
    return x + 2 * size * window * coloured_noise(turning, rng)


def _electrical(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    f, t = turning.shaft.supply_hz, turning.t_s
    x = supply_lines(turning, size, rng)
    wave = np.zeros(len(t))
    for k in (1, 2, 4, 6):
        for m in (-3, -2, -1, 0, 1, 2, 3):
            line = np.cos(2 * pi * (k * f * t + m * turning.turns) + rng.uniform(0, 6.28))
            x += rng.exponential(0.3 * size / (1 + abs(m))) * line
            wave += rng.exponential(1 / (1 + abs(m)) / k) * line
    return x + size * modulated_noise(
        turning, wave / np.abs(wave).max(), rng.uniform(0.2, 0.9), rng
    )


def _interference(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    """Pulses of a rectifier or a dimmer on the cable, twice or six times a supply period."""
    pulses = int(rng.choice([1, 2, 6]))
    clock = turning.shaft.grid_hz * turning.t_s
    pattern = tuple(rng.uniform(0.6, 1, pulses))
    return size * ringing_impacts(turning, clock, pulses, rng, jitter=0.0, pattern=pattern)


def _neighbour(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    turns = turning.turns[-1] / turning.t_s[-1] * rng.uniform(0.3, 2.2) * turning.t_s
    x = shaft_lines(replace(turning, turns=turns), range(1, 5), size, rng)
    return x + modulated_noise(turning, periodic_wave(turns, 5, rng), min(1, 0.3 * size), rng)


def _mixed_lines(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    """Pulses of a drive's torque or of a rectifier that the shaft modulates: k*f +- m*f_shaft."""
    s, t = turning.shaft, turning.t_s
    pulses = int(rng.choice([1, 2, 2, 6]))
    clock = float(rng.choice([s.supply_hz, s.grid_hz])) * t
    load = 1 + rng.uniform(0.3, 0.95) * periodic_wave(turning.turns, 4, rng)
    x = size * ringing_impacts(turning, clock, pulses, rng, jitter=0.0, load=load)
    wave = np.zeros(len(t))
    for k in (1, 2, 4, 6):
        for m in range(-4, 5):
            line = np.cos(2 * pi * (k * s.supply_hz * t + m * turning.turns) + rng.uniform(0, 6.28))
            wave += rng.exponential(1 / (1 + abs(m)) / k) * line
    return x + modulated_noise(turning, wave / np.abs(wave).max(), rng.uniform(0.2, 0.9), rng)


TROUBLES: dict[str, Trouble] = {
    "unbalance": _unbalance,
    "misalignment": _misalignment,
    "looseness": _looseness,
    "coupling": _coupling,
    "blades": _blades,
    "gear": _gear,
    "belt": _belt,
    "rub": _rub,
    "electrical": _electrical,
    "interference": _interference,
    "neighbour": _neighbour,
    "mixed lines": _mixed_lines,
}


def _defect(turning: Turning, rng: np.random.Generator) -> Float64:
    """Return the ringing of a damaged part, of RMS 1: impacts with random slippage."""
    s = turning.shaft
    orders = s.bearing.defect_orders
    cage = orders["FTF"] * (1 - s.lag)
    elements = orders["BPFO"] / orders["FTF"]
    order = {
        "BPFO": elements * cage,
        "BPFI": elements * (1 - cage),
        "BSF": 2 * orders["BSF"] * (1 - s.lag),
        "FTF": cage,
    }[s.defect]
    turns = {"BPFI": turning.turns, "BSF": cage * turning.turns}.get(s.defect)
    load = None if turns is None else 0.55 + 0.45 * np.cos(2 * pi * turns)
    return ringing_impacts(turning, turning.turns, order, rng, jitter=0.01, load=load)
