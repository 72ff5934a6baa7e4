"""The negative-sequence current a healthy machine draws, as a linear model with known uncertainty.

The part that the model leaves is a short, a joint or a clamp. If no baseline was learnt, prior
knowledge (catalogue motors, supplies within the standard, clamp classes) takes its place. So one
statistic serves all cases, and its threshold shows how much is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import isnan, log, sqrt

import numpy as np

from vtox.motor.values.arrays import Bool, Complex, Float64
from vtox.motor.values.baseline import Asymmetry
from vtox.motor.values.domain import Motor

# Source of these values: docs/calibration/turn_short.md#healthy-machines. Deviations are per
# real or imaginary part; currents and voltages in per unit of the rated ones.
# Negative-sequence admittance Y22 and its deviation; the latter also if no rated current is
# known, in per unit of the current measured.
Y22 = 6 * np.exp(-1j * np.radians(70))
Y22_STD = 1.0
Y22_STD_UNRATED = 6.0
# Largest V2/V1 of a supply (EN 50160) and the I2 that it draws at most.
SUPPLY_V2_LIMIT = 0.02
SUPPLY_I2_LIMIT = 10 * SUPPLY_V2_LIMIT
# Deviation of Y21, of I2 per V1: mismatch of the voltage channels; without them, the supply itself.
Y21_STD = 0.007
Y21_STD_UNMEASURED = SUPPLY_I2_LIMIT / 4.3  # so that the limit is the 1e-4 tail
# Deviation of c, of I2 per I1: mismatch of clamps and windings, with and without voltages.
C_STD = 0.006
C_STD_UNMEASURED = 0.01
# Deviation of I2/I1 between two recordings at one load, with and without voltages.
SESSION_STD = 0.0027
SESSION_STD_UNMEASURED = 0.008
# Scatter of one frame of 0.2 s if nothing was learnt.
NOISE_STD = 0.003
# Recordings, and frames, for which a prior deviation counts: few do not claim to know theirs.
PRIOR_COUNT = 4
# The supply of the grid moves from day to day by more than a developing short, so many are learnt:
# docs/calibration/turn_short.md#periods.
LEAST_PERIODS = 5
# Frames beyond a limit in a sound machine: docs/calibration/turn_short.md#frames.
FALSE_RATE = 1e-4


@dataclass(frozen=True, slots=True)
class Sequences:
    """Sequence phasors in frames, peak values, phase order positive.

    `i1, i2, i0` and, if measured, `v1, v2`: complex, shape (..., frames). If they are one recording
    to learn from, also `hz` of the supply, and the angle by which the voltages were turned.
    """

    i1: Complex
    i2: Complex
    i0: Complex
    v1: Complex | None = None
    v2: Complex | None = None
    hz: float | None = None
    turned_deg: int | None = None


def prior(motor: Motor | None, load_a: float, voltage_v: float | None) -> Asymmetry:
    """Return the model of a healthy machine before anything was learnt.

    Parameters
    ----------
    motor : Motor or None
        Rated current and voltage set the scale of the negative-sequence admittance.
    load_a : float
        Positive-sequence current, A rms; the scale if no rated current is known.
    voltage_v : float or None
        Positive-sequence voltage, phase to neutral, V rms; None if it was not measured.
    """
    rated_a = motor.rated_current_a if motor else None
    rated_v = motor.rated_voltage_v if motor else None
    measured = voltage_v is not None
    base_v = (rated_v / sqrt(3) if rated_v else voltage_v) if measured else None
    unit = _unit_prior(rated=bool(rated_a), measured=measured)
    return replace(unit, base_a=rated_a or load_a, base_v=base_v)


def _unit_covariance(*, rated: bool, measured: bool) -> Complex:
    std = (
        Y22_STD if rated else Y22_STD_UNRATED,
        Y21_STD if measured else Y21_STD_UNMEASURED,
        C_STD if measured else C_STD_UNMEASURED,
    )
    return np.diag(np.square(std)).astype(complex)


@cache
def unit_covariances() -> Complex:
    """Return those over a base of 1 A, by whether a rated current and voltages are known."""
    table = [
        [_unit_covariance(rated=rated, measured=measured) for measured in (False, True)]
        for rated in (False, True)
    ]
    return np.array(table)


@cache
def _unit_prior(*, rated: bool, measured: bool) -> Asymmetry:
    """Return the prior over a base of 1 A."""
    return to_asymmetry(
        np.array([Y22, 0, 0]),
        _unit_covariance(rated=rated, measured=measured),
        noise=NOISE_STD,
        session=SESSION_STD if measured else SESSION_STD_UNMEASURED,
        base=(1.0, None),
        span=(0.0, 0.0),
        residual=0j,
        counts=(0, 0),
    )


def regressors(s: Sequences, base_a: Float64, base_v: Float64) -> Complex:
    """Return the columns that y22, y21 and c multiply, shape (..., frames, 3).

    `base_a` and `base_v` (A and V rms) broadcast against the frames. If `base_v` is NaN, voltage is
    not used: V1 counts as constant and V2 as zero. A steady unbalance of the supply then lies in
    y21, and its effect at another load is still right in magnitude.
    """
    x = np.ones((*s.i1.shape, 3), complex)
    per_unit = base_a * sqrt(2) / s.i1
    x[..., 0] = 0
    x[..., 1] = np.abs(per_unit)
    if s.v1 is not None and s.v2 is not None:
        measured = np.isfinite(base_v)
        scale = per_unit / (np.where(measured, base_v, 1.0) * sqrt(2))
        x[..., 0] = np.where(measured, s.v2 * scale, x[..., 0])
        x[..., 1] = np.where(measured, s.v1 * scale, x[..., 1])
    return x


@dataclass(frozen=True, slots=True)
class Asymmetries:
    """Models of healthy machines by columns of length batch; `base_v` is NaN if it has none.

    `mean` has the shape (batch, 3), `covariance` (batch, 3, 3). `known_days`: the deviation of a
    session is that of the supply on enough days.
    """

    mean: Complex
    covariance: Complex
    noise: Float64
    session: Float64
    base_a: Float64
    base_v: Float64
    known_days: Bool

    def put(self, i: int, model: Asymmetry) -> None:
        """Let a model be that of one record."""
        self.mean[i], self.covariance[i] = model.mean, model.covariance
        self.noise[i], self.session[i] = model.noise, model.session * _few_periods_factor(model)
        self.base_a[i] = model.base_a
        self.base_v[i] = np.nan if model.base_v is None else model.base_v
        self.known_days[i] = model.period_t is not None and model.recordings >= LEAST_PERIODS

    def prior(self, i: int) -> Asymmetry:
        """Return the model of one record of which nothing was learnt."""
        base_v = float(self.base_v[i])
        return to_asymmetry(
            self.mean[i],
            self.covariance[i],
            noise=float(self.noise[i]),
            session=float(self.session[i]),
            base=(float(self.base_a[i]), None if isnan(base_v) else base_v),
            span=(0.0, 0.0),
            residual=0j,
            counts=(0, 0),
        )


def asymmetries(models: Sequence[Asymmetry]) -> Asymmetries:
    """Return models by columns."""
    count = len(models)
    noise, session, base_a, base_v = np.empty((4, count))
    columns = Asymmetries(
        np.empty((count, 3), complex),
        np.empty((count, 3, 3), complex),
        noise,
        session,
        base_a,
        base_v,
        np.zeros(count, bool),
    )
    for i, model in enumerate(models):
        columns.put(i, model)
    return columns


def expected_ratio(models: Asymmetries, s: Sequences) -> tuple[Complex, Float64]:
    """Return the I2/I1 that healthy machines would show per frame, and its deviation.

    Parameters
    ----------
    models : Asymmetries, length batch
    s : Sequences of shape (batch, frames)

    Returns
    -------
    ratio : ndarray of complex, shape (batch, frames)
    std : ndarray, shape (batch, frames)
        Per real or imaginary part: model and session, without the scatter of the frame itself.
    """
    base_v = models.base_v[:, None]
    x = regressors(s, models.base_a[:, None], base_v)
    variance = np.sum((x @ models.covariance) * x.conj(), axis=-1).real
    session = models.session[:, None] * session_weight(x, base_v)
    return np.sum(x * models.mean[:, None], axis=-1), np.sqrt(variance + session**2)


def _few_periods_factor(model: Asymmetry) -> float:
    """Return the factor that widens a deviation from few periods of the stream, 1 for other models.

    The squared excess over an estimated variance is F with 2 and `n` degrees of freedom. Its tail
    is (1 + 2 x / n)^(-n / 2); over a known variance it is chi-square, exp(-x).
    """
    if model.base_v is not None or model.period_t is None or model.recordings < 2:
        return 1.0
    n = 2 * (PRIOR_COUNT + model.recordings - 1)
    return float(sqrt(n / 2 * (FALSE_RATE ** (-2 / n) - 1) / -log(FALSE_RATE)))


def susceptance(i1: Complex, v1: Complex) -> Float64:
    """Return the reactive current over the voltage, S, one value per recording.

    Parameters
    ----------
    i1, v1 : ndarray of complex, shape (..., frames)
        Positive-sequence phasors, A and V.
    """
    reactive = np.mean((v1 * i1.conj()).imag, axis=-1)
    return np.asarray(reactive / np.mean(np.abs(v1) ** 2, axis=-1), np.float64)


def session_weight(rows: Complex, base_v: Float64 | float | None) -> Float64:
    """Return the weight of the deviation of a session in each frame; `rows` are (..., 3).

    An unmeasured change of the supply weighs more, the smaller the current.
    """
    light = np.maximum(1.0, rows[..., 1].real)
    measured = np.isfinite(np.array(base_v, np.float64))
    return np.asarray(np.where(measured, 1.0, light), np.float64)


def to_asymmetry(
    mean: Complex,
    covariance: Complex,
    *,
    noise: float,
    session: float,
    base: tuple[float, float | None],
    span: tuple[float, float],
    residual: complex,
    counts: tuple[int, int],
    supply_hz: float | None = None,
    turned_deg: int | None = None,
    susceptance_s: float | None = None,
) -> Asymmetry:
    """Return the model with mean (3,) and covariance (3, 3) as the plain value that is stored."""
    rows = [(complex(r[0]), complex(r[1]), complex(r[2])) for r in covariance]
    return Asymmetry(
        mean=(complex(mean[0]), complex(mean[1]), complex(mean[2])),
        covariance=(rows[0], rows[1], rows[2]),
        noise=noise,
        session=session,
        base_a=base[0],
        base_v=base[1],
        low_a=span[0],
        high_a=span[1],
        residual=residual,
        frames=counts[0],
        recordings=counts[1],
        supply_hz=supply_hz,
        turned_deg=turned_deg,
        susceptance_s=susceptance_s,
    )
