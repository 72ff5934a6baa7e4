"""Vibration of bad shafts, sound bearings or damaged: machines that no rule was designed on.

One machine has one trouble (`TROUBLES`) over the background that all have: noise that two to four
resonances colour, the shaft's and the supply's own lines, a speed that wanders a little.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import pi

import numpy as np
from scipy.signal import lfilter

from vtox.arrays import Float64
from vtox.domain import Bearing, Motor, Recording

FS_HZ = 12_800.0
SECONDS = 4.0
# Elements, and ball over pitch diameter times the cosine of the contact angle: deep-groove and
# angular-contact ball bearings of common sizes, one roller bearing; the third has its BPFO at 3.00.
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
# Depth by which the passage of sound elements, and the turn of their cage, modulate the noise: the
# 4 to 8 elements under load carry it in turn, and differ by some micrometres.
BALL_PASS = (0.003, 0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaft:
    """One record: what turns, how fast, and how far its trouble exceeds the background.

    `size` of the trouble over the noise (RMS 1); `defect` of the bearing with `damage` over the
    noise, empty where it is sound; its elements lag kinematics by `lag`. The speed changes by the
    share `ramp` from beginning to end, and swings by `swing` twice a record. `grid_hz` differs from
    `supply_hz` behind a drive.
    """

    trouble: str
    size: float
    shaft_hz: float
    supply_hz: float
    bearing: Bearing
    defect: str = ""
    damage: float = 0.0
    lag: float = 0.0
    ramp: float = 0.0
    swing: float = 0.0
    grid_hz: float = 50.0

    @property
    def pole_pairs(self) -> int:
        """Of the motor that drives the shaft without a gear."""
        return max(1, round(self.supply_hz / self.shaft_hz))

    @property
    def motor(self) -> Motor:
        """The nameplate."""
        drive = abs(self.supply_hz / self.grid_hz - 1) > 0.01
        return Motor(
            pole_pairs=self.pole_pairs,
            supply="inverter" if drive else "grid",
            supply_hz=self.supply_hz,
            bearing=self.bearing,
        )


@dataclass(frozen=True, slots=True)
class Turning:
    """The time axis of a record: `t_s`, turns of the shaft, and how the structure rings."""

    t_s: Float64
    turns: Float64
    shaft: Shaft
    resonances_hz: Float64


def random_shaft(
    rng: np.random.Generator, trouble: str, *, defect: str = "", damage: float = 0.0
) -> Shaft:
    """Return a machine of 2 to 6 poles with this trouble, its size from 0.3 to 10 (log-uniform)."""
    grid_hz = float(rng.choice([50.0, 60.0])) * (1 + float(rng.normal(0, 2e-4)))
    # One in three behind a drive, in its upper half.
    supply_hz = grid_hz * (float(rng.uniform(0.5, 1.0)) if rng.uniform() < 1 / 3 else 1.0)
    pairs = int(rng.choice([1, 2, 2, 3]))
    elements, ratio = BEARINGS[rng.integers(len(BEARINGS))]
    ratio *= float(rng.uniform(0.98, 1.02))
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


def bearing_of(elements: int, ratio: float) -> Bearing:
    """Return the defect orders of a bearing (Randall & Antoni 2011, eq. 1-4)."""
    return Bearing(
        orders={
            "BPFO": elements / 2 * (1 - ratio),
            "BPFI": elements / 2 * (1 + ratio),
            "BSF": (1 - ratio**2) / (2 * ratio),
            "FTF": (1 - ratio) / 2,
        }
    )


def recording(
    s: Shaft, rng: np.random.Generator, *, seconds: float = SECONDS, fs_hz: float = FS_HZ
) -> Recording:
    """Return the vibration of a machine with the speed that was reported for it."""
    turning = _turning(s, rng, round(seconds * fs_hz), fs_hz)
    x = _background(turning, rng) + TROUBLES[s.trouble](turning, s.size, rng)
    if s.defect:
        x += s.damage * _defect(turning, rng)
    rpm = 60 * float(np.mean(np.diff(turning.turns)) * fs_hz) * (1 + SPEED_ERROR * rng.normal())
    return Recording({"vibration": x.astype(np.float32)}, fs_hz, rpm)


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


def _noise(turning: Turning, rng: np.random.Generator) -> Float64:
    """Return noise of RMS 1 that the resonances colour."""
    f = np.fft.rfftfreq(len(turning.t_s), turning.t_s[1])
    shape = np.full(len(f), 0.3)
    for hz in turning.resonances_hz:
        shape += rng.uniform(0.3, 1.5) / (1 + ((f - hz) / (0.06 * hz)) ** 2)
    x = np.fft.irfft(np.fft.rfft(rng.standard_normal(len(turning.t_s))) * shape, len(turning.t_s))
    return np.asarray(x / x.std())


def _background(turning: Turning, rng: np.random.Generator) -> Float64:
    """Return the rolling noise of a bearing, and small lines of shaft, supply and slots.

    Elements that pass the load zone of a sound bearing modulate its noise by `BALL_PASS`.
    """
    slots = int(rng.integers(20, 50))
    s = turning.shaft
    cage = s.bearing.defect_orders["FTF"] * (1 - s.lag) * turning.turns
    elements = s.bearing.defect_orders["BPFO"] / s.bearing.defect_orders["FTF"]
    outer, slow = np.exp(rng.uniform(*np.log(BALL_PASS), 2))
    wave = outer * _wave(elements * cage, 3, rng) + slow * _wave(cage, 3, rng)
    x = _modulated(turning, wave, 1.0, rng) + _tones(turning, range(1, 4), 0.3, rng)
    x += _supply_tones(turning, 0.2, rng)
    for side in (-2, 0, 2):
        phase = slots * turning.turns + side * turning.shaft.supply_hz * turning.t_s
        x += rng.exponential(0.1) * np.cos(2 * pi * phase + rng.uniform(0, 6.28))
    return x


def _tones(
    turning: Turning, orders: range | tuple[float, ...], size: float, rng: np.random.Generator
) -> Float64:
    """Return lines at multiples of the shaft, each of random size and phase."""
    return np.sum(
        [
            rng.exponential(size) * np.cos(2 * pi * k * turning.turns + rng.uniform(0, 6.28))
            for k in orders
        ],
        axis=0,
    )


def _supply_tones(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    """Return magnetic pull at twice the supply frequency and its multiples."""
    phase = 2 * pi * 2 * turning.shaft.supply_hz * turning.t_s
    return np.sum(
        [rng.exponential(size / k) * np.cos(k * phase + rng.uniform(0, 6.28)) for k in (1, 2, 3)],
        axis=0,
    )


def _modulated(turning: Turning, wave: Float64, depth: float, rng: np.random.Generator) -> Float64:
    """Return noise whose strength follows a wave of peak 1."""
    return np.maximum(1 + depth * wave, 0) * _noise(turning, rng)


def _wave(phase: Float64, harmonics: int, rng: np.random.Generator) -> Float64:
    """Return a wave of period 1 in `phase` with some harmonics, of peak 1."""
    x = np.sum(
        [
            rng.uniform(0.2, 1) / k * np.cos(2 * pi * k * phase + rng.uniform(0, 6.28))
            for k in range(1, harmonics + 1)
        ],
        axis=0,
    )
    return np.asarray(x / np.abs(x).max())


def _impacts(
    turning: Turning,
    clock: Float64,
    per_turn: float,
    rng: np.random.Generator,
    *,
    jitter: float = 0.003,
    pattern: tuple[float, ...] = (1.0,),
    load: Float64 | None = None,
) -> Float64:
    """Return the ringing of impacts, `per_turn` a turn of `clock`, of RMS 1.

    Strengths repeat in `pattern`, vary by 15 % and follow `load` (samples,); places err by
    `jitter` of the distance.
    """
    k = np.arange(1, int(clock[-1] * per_turn))
    places = (k + jitter * rng.standard_normal(len(k)) + rng.uniform()) / per_turn
    at = np.interp(places, clock, np.arange(len(clock))).astype(int)
    strength = np.array(pattern)[k % len(pattern)] * (1 + 0.15 * rng.standard_normal(len(k)))
    train = np.zeros(len(clock))
    np.add.at(train, at, strength if load is None else strength * load[at])
    dt = turning.t_s[1]
    x = np.zeros(len(clock))
    for hz in turning.resonances_hz:
        pole = np.exp((-1 / rng.uniform(0.5e-3, 2e-3) + 2j * pi * hz) * dt)
        x += rng.uniform(0.2, 1) * lfilter([1.0], [1.0, -pole], train.astype(complex)).imag
    return np.asarray(x / max(float(x.std()), 1e-12))


def _unbalance(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    x = 3 * size * np.cos(2 * pi * turning.turns)
    return x + _modulated(turning, _wave(turning.turns, 2, rng), min(1, 0.2 * size), rng)


def _misalignment(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    x = _tones(turning, range(1, 4), 2 * size, rng)
    return x + _modulated(turning, _wave(turning.turns, 4, rng), min(1, 0.2 * size), rng)


def _looseness(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    every_other = float(rng.choice([0.0, 0.3, 0.6, 1.0]))
    x = _tones(turning, tuple(k / 2 for k in range(1, 21)), 0.3 * size, rng)
    pattern = (1.0, every_other)
    return x + size * _impacts(turning, turning.turns, 1, rng, jitter=0.02, pattern=pattern)


def _coupling(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    jaws = int(rng.integers(2, 7))
    pattern = tuple(rng.uniform(0.4, 1, jaws))
    x = _tones(turning, range(1, 2 * jaws), 0.3 * size, rng)
    return x + size * _impacts(turning, turning.turns, jaws, rng, pattern=pattern)


def _blades(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    blades = int(rng.integers(3, 12))
    wave = 0.7 * _wave(blades * turning.turns, 3, rng) + 0.3 * _wave(turning.turns, 3, rng)
    flow = _modulated(turning, wave, min(1, 0.3 * size), rng)
    return _tones(turning, (blades, 2 * blades), size, rng) + size * flow


def _gear(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    teeth, ratio = int(rng.integers(13, 31)), rng.uniform(0.15, 0.8)
    other = round(teeth / ratio)
    slow = turning.turns * teeth / other
    swing = (
        1
        + rng.uniform(0, 0.6) * _wave(slow, 3, rng)
        + rng.uniform(0, 0.4) * _wave(turning.turns, 3, rng)
    )
    x = size * swing * _wave(teeth * turning.turns, 3, rng)
    if rng.uniform() < 0.5:  # a worn tooth of the wheel
        x += 0.5 * size * _impacts(turning, slow, 1, rng)
    return x


def _belt(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    turns = turning.turns * rng.uniform(0.15, 0.9) * (1 - rng.uniform(0, 0.01))
    x = size * _wave(turns, 5, rng) + _modulated(turning, _wave(turns, 5, rng), 0.5, rng)
    return x + 0.5 * size * _impacts(turning, turns, 1, rng, jitter=0.01)


def _rub(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    part = int(rng.choice([1, 2, 3]))
    window = np.cos(2 * pi * turning.turns / part) > rng.uniform(0.3, 0.9)
    x = _tones(turning, tuple(k / part for k in range(1, 4 * part)), 0.3 * size, rng)
    return x + 2 * size * window * _noise(turning, rng)


def _electrical(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    f, t = turning.shaft.supply_hz, turning.t_s
    x = _supply_tones(turning, size, rng)
    wave = np.zeros(len(t))
    for k in (1, 2, 4, 6):
        for m in (-3, -2, -1, 0, 1, 2, 3):
            line = np.cos(2 * pi * (k * f * t + m * turning.turns) + rng.uniform(0, 6.28))
            x += rng.exponential(0.3 * size / (1 + abs(m))) * line
            wave += rng.exponential(1 / (1 + abs(m)) / k) * line
    return x + size * _modulated(turning, wave / np.abs(wave).max(), rng.uniform(0.2, 0.9), rng)


def _interference(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    """Pulses of a rectifier or a dimmer on the cable, twice or six times a supply period."""
    pulses = int(rng.choice([1, 2, 6]))
    clock = turning.shaft.grid_hz * turning.t_s
    pattern = tuple(rng.uniform(0.6, 1, pulses))
    return size * _impacts(turning, clock, pulses, rng, jitter=0.0, pattern=pattern)


def _neighbour(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    turns = turning.turns[-1] / turning.t_s[-1] * rng.uniform(0.3, 2.2) * turning.t_s
    x = _tones(replace(turning, turns=turns), range(1, 5), size, rng)
    return x + _modulated(turning, _wave(turns, 5, rng), min(1, 0.3 * size), rng)


TROUBLES: dict[str, Callable[[Turning, float, np.random.Generator], Float64]] = {
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
    return _impacts(turning, turning.turns, order, rng, jitter=0.01, load=load)
