"""Machines behind a drive with feedback: its controllers set the voltage.

The controllers act once a step on the current of the terminals, including that of shorted turns.
Their voltage opposes the lines of a fault, so that the current shows less of them.
"""

from collections.abc import Sequence

import numpy as np

from evaluation.motor_model.case import Case
from evaluation.motor_model.controls import new_control, stator_a
from evaluation.motor_model.instruments import phases, short_on_line
from evaluation.motor_model.integrate import (
    STEP_HZ,
    Trajectory,
    derivative,
    each,
    initial_state,
)
from evaluation.motor_model.supply import Inputs
from vtox.motor.values.arrays import Complex128, Float64

_H = 1 / STEP_HZ


def integrate_controlled(
    cases: Sequence[Case], drive: Inputs, start_s: float, steps: int
) -> Trajectory:
    """Return the trajectory of cases that have `supply.control_hz`, with voltage and flux angle.

    Shorted turns are a first-order circuit at the voltage of their phase, as in `instruments`.
    """
    m, state = initial_state(cases, drive, start_s)
    control, shorts = new_control(cases, m, state), _Shorts(cases)
    shape = (steps, len(cases))
    stator, volts = np.empty(shape, np.complex128), np.empty(shape, np.complex128)
    slip_angle, speed, torque, angle = (np.empty(shape) for _ in range(4))
    t = start_s + np.arange(2 * steps + 1) / 2 * _H
    load, frame_angle = drive.load_factor(t), drive.frame_angle(t)
    noise = drive.relative_amplitude(t[::2])
    # The noise that moves the frequency of an open loop moves the requested speed here.
    asked = np.diff(drive.excess(t[::2]), axis=0) / _H
    now_a = stator_a(m, state)
    for k in range(steps):
        j = 2 * k
        frame = np.exp(1j * frame_angle[j])
        terminal_a = now_a + shorts.line_a * frame.conj()
        v = noise[k] * control.voltage(terminal_a, state[0], state[2].real, asked[k])
        # Bridges are not alike: the requested voltage comes with a part that turns backwards.
        v = v + drive.negative * v.conj() * frame.conj() ** 2
        volts[k], angle[k] = v, control.angle
        k1, stator[k], torque[k] = derivative(m, state, v, load[j], frame_angle[j])
        slip_angle[k], speed[k] = state[3].real, state[2].real
        k2 = derivative(m, state + (_H / 2) * k1, v, load[j + 1], frame_angle[j + 1])[0]
        k3 = derivative(m, state + (_H / 2) * k2, v, load[j + 1], frame_angle[j + 1])[0]
        k4 = derivative(m, state + _H * k3, v, load[j + 2], frame_angle[j + 2])[0]
        state += (_H / 6) * (k1 + 2 * (k2 + k3) + k4)
        shorts.advance(v * np.exp(1j * frame_angle[j + 1]), t[j])
        now_a = stator_a(m, state)
    times: Float64 = start_s + np.arange(steps, dtype=np.float64) * _H
    return Trajectory(times, stator, slip_angle, speed / m.pole_pairs, torque, volts, angle)


class _Shorts:
    """The current in the shorted turns of each case, step by step, and its part in the line."""

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
        """Its part in the space vector of the line currents, A."""
        return np.asarray(self.scale * self.shorted_a)

    def advance(self, v: Complex128, t: float) -> None:
        """Go on by one step at the voltage in its middle."""
        closed = (self.on <= t) & (t < self.off)
        own_v = phases(v)[self.phase, np.arange(len(v))]
        driven = self.decay * self.shorted_a + self.gain * own_v
        self.shorted_a = np.where(closed, driven, 0.0)
