"""Machines behind a drive with vector control: the voltage is what the current controllers ask for.

Indirect field orientation (Novotny & Lipo 1996, *Vector Control and Dynamics of AC Drives*, 5): the
slip of the rotor's flux follows from the two parts of the current, the shaft gives the rest.
Current controllers by internal model control (Harnefors & Nee 1998, IEEE TIA 34(1):133) act once a
step on the current of the terminals, that of shorted turns included. They answer the lines of a
fault with the voltage, so that the current shows less of them.
"""

from collections.abc import Sequence

import numpy as np

from evaluation.motor_model.case import Case
from evaluation.motor_model.instruments import phases, short_on_line
from evaluation.motor_model.integrate import (
    STEP_HZ,
    Constants,
    Trajectory,
    derivative,
    each,
    initial_state,
)
from evaluation.motor_model.supply import Inputs
from vtox.motor.values.arrays import Complex128, Float64

_H = 1 / STEP_HZ
# Bandwidth of the current controllers over that of the speed controller.
_SPEED_SLOWER = 20.0


def integrate_controlled(
    cases: Sequence[Case], drive: Inputs, start_s: float, steps: int
) -> Trajectory:
    """Return the trajectory of cases that have `supply.control_hz`, with voltage and flux angle.

    Shorted turns are a first-order circuit at the voltage of their phase, as in `instruments`.
    """
    m, state = initial_state(cases, drive, start_s)
    control, shorts = _Control(cases, m, state), _Shorts(cases)
    shape = (steps, len(cases))
    stator, volts = np.empty(shape, np.complex128), np.empty(shape, np.complex128)
    slip_angle, speed, torque, angle = (np.empty(shape) for _ in range(4))
    t = start_s + np.arange(2 * steps + 1) / 2 * _H
    load, frame_angle = drive.load_factor(t), drive.frame_angle(t)
    noise = drive.relative_amplitude(t[::2])
    # What moves the frequency of an open loop moves the speed that is asked for.
    asked = np.diff(drive.excess(t[::2]), axis=0) / _H
    stator_a = _stator_a(m, state)
    for k in range(steps):
        j = 2 * k
        frame = np.exp(1j * frame_angle[j])
        terminal_a = stator_a + shorts.line_a * frame.conj()
        v = noise[k] * control.voltage(terminal_a, state[2].real, asked[k])
        # Bridges are not alike: what is asked for comes with a part that turns backwards.
        v = v + drive.negative * v.conj() * frame.conj() ** 2
        volts[k], angle[k] = v, control.angle
        k1, stator[k], torque[k] = derivative(m, state, v, load[j], frame_angle[j])
        slip_angle[k], speed[k] = state[3].real, state[2].real
        k2 = derivative(m, state + (_H / 2) * k1, v, load[j + 1], frame_angle[j + 1])[0]
        k3 = derivative(m, state + (_H / 2) * k2, v, load[j + 1], frame_angle[j + 1])[0]
        k4 = derivative(m, state + _H * k3, v, load[j + 2], frame_angle[j + 2])[0]
        state += (_H / 6) * (k1 + 2 * (k2 + k3) + k4)
        shorts.advance(v * np.exp(1j * frame_angle[j + 1]), t[j])
        stator_a = _stator_a(m, state)
    times: Float64 = start_s + np.arange(steps, dtype=np.float64) * _H
    return Trajectory(times, stator, slip_angle, speed / m.pole_pairs, torque, volts, angle)


class _Control:
    """Controllers of speed, flux and torque; `angle` of the flux is that in the model's frame."""

    def __init__(self, cases: Sequence[Case], m: Constants, state: Complex128) -> None:
        width = 2 * np.pi * each([c.supply.control_hz for c in cases])
        lr = m.rotor_leakage + m.lm
        self.m, self.lr, self.width = m, lr, width
        self.transient = m.stator_leakage + m.lm - m.lm**2 / lr
        self.ohm = m.rs + m.rr * (m.lm / lr) ** 2
        self.wanted = state[2].real.copy()
        psi_r, stator_a = state[1], _stator_a(m, state)
        self.angle = np.angle(psi_r)
        own = np.exp(-1j * self.angle)
        self.flux_a = np.abs(psi_r) / m.lm
        self.torque_a = (stator_a * own).imag
        # Speed per torque current: the controller crosses at its own bandwidth.
        per_a = 1.5 * m.pole_pairs * m.lm / lr * np.abs(psi_r) * m.acceleration
        self.speed_gain = width / _SPEED_SLOWER / per_a
        self.integral = (m.rs * stator_a + 1j * m.w * state[0]) * own
        self.integral -= 1j * m.w * self.transient * stator_a * own

    def voltage(self, terminal_a: Complex128, speed: Float64, beyond: Float64) -> Complex128:
        """Return the voltage of the next step, and turn the flux by what its slip will be.

        `beyond` is the speed that is asked for, beyond that at the start.
        """
        own = np.exp(-1j * self.angle)
        i = terminal_a * own
        error = self.wanted + beyond - speed
        self.torque_a = (
            self.torque_a + _H * self.speed_gain * self.width / _SPEED_SLOWER / 4 * error
        )
        asked = self.flux_a + 1j * (self.torque_a + self.speed_gain * error)
        slip = self.m.rr / self.lr * asked.imag / self.flux_a
        hz = speed + slip
        off = asked - i
        self.integral = self.integral + _H * self.width * self.ohm * off
        v = self.integral + self.width * self.transient * off + 1j * hz * self.transient * i
        v = v * own.conj()
        self.angle = self.angle + _H * (hz - self.m.w)
        return np.asarray(v)


class _Shorts:
    """The current in the shorted turns of each case, step by step, and what it adds to the line."""

    def __init__(self, cases: Sequence[Case]) -> None:
        mu = each([c.faults.shorted_turns for c in cases])
        share = np.where(mu > 0, mu * (1 - 2 * mu / 3), 1.0)
        ohm = each([c.faults.short_ohm for c in cases])
        ohm = ohm + share * each([c.plant.stator_ohm for c in cases])
        leakage = share * each([c.plant.stator_leakage_h for c in cases])
        self.decay = np.exp(-_H * ohm / leakage)
        self.gain = mu / ohm * (1 - self.decay)
        self.on = each([c.faults.short_on_s for c in cases])
        self.off = each([c.faults.short_off_s for c in cases])
        self.phase = ["abc".index(c.faults.shorted_phase) for c in cases]
        self.scale = np.array([short_on_line(c, np.ones(1))[0] for c in cases])
        self.shorted_a = np.zeros(len(cases))

    @property
    def line_a(self) -> Complex128:
        """What it adds to the space vector of the line currents, A."""
        return np.asarray(self.scale * self.shorted_a)

    def advance(self, v: Complex128, t: float) -> None:
        """Go on by one step at the voltage in its middle."""
        closed = (self.on <= t) & (t < self.off)
        own_v = phases(v)[self.phase, np.arange(len(v))]
        driven = self.decay * self.shorted_a + self.gain * own_v
        self.shorted_a = np.where(closed, driven, 0.0)


def _stator_a(m: Constants, state: Complex128) -> Complex128:
    """Return the stator current; the air gap is taken as even."""
    ls, lr = m.stator_leakage + m.lm, m.rotor_leakage + m.lm
    return np.asarray((lr * state[0] - m.lm * state[1]) / (ls * lr - m.lm * m.lm))
