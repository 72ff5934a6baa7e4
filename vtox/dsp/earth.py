"""Admittance of a winding to earth from its residual current and its three voltages."""

from dataclasses import dataclass
from math import pi

import numpy as np
import numpy.typing as npt

from vtox.domain import Array
from vtox.dsp.supply import frame_phasors

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Complex = npt.NDArray[np.complexfloating]

HARMONICS = (1, 3, 5)
# A core-balance transformer and its burden turn by about 0.2 degrees: share of the current that may
# lie anywhere.
INSTRUMENT_SHARE = 0.003
# ... and it is linear to this share of the largest component.
LINEARITY_SHARE = 0.0003
# Phases of one winding differ in capacitance by about this much, which looks like conductance of
# up to sin(60 degrees) of it.
UNEQUAL_SHARE = 0.01
# The same where the common part is not seen: 1 % of 30 nF at 50 Hz.
UNEQUAL_UNSEEN_S = 1e-7
# Deviations of what is believed beforehand of g, b, dg, db: a phase of 3 Mohm, of 300 nF at 50 Hz;
# a degraded one of 100 ohm.
PRIOR_S = np.array([3e-6, 1e-4, 1e-2, 1e-2])
# The part equal in all phases counts as seen if its susceptance is known this well.
SEEN_STD_S = 3e-7
# A degraded phase gains conductance and capacitance: its admittance lies within these angles.
SECTOR_DEG = (-15.0, 105.0)
FLOOR_A = 1e-7
# Unknowns g, b, dg, db: which of them are the common part, and the sums that make the whole.
COMMON = np.array([True, True, False, False])
TOTALS = np.array([[3.0, 0, 1, 0], [0, 3, 0, 1]])


@dataclass(frozen=True, slots=True)
class Admittance:
    """Conductance (S) and capacitance (F) of whole windings to earth, with deviations; (batch,).

    `phase` index of the phase that differs from the others, `whole` whether the part equal in all
    three was seen at all (it needs a zero-sequence voltage), `dissipation` tan delta.
    """

    conductance_s: Floats
    capacitance_f: Floats
    conductance_std_s: Floats
    capacitance_std_f: Floats
    dissipation: Floats
    phase: npt.NDArray[np.int64]
    whole: Bools


def admittance(leakage: Array, voltages: Array, fs_hz: float, f0_hz: Floats) -> Admittance | None:
    """Return the admittances to earth, or None where the records are shorter than a frame.

    At every harmonic h of the supply I_h = (g + j h b) (Va + Vb + Vc)_h + (dg + j h db) (V_k)_h:
    g, b per phase, dg, db what phase k has beyond the others. Least squares over the harmonics,
    weighted by noise and instrument error, with wide Gaussian priors and g, b not negative (no
    passive winding's is); the phase k is the one that fits best with dg and db of a degradation
    (both positive).

    Parameters
    ----------
    leakage : ndarray, shape (batch, samples)
        Residual current of the three phases, A.
    voltages : ndarray, shape (batch, 3, samples)
        Phases to earth, V.
    fs_hz : float
    f0_hz : ndarray, shape (batch,)
        Supply frequency, Hz.
    """
    x = np.concatenate([leakage[:, None], voltages], axis=1)
    order = np.array([h for h in HARMONICS if h * f0_hz.max() < 0.4 * fs_hz], float)
    phasors = np.stack([frame_phasors(x, fs_hz, h * f0_hz)[1] for h in order])
    if not phasors.shape[-1]:
        return None
    # Frames are turned by the phase of the first voltage, harmonics by its multiples.
    turn = np.exp(-1j * np.angle(phasors[0, :, 1]) * order[:, None, None])
    phasors = phasors * turn[:, :, None]
    steady = np.moveaxis(phasors.mean(axis=-1), 0, -1)  # (batch, channel, harmonic)
    current, volts = steady[:, 0], steady[:, 1:]
    size = np.abs(current)
    std = np.hypot(
        _noise(phasors[:, :, 0]).T,
        INSTRUMENT_SHARE * size + LINEARITY_SHARE * size.max(axis=-1, keepdims=True),
    )
    found = _best(current, volts, std, order)
    omega = 2 * pi * f0_hz
    g, b = found.total.T
    unequal_s = np.where(found.whole, UNEQUAL_SHARE * np.abs(found.value[:, 1]), UNEQUAL_UNSEEN_S)
    return Admittance(
        conductance_s=g,
        capacitance_f=b / omega,
        conductance_std_s=np.hypot(found.total_std[:, 0], unequal_s),
        capacitance_std_f=found.total_std[:, 1] / omega,
        dissipation=g / np.maximum(np.abs(b), 1e-12),
        phase=found.phase,
        whole=found.whole,
    )


@dataclass(frozen=True, slots=True)
class _Solution:
    """`value` g, b, dg, db in S; `total` 3g + dg and 3b + db; per candidate phase or the best."""

    value: Floats
    std: Floats
    total: Floats
    total_std: Floats
    misfit: Floats
    phase: npt.NDArray[np.int64]
    whole: Bools


def _best(current: Complex, volts: Complex, std: Floats, order: Floats) -> _Solution:
    """Return the solution for the likeliest phase, arrays of shape (batch, ...)."""
    batch = len(current)
    free = np.ones((batch, 3, 4), bool)
    solved = _solved(current, volts, std, order, free)
    free &= (solved.value >= 0) | ~COMMON
    if not free.all():
        solved = _solved(current, volts, std, order, free)
    every = np.arange(batch)
    phase = np.argmin(_cost(solved), axis=1)
    whole = solved.std[every, phase, 1] < SEEN_STD_S
    if not whole.all():
        free &= whole[:, None, None] | ~COMMON
        solved = _solved(current, volts, std, order, free)
        phase = np.argmin(_cost(solved), axis=1)
    return _Solution(
        value=solved.value[every, phase],
        std=solved.std[every, phase],
        total=solved.total[every, phase],
        total_std=solved.total_std[every, phase],
        misfit=solved.misfit[every, phase],
        phase=phase,
        whole=whole,
    )


def _solved(current: Complex, volts: Complex, std: Floats, order: Floats, free: Bools) -> _Solution:
    """Return the least-squares solution for every phase; unknowns that are not free are zero."""
    own = volts  # (batch, candidate phase, harmonic)
    total = np.broadcast_to(volts.sum(axis=1, keepdims=True), own.shape)
    columns = np.stack([total, 1j * order * total, own, 1j * order * own], axis=-1)
    columns = columns * free[:, :, None] / std[:, None, :, None]
    rows = np.concatenate([columns.real, columns.imag], axis=2)
    goal = current / std
    values = np.concatenate([goal.real, goal.imag], axis=-1)[:, None]
    turned = np.swapaxes(rows, -1, -2)
    covariance = np.linalg.inv(turned @ rows + np.diag(PRIOR_S**-2.0))
    value = np.einsum("bkij,bkj->bki", covariance, (turned @ values[..., None])[..., 0])
    sums = TOTALS * free[:, :, None]
    return _Solution(
        value=value,
        std=np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1)),
        total=value @ TOTALS.T,
        total_std=np.sqrt(np.einsum("bkti,bkij,bktj->bkt", sums, covariance, sums)),
        misfit=np.sum((values - (rows @ value[..., None])[..., 0]) ** 2, axis=-1),
        phase=np.zeros(0, int),
        whole=np.zeros(0, bool),
    )


def _cost(s: _Solution) -> Floats:
    """Return the misfit, plus how far the difference points away from a degradation."""
    dg, db = np.moveaxis(s.value[..., 2:], -1, 0)
    angle = np.degrees(np.arctan2(db, dg))
    outside = np.maximum(np.maximum(SECTOR_DEG[0] - angle, angle - SECTOR_DEG[1]), 0.0)
    certain = np.minimum(1.0, np.hypot(dg, db) / (3 * s.std[..., 2]))
    return np.asarray(s.misfit + (outside / 10) ** 2 * certain)


def _noise(frames: Complex) -> Floats:
    """Return the deviation, per part, of the mean of overlapping frames (last axis)."""
    count = frames.shape[-1]
    if count < 8:
        return np.asarray(FLOOR_A + 0.01 * np.abs(frames).mean(axis=-1))
    steps = np.abs(frames[..., 4:] - frames[..., :-4])
    single = np.median(steps, axis=-1) / (1.1774 * np.sqrt(2))
    return np.asarray(FLOOR_A + single / np.sqrt(count / 4))
