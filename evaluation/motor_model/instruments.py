"""From the space vectors of the model to the signals of instruments at the terminals."""

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from evaluation.motor_model.case import Case
from evaluation.motor_model.supply import supply_hz
from vtox.motor.values.arrays import Complex128, Float64

# A pulse of ripple control, and its edge, s; systems in use key at 0.1 to 1 s.
RIPPLE_PULSE_S, RIPPLE_EDGE_S = 0.33, 0.03
_AXES = np.exp(2j * np.pi / 3 * np.arange(3))
# Amplitudes of the first pairs of carrier lines of a pulse-width modulated voltage over its
# fundamental, typical of modulation depths around 0.8: (multiple of the carrier, multiple of the
# fundamental, size). The sign of the second is the sense of rotation.
_CARRIER_LINES = ((1, 2, 0.20), (1, -2, 0.20), (2, 1, 0.35), (2, -1, 0.35))


def phases(space: Complex128) -> Float64:
    """Return the three phase quantities of a space vector, shape (3, samples)."""
    return np.asarray((space * np.conj(_AXES)[:, None]).real)


def shorted_turns_a(case: Case, v: Complex128, t: Float64) -> Float64:
    """Return the current in the shorted turns in A, shape (samples,).

    Tallam, Habetler & Harley 2002 (IEEE TIA 38(3):632), solved for the current i_f of the
    shorted fraction mu. Its leakage is taken as mu times that of the winding; v is the voltage of
    the faulted phase::

        mu*(1 - 2*mu/3)*Lls * d i_f/dt = mu*v - (R_f + mu*(1 - 2*mu/3)*Rs) * i_f

    The rest of the machine sees i_s - (2/3)*mu*i_f on the phase's axis and is not changed by it:
    the supply is stiff. Solved exactly for a voltage linear between samples.
    """
    f = case.faults
    on, off = np.searchsorted(t, [f.short_on_s, f.short_off_s])
    current = np.zeros(len(t))
    if f.shorted_turns == 0 or off - on < 2:
        return current
    mu = f.shorted_turns
    share = mu * (1 - 2 * mu / 3)
    ohm = f.short_ohm + share * case.plant.stator_ohm
    x = (t[1] - t[0]) * ohm / (share * case.plant.stator_leakage_h)
    decay = np.exp(-x)
    now, before = 1 - (1 - decay) / x, (1 - decay) / x - decay
    drive = mu / ohm * phases(v)["abc".index(f.shorted_phase), on:off]
    # Nothing flows before the turns touch: the first sample of the short is zero.
    current[on + 1 : off] = lfilter([now], [1.0, -decay], drive[1:] + before / now * drive[:-1])
    return current


def short_on_line(case: Case, i_f: Float64) -> Complex128:
    """Return the part of a current in shorted turns in the line currents' space vector, A."""
    axis = _AXES["abc".index(case.faults.shorted_phase)]
    return np.asarray(2 / 3 * case.faults.shorted_turns * axis * i_f)


def carrier_lines(
    case: Case, t: Float64, phase: Float64, fs_hz: float
) -> tuple[Complex128, Complex128]:
    """Return the switching lines of an inverter in the voltage (over its amplitude) and current.

    The current is the voltage over the leakage reactance. Lines above 0.45 fs are left out, as by
    an anti-aliasing filter.
    """
    v = np.zeros(len(t), np.complex128)
    i = np.zeros(len(t), np.complex128)
    carrier = case.supply.switching_hz
    if carrier is None:
        return v, i
    hz = supply_hz(case)
    leakage = case.plant.stator_leakage_h + case.plant.rotor_leakage_h
    for carrier_order, supply_order, size in _CARRIER_LINES:
        line_hz = carrier_order * carrier + supply_order * hz
        if line_hz < 0.45 * fs_hz:
            angle = 2 * np.pi * carrier_order * carrier * t + supply_order * phase
            line = size * np.exp(1j * angle)
            v += line
            i += line / (2j * np.pi * line_hz * leakage)
    return v, i


def supply_harmonics(case: Case, phase: Float64, fs_hz: float) -> tuple[Complex128, Complex128]:
    """Return the supply's harmonics in the voltage (over its amplitude) and the current.

    Orders 6k - 1 rotate backwards, 6k + 1 forwards; for them the machine is its leakage reactance.
    """
    v = np.zeros(len(phase), np.complex128)
    i = np.zeros(len(phase), np.complex128)
    leakage = case.plant.stator_leakage_h + case.plant.rotor_leakage_h
    for order, size in case.supply.harmonics.items():
        if order % 6 not in (1, 5) or order < 5:
            raise ValueError(f"supply harmonic {order}, expected 5, 7, 11, 13, ...")
        signed = order if order % 6 == 1 else -order
        if order * supply_hz(case) < 0.45 * fs_hz:
            line = size * np.exp(1j * signed * phase)
            v += line
            i += line / (2j * np.pi * signed * supply_hz(case) * leakage)
    return v, i


def ripple_control(case: Case, t: Float64, fs_hz: float) -> tuple[Complex128, Complex128]:
    """Return the keyed tone of ripple control in the voltage (over its amplitude) and current.

    Pulses of `RIPPLE_PULSE_S` with smooth edges, on or off at random; like harmonics, the machine
    is its leakage reactance for them.
    """
    hz = case.supply.ripple_hz
    if not case.supply.ripple or hz >= 0.45 * fs_hz:
        nothing = np.zeros(len(t), np.complex128)
        return nothing, nothing
    rng = np.random.default_rng([case.seed, 4])
    edges = np.arange(t[0], t[-1] + RIPPLE_PULSE_S, RIPPLE_EDGE_S)
    pulses = rng.integers(0, 2, int((edges[-1] - edges[0]) / RIPPLE_PULSE_S) + 1)
    on = pulses[((edges - edges[0]) / RIPPLE_PULSE_S).astype(int)]
    v = case.supply.ripple * np.interp(t, edges, on) * np.exp(2j * np.pi * hz * t)
    leakage = case.plant.stator_leakage_h + case.plant.rotor_leakage_h
    return v, v / (2j * np.pi * hz * leakage)


def saturation_harmonics(case: Case, phase: Float64, rated_a: float) -> Complex128:
    """Return the harmonics of the magnetising current in A, at random phases.

    Orders 6k - 1 rotate backwards; order 3 flows only to the extent that the star is unbalanced.
    """
    rng = np.random.default_rng([case.seed, 5])
    i = np.zeros(len(phase), np.complex128)
    for order, size in case.saturation.items():
        signed = -order if order % 3 == 2 else order
        angle = signed * phase + rng.uniform(0, 2 * np.pi)
        i += np.sqrt(2) * rated_a * size * np.exp(1j * angle)
    return i


def measured_voltages(case: Case, volts: Float64, rng: np.random.Generator) -> Float64:
    """Return the phase voltages after the voltmeters, shape (3, samples)."""
    m = case.voltmeters
    rated_peak_v = case.plant.peak_phase_v
    y = (1 + np.array(m.gain)[:, None]) * volts
    if m.noise:
        y += m.noise * rated_peak_v / np.sqrt(2) * rng.standard_normal(y.shape)
    if m.bits is None:
        return y
    top = 2 ** (m.bits - 1) - 1
    step = 2 * rated_peak_v / top
    return np.asarray(np.clip(np.rint(y / step), -top, top) * step)


def leakage_a(case: Case, v: Complex128, fs_hz: float) -> Float64:
    """Return the residual current to earth in A; `v` has two further samples on either side."""
    v_abc = phases(v)
    # Five-point derivative: 2e-5 too small at 50 Hz and 2 kHz.
    slope = (8 * (v_abc[:, 3:-1] - v_abc[:, 1:-3]) - (v_abc[:, 4:] - v_abc[:, :-4])) * fs_hz / 12
    conductive = np.array(case.earth.conductance_s) @ v_abc[:, 2:-2]
    return np.asarray(conductive + np.array(case.earth.capacitance_f) @ slope)


def clamp_currents(
    case: Case, currents: Float64, rated_a: float, fs_hz: float, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Return the phase currents after clamps and converter, shape (3, samples)."""
    c = case.clamps
    gain = 1 + np.array(c.gain)[:, None]
    delay = np.array(c.delay_s)[:, None]
    y = gain * currents
    if np.any(delay):
        # x(t - tau) to first order: tau is much shorter than a period.
        y -= gain * delay * np.gradient(currents, 1 / fs_hz, axis=1)
    if c.noise:
        y += c.noise * rated_a * rng.standard_normal(y.shape)
    if c.bits is None:
        return y.astype(np.float32)
    top = 2 ** (c.bits - 1) - 1
    step = c.full_scale * rated_a / top
    return np.asarray(np.clip(np.rint(y / step), -top, top) * step, dtype=np.float32)
