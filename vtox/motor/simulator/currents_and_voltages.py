"""Voltages, phase currents and leakage of a simulated machine, from phasors on its timeline.

Amplitudes are per unit of rated phase voltage and rated current until the last step. A phasor X of
a phase quantity means x(t) = Re(X z), z the unit phasor of the positive-sequence voltage.
"""

from math import sqrt

import numpy as np

from vtox.motor.simulator.fleet import SimulatedMachine
from vtox.motor.simulator.noise import subkey, uniforms
from vtox.motor.simulator.timeline import Timeline, slip_at, unit_phasor
from vtox.motor.values.arrays import TURN_120, Complex64, Float32
from vtox.motor.values.domain import CURRENTS, VOLTAGES

FaultShare = Float32 | float

_PHASES = ("a", "b", "c")
# Per-unit impedances typical of cage motors of this size.
Z_NEGATIVE = 0.04 + 0.16j  # at slip 2 - s: close to the locked rotor
_Z_SHORTED_TURNS = 0.04 + 0.10j  # of a winding, resistance and leakage
_CONTACT = 0.05  # of the short itself, per shorted fraction
THIRD_HARMONIC, FIFTH_HARMONIC = 0.010, 0.012  # of the voltages; the third is of zero sequence
ZERO_SEQUENCE = 0.003
PHASE_CONDUCTANCE_S = 1e-8  # conductance to earth of one healthy phase: 100 megohm


def currents(
    m: SimulatedMachine, line: Timeline, share: FaultShare, fs_hz: float
) -> dict[str, Float32]:
    """Return ia, ib, ic in A, shape (samples,), before clamps and noise."""
    z = unit_phasor(line.supply)
    i1 = _positive_phasor(m)
    swing = _load_swing(m, i1)
    envelope = (1 + swing * line.load + line.amplitude).astype(np.float32)
    lines = _rotor_lines(m, line, share, i1)
    space = np.complex64(i1) * z * envelope * (1 + lines)
    conj = z.conj()
    space += conj * np.complex64(np.conj(m.body.unbalance / Z_NEGATIVE))
    if m.level_of("turn_short"):
        short, negative = shorted_turns(m)
        space += share * (np.complex64(short) * z + np.complex64(negative) * conj)
    space += _supply_harmonics(m, z)
    space += _slot_harmonics(m, line, z, fs_hz)
    assert m.motor.rated_current_a
    peak = sqrt(2) * m.motor.rated_current_a
    order = _PHASES if not m.body.swapped_phases else ("a", "c", "b")
    by_phase = {
        "a": space,
        "b": space * np.complex64(TURN_120**2),
        "c": space * np.complex64(TURN_120),
    }
    return {
        name: np.float32(peak * gain) * by_phase[phase].real
        for name, phase, gain in zip(CURRENTS, order, m.body.clamp_gains, strict=True)
    }


def voltages(m: SimulatedMachine, line: Timeline) -> dict[str, Float32]:
    """Return va, vb, vc to earth in V, shape (samples,)."""
    z = unit_phasor(line.supply)
    z3 = z * z * z
    z5 = z3 * z * z
    third = np.float32(THIRD_HARMONIC) * z3
    order = _PHASES if not m.body.swapped_phases else ("a", "c", "b")
    fifth = dict(zip(_PHASES, (1.0, TURN_120, TURN_120**2), strict=True))
    return {
        name: np.float32(_phase_peak_v(m))
        * (
            np.complex64(_voltage_phasors(m)[p]) * z
            + third
            + np.complex64(FIFTH_HARMONIC * fifth[p]) * z5
        ).real.astype(np.float32)
        for name, p in zip(VOLTAGES, order, strict=True)
    }


def leakage(m: SimulatedMachine, line: Timeline, share: FaultShare) -> Float32:
    """Return the residual current of the three phases in A: sum of v*G + C*dv/dt to earth.

    The phases' capacitances differ by up to 2 %; an insulation fault adds conductance, and up to a
    tenth of capacitance, to one phase.
    """
    omega = 2 * np.pi * m.body.run_hz
    spread = 1 + 0.04 * (uniforms(subkey(m.key, 21), np.arange(3)) - 0.5)
    capacitance = dict(zip(_PHASES, m.body.earth_capacitance_f * spread, strict=True))
    v = _voltage_phasors(m)
    total = float(sum(capacitance.values()))
    first = sum((PHASE_CONDUCTANCE_S + 1j * omega * capacitance[p]) * v[p] for p in _PHASES)
    third = (3 * PHASE_CONDUCTANCE_S + 3j * omega * total) * THIRD_HARMONIC
    z = unit_phasor(line.supply)
    y = np.complex64(first) * z + np.complex64(third) * (z * z * z)
    if ohm := m.level_of("insulation"):
        assert m.phase
        assert m.severity
        extra = 1 / ohm + 1j * omega * 0.1 * m.severity * capacitance[m.phase]
        y += share * (np.complex64(extra * v[m.phase]) * z)
    return np.float32(_phase_peak_v(m)) * y.real


def _phase_peak_v(m: SimulatedMachine) -> float:
    assert m.motor.rated_voltage_v
    assert m.motor.supply_hz
    return sqrt(2 / 3) * m.motor.rated_voltage_v * m.body.run_hz / m.motor.supply_hz


def _voltage_phasors(m: SimulatedMachine) -> dict[str, complex]:
    v2, v0 = m.body.unbalance, ZERO_SEQUENCE
    return {
        "a": 1 + v2 + v0,
        "b": complex(TURN_120**2 + TURN_120 * v2 + v0),
        "c": complex(TURN_120 + TURN_120**2 * v2 + v0),
    }


def power_factor(m: SimulatedMachine) -> float:
    """Return the power factor at rated load that the nameplate implies."""
    n = m.motor
    assert n.rated_power_w
    assert n.rated_voltage_v
    assert n.rated_current_a
    # The nameplate gives efficiency times power factor; 0.9 is taken for the efficiency.
    return min(n.rated_power_w / (sqrt(3) * n.rated_voltage_v * n.rated_current_a) / 0.9, 0.95)


def _positive_phasor(m: SimulatedMachine) -> complex:
    factor = power_factor(m)
    return complex(0.04 + factor * m.load, -sqrt(1 - factor**2))


def _load_swing(m: SimulatedMachine, i1: complex) -> float:
    """Return the relative change of |i1| per relative change of load."""
    return i1.real * power_factor(m) * m.load / abs(i1) ** 2


def _rotor_lines(m: SimulatedMachine, line: Timeline, share: FaultShare, i1: complex) -> Complex64:
    """Return sidebands over the supply line: f+-fr (air gap), (1+-2s)f (rotor asymmetry)."""
    phase_factor = np.exp(2j * np.pi * uniforms(subkey(m.key, 22), np.arange(3))).astype(
        np.complex64
    )
    ratio = (0.4 + 0.5 * uniforms(subkey(m.key, 23), np.arange(2))).astype(np.float32)
    shaft = unit_phasor(line.shaft)
    twice = unit_phasor(2 * line.slip)
    rise_db = m.level_of("eccentricity")
    air_gap = _amplitude(m.body.rotation_dbc, m.body.rotation_dbc + rise_db, share)
    bars_dbc = m.level_of("broken_bar")
    bars = _amplitude(m.body.asymmetry_dbc, bars_dbc or m.body.asymmetry_dbc, share)
    lines: Complex64 = air_gap * (
        phase_factor[0] * shaft.conj() + phase_factor[1] * ratio[0] * shaft
    )
    upper = _upper_sideband(phase_factor[2], float(ratio[1]), i1)
    lines += bars * (phase_factor[2] * twice.conj() + np.complex64(upper) * twice)
    if bars_dbc:
        # The second pair of sidebands goes with the square of the first.
        lines += 2 * bars**2 * phase_factor[2] ** 2 * twice.conj() ** 2
    return lines


def _upper_sideband(lower: complex, ratio: float, i1: complex) -> complex:
    """Return the upper sideband that the speed ripple of a lower one makes, both over the line.

    The lower sideband L makes the torque, Re(i) in the frame of the voltage, pulsate. Inertia J and
    the slope k of torque over slip turn that into a speed ripple, which the active current follows:
    U = -conj(L) (conj(i1) / i1) / (1 + 2jq), q = 2sw J / k. Without inertia both sidebands are half
    of the one that the rotor asymmetry alone would make; with a large one only the lower is left
    (Filippetti et al. 1998, IEEE TIA 34(1):98). `ratio` is |U| / |L|, which sets q.
    """
    q = 0.5 * sqrt(1 / ratio**2 - 1)
    return -lower.conjugate() * (i1.conjugate() / i1) / (1 + 2j * q)


def _amplitude(healthy_db: float, faulty_db: float, share: FaultShare) -> Float32:
    """Return the amplitude, which goes from the healthy to the faulty level with the fault."""
    healthy, faulty = 10 ** (healthy_db / 20), 10 ** (faulty_db / 20)
    return np.asarray(healthy + share * (faulty - healthy), dtype=np.float32)


def shorted_turns(m: SimulatedMachine) -> tuple[complex, complex]:
    """Return the phasors of z and its conjugate in the space vector, for shorted turns.

    The loop of the fraction mu carries I_f; seen from the line it is mu*I_f on one phase. This
    splits into thirds: positive sequence mu*I_f/3 and negative sequence mu*I_f/3 with twice the
    angle of the phase (Tallam, Habetler, Harley 2002, IEEE TIA 38(3):632).
    """
    assert m.level is not None
    assert m.phase
    # The loop's voltage and impedance are both proportional to mu, so I_f does not depend on it.
    third = m.level / (_Z_SHORTED_TURNS + _CONTACT) / 3
    axis = np.exp(2j * np.pi / 3 * _PHASES.index(m.phase))
    return complex(third), complex(np.conj(third) * axis**2)


def _supply_harmonics(m: SimulatedMachine, z: Complex64) -> Complex64:
    size = 0.5 + uniforms(subkey(m.key, 24), np.arange(4))
    phase_factor = np.exp(2j * np.pi * uniforms(subkey(m.key, 25), np.arange(4)))
    h5, h7, h11, h13 = np.array([0.012, 0.007, 0.003, 0.002]) * size * phase_factor
    z2 = z * z
    z6 = z2 * z2 * z2
    conj6 = z6.conj()
    return np.asarray(
        z
        * (
            z6 * (np.complex64(h7) + np.complex64(h13) * z6)
            + conj6 * (np.complex64(h5) + np.complex64(h11) * conj6)
        )
    )


def _slot_harmonics(
    m: SimulatedMachine, line: Timeline, z: Complex64, fs_hz: float
) -> Complex64 | float:
    """Return the principal slot harmonics f*(R(1-s)/p +- 1), none if they exceed 0.45 fs."""
    bars, pole_pairs = m.motor.rotor_bars, m.motor.pole_pairs
    assert bars
    assert pole_pairs
    if (bars / pole_pairs * (1 - slip_at(m)) + 1) * m.body.run_hz > 0.45 * fs_hz:
        return 0.0
    size = 10 ** (m.body.slot_dbc / 20)
    slots = unit_phasor(bars * line.shaft)
    return np.asarray(np.float32(size) * (slots * z * np.float32(0.6) + slots.conj() * z))
