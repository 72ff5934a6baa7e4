"""Admittance of a winding to earth from its residual current and its three voltages.

`measured` takes phasors from samples, `explained` says which phase and which property changed.
"""

from dataclasses import dataclass
from math import pi, radians

import numpy as np

from vtox.arrays import Bool, Complex, Float64, Int
from vtox.domain import Array
from vtox.dsp.supply_line import frame_phasors

# A core-balance transformer and its burden turn by about 0.2 degrees: share of the current that may
# lie anywhere ...
INSTRUMENT_SHARE = 0.003
# ... and it is linear to this share of the fundamental.
LINEARITY_SHARE = 0.0003
# The winding as a whole counts as seen if its susceptance is known this well.
SEEN_STD_S = 1e-6
# What the winding may draw from a zero sequence where it was not seen: 30 nF at 50 Hz.
UNSEEN_S = 1e-5
FLOOR_A = 1e-7
TINY = float(np.finfo(np.float32).tiny)
# Transformers of class 1 turn by 1 to 3 degrees at small currents (IEC 61869-2): within this a
# change is taken for one of conductance alone, or of capacitance alone.
TURN = radians(3.0)
# The harmonic that tells explanations apart, the share of it that instruments and what was there
# before leave open, and how well the best explanation must fit for it to be heard.
HARMONIC = 5
HARMONIC_SHARE = 0.1
HARMONIC_FIT = 9.0
# What an explanation must fit better to be believed against a simpler one: two deviations for a
# second parameter, and two more where conductance rises while capacitance falls.
PARAMETER_COST = 4.0
OPPOSED_COST = 4.0


@dataclass(frozen=True, slots=True)
class Residual:
    """What the residual current says of windings to earth, in S at the supply frequency; (batch,).

    `difference` is sum(Y_x V_x) over the phases against neutral, per volt of phase a against
    neutral: zero where the phases are equal. `whole` is the admittance of all three together, NaN
    where the voltages have no zero sequence to show it. Deviations are per real or imaginary part;
    of the susceptance of the whole a third. `turns`, shape (batch, 3), is the voltage of phase a
    over that of each phase, against neutral. `x`, `fs_hz` and `f0_hz` are what it was measured
    from.
    """

    difference: Complex
    difference_std: Float64
    whole: Complex
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
class Explained:
    """The phase whose change explains a difference with least; arrays of shape (batch,).

    `conductance` and `susceptance` in S. `each`, complex of shape (batch, 3), is the admittance
    that would explain it on every phase, `possible` where that is no loss of conductance.
    """

    phase: Int
    conductance: Float64
    susceptance: Float64
    each: Complex
    possible: Bool


def measured(x: Array, fs_hz: float, f0_hz: Float64) -> Residual | None:
    """Return the admittances to earth, or None where the records are shorter than a frame.

    With V_x = V0 + U_x, U_x against neutral, the residual current is Y V0 + sum(Y_x U_x), Y the sum
    of the phases. Equal phases leave the second term zero, so the supply's third harmonic, mostly
    zero sequence, gives Y, and the fundamental less Y V0 gives the difference between phases (Lee,
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
    current, zero, own = _split(first)
    own = np.where(own == 0, TINY, own)
    whole, whole_std = np.full(len(x), complex(np.nan, np.nan)), np.full(len(x), np.inf)
    if 3 * f0_hz.max() < 0.4 * fs_hz:
        third = frame_phasors(x, fs_hz, 3 * f0_hz)[1] * turn**3
        current3, zero3, own3 = _split(third)
        # What is not zero sequence drives the difference between phases here too, at most so much.
        unequal = 3 * np.abs(current / own[:, 0]) * np.abs(own3).max(axis=-1)
        error = INSTRUMENT_SHARE * np.abs(current3) + LINEARITY_SHARE * np.abs(current)
        size = np.maximum(np.abs(zero3), TINY)
        whole_std = np.hypot(_noise(third[:, 0]), error + unequal) / size
        found = current3 / np.where(zero3 == 0, TINY, zero3)
        whole = np.where(whole_std / 3 < SEEN_STD_S, found.real + 1j * found.imag / 3, whole)
    open_a = np.minimum(whole_std, UNSEEN_S) * np.abs(zero)
    std = np.hypot(_noise(first[:, 0]), INSTRUMENT_SHARE * np.abs(current) + open_a)
    return Residual(
        difference=(current - np.nan_to_num(whole) * zero) / own[:, 0],
        difference_std=std / np.abs(own[:, 0]),
        whole=whole,
        whole_std=whole_std,
        turns=own[:, :1] / own,
        x=x,
        fs_hz=fs_hz,
        f0_hz=f0_hz,
    )


def _split(phasors: Complex) -> tuple[Complex, Complex, Complex]:
    """Return mean current, zero-sequence voltage, and the voltages of the phases less that."""
    steady = phasors.mean(axis=-1)
    zero = steady[:, 1:].mean(axis=-1)
    return steady[:, 0], zero, steady[:, 1:] - zero[:, None]


def told(y: Residual, rows: Int, each: Complex, open_s: Float64) -> Float64:
    """Return how badly each phase explains the supply's fifth harmonic, as costs for `explained`.

    At the fifth harmonic capacitance draws five times as much and conductance does not, and it is
    mostly of negative sequence: what looks alike at the fundamental looks different there. Where no
    phase fits (a transformer or filters that do not carry it, a supply without it), nothing is told
    and all costs are zero.

    Parameters
    ----------
    y : Residual
    rows : ndarray of int, shape (n,)
        Which recordings of `y`.
    each : ndarray of complex, shape (n, 3)
        As in `Explained`, S.
    open_s : ndarray, shape (n,)
        Difference that was there before, and lies open at the harmonic, S.

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
    current, zero, own = _split(frames)
    whole = np.nan_to_num(y.whole[rows])
    current = current - (whole.real + 1j * HARMONIC * whole.imag) * zero
    expected = (each.real + 1j * HARMONIC * each.imag) * own
    size = np.maximum(np.abs(expected).max(axis=-1), HARMONIC * open_s * np.abs(own).max(axis=-1))
    scale = np.hypot(_noise(frames[:, 0]), HARMONIC_SHARE * size)
    costs = (np.abs(current[:, None] - expected) / scale[:, None]) ** 2
    fits = costs.min(axis=-1, keepdims=True) < HARMONIC_FIT
    return np.asarray(np.where(fits, costs, 0))


def explained(
    difference: Complex, std: Float64, turns: Complex, changed: Bool, told: Float64 | float = 0.0
) -> Explained:
    """Return what changed to earth, told from one complex number.

    One difference does not tell two properties of three phases: more capacitance on phase a looks
    like less of it on c with more conductance. Preferred is the phase where one property suffices,
    then one with both. Conductance only rises: insulation that ages, is wet or carbonised conducts
    better. Capacitance goes with permittivity over thickness: it rises where water (80) takes the
    place of resin and mica (about 4), and falls where layers part and air (1) lies between them, so
    it may have either sign; but what lets air in does not conduct, so it seldom falls where
    conductance rises. Both can be measured on a running machine (Younsi et al. 2010).

    Parameters
    ----------
    difference : ndarray of complex, shape (batch,)
        As in `Residual`, or its change since a baseline, S.
    std : ndarray, shape (batch,)
        Its deviation per part, S.
    turns : ndarray of complex, shape (batch, 3)
        As in `Residual`.
    changed : ndarray of bool, shape (batch,)
        Whether it is a change. What was always there is judged by both properties: the unequal
        capacitances of a sound winding are no change.
    told : ndarray, shape (batch, 3), optional
        What else speaks against each phase, in squares of deviations.

    Examples
    --------
    >>> turns = np.exp(2j * pi / 3 * np.arange(3))[None]
    >>> found = explained(np.array([1e-6j]), np.array([1e-9]), turns, np.array([True]))
    >>> int(found.phase[0]), float(found.susceptance[0]), float(found.conductance[0])
    (0, 1e-06, 0.0)
    """
    each = difference[:, None] * turns
    scale = np.hypot(std, TURN * np.abs(difference))[:, None]
    g, b = each.real / scale, each.imag / scale
    less, lost = np.minimum(g, 0) ** 2, np.minimum(b, 0) ** 2
    both = PARAMETER_COST + less + OPPOSED_COST * np.minimum(lost, 1)
    single = np.where(changed, 0, np.inf)[:, None]
    costs = np.concatenate([b**2 + less + single + told, g**2 + single + told, both + told], axis=1)
    phase = np.argmin(costs, axis=1) % 3
    picked = np.take_along_axis(each, phase[:, None], axis=1)[:, 0]
    return Explained(
        phase=phase,
        conductance=np.maximum(picked.real, 0),
        susceptance=picked.imag,
        each=each,
        possible=(less < PARAMETER_COST) & (told < HARMONIC_FIT),
    )


def _noise(frames: Complex) -> Float64:
    """Return the deviation, per part, of the mean of overlapping frames (last axis)."""
    count = frames.shape[-1]
    if count < 8:
        return np.asarray(FLOOR_A + 0.01 * np.abs(frames).mean(axis=-1))
    steps = np.abs(frames[..., 4:] - frames[..., :-4])
    single = np.median(steps, axis=-1) / (1.1774 * np.sqrt(2))
    return np.asarray(FLOOR_A + single / np.sqrt(count / 4))
