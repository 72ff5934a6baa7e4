"""One run of the motor model: the machine, its supply, its load, its faults, its instruments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from vtox.simulator.motor_model.plants import Plant


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """The voltage at the terminals."""

    hz: float | None = None  # None: the rated one
    wander_hz: float = 0.0  # rms about the mean, over 10 s, of a random walk of the frequency
    unbalance: complex = 0j  # negative- over positive-sequence voltage, V2 / V1
    amplitude_noise: float = 0.0  # rms over amplitude, about 1/f from 0.05 to 30 Hz
    harmonics: Mapping[int, float] = field(default_factory=dict)  # order 5, 7, ... over V1
    switching_hz: float | None = None  # an inverter's; None: the grid


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The load of the shaft; torques are over rated torque."""

    torque: float = 1.0
    quadratic: float = 0.5  # the share proportional to the square of speed
    inertia: float = 1.0  # over the rotor's own
    swing: float = 0.0  # amplitude of an oscillation, over the load torque
    swing_hz: float = 0.0
    noise: float = 0.0  # rms over the load torque, correlated over 50 ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """The faults of the machine; by default none."""

    rotor_asymmetry: complex = 0j  # d * exp(j*angle): the rotor's resistance is R*(1 + d +- d)
    shorted_turns: float = 0.0  # fraction of the turns of one phase
    shorted_phase: Literal["a", "b", "c"] = "a"
    short_ohm: float = 0.0  # of the contact between the shorted turns
    short_on_s: float = 0.0
    short_off_s: float = float("inf")
    air_gap: float = 0.0  # once-a-turn modulation of the magnetising inductance


@dataclass(frozen=True, slots=True, kw_only=True)
class Earth:
    """Capacitance and conductance of each phase to earth, and the noise of the transformer."""

    capacitance_f: tuple[float, float, float] = (5e-9, 5e-9, 5e-9)
    conductance_s: tuple[float, float, float] = (1e-8, 1e-8, 1e-8)
    noise_a: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clamps:
    """How the currents are measured: errors of the three clamps, noise, and the converter."""

    gain: tuple[float, float, float] = (0.0, 0.0, 0.0)
    delay_s: tuple[float, float, float] = (0.0, 0.0, 0.0)
    noise: float = 0.0  # rms over rated current
    bits: int | None = None  # None: no converter
    full_scale: float = 4.0  # amplitude over rated current (rms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that determines one record; the same case gives the same record."""

    plant: Plant
    seed: int = 0
    supply: Supply = Supply()
    load: Load = Load()
    faults: Faults = Faults()
    earth: Earth = Earth()
    clamps: Clamps = Clamps()
    slot_harmonic: float = 0.0  # principal slot harmonics over the current
