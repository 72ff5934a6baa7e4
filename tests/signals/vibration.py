"""Plain vibration signals: noise, tones of shaft and supply, impacts that ring a resonance."""

from dataclasses import dataclass, field

import numpy as np

from vtox.motor.values.arrays import Float64
from vtox.motor.values.bearing import Bearing
from vtox.motor.values.domain import Motor, Recording

FS_HZ = 10_000.0
SUPPLY_HZ = 50.0
BEARING = Bearing(orders={"BPFO": 3.585, "BPFI": 5.415, "BSF": 2.357, "FTF": 0.398})
MOTOR = Motor(pole_pairs=2, supply_hz=SUPPLY_HZ, rated_speed_rpm=1440, bearing=BEARING)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactTrain:
    """Impacts, `order` a turn: each place off by `jitter`, modulated by `depth` at order `by`.

    The speed of the shaft rises by the share `ramp` from beginning to end.
    """

    order: float
    strength: float = 1.0
    jitter: float = 0.01
    by: float = 0.0
    depth: float = 0.0
    resonance_hz: float = 3100.0
    ramp: float = 0.0


def defect(name: str, strength: float = 1.0, deviation: float = 0.004) -> ImpactTrain:
    """Return the impacts of a defect of `BEARING`, off its order by `deviation`."""
    order = BEARING.defect_orders[name] * (2 if name == "BSF" else 1) * (1 + deviation)
    by = {"BPFI": 1.0, "BSF": 0.398 * (1 + deviation)}.get(name, 0.0)
    return ImpactTrain(order=order, strength=strength, by=by, depth=0.9 if by else 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A healthy machine by the size of its tones over noise of RMS 1, and its impacts."""

    shaft_hz: float = 24.3
    shaft: tuple[float, ...] = (2.0, 0.7, 0.4, 0.2)
    supply: float = 0.5
    slot_order: int = 36
    slots: float = 0.3
    impacts: tuple[ImpactTrain, ...] = field(default=())


def vibration(m: Machine, seconds: float, *, seed: int = 0, fs_hz: float = FS_HZ) -> Float64:
    """Return acceleration in m/s^2, shape (samples,)."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * fs_hz)) / fs_hz
    x = coloured_noise(len(t), rng)
    for k, size in enumerate(m.shaft, start=1):
        x += size * np.cos(2 * np.pi * k * m.shaft_hz * t + rng.uniform(0, 6.28))
    for k in (1, 2, 3):
        x += m.supply / k * np.cos(2 * np.pi * 2 * k * SUPPLY_HZ * t + rng.uniform(0, 6.28))
    for side in (-1, 0, 1):
        hz = m.slot_order * m.shaft_hz + side * 2 * SUPPLY_HZ
        x += m.slots * np.cos(2 * np.pi * hz * t + rng.uniform(0, 6.28))
    for train in m.impacts:
        x += ringing(train, m.shaft_hz, t, rng)
    return x


def recording(
    m: Machine,
    seconds: float = 2.0,
    *,
    seed: int = 0,
    fs_hz: float = FS_HZ,
    speed: bool = True,
    scale: float = 1.0,
) -> Recording:
    """Return a recording of the machine, with its speed unless `speed` is false."""
    x = scale * vibration(m, seconds, seed=seed, fs_hz=fs_hz)
    return Recording({"vibration": x.astype(np.float32)}, fs_hz, 60 * m.shaft_hz if speed else None)


def coloured_noise(samples: int, rng: np.random.Generator) -> Float64:
    """Return noise of RMS 1 with two broad resonances."""
    f = np.fft.rfftfreq(samples)
    shape = 0.3 + 1 / (1 + ((f - 0.12) / 0.02) ** 2) + 0.5 / (1 + ((f - 0.33) / 0.03) ** 2)
    x = np.fft.irfft(np.fft.rfft(rng.standard_normal(samples)) * np.sqrt(shape), samples)
    return np.asarray(x / x.std(), np.float64)


def ringing(train: ImpactTrain, shaft_hz: float, t: Float64, rng: np.random.Generator) -> Float64:
    """Return the response of the structure to impacts, of RMS `strength`."""
    turns = t[-1] * shaft_hz
    places = np.cumsum(1 + train.jitter * rng.standard_normal(int(turns * train.order) + 1))
    places = (places + rng.uniform()) / train.order
    places = places[places < turns]
    size = 1 + train.depth * np.cos(2 * np.pi * (places * train.by + rng.uniform()))
    impacts = np.zeros(len(t))
    turned = shaft_hz * t * (1 + train.ramp * (t / t[-1] - 1) / 2)
    np.add.at(impacts, np.interp(places, turned, np.arange(len(t))).astype(int), size)
    decay = np.exp(-t[: round(0.01 / t[1])] / 0.0012)
    ring = decay * np.sin(2 * np.pi * train.resonance_hz * t[: len(decay)])
    x = np.convolve(impacts, ring)[: len(t)]
    return np.asarray(train.strength * x / x.std(), np.float64)
