"""Three-phase currents with known lines for tests, apart from the simulator's formulas."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vtox.motor.values.domain import CURRENTS, Motor, Recording

MOTOR = Motor(
    pole_pairs=2, supply_hz=50.0, rated_speed_rpm=1455.0, rated_current_a=10.0, rotor_bars=28
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a synthetic machine draws; levels in dB below the supply line, -300: none."""

    seconds: float = 10.0
    fs_hz: float = 2_500.0
    f0_hz: float = 50.013
    rms_a: float = 8.0
    slip: float = 0.02
    lower_dbc: float = -300.0
    upper_dbc: float = -300.0
    tip_rad: float | None = None  # axis of the tip of the phasor, equal sidebands; None: any
    swing: float = 0.0  # relative, of load at swing_hz: amplitude and phase together
    swing_hz: float = 0.0
    rotor_dbc: float = -300.0  # f +- fr, each
    slot_dbc: float = -300.0
    wander_hz: float = 0.0  # rms of a first-order process with a time constant of 3 s
    noise: float = 1e-4  # rms over peak, white
    negative: complex = 0j
    offset_a: float = 0.0


def recording(m: Machine, rng: np.random.Generator, *, speed: bool = False) -> Recording:
    """Return three phase currents of a four-pole machine with 28 bars."""
    space = space_vector(m, rng)
    phases = [(space * np.exp(-2j * np.pi * k / 3)).real for k in range(3)]
    scale = m.rms_a * np.sqrt(2)
    noise = rng.standard_normal((3, len(space))) * m.noise
    channels = {
        name: (scale * (x + e) + m.offset_a).astype(np.float32)
        for name, x, e in zip(CURRENTS, phases, noise, strict=True)
    }
    rpm = 30 * m.f0_hz * (1 - m.slip)
    return Recording(channels, m.fs_hz, speed_rpm=rpm if speed else None)


def space_vector(m: Machine, rng: np.random.Generator) -> npt.NDArray[np.complex128]:
    """Return the space vector over the amplitude of the supply line, shape (samples,)."""
    t = np.arange(round(m.seconds * m.fs_hz)) / m.fs_hz
    supply = 2 * np.pi * m.f0_hz * t + phase_wander(m, rng, len(t)) + rng.uniform(0, 6.28)
    rotor = supply * (1 - m.slip) / 2
    slip_angle = 2 * m.slip * 2 * np.pi * m.f0_hz * t
    turn = np.exp(1j * rng.uniform(0, 6.28, 6))
    z = np.ones(len(t), complex)
    z += 10 ** (m.lower_dbc / 20) * turn[0] * np.exp(-1j * slip_angle)
    if m.tip_rad is not None:
        turn[1] = np.exp(2j * m.tip_rad) / turn[0]
    z += 10 ** (m.upper_dbc / 20) * turn[1] * np.exp(1j * slip_angle)
    z += m.swing * (1 + 0.4j) * np.cos(2 * np.pi * m.swing_hz * t + rng.uniform(0, 6.28))
    z += 10 ** (m.rotor_dbc / 20) * (turn[2] * np.exp(1j * rotor) + turn[3] * np.exp(-1j * rotor))
    slots = np.exp(28j * rotor)
    z += 10 ** (m.slot_dbc / 20) * (turn[4] * slots + turn[5] * slots.conj())
    return np.asarray(z * np.exp(1j * supply) + m.negative.conjugate() * np.exp(-1j * supply))


def phase_wander(m: Machine, rng: np.random.Generator, samples: int) -> npt.NDArray[np.float64]:
    """Return the phase that a wandering supply frequency adds, rad, made at 50 Hz."""
    if not m.wander_hz:
        return np.zeros(samples)
    nodes = int(samples / m.fs_hz * 50) + 3
    keep = np.exp(-1 / (3.0 * 50))
    hz = np.empty(nodes)
    hz[0] = rng.standard_normal()
    for k in range(1, nodes):
        hz[k] = keep * hz[k - 1] + np.sqrt(1 - keep**2) * rng.standard_normal()
    phase = 2 * np.pi * np.cumsum(hz * m.wander_hz) / 50
    return np.interp(np.arange(samples) / m.fs_hz, np.arange(nodes) / 50, phase)
