"""The differential equations of a batch of cage machines from standstill, and their solution.

Space vectors are in the frame of the stator, as there is no frequency that all of a start shares.
States are the flux linkages of stator and rotor, the electrical speed omega and angle theta::

    d psi_s / dt = v - Rs*i_s                       psi_s = Lm/Lr * psi_r while switched off
    d psi_r / dt = -Rr*((1 + |d|)*i_r + d*exp(2j*theta)*conj(i_r)) + j*omega*psi_r
    d omega / dt = (p/J) * (T - T_load)             T = 1.5*p*Im(conj(psi_s)*i_s)
    d theta / dt = omega

`Rr` falls linearly with slip from that at standstill to that of the circuit (deep bars). In star
the winding has 1/sqrt(3) of the voltage that it has in delta, and the lines have 1/sqrt(3) of the
current.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.motor_model.plants import slip_at_torque
from evaluation.motor_model.start_case import StartCase
from evaluation.motor_model.supply import Inputs
from vtox.motor.values.arrays import Bool, Complex128, Float64

# Runge-Kutta's error of the fourth order at 60 Hz: 6e-7 of the flux a step.
STEP_HZ = 2_500.0
_CHUNK = 256  # steps for which voltages are computed at once
_STAR = np.exp(-1j * np.pi / 6) / np.sqrt(3)


@dataclass(frozen=True, slots=True)
class StartTrajectory:
    """The solution at every step, shape (steps, cases), in the frame of the stator."""

    t_s: Float64  # shape (steps,)
    line_a: Complex128
    bus_v: Complex128
    speed: Float64  # mechanical, rad/s
    torque_nm: Float64


@dataclass(frozen=True, slots=True)
class _Constants:
    """Constants of the batch, shape (cases,)."""

    w: Float64
    pole_pairs: Float64
    rs: Float64
    rr: Float64
    skin: Float64
    source: Float64  # H
    ls: Float64  # with that of the supply
    lr: Float64
    lm: Float64
    asymmetry: Complex128
    acceleration: Float64  # p/J
    constant_nm: Float64
    quadratic_nm_s2: Float64
    pulses: tuple[tuple[int, float, float], ...]  # case, times per turn, size


def integrate_start(
    cases: Sequence[StartCase], drive: Inputs, begin_s: float, steps: int
) -> StartTrajectory:
    """Return the trajectory of `cases` over `steps` steps from standstill at `begin_s`."""
    m = _constants(cases)
    shape = (steps, len(cases))
    line, bus = np.empty(shape, np.complex128), np.empty(shape, np.complex128)
    speed, torque = np.empty(shape), np.empty(shape)
    state = np.zeros((4, len(cases)), np.complex128)
    star = np.array([c.start.method == "star_delta" for c in cases])
    opened_s = np.full(len(cases), np.inf)  # when star was left
    on_s = np.array([c.start.at_s for c in cases])
    off_s = np.array([c.start.off_s for c in cases])
    gap_s = np.array([c.start.gap_s for c in cases])
    delta = np.array([c.start.delta_speed for c in cases]) * m.w
    was_open = np.ones(len(cases), bool)
    h = 1 / STEP_HZ
    for first in range(0, steps, _CHUNK):
        count = min(_CHUNK, steps - first)
        t = begin_s + (first + np.arange(2 * count + 1) / 2) * h
        volts, load = _voltages(cases, drive, t), _load_factors(cases, drive, t)
        for k in range(count):
            row, j, now = first + k, 2 * k, t[2 * k]
            leaves = star & (state[2].real >= delta)
            opened_s[leaves], star = now, star & ~leaves
            is_open = (
                (now < on_s) | (now >= off_s) | (np.abs(now - opened_s - gap_s / 2) < gap_s / 2)
            )
            if (is_open & ~was_open).any():
                state[0] = np.where(is_open, m.lm / m.lr * state[1], state[0])
            was_open = is_open
            at_winding = np.where(star, _STAR, 1.0)
            k1, i_s, torque[row] = _rates(m, state, at_winding * volts[j], load[j], is_open)
            line[row] = np.where(is_open, 0, i_s * at_winding.conj())
            # The voltage behind the supply's reactance, whose share of all leakage it has.
            bus[row] = volts[j] - _drop(m, k1, at_winding, is_open)
            speed[row] = state[2].real
            u, x = at_winding * volts[j + 1], load[j + 1]
            k2 = _rates(m, state + (h / 2) * k1, u, x, is_open)[0]
            k3 = _rates(m, state + (h / 2) * k2, u, x, is_open)[0]
            k4 = _rates(m, state + h * k3, at_winding * volts[j + 2], load[j + 2], is_open)[0]
            state += (h / 6) * (k1 + 2 * (k2 + k3) + k4)
            state[2] = np.maximum(state[2].real, 0.0)
    times: Float64 = begin_s + np.arange(steps, dtype=np.float64) * h
    return StartTrajectory(times, line, bus, speed / m.pole_pairs, torque)


def _rates(
    m: _Constants, state: Complex128, v: Complex128, load: Float64, is_open: Bool
) -> tuple[Complex128, Complex128, Float64]:
    """Return d(state)/dt, stator current and torque; `state` has shape (4, cases)."""
    psi_s, psi_r, omega, theta = state[0], state[1], state[2].real, state[3].real
    over = 1 / (m.ls * m.lr - m.lm * m.lm)
    i_s = (m.lr * psi_s - m.lm * psi_r) * over
    i_r = (m.ls * psi_r - m.lm * psi_s) * over
    torque = 1.5 * m.pole_pairs * (psi_s.real * i_s.imag - psi_s.imag * i_s.real)
    torque = np.where(is_open, 0.0, torque)
    rr = m.rr * (1 + m.skin * np.clip(1 - omega / m.w, 0.0, 1.0))
    rate = np.empty_like(state)
    rate[1] = -rr * (
        (1 + np.abs(m.asymmetry)) * i_r + m.asymmetry * np.exp(2j * theta) * i_r.conj()
    )
    rate[1] += 1j * omega * psi_r
    rate[0] = np.where(is_open, m.lm / m.lr * rate[1], v - m.rs * i_s)
    for case, order, size in m.pulses:
        load = load.copy()
        load[case] *= 1 + size * np.cos(order * theta[case] / m.pole_pairs[case])
    resisting = load * (m.constant_nm + m.quadratic_nm_s2 * omega**2)
    rate[2] = (torque - resisting) * m.acceleration
    rate[3] = omega
    return rate, i_s, torque


def _drop(m: _Constants, rate: Complex128, at_winding: Complex128, is_open: Bool) -> Complex128:
    """Return the voltage across the reactance of the supply, from the rates of the fluxes."""
    over = 1 / (m.ls * m.lr - m.lm * m.lm)
    i_rate = (m.lr * rate[0] - m.lm * rate[1]) * over * at_winding.conj()
    return np.asarray(np.where(is_open, 0, m.source * i_rate))


def _voltages(cases: Sequence[StartCase], drive: Inputs, t: Float64) -> Complex128:
    """Return the space vector of the source, as it leaves the starter: (times, cases)."""
    v = drive.voltage(t) * np.exp(1j * drive.frame_angle(t))
    for k, case in enumerate(cases):
        s, since = case.start, np.maximum(t - case.start.at_s, 0.0)
        if s.method == "soft":
            v[:, k] *= np.minimum(s.first_voltage + (1 - s.first_voltage) * since / s.ramp_s, 1.0)
        elif s.method == "drive":
            v[:, k] = _drive_voltage(float(drive.hz[k]), float(drive.volts[k]), case, since)
        for begin_s, length_s, share in s.dips:
            v[(t >= begin_s) & (t < begin_s + length_s), k] *= share
    return np.asarray(v)


def _load_factors(cases: Sequence[StartCase], drive: Inputs, t: Float64) -> Float64:
    """Return the load torque over its mean, with its steps: (times, cases)."""
    load = drive.load_factor(t)
    for k, case in enumerate(cases):
        for begin_s, factor in case.start.load_steps:
            load[t >= begin_s, k] = factor
    return load


def _drive_voltage(hz: float, volts: float, case: StartCase, since: Float64) -> Complex128:
    """Return the voltage of a drive that ramps its frequency, with voltage in proportion."""
    s = case.start
    slope = (hz - s.first_hz) / s.ramp_s
    ramped = np.minimum(since, s.ramp_s)
    angle = s.first_hz * ramped + slope * ramped**2 / 2 + hz * (since - ramped)
    now_hz = s.first_hz + slope * ramped
    size = s.boost + (1 - s.boost) * now_hz / hz
    return np.asarray(volts * size * np.exp(2j * np.pi * angle))


def _constants(cases: Sequence[StartCase]) -> _Constants:
    def each(values: list[float]) -> Float64:
        return np.array(values, dtype=np.float64)

    plants = [c.case.plant for c in cases]
    hz = each([c.case.supply.hz or c.case.plant.supply_hz for c in cases])
    torques = each([c.case.load.torque * c.case.plant.rated_torque_nm for c in cases])
    slips = [
        slip_at_torque(p, max(c.case.load.torque * p.rated_torque_nm, 1e-6))
        for p, c in zip(plants, cases, strict=True)
    ]
    omega = 2 * np.pi * hz * (1 - each(slips))
    quadratic = each([c.case.load.quadratic for c in cases])
    inertia = each(
        [p.inertia_kgm2 * (1 + c.case.load.inertia) for p, c in zip(plants, cases, strict=True)]
    )
    pole_pairs = each([p.pole_pairs for p in plants])
    lm = each([p.magnetising_h for p in plants])
    leakage = each([p.stator_leakage_h + p.rotor_leakage_h for p in plants])
    source = leakage * each([c.start.source for c in cases])
    return _Constants(
        w=2 * np.pi * hz,
        pole_pairs=pole_pairs,
        rs=each([p.stator_ohm for p in plants]),
        rr=each([p.rotor_ohm for p in plants]),
        skin=each([c.start.skin for c in cases]),
        source=source,
        ls=each([p.stator_leakage_h for p in plants]) + source + lm,
        lr=each([p.rotor_leakage_h for p in plants]) + lm,
        lm=lm,
        asymmetry=np.array([c.case.faults.rotor_asymmetry for c in cases], np.complex128),
        acceleration=pole_pairs / inertia,
        constant_nm=torques * (1 - quadratic),
        quadratic_nm_s2=torques * quadratic / omega**2,
        pulses=tuple(
            (k, order, size)
            for k, c in enumerate(cases)
            for order, size in c.case.load.pulses.items()
        ),
    )
