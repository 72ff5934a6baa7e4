"""How drives choose their voltage: three controls, each as one class with the same call.

Currents: indirect field orientation (Novotny & Lipo 1996, *Vector Control and Dynamics of AC
Drives*, 5). The slip of the rotor's flux follows from the two parts of the current; the shaft gives
the rest. Current controllers by internal model control (Harnefors & Nee 1998, IEEE TIA 34(1):133).

Slip: V/f, with the frequency as the shaft's plus a slip that the speed controller asks for (Bose
2002, *Modern Power Electronics and AC Drives*, 8.3).

Torque: direct control of torque and stator flux with a modulator in place of the table (Lascu,
Boldea & Blaabjerg 2000, IEEE TIA 36(1):122).
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from evaluation.motor_model.case import Case, ControlName
from evaluation.motor_model.integrate import STEP_HZ, Constants, each
from vtox.motor.values.arrays import Complex128, Float64

_H = 1 / STEP_HZ
# Bandwidth of the inner controllers over that of the speed controller.
_SPEED_SLOWER = 20.0


class Control(Protocol):
    """The controllers of a batch; `angle` is that of the flux in the model's frame."""

    angle: Float64

    def voltage(
        self, terminal_a: Complex128, flux: Complex128, speed: Float64, beyond: Float64
    ) -> Complex128:
        """Return the voltage of the next step.

        `terminal_a` is the current at the terminals, `flux` that of the stator, V s. `beyond` is
        the speed that is asked for, beyond that at the start, rad/s.
        """


def new_control(cases: Sequence[Case], m: Constants, state: Complex128) -> Control:
    """Return the control of a batch, in the steady state that it starts from."""
    return _CONTROLS[cases[0].supply.control](cases, m, state)


class _SpeedController:
    """Asks for `per_speed` of a quantity for each rad/s, and for the integral of that."""

    def __init__(self, cases: Sequence[Case], state: Complex128, per_s2: Float64) -> None:
        # It crosses at its bandwidth if one unit of the quantity accelerates by `per_s2`.
        self.width = 2 * np.pi * each([c.supply.control_hz for c in cases])
        self.gain = self.width / _SPEED_SLOWER / per_s2
        self.wanted = state[2].real.copy()

    def quantity(
        self, integral: Float64, speed: Float64, beyond: Float64
    ) -> tuple[Float64, Float64]:
        """Return the quantity asked for, and the integral after a step."""
        error = self.wanted + beyond - speed
        integral = integral + _H * self.gain * self.width / _SPEED_SLOWER / 4 * error
        return integral, integral + self.gain * error


class CurrentControl:
    """Controllers of speed, then of the current's parts along and across the rotor's flux."""

    def __init__(self, cases: Sequence[Case], m: Constants, state: Complex128) -> None:
        lr = m.rotor_leakage + m.lm
        self.m, self.lr = m, lr
        self.transient = m.stator_leakage + m.lm - m.lm**2 / lr
        self.ohm = m.rs + m.rr * (m.lm / lr) ** 2
        psi_r, now_a = state[1], stator_a(m, state)
        self.angle = np.angle(psi_r)
        own = np.exp(-1j * self.angle)
        self.flux_a = np.abs(psi_r) / m.lm
        self.torque_a = (now_a * own).imag
        per_a = 1.5 * m.pole_pairs * m.lm / lr * np.abs(psi_r) * m.acceleration
        self.speed = _SpeedController(cases, state, per_a)
        self.integral = (m.rs * now_a + 1j * m.w * state[0]) * own
        self.integral -= 1j * m.w * self.transient * now_a * own

    def voltage(
        self, terminal_a: Complex128, flux: Complex128, speed: Float64, beyond: Float64
    ) -> Complex128:
        """Return the voltage, and turn the flux by its coming slip."""
        own = np.exp(-1j * self.angle)
        i, width = terminal_a * own, self.speed.width
        self.torque_a, torque_a = self.speed.quantity(self.torque_a, speed, beyond)
        asked = self.flux_a + 1j * torque_a
        hz = speed + self.m.rr / self.lr * asked.imag / self.flux_a
        off = asked - i
        self.integral = self.integral + _H * width * self.ohm * off
        v = self.integral + width * self.transient * off + 1j * hz * self.transient * i
        v = v * own.conj()
        self.angle = self.angle + _H * (hz - self.m.w)
        return np.asarray(v)


class SlipControl:
    """V/f with the speed measured: the frequency is the shaft's plus the slip asked for."""

    def __init__(self, cases: Sequence[Case], m: Constants, state: Complex128) -> None:
        self.m = m
        v = m.rs * stator_a(m, state) + 1j * m.w * state[0]
        self.per_hz, self.angle = np.abs(v) / m.w, np.angle(v)
        per_slip = 1.5 * m.pole_pairs * np.abs(state[1]) ** 2 / m.rr * m.acceleration
        self.speed = _SpeedController(cases, state, per_slip)
        self.slip = m.w - state[2].real

    def voltage(
        self, terminal_a: Complex128, flux: Complex128, speed: Float64, beyond: Float64
    ) -> Complex128:
        """Return the voltage, and turn it by its frequency."""
        self.slip, slip = self.speed.quantity(self.slip, speed, beyond)
        v = self.per_hz * (speed + slip) * np.exp(1j * self.angle)
        self.angle = self.angle + _H * (speed + slip - self.m.w)
        return np.asarray(v)


class TorqueControl:
    """Controllers of torque and stator flux; the voltage follows without one of the current."""

    def __init__(self, cases: Sequence[Case], m: Constants, state: Complex128) -> None:
        self.m = m
        self.angle, self.flux = np.angle(state[0]), np.abs(state[0])
        transient = m.stator_leakage + m.lm - m.lm**2 / (m.rotor_leakage + m.lm)
        # Torque per voltage across the flux: the leakage integrates the one into the other.
        self.volts_per_nm = transient / (1.5 * m.pole_pairs * self.flux)
        self.speed = _SpeedController(cases, state, m.acceleration)
        self.torque_nm = self._torque(stator_a(m, state), state[0])
        self.across = m.w * self.flux
        self.along = np.zeros(len(cases))

    def _torque(self, terminal_a: Complex128, flux: Complex128) -> Float64:
        return np.asarray(1.5 * self.m.pole_pairs * (flux.conj() * terminal_a).imag)

    def voltage(
        self, terminal_a: Complex128, flux: Complex128, speed: Float64, beyond: Float64
    ) -> Complex128:
        """Return the voltage along and across the flux."""
        width = self.speed.width
        self.angle = np.angle(flux)
        self.torque_nm, torque_nm = self.speed.quantity(self.torque_nm, speed, beyond)
        off_nm, off = torque_nm - self._torque(terminal_a, flux), self.flux - np.abs(flux)
        self.across = self.across + _H * width**2 / 4 * self.volts_per_nm * off_nm
        self.along = self.along + _H * width**2 / 4 * off
        v = self.along + width * off + 1j * (self.across + width * self.volts_per_nm * off_nm)
        return np.asarray(v * np.exp(1j * self.angle) + self.m.rs * terminal_a)


_CONTROLS: dict[ControlName, Callable[[Sequence[Case], Constants, Complex128], Control]] = {
    "current": CurrentControl,
    "slip": SlipControl,
    "torque": TorqueControl,
}


def stator_a(m: Constants, state: Complex128) -> Complex128:
    """Return the stator current; the air gap is taken as even."""
    ls, lr = m.stator_leakage + m.lm, m.rotor_leakage + m.lm
    return np.asarray((lr * state[0] - m.lm * state[1]) / (ls * lr - m.lm * m.lm))
