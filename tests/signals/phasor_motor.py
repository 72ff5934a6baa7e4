"""A small motor for tests, in phasors: what three clamps, three voltages and a transformer read."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from vtox.motor.values.domain import Array, Motor, Recording

A = np.exp(2j * np.pi / 3)
MOTOR = Motor(
    pole_pairs=2,
    supply_hz=50.0,
    rated_speed_rpm=1450.0,
    rated_current_a=10.0,
    rated_voltage_v=400.0,
)
RATED_V = 400 / sqrt(3)
Y22 = 10.0 / RATED_V / (0.06 + 0.16j)  # S: what 17 % of leakage reactance draws


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Loads and faults in phasors; `short_a` is the amperes (rms) on the line of `phase`."""

    load: float = 0.8
    v2: complex = 0.0  # over V1
    v0: complex = 0.0
    short_a: float = 0.0
    lag_deg: float = 40.0  # of the short's current behind its phase voltage
    phase: str = "a"
    on_s: tuple[float, float] = (0.0, np.inf)
    gains: tuple[complex, complex, complex] = (1.0, 1.0, 1.0)
    joint_ohm: float = 0.0  # in series with `phase`
    noise: float = 0.002  # over rated current
    earth_s: tuple[float, float, float] = (0.0, 0.0, 0.0)
    earth_f: tuple[float, float, float] = (0.0, 0.0, 0.0)
    third: float = 0.0  # third harmonic of the voltages to earth, over V1
    hz: float = 50.02


def recording(
    m: Machine,
    seconds: float = 1.0,
    fs_hz: float = 2000.0,
    *,
    channels: tuple[str, ...] = ("ia", "ib", "ic"),
    seed: int = 0,
) -> Recording:
    """Return what the instruments read."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * fs_hz)) / fs_hz
    turn = np.exp(2j * np.pi * m.hz * t)
    k = "abc".index(m.phase)
    i1 = 10.0 * (m.load * 0.85 - 0.5j)
    i2 = Y22 * (m.v2 * RATED_V - m.joint_ohm * i1 * A**k / 3)
    short = m.short_a * np.exp(-1j * np.radians(m.lag_deg)) / 3
    on = (t >= m.on_s[0]) & (t < m.on_s[1])
    positive = i1 + short * on
    negative = i2 + short * A**k * on
    read: dict[str, Array] = {}
    leakage = np.zeros(len(t))
    for p in range(3):
        amps = (positive * A**-p + negative * A**p) * m.gains[p]
        volts = RATED_V * (A**-p + m.v2 * A**p + m.v0) * np.ones(len(t))
        third = RATED_V * m.third
        read["i" + "abc"[p]] = sqrt(2) * (amps * turn).real + 10 * m.noise * rng.normal(size=len(t))
        read["v" + "abc"[p]] = sqrt(2) * (volts * turn + third * turn**3).real
        for h, v in ((1, volts), (3, third)):
            y = m.earth_s[p] + 2j * np.pi * h * m.hz * m.earth_f[p]
            leakage += sqrt(2) * (y * v * turn**h).real
    read["leakage"] = leakage + 5e-6 * rng.normal(size=len(t))
    return Recording({c: read[c] for c in channels}, fs_hz)
