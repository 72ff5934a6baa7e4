"""The differential equations of a batch of cage machines, and their solution by Runge-Kutta.

Space vectors are in a frame that rotates at the supply's mean frequency w, where everything but
the negative sequence is slow. Steps of 1 ms are enough. States are the flux linkages of stator and
rotor, the electrical speed omega, and the slip angle delta = w*t - p*theta_m (Krause, Wasynczuk &
Sudhoff, arbitrary reference frame)::

    d psi_s / dt = v - Rs*i_s - j*w*psi_s
    d psi_r / dt = -Rr*((1 + |d|)*i_r + d*exp(-2j*delta)*conj(i_r)) - j*(w - omega)*psi_r
    d omega / dt = (p/J) * (T - T_load)            T = 1.5*p*Im(conj(psi_s)*i_s) + T_gap
    d delta / dt = w - omega

`d` is the asymmetry of the rotor's resistance, fixed to the rotor. The air gap modulates the
magnetising inductance once a turn, Lm*(1 + a*cos(theta_m)), and adds the reluctance torque
T_gap = 0.75*|i_s + i_r|**2 * dLm/dtheta_m.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.motor_model.case import Case
from evaluation.motor_model.plants import slip_at_torque, steady_state
from evaluation.motor_model.supply import Inputs
from vtox.motor.values.arrays import Complex128, Float64

# Error of the fourth order at 1 kHz: 1e-6 of the amplitude at 25 Hz from the supply line, 1e-3 of
# the negative sequence, which is 100 to 120 Hz away.
STEP_HZ = 1_000.0
_CHUNK = 256  # steps for which voltages are computed at once


@dataclass(frozen=True, slots=True)
class Trajectory:
    """States at every step, shape (steps, cases), in the rotating frame."""

    t_s: Float64  # shape (steps,)
    stator_a: Complex128
    slip_angle: Float64  # electrical, rad
    speed: Float64  # mechanical, rad/s
    torque_nm: Float64
    # A drive with vector control: its applied voltage, and the angle of the flux in that frame.
    stator_v: Complex128 | None = None
    flux_angle: Float64 | None = None


@dataclass(frozen=True, slots=True)
class Constants:
    """Constants of the batch, shape (cases,)."""

    w: Float64
    pole_pairs: Float64
    rs: Float64
    rr: Float64
    stator_leakage: Float64
    rotor_leakage: Float64
    lm: Float64
    gap: Float64
    asymmetry: Complex128
    acceleration: Float64  # p/J
    constant_nm: Float64  # load torque independent of speed
    quadratic_nm_s2: Float64  # load torque over the square of the electrical speed
    pulse_orders: Float64  # of the load torque per turn, shape (pulses, cases)
    pulse_sizes: Float64  # over the load torque


def integrate(cases: Sequence[Case], drive: Inputs, start_s: float, steps: int) -> Trajectory:
    """Return the trajectory of `cases` over `steps` steps from the healthy steady state."""
    m, state = initial_state(cases, drive, start_s)
    shape = (steps, len(cases))
    stator = np.empty(shape, np.complex128)
    slip_angle, speed, torque = np.empty(shape), np.empty(shape), np.empty(shape)
    h = 1 / STEP_HZ
    for first in range(0, steps, _CHUNK):
        count = min(_CHUNK, steps - first)
        t = start_s + (first + np.arange(2 * count + 1) / 2) * h
        v, load, frame_angle = drive.voltage(t), drive.load_factor(t), drive.frame_angle(t)
        for k in range(count):
            row, j = first + k, 2 * k
            k1, stator[row], torque[row] = derivative(m, state, v[j], load[j], frame_angle[j])
            speed[row] = state[2].real
            slip_angle[row] = state[3].real
            j += 1
            k2 = derivative(m, state + (h / 2) * k1, v[j], load[j], frame_angle[j])[0]
            k3 = derivative(m, state + (h / 2) * k2, v[j], load[j], frame_angle[j])[0]
            j += 1
            k4 = derivative(m, state + h * k3, v[j], load[j], frame_angle[j])[0]
            state += (h / 6) * (k1 + 2 * (k2 + k3) + k4)
    times: Float64 = start_s + np.arange(steps, dtype=np.float64) * h
    return Trajectory(times, stator, slip_angle, speed / m.pole_pairs, torque)


def derivative(
    m: Constants, state: Complex128, v: Complex128, load: Float64, frame_angle: Float64
) -> tuple[Complex128, Complex128, Float64]:
    """Return d(state)/dt, stator current and torque; `state` has shape (4, cases)."""
    psi_s, psi_r = state[0], state[1]
    omega, delta = state[2].real, state[3].real
    theta = (frame_angle - delta) / m.pole_pairs
    lm = m.lm * (1 + m.gap * np.cos(theta))
    ls, lr = m.stator_leakage + lm, m.rotor_leakage + lm
    over = 1 / (ls * lr - lm * lm)
    i_s = (lr * psi_s - lm * psi_r) * over
    i_r = (ls * psi_r - lm * psi_s) * over
    magnetising = i_s + i_r
    square = magnetising.real**2 + magnetising.imag**2
    torque = 1.5 * m.pole_pairs * (psi_s.real * i_s.imag - psi_s.imag * i_s.real)
    torque -= 0.75 * square * m.lm * m.gap * np.sin(theta)
    asymmetry = m.asymmetry * np.exp(-2j * delta)
    rate = np.empty_like(state)
    rate[0] = v - m.rs * i_s - 1j * m.w * psi_s
    rate[1] = -m.rr * ((1 + np.abs(m.asymmetry)) * i_r + asymmetry * i_r.conj())
    rate[1] -= 1j * (m.w - omega) * psi_r
    if len(m.pulse_orders):
        load = load * (1 + (m.pulse_sizes * np.cos(m.pulse_orders * theta)).sum(axis=0))
    rate[2] = (torque - load * (m.constant_nm + m.quadratic_nm_s2 * omega**2)) * m.acceleration
    rate[3] = m.w - omega
    return rate, i_s, torque


def initial_state(
    cases: Sequence[Case], drive: Inputs, start_s: float
) -> tuple[Constants, Complex128]:
    """Return the constants and the steady state of the healthy machine."""
    plants = [c.plant for c in cases]
    torques = [c.load.torque * c.plant.rated_torque_nm for c in cases]
    slips, stator, rotor = [], [], []
    for case, torque, hz, volts in zip(cases, torques, drive.hz, drive.volts, strict=True):
        # The slip of an unloaded machine is not zero.
        slip = slip_at_torque(case.plant, max(torque, 1e-6), hz=float(hz), volts=float(volts))
        steady = steady_state(case.plant, slip, hz=float(hz), volts=float(volts))
        slips.append(slip)
        stator.append(steady.stator_a)
        rotor.append(steady.rotor_a)
    w = 2 * np.pi * drive.hz
    omega = w * (1 - each(slips))
    pole_pairs = each([p.pole_pairs for p in plants])
    quadratic = each([c.load.quadratic for c in cases])
    inertia = each([c.plant.inertia_kgm2 * (1 + c.load.inertia) for c in cases])
    m = Constants(
        w=w,
        pole_pairs=pole_pairs,
        rs=each([p.stator_ohm for p in plants]),
        rr=each([p.rotor_ohm for p in plants]),
        stator_leakage=each([p.stator_leakage_h for p in plants]),
        rotor_leakage=each([p.rotor_leakage_h for p in plants]),
        lm=each([p.magnetising_h for p in plants]),
        gap=each([c.faults.air_gap for c in cases]),
        asymmetry=np.array([c.faults.rotor_asymmetry for c in cases], dtype=np.complex128),
        acceleration=pole_pairs / inertia,
        constant_nm=each(torques) * (1 - quadratic),
        quadratic_nm_s2=each(torques) * quadratic / omega**2,
        pulse_orders=_pulses([list(c.load.pulses) for c in cases]),
        pulse_sizes=_pulses([list(c.load.pulses.values()) for c in cases]),
    )
    z = np.exp(1j * drive.excess(np.array([start_s]))[0])
    i_s, i_r = np.array(stator) * z, np.array(rotor) * z
    state = np.zeros((4, len(cases)), np.complex128)
    state[0] = (m.stator_leakage + m.lm) * i_s + m.lm * i_r
    state[1] = (m.rotor_leakage + m.lm) * i_r + m.lm * i_s
    state[2] = omega
    return m, state


def each(values: list[float]) -> Float64:
    """Return a value of each case, shape (cases,)."""
    return np.array(values, dtype=np.float64)


def _pulses(values: Sequence[Sequence[float]]) -> Float64:
    """Return the values of each case as columns, zero if a case has fewer."""
    table = np.zeros((max(map(len, values)), len(values)))
    for k, column in enumerate(values):
        table[: len(column), k] = column
    return table
