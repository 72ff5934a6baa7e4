"""Parts of simulated vibration: turning shafts, ringing structures, lines and noise."""

from dataclasses import dataclass
from math import pi

import numpy as np
from scipy.signal import lfilter

from vtox.motor.values.arrays import Float64
from vtox.motor.values.bearing import Bearing
from vtox.motor.values.domain import Motor


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaft:
    """One record: the machine, its speed, and the size of its trouble over the background.

    The trouble has `size` over the noise (RMS 1). The `defect` of the bearing has `damage` over the
    noise, and is empty if the bearing is sound. Its elements lag kinematics by `lag`. The speed
    changes by the share `ramp` from beginning to end, and swings by `swing` twice a record.
    `grid_hz` differs from `supply_hz` behind a drive.
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
        """Pole pairs of the motor that drives the shaft without a gear."""
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


def coloured_noise(turning: Turning, rng: np.random.Generator) -> Float64:
    """Return noise of RMS 1 that the resonances colour."""
    f = np.fft.rfftfreq(len(turning.t_s), turning.t_s[1])
    shape = np.full(len(f), 0.3)
    for hz in turning.resonances_hz:
        shape += rng.uniform(0.3, 1.5) / (1 + ((f - hz) / (0.06 * hz)) ** 2)
    x = np.fft.irfft(np.fft.rfft(rng.standard_normal(len(turning.t_s))) * shape, len(turning.t_s))
    return np.asarray(x / x.std())


def shaft_lines(
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


def supply_lines(turning: Turning, size: float, rng: np.random.Generator) -> Float64:
    """Return magnetic pull at twice the supply frequency and its multiples."""
    phase = 2 * pi * 2 * turning.shaft.supply_hz * turning.t_s
    return np.sum(
        [rng.exponential(size / k) * np.cos(k * phase + rng.uniform(0, 6.28)) for k in (1, 2, 3)],
        axis=0,
    )


def modulated_noise(
    turning: Turning, wave: Float64, depth: float, rng: np.random.Generator
) -> Float64:
    """Return noise whose strength follows a wave of peak 1."""
    return np.maximum(1 + depth * wave, 0) * coloured_noise(turning, rng)


def periodic_wave(phase: Float64, harmonics: int, rng: np.random.Generator) -> Float64:
    """Return a wave of period 1 in `phase` with some harmonics, of peak 1."""
    x = np.sum(
        [
            rng.uniform(0.2, 1) / k * np.cos(2 * pi * k * phase + rng.uniform(0, 6.28))
            for k in range(1, harmonics + 1)
        ],
        axis=0,
    )
    return np.asarray(x / np.abs(x).max())


def ringing_impacts(
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
