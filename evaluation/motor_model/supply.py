"""The supply and the load of a batch of cases as functions of time, made from each case's seed."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from scipy.signal import lfilter

from evaluation.motor_model.case import Case
from vtox.motor.values.arrays import Complex128, Float64

Slow = TypeVar("Slow", Float64, Complex128)
NODE_HZ = 200.0  # slow quantities are computed at this rate and interpolated
WANDER_OVER_S = 10.0  # length over which `wander_hz` is the rms
_AMPLITUDE_TIMES_S = (0.005, 0.05, 0.5, 3.0)  # one first-order process each: together about 1/f
_TORQUE_TIME_S, _WANDER_TIME_S = 0.05, 3.0
_UNBALANCE_TIMES_S = (0.5, 5.0)
DRIFT_OVER_S = 10.0  # length over which `drift` is the change


@dataclass(frozen=True, slots=True)
class Inputs:
    """Inputs of a batch: constants of shape (cases,), slow quantities of shape (nodes, cases)."""

    hz: Float64
    volts: Float64  # peak, phase
    negative: Complex128  # V2 space-vector phasor over V1
    negative_motion: Complex128  # added to it
    excess_rad: Float64  # phase of the supply beyond 2*pi*hz*t
    amplitude: Float64  # relative noise
    torque: Float64  # relative noise
    swing: Float64
    swing_hz: Float64
    flicker: Float64
    flicker_hz: Float64
    interharmonic: Float64
    interharmonic_hz: Float64
    start_s: float  # time of node 0

    def case(self, k: int) -> "Inputs":
        """Return the inputs of one case, as a batch of one."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        arrays = {n: x[..., k : k + 1] for n, x in values.items() if isinstance(x, np.ndarray)}
        return Inputs(**(values | arrays))

    def frame_angle(self, t: Float64) -> Float64:
        """Phase in rad of the frame at the mean supply frequency, shape (times, cases)."""
        return np.asarray(2 * np.pi * np.outer(t, self.hz))

    def excess(self, t: Float64) -> Float64:
        """Phase in rad of the supply relative to that frame, shape (times, cases)."""
        return self._slow(self.excess_rad, t)

    def voltage(self, t: Float64) -> Complex128:
        """Space vector in V of the fundamental phase voltages in that frame, (times, cases)."""
        z = np.exp(1j * self.excess(t))
        v = z
        if np.any(self.negative) or np.any(self.negative_motion):
            negative = self.negative + self._slow(self.negative_motion, t)
            v = v + negative * z.conj() * np.exp(-2j * self.frame_angle(t))
        if np.any(self.interharmonic):
            angle = 2 * np.pi * np.outer(t, self.interharmonic_hz - self.hz)
            v = v + self.interharmonic * np.exp(1j * angle)
        return np.asarray(v * self.volts * self.relative_amplitude(t))

    def relative_amplitude(self, t: Float64) -> Float64:
        """Amplitude of the voltage over its mean, shape (times, cases)."""
        flicker = self.flicker * np.cos(2 * np.pi * np.outer(t, self.flicker_hz))
        return np.asarray(1 + self._slow(self.amplitude, t) + flicker)

    def load_factor(self, t: Float64) -> Float64:
        """Load torque over its mean, shape (times, cases)."""
        swing = self.swing * np.cos(2 * np.pi * np.outer(t, self.swing_hz))
        return np.asarray(1 + self._slow(self.torque, t) + swing)

    def _slow(self, nodes: Slow, t: Float64) -> Slow:
        position = (t - self.start_s) * NODE_HZ
        before = np.floor(position).astype(np.int64)
        share = (position - before)[:, None]
        return np.asarray(nodes[before] * (1 - share) + nodes[before + 1] * share)


def inputs(cases: Sequence[Case], start_s: float, stop_s: float) -> Inputs:
    """Return the inputs of `cases` from `start_s` to `stop_s`; the record begins at 0 s."""
    nodes = int(np.ceil((stop_s - start_s) * NODE_HZ)) + 4
    slow = [_slow_quantities(c, nodes) for c in cases]
    moving = [_moving_quantities(c, start_s + np.arange(nodes) / NODE_HZ) for c in cases]
    hz = np.array([supply_hz(c) for c in cases])
    rated = np.array([c.plant.supply_hz for c in cases])
    return Inputs(
        hz=hz,
        volts=np.array([c.plant.peak_phase_v for c in cases]) * hz / rated,
        negative=np.conj([complex(c.supply.unbalance) for c in cases]),
        negative_motion=np.stack([n[0] for n in moving], axis=1),
        excess_rad=np.stack([m[0] for m in slow], axis=1),
        amplitude=np.stack([m[1] for m in slow], axis=1),
        torque=np.stack([m[2] + n[1] for m, n in zip(slow, moving, strict=True)], axis=1),
        swing=np.array([c.load.swing for c in cases]),
        swing_hz=np.array([c.load.swing_hz for c in cases]),
        flicker=np.array([c.supply.flicker for c in cases]),
        flicker_hz=np.array([c.supply.flicker_hz for c in cases]),
        interharmonic=np.array([c.supply.interharmonic for c in cases]),
        interharmonic_hz=np.array([c.supply.interharmonic_hz for c in cases]),
        start_s=start_s,
    )


def supply_hz(case: Case) -> float:
    """Return the mean frequency of the case's supply."""
    return case.supply.hz or case.plant.supply_hz


def _slow_quantities(case: Case, nodes: int) -> tuple[Float64, Float64, Float64]:
    """Return phase excess (rad), amplitude noise and torque noise of one case, shape (nodes,)."""
    rng = np.random.default_rng([case.seed, 1])
    # A random walk of length T has a variance of q*T/6 about its own mean.
    step_hz = case.supply.wander_hz * np.sqrt(6 / WANDER_OVER_S / NODE_HZ)
    walk = np.cumsum(step_hz * rng.standard_normal(nodes))
    phase = 2 * np.pi * np.cumsum(walk - walk.mean()) / NODE_HZ
    amplitude = np.zeros(nodes)
    for tau_s in _AMPLITUDE_TIMES_S:
        amplitude += _first_order(rng, nodes, tau_s)
    amplitude *= case.supply.amplitude_noise / np.sqrt(len(_AMPLITUDE_TIMES_S))
    return phase, amplitude, case.load.noise * _first_order(rng, nodes, _TORQUE_TIME_S)


def _moving_quantities(case: Case, t: Float64) -> tuple[Complex128, Float64]:
    """Return the motion of V2/V1 (conjugate) and the slow part of the torque, shape (nodes,)."""
    rng = np.random.default_rng([case.seed, 3])
    negative = np.zeros(len(t), np.complex128)
    if case.supply.unbalance_motion:
        for tau_s in _UNBALANCE_TIMES_S:
            negative += _first_order(rng, len(t), tau_s) + 1j * _first_order(rng, len(t), tau_s)
        negative *= case.supply.unbalance_motion / np.sqrt(2 * len(_UNBALANCE_TIMES_S))
    torque = case.load.drift * (t / DRIFT_OVER_S - 0.5)
    if case.load.wander:
        torque += case.load.wander * _first_order(rng, len(t), _WANDER_TIME_S)
    return negative, torque


def _first_order(rng: np.random.Generator, nodes: int, tau_s: float) -> Float64:
    """Return stationary first-order noise of unit variance (Ornstein & Uhlenbeck)."""
    a = np.exp(-1 / (tau_s * NODE_HZ))
    white = rng.standard_normal(nodes) * np.sqrt(1 - a * a)
    first = rng.standard_normal(1) * a
    return np.asarray(lfilter([1.0], [1.0, -a], white, zi=first)[0])
