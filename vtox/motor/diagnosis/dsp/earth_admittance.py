"""Admittance of a winding to earth from its residual current and its three voltages.

`estimate` makes admittances of samples, `attribute_to_phase` finds the phase and the property that
changed, `fifth_harmonic_misfit` the phases that the fifth harmonic contradicts.
"""

from dataclasses import dataclass
from math import pi, radians

import numpy as np

from vtox.motor.diagnosis.dsp.supply_line import frame_phasors
from vtox.motor.values.arrays import TINY, Bool, Complex, Float64, Int, median, pick
from vtox.motor.values.domain import Array

# Source of these values: docs/calibration/insulation.md.
# Error of a core-balance transformer with its burden as a share of the current.
INSTRUMENT_SHARE = 0.003
# Its deviation from linearity as a share of the fundamental.
LINEARITY_SHARE = 0.0003
# Largest deviation of the susceptance of the whole winding at which it counts as measured, S.
WHOLE_STD_LIMIT_S = 1e-6
# Admittance of the whole winding if it is not measured, at most, S.
UNMEASURED_WHOLE_S = 1e-5
# Least deviation of a mean current, A.
LEAST_STD_A = 1e-7
# Phase error of transformers: within this a change is one of conductance or of capacitance alone.
PHASE_ERROR_RAD = radians(3.0)
# The harmonic by which attributions are compared, and the share of its current that instruments and
# the difference that was there before leave open.
HARMONIC = 5
HARMONIC_SHARE = 0.1
# Largest misfit of the best attribution, in squared deviations, at which the harmonic counts.
MISFIT_LIMIT = 9.0
# Squared deviations by which an attribution must fit better than a simpler one, and as many more
# where conductance rises while capacitance falls.
PARAMETER_COST = 4.0


@dataclass(frozen=True, slots=True)
class EarthAdmittance:
    """Admittances of windings to earth, S at the supply frequency; arrays of shape (batch,).

    `difference` is sum(Y_x V_x) over the phases against neutral, per volt of phase a against
    neutral: zero if the phases are equal. `whole` is the admittance of all three together, NaN if
    the voltages have no zero sequence to show it. `whole_estimate` is the same admittance, given
    even if its error is large.

    Deviations are per real or imaginary part; the susceptance of the whole has a third of
    `whole_std`. `turns`, shape (batch, 3), is the voltage of phase a over that of each phase,
    against neutral. The estimate was made of the samples `x` at `fs_hz`, with the supply frequency
    `f0_hz`.
    """

    difference: Complex
    difference_std: Float64
    whole: Complex
    whole_estimate: Complex
    whole_std: Float64
    turns: Complex
    x: Array
    fs_hz: float
    f0_hz: Float64

    @property
    def omega(self) -> Float64:
        """Angular supply frequency, rad/s."""
        return np.asarray(2 * pi * self.f0_hz)


@dataclass(frozen=True, slots=True)
class Attribution:
    """The phase to which a difference is attributed; arrays of shape (batch,).

    `conductance` and `susceptance` in S. `each`, complex of shape (batch, 3), is the admittance
    that would explain the difference on every phase, `possible` if that is no loss of
    conductance.
    """

    phase: Int
    conductance: Float64
    susceptance: Float64
    each: Complex
    possible: Bool


def estimate(x: Array, fs_hz: float, f0_hz: Float64) -> EarthAdmittance | None:
    """Return the admittances to earth, or None if the records are shorter than a frame.

    With V_x = V0 + U_x, U_x against neutral, the residual current is Y V0 + sum(Y_x U_x), Y the sum
    of the phases. Equal phases leave the second term zero, so the supply's third harmonic, mostly
    zero sequence, gives Y. The fundamental less Y V0 gives the difference between phases (Lee,
    Younsi, Kliman 2005, TEC 20(4):737, for the differential current of one phase).

    Parameters
    ----------
    x : ndarray, shape (batch, 4, samples)
        Residual current of the three phases, A, and the phases to earth, V.
    fs_hz : float
    f0_hz : ndarray, shape (batch,)
        Supply frequency, Hz.
    """
    t_s, first = frame_phasors(x, fs_hz, f0_hz)
    if not len(t_s):
        return None
    # Frames are turned by the phase of the first voltage, those of the harmonic by its triple.
    turn = np.exp(-1j * np.angle(first[:, 1:2]))
    first = first * turn
    current, zero_v, phase_v = _split(first)
    phase_v = np.where(phase_v == 0, TINY, phase_v)
    estimated, whole_std = np.full(len(x), complex(np.nan, np.nan)), np.full(len(x), np.inf)
    if 3 * f0_hz.max() < 0.4 * fs_hz:
        third = frame_phasors(x, fs_hz, 3 * f0_hz)[1] * turn**3
        estimated, whole_std = _whole_winding(third, current, np.abs(current / phase_v[:, 0]))
    whole = np.where(whole_std / 3 < WHOLE_STD_LIMIT_S, estimated, complex(np.nan, np.nan))
    open_a = np.minimum(whole_std, UNMEASURED_WHOLE_S) * np.abs(zero_v)
    std = np.hypot(_noise(first[:, 0]), INSTRUMENT_SHARE * np.abs(current) + open_a)
    return EarthAdmittance(
        difference=(current - np.nan_to_num(whole) * zero_v) / phase_v[:, 0],
        difference_std=std / np.abs(phase_v[:, 0]),
        whole=whole,
        whole_estimate=estimated,
        whole_std=whole_std,
        turns=phase_v[:, :1] / phase_v,
        x=x,
        fs_hz=fs_hz,
        f0_hz=f0_hz,
    )


def _whole_winding(
    third: Complex, fundamental_a: Complex, difference_s: Float64
) -> tuple[Complex, Float64]:
    """Return the admittance of the whole winding and its deviation, from the third harmonic.

    NaN if the susceptance is not known to `WHOLE_STD_LIMIT_S`.
    """
    current, zero_v, phase_v = _split(third)
    # Other sequences drive the difference between phases here too, at most so much.
    unequal = 3 * difference_s * np.abs(phase_v).max(axis=-1)
    error = INSTRUMENT_SHARE * np.abs(current) + LINEARITY_SHARE * np.abs(fundamental_a)
    std = np.hypot(_noise(third[:, 0]), error + unequal) / np.maximum(np.abs(zero_v), TINY)
    y = current / np.where(zero_v == 0, TINY, zero_v)
    return y.real + 1j * y.imag / 3, std


def _split(phasors: Complex) -> tuple[Complex, Complex, Complex]:
    """Return mean current, zero-sequence voltage, and the voltages of the phases less that."""
    steady = phasors.mean(axis=-1)
    zero = steady[:, 1:].mean(axis=-1)
    return steady[:, 0], zero, steady[:, 1:] - zero[:, None]


def fifth_harmonic_misfit(y: EarthAdmittance, rows: Int, each: Complex, open_s: Float64) -> Float64:
    """Return the misfit of each phase to the supply's fifth harmonic, in squared deviations.

    At the fifth harmonic capacitance draws five times as much and conductance does not, and it is
    mostly of negative sequence. So causes that look alike at the fundamental look different there.
    If no phase fits (a transformer or filters that do not carry it, a supply without it), the
    harmonic does not count and all misfits are zero.

    Parameters
    ----------
    y : EarthAdmittance
    rows : ndarray of int, shape (n,)
        Places of the recordings in `y`.
    each : ndarray of complex, shape (n, 3)
        As in `Attribution`, S.
    open_s : ndarray, shape (n,)
        Difference that was there before, unknown at the harmonic, S.

    Returns
    -------
    ndarray, shape (n, 3)
    """
    f0_hz = y.f0_hz[rows]
    if HARMONIC * f0_hz.max() >= 0.4 * y.fs_hz:
        return np.zeros(each.shape)
    _, first = frame_phasors(y.x[rows, 1:2], y.fs_hz, f0_hz)
    turn = np.exp(-1j * HARMONIC * np.angle(first))
    frames = frame_phasors(y.x[rows], y.fs_hz, HARMONIC * f0_hz)[1] * turn
    current, zero_v, phase_v = _split(frames)
    whole = np.nan_to_num(y.whole[rows])
    current = current - (whole.real + 1j * HARMONIC * whole.imag) * zero_v
    expected = (each.real + 1j * HARMONIC * each.imag) * phase_v
    open_a = HARMONIC * open_s * np.abs(phase_v).max(axis=-1)
    size = np.maximum(np.abs(expected).max(axis=-1), open_a)
    scale = np.hypot(_noise(frames[:, 0]), HARMONIC_SHARE * size)
    misfit = (np.abs(current[:, None] - expected) / scale[:, None]) ** 2
    fits = misfit.min(axis=-1, keepdims=True) < MISFIT_LIMIT
    return np.asarray(np.where(fits, misfit, 0))


def attribute_to_phase(
    difference: Complex, std: Float64, turns: Complex, changed: Bool, misfit: Float64 | float = 0.0
) -> Attribution:
    """Return the phase and the properties to which a difference between phases is attributed.

    One complex number does not determine two properties of three phases: more capacitance on
    phase a looks like less of it on c with more conductance. Preferred is the phase where one
    property suffices, then one with both. Conductance only rises: insulation that ages, is wet or
    carbonised conducts better. Capacitance goes with permittivity over thickness. It rises where
    water (80) takes the place of resin and mica (about 4), and falls where layers part and air (1)
    lies between them. So it may have either sign; but a gap of air does not conduct, so it seldom
    falls where conductance rises. Both can be measured on a running machine (Younsi et al.
    2010).

    Parameters
    ----------
    difference : ndarray of complex, shape (batch,)
        As in `EarthAdmittance`, or its change since a baseline, S.
    std : ndarray, shape (batch,)
        Its deviation per part, S.
    turns : ndarray of complex, shape (batch, 3)
        As in `EarthAdmittance`.
    changed : ndarray of bool, shape (batch,)
        Whether it is a change. An old difference may need both properties: the unequal
        capacitances of a sound winding are no change.
    misfit : ndarray, shape (batch, 3), optional
        Other evidence against each phase, in squared deviations.

    Examples
    --------
    >>> turns = np.exp(2j * pi / 3 * np.arange(3))[None]
    >>> a = attribute_to_phase(np.array([1e-6j]), np.array([1e-9]), turns, np.array([True]))
    >>> int(a.phase[0]), float(a.susceptance[0]), float(a.conductance[0])
    (0, 1e-06, 0.0)
    """
    each = difference[:, None] * turns
    scale = np.hypot(std, PHASE_ERROR_RAD * np.abs(difference))[:, None]
    g, b = each.real / scale, each.imag / scale
    less, lost = np.minimum(g, 0) ** 2, np.minimum(b, 0) ** 2
    both = PARAMETER_COST * (1 + np.minimum(lost, 1)) + less
    single = np.where(changed, 0, np.inf)[:, None]
    capacitance_only, conductance_only = g**2 + single, b**2 + less + single
    costs = [conductance_only + misfit, capacitance_only + misfit, both + misfit]
    phase = np.argmin(np.concatenate(costs, axis=1), axis=1) % 3
    y = pick(each, phase)
    return Attribution(
        phase=phase,
        conductance=np.maximum(y.real, 0),
        susceptance=y.imag,
        each=each,
        possible=(less < PARAMETER_COST) & (misfit < MISFIT_LIMIT),
    )


def _noise(frames: Complex) -> Float64:
    """Return the deviation, per part, of the mean of overlapping frames (last axis)."""
    count = frames.shape[-1]
    if count < 8:
        return np.asarray(LEAST_STD_A + 0.01 * np.abs(frames).mean(axis=-1))
    steps = np.abs(frames[..., 4:] - frames[..., :-4])
    single = median(steps) / (1.1774 * np.sqrt(2))
    return np.asarray(LEAST_STD_A + single / np.sqrt(count / 4))
