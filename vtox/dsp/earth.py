"""Admittance of a winding to earth from its residual current and its three voltages."""

from dataclasses import dataclass
from math import hypot, pi

import numpy as np
import numpy.typing as npt

from vtox.dsp.supply import frame_phasors

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complexfloating]

HARMONICS = (1, 3, 5, 7)
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
# What each phase of a winding may have at most: 300 nF at 50 Hz; 3 Mohm.
PRIOR_SUSCEPTANCE_S = 1e-4
PRIOR_CONDUCTANCE_S = 3e-6
PRIOR_DEGRADED_S = 1e-2
# The part equal in all phases counts as seen if it is known this well.
SEEN_STD_S = 3e-7
# A degraded phase gains conductance and capacitance: its admittance lies within these angles.
SECTOR_DEG = (-15.0, 105.0)
FLOOR_A = 1e-7
# Unknowns g, b, dg, db: solved for all of them, or with the common part unseen.
ALL = np.array([True, True, True, True])
DEGRADED = np.array([False, False, True, True])


@dataclass(frozen=True, slots=True)
class Admittance:
    """Conductance (S) and capacitance (F) of the whole winding to earth, with deviations.

    `phase` index of the phase that differs from the others, `whole` whether the part equal in all
    three was seen at all (it needs a zero-sequence voltage).
    """

    conductance_s: float
    capacitance_f: float
    conductance_std_s: float
    capacitance_std_f: float
    phase: int
    whole: bool
    f0_hz: float

    @property
    def dissipation(self) -> float:
        """Return the loss factor tan delta at the supply frequency."""
        return self.conductance_s / (2 * pi * self.f0_hz * max(abs(self.capacitance_f), 1e-15))


def admittance(leakage: Floats, voltages: Floats, fs_hz: float, f0_hz: float) -> Admittance | None:
    """Return the admittance to earth, or None where the record is shorter than a frame.

    At every harmonic h of the supply I_h = (g + j h b) (Va + Vb + Vc)_h + (dg + j h db) (V_k)_h:
    g, b per phase, dg, db what phase k has beyond the others. Least squares over the harmonics,
    weighted by noise and instrument error, with wide Gaussian priors; the phase k is the one that
    fits best with dg and db of a degradation (both positive).

    Parameters
    ----------
    leakage : ndarray, shape (samples,)
        Residual current of the three phases, A.
    voltages : ndarray, shape (3, samples)
        Phases to earth, V.
    fs_hz, f0_hz : float
        Sampling rate and supply frequency, Hz.
    """
    x = np.concatenate([leakage[None], voltages])[None]
    used = [h for h in HARMONICS if h * f0_hz < 0.4 * fs_hz]
    phasors = [frame_phasors(x, fs_hz, np.array([h * f0_hz]))[1][0] for h in used]
    frames = phasors[0].shape[-1]
    if not frames:
        return None
    turn = np.exp(-1j * np.angle(phasors[0][1]))
    steady = np.array([(p * turn**h).mean(axis=-1) for h, p in zip(used, phasors, strict=True)])
    current, volts = steady[:, 0], steady[:, 1:]
    noise = np.array([_noise(p[0] * turn**h) for h, p in zip(used, phasors, strict=True)])
    size = np.abs(current)
    std = np.hypot(noise, INSTRUMENT_SHARE * size + LINEARITY_SHARE * size.max())
    order = np.array(used, float)
    best = min((_physical(current, volts, std, order, k) for k in range(3)), key=_cost)
    whole = best.std[1] < SEEN_STD_S
    if not whole:
        candidates = (_solved(current, volts, std, order, k, DEGRADED) for k in range(3))
        best = min(candidates, key=_cost)
    g, b, dg, db = best.value
    omega = 2 * pi * f0_hz
    unequal_s = UNEQUAL_SHARE * abs(b) if whole else UNEQUAL_UNSEEN_S
    return Admittance(
        conductance_s=float(3 * g + dg),
        capacitance_f=float((3 * b + db) / omega),
        conductance_std_s=hypot(best.total_std[0], unequal_s),
        capacitance_std_f=best.total_std[1] / omega,
        phase=best.phase,
        whole=bool(whole),
        f0_hz=f0_hz,
    )


@dataclass(frozen=True, slots=True)
class _Solution:
    """g, b, dg, db (S) for one candidate phase; `total_std` of 3g + dg and 3b + db."""

    value: Floats
    std: Floats
    total_std: tuple[float, float]
    misfit: float
    phase: int


def _physical(
    current: Complex, volts: Complex, std: Floats, order: Floats, phase: int
) -> _Solution:
    """Return the solution whose common part is not negative, as no passive winding's is."""
    free = _solved(current, volts, std, order, phase, ALL)
    positive = free.value[:2] >= 0
    if positive.all():
        return free
    return _solved(current, volts, std, order, phase, np.concatenate([positive, DEGRADED[2:]]))


def _solved(
    current: Complex,
    volts: Complex,
    std: Floats,
    order: Floats,
    phase: int,
    free: npt.NDArray[np.bool_],
) -> _Solution:
    """Return the least-squares solution; unknowns that are not `free` are zero."""
    total, own = volts.sum(axis=1), volts[:, phase]
    columns = np.stack([total, 1j * order * total, own, 1j * order * own], axis=1) * free
    weighted = columns / std[:, None]
    rows = np.concatenate([weighted.real, weighted.imag])
    values = np.concatenate([(current / std).real, (current / std).imag])
    prior = [PRIOR_CONDUCTANCE_S, PRIOR_SUSCEPTANCE_S, PRIOR_DEGRADED_S, PRIOR_DEGRADED_S]
    covariance = np.linalg.inv(rows.T @ rows + np.diag(1 / np.square(prior)))
    value = covariance @ (rows.T @ values)
    sums = np.array([[3.0, 0, 1, 0], [0, 3, 0, 1]]) * free
    g_std, b_std = np.sqrt(np.diag(sums @ covariance @ sums.T))
    return _Solution(
        value=value,
        std=np.sqrt(np.diag(covariance)),
        total_std=(float(g_std), float(b_std)),
        misfit=float(np.sum((values - rows @ value) ** 2)),
        phase=phase,
    )


def _cost(s: _Solution) -> float:
    """Return the misfit, plus how far the difference points away from a degradation."""
    dg, db = s.value[2:]
    angle = float(np.degrees(np.arctan2(db, dg)))
    outside = max(SECTOR_DEG[0] - angle, angle - SECTOR_DEG[1], 0.0)
    certain = min(1.0, hypot(dg, db) / (3 * float(s.std[2])))
    return float(s.misfit + (outside / 10) ** 2 * certain)


def _noise(frames: Complex) -> float:
    """Return the deviation, per part, of the mean of overlapping frames."""
    if len(frames) < 8:
        return FLOOR_A + 0.01 * float(np.abs(frames).mean())
    steps = np.abs(frames[4:] - frames[:-4])
    single = float(np.median(steps)) / (1.1774 * np.sqrt(2))
    return float(FLOOR_A + single / np.sqrt(len(frames) / 4))
