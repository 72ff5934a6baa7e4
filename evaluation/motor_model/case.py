"""One run of the motor model: the machine, its supply, its load, its faults, its instruments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from evaluation.motor_model.plants import Plant

ControlName = Literal["current", "slip", "torque"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyVoltage:
    """The voltage at the terminals."""

    hz: float | None = None  # None: the rated one
    wander_hz: float = 0.0  # rms about the mean, over 10 s, of a random walk of the frequency
    unbalance: complex = 0j  # negative- over positive-sequence voltage, V2 / V1
    amplitude_noise: float = 0.0  # rms over amplitude, about 1/f from 0.05 to 30 Hz
    harmonics: Mapping[int, float] = field(default_factory=dict)  # order 5, 7, ... over V1
    switching_hz: float | None = None  # an inverter's; None: the grid
    control_hz: float = 0.0  # bandwidth of an inverter's inner controllers; 0: open loop, V/f
    control: ControlName = "current"
    flicker: float = 0.0  # amplitude of a sinusoidal modulation of the voltage, over V1
    flicker_hz: float = 0.0
    interharmonic: float = 0.0  # a line of positive sequence below 200 Hz, over V1
    interharmonic_hz: float = 0.0
    ripple: float = 0.0  # a ripple-control tone over V1, keyed in pulses
    ripple_hz: float = 0.0
    unbalance_motion: float = 0.0  # rms of V2/V1 about `unbalance`, correlated over 0.5 and 5 s


@dataclass(frozen=True, slots=True, kw_only=True)
class ShaftLoad:
    """The load of the shaft; torques are over rated torque."""

    torque: float = 1.0
    quadratic: float = 0.5  # the share proportional to the square of speed
    inertia: float = 1.0  # over the rotor's own
    swing: float = 0.0  # amplitude of an oscillation, over the load torque
    swing_hz: float = 0.0
    noise: float = 0.0  # rms over the load torque, correlated over 50 ms
    wander: float = 0.0  # the same, correlated over 3 s
    drift: float = 0.0  # change of the load torque in 10 s, over its mean
    # Amplitude over the load torque by times per turn: torque locked to the angle of the shaft.
    pulses: Mapping[float, float] = field(default_factory=dict)


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
class Voltmeters:
    """How the voltages are measured; full scale is twice the rated amplitude."""

    gain: tuple[float, float, float] = (0.0, 0.0, 0.0)
    noise: float = 0.0  # rms over the rated phase voltage
    bits: int | None = None  # None: no converter


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that determines one record; the same case gives the same record."""

    plant: Plant
    seed: int = 0
    supply: SupplyVoltage = SupplyVoltage()
    load: ShaftLoad = ShaftLoad()
    faults: Faults = Faults()
    earth: Earth = Earth()
    clamps: Clamps = Clamps()
    voltmeters: Voltmeters = Voltmeters()
    slot_harmonic: float = 0.0  # principal slot harmonics over the current
    # Harmonics of the magnetising current by order, amplitude over the rated one.
    saturation: Mapping[int, float] = field(default_factory=dict)
