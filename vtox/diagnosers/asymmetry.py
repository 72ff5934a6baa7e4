"""The negative-sequence current a healthy machine draws, as a linear model with known uncertainty.

Used by `turn_short`: what the model does not explain is a short, a joint or a clamp. Prior
knowledge (catalogue motors, supplies within the standard, clamp classes) stands in where no
baseline was learnt, so one statistic serves all cases and its threshold says what is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import pi, sqrt

import numpy as np
import numpy.typing as npt

from vtox.baseline import Asymmetry
from vtox.domain import Motor

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complexfloating]

TURN = np.exp(2j * pi / 3)
# Negative-sequence admittance in per unit of rated current over rated voltage: the rotor turns
# backwards at slip near 2 and the machine is as at standstill, 4 to 8 times rated current at a
# power factor of 0.2 to 0.5 (IEC 60034-12 designs). Deviation per real or imaginary part.
Y22 = 6 * np.exp(-1j * np.radians(70))
Y22_STD = 1.0
# The same in per unit of the current measured, where no rated current says what the load is: up to
# 33 at no load (`LIGHTEST`).
Y22_STD_UNRATED = 6.0
# Least share of its rated current that a standard machine draws, without load. Large two-pole
# machines come near it; small ones draw twice as much.
LIGHTEST = 0.3
# Voltage channels within 0.5 % of each other feign 0.12 % of negative sequence, times 6.
Y21_STD = 0.007
# Efficiency times power factor at rated load is at least this: 0.5 for two poles and 0.37 kW, 0.59
# for four and 0.75 kW (lists of one maker, SOGA MT1 and MT3), 0.59 to 0.86 in
# `vtox.simulator.catalogue`. Machines of so few watts a pole pair have less: 0.48 for two poles and
# 0.25 kW (MT1), and about 0.6 each, so 0.36, for four poles and 0.12 kW.
LEAST_ACTIVE, LEAST_ACTIVE_SMALL, SMALL_W = 0.5, 0.35, 250.0
# Unmeasured supply: EN 50160 allows 2 % of negative sequence. It draws about what a standstill
# would: in per unit 5 to 9 times as much on the four machines of the motor model, 6 to 9, at most
# 12, in a list of efficient ones (SOGA MT3). Ten stands for a supply and a machine that are not
# both at their worst. Over the current at a light load it is more, in proportion.
SUPPLY_LIMIT = 0.02
SUPPLY_WORST = 10 * SUPPLY_LIMIT
Y21_STD_UNMEASURED = SUPPLY_WORST / 4.3  # so that this much is the 1e-4 tail
# Clamps within 1 % and 1 degree of each other, and windings: 0.6 %. Split-core clamps hung for a
# survey without voltages are worse (2 % on the motor of Cardenas-Cornejo et al. 2023).
C_STD = 0.006
C_STD_UNMEASURED = 0.01
# One recording against the next, at the same load: clamps taken off and put back (0.3 %) and,
# where voltage is not measured, a supply whose unbalance moved by 0.12 %, times 6. A supply moves
# between any two recordings, so each is 1/sqrt(2) of that from the machine's own mean. Clamps hang
# while a baseline is learnt: they come between what was learnt and what is judged.
SESSION_STD = 0.0027
SESSION_STD_UNMEASURED = 0.008
SESSION_PRIOR_N = 4
# Scatter of one 0.2 s frame where nothing was learnt, and the least believed.
NOISE_STD = 0.003
NOISE_FLOOR = 0.0003
# Y22 goes nearly as 1/f: V2 of 2 % at 6 per unit moves I2 by up to 0.6 % of I1 within this.
SAME_FREQUENCY = 0.05
# Frames overlap by three quarters of their length; every second one is nearly independent.
STRIDE = 2
# V2 of one frame is noisier than it moves from frame to frame: it enters as means over so many.
BLOCK = 50


@dataclass(frozen=True, slots=True)
class Sequences:
    """Sequence phasors in frames, peak values, phase order positive.

    `i1, i2, i0` and, where measured, `v1, v2`: complex, shape (..., frames); `hz`, of the supply,
    where they are one recording to learn from.
    """

    i1: Complex
    i2: Complex
    i0: Complex
    v1: Complex | None = None
    v2: Complex | None = None
    hz: float | None = None


def same_frequency(hz: float | None, other_hz: float | None) -> bool:
    """Return whether what was learnt at one supply frequency holds at the other; None is any."""
    return not (hz and other_hz) or abs(hz / other_hz - 1) <= SAME_FREQUENCY


def joined(parts: Sequence[Sequences]) -> Sequences:
    """Return the frames of several pieces of one recording, voltage only if all have it."""
    names = ("i1", "i2", "i0", "v1", "v2")
    columns = [[getattr(p, name) for p in parts] for name in names]
    i1, i2, i0, v1, v2 = (None if any(x is None for x in c) else np.concatenate(c) for c in columns)
    return Sequences(i1, i2, i0, v1, v2, parts[0].hz)  # type: ignore[arg-type]


def prior(motor: Motor | None, load_a: float, voltage_v: float | None) -> Asymmetry:
    """Return what is believed of a machine before anything was learnt.

    Parameters
    ----------
    motor : Motor or None
        Rated current and voltage set the scale of the negative-sequence admittance.
    load_a : float
        Positive-sequence current, A rms; the scale where no rated current is known.
    voltage_v : float or None
        Positive-sequence voltage, phase to neutral, V rms; None where it was not measured.
    """
    rated_a = motor.rated_current_a if motor else None
    rated_v = motor.rated_voltage_v if motor else None
    measured = voltage_v is not None
    base_v = (rated_v / sqrt(3) if rated_v else voltage_v) if measured else None
    belief = _belief(rated=bool(rated_a), measured=measured)
    return replace(belief, base_a=rated_a or load_a, base_v=base_v)


def rated_at_most_a(motor: Motor, load_a: float) -> float:
    """Return the largest rated current, A rms, that fits the nameplate, else the present current.

    A machine whose nameplate tells power and voltage draws at most `1 / LEAST_ACTIVE` times its
    power, a small one `1 / LEAST_ACTIVE_SMALL`; one that tells nothing may run without load now.
    """
    if motor.rated_current_a:
        return motor.rated_current_a
    if motor.rated_power_w and motor.rated_voltage_v:
        small = motor.rated_power_w <= SMALL_W * (motor.pole_pairs or 1)
        active = LEAST_ACTIVE_SMALL if small else LEAST_ACTIVE
        return motor.rated_power_w / (sqrt(3) * motor.rated_voltage_v * active)
    return load_a / LIGHTEST


@cache
def _belief(*, rated: bool, measured: bool) -> Asymmetry:
    """Return the prior over a base of 1 A."""
    std = (
        Y22_STD if rated else Y22_STD_UNRATED,
        Y21_STD if measured else Y21_STD_UNMEASURED,
        C_STD if measured else C_STD_UNMEASURED,
    )
    return _asymmetry(
        np.array([Y22, 0, 0]),
        np.diag(np.square(std)).astype(complex),
        noise=NOISE_STD,
        session=SESSION_STD if measured else SESSION_STD_UNMEASURED,
        base=(1.0, None),
        span=(0.0, 0.0),
        residual=0j,
        counts=(0, 0),
    )


def regressors(s: Sequences, base_a: Floats, base_v: Floats) -> Complex:
    """Return the columns that y22, y21 and c multiply, shape (..., frames, 3).

    `base_a` and `base_v` (A and V rms) broadcast against the frames. Where `base_v` is NaN voltage
    is not used: V1 counts as constant and V2 as zero, a steady unbalance of the supply then lies in
    y21, and what it does when the load changes is still right in magnitude.
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


def fit(recordings: Sequence[Sequences], motor: Motor | None) -> Asymmetry | None:
    """Return the healthy asymmetry of a machine, the prior sharpened by its healthy recordings.

    Bayesian complex linear regression (Bishop 2006, *Pattern Recognition and Machine Learning*,
    3.3) of the relation Lee, Tallam and Habetler 2003 (TPEL 18(3):865) use, I2 = Y22 V2 + Y21 V1,
    with a term proportional to I1 for clamps and one of each recording's own (`_posterior`). What
    the recordings do not show (a supply whose unbalance never moved says nothing of Y22) keeps its
    prior uncertainty, which then widens the threshold instead of raising alarms.

    Voltage is used only if every recording has it. Of several supply frequencies the one of most
    frames is learnt. None where there is no frame to learn from.
    """
    used = _of_one_frequency([r for r in recordings if len(r.i1)])
    if not used:
        return None
    measured = all(r.v1 is not None for r in used)
    loads = np.concatenate([np.abs(r.i1) for r in used]) / sqrt(2)
    volts = (
        float(np.concatenate([np.abs(r.v1) for r in used if r.v1 is not None]).mean() / sqrt(2))
        if measured
        else None
    )
    start = prior(motor, float(loads.mean()), volts)
    base = start.base_a, start.base_v
    scale = np.array(base[0]), np.array(np.nan if base[1] is None else base[1])
    x = [regressors(r, *scale)[::STRIDE] for r in used]
    y = [(r.i2 / r.i1)[::STRIDE] for r in used]
    noise = start.noise
    apart, session = (0.0, start.session) if measured else (start.session / sqrt(2),) * 2
    mean, covariance = np.array(start.mean), np.array(start.covariance)
    for _ in range(2):  # the second pass weighs the frames by the scatter the first one found
        mean, covariance = _posterior(start, x, y, noise, apart)
        noise = _scatter([v - r @ mean for r, v in zip(x, y, strict=True)], start.noise)
    misfits = np.array([(v - r @ mean).mean() for r, v in zip(x, y, strict=True)])
    return _asymmetry(
        mean,
        covariance,
        noise=noise,
        session=_session(misfits, session),
        base=base,
        span=(float(loads.min()), float(loads.max())),
        residual=complex(np.mean([(r.i0 / r.i1).mean() for r in used])),
        counts=(sum(map(len, y)), len(used)),
        supply_hz=_mean_hz(used),
    )


def _of_one_frequency(recordings: Sequence[Sequences]) -> list[Sequences]:
    groups = [[r for r in recordings if same_frequency(r.hz, q.hz)] for q in recordings]
    return max(groups, key=lambda g: sum(len(r.i1) for r in g), default=[])


def _mean_hz(recordings: Sequence[Sequences]) -> float | None:
    hz = [r.hz for r in recordings if r.hz]
    return round(float(np.mean(hz)), 4) if hz else None


def expected(models: Sequence[Asymmetry], s: Sequences) -> tuple[Complex, Floats]:
    """Return the I2/I1 that healthy machines would show per frame, and its deviation.

    Parameters
    ----------
    models : sequence of Asymmetry, length batch
    s : Sequences of shape (batch, frames)

    Returns
    -------
    ratio : ndarray of complex, shape (batch, frames)
    std : ndarray, shape (batch, frames)
        Per real or imaginary part: model and session, without the scatter of the frame itself.
    """
    base_v = np.array([[np.nan if m.base_v is None else m.base_v] for m in models])
    x = regressors(s, np.array([[m.base_a] for m in models]), base_v)
    mean = np.array([m.mean for m in models])
    covariance = np.array([m.covariance for m in models])
    variance = np.sum((x @ covariance) * x.conj(), axis=-1).real
    session = np.array([[m.session] for m in models]) * _shared(x, base_v)
    return np.sum(x * mean[:, None], axis=-1), np.sqrt(variance + session**2)


def _averaged(x: Complex) -> tuple[Complex, float]:
    """Return the rows of a recording, V2 averaged over blocks, and what its noise still adds.

    Noise in a regressor pulls its coefficient to zero, and many frames make that wrong value look
    certain: a supply whose unbalance stood still while the baseline was learnt then alarms when it
    moves by 0.1 %. What noise adds to the sum of squares is known from the scatter and taken off
    again (Fuller 1987, *Measurement Error Models*, 1.2).
    """
    blocks = [b.copy() for b in np.array_split(x, max(1, len(x) // BLOCK))]
    error = 0.0
    for b in blocks:
        if len(b) > 1:
            error += float(b[:, 0].var(ddof=1))
        b[:, 0] = b[:, 0].mean()
    return np.concatenate(blocks), error


def _posterior(
    start: Asymmetry, x: Sequence[Complex], y: Sequence[Complex], noise: float, apart: float
) -> tuple[Complex, Complex]:
    """Return mean and covariance from the frames of each recording, `x` (frames, 3), `y` (frames,).

    The frames of one recording share what sets it `apart` (one deviation, per part): noise^2 I +
    apart^2 u u' is their covariance, inverted by Sherman and Morrison 1950 (Ann. Math. Stat.
    21:124). Taken for independent, they would trace every difference between the recordings to
    y21 and c, and be certain of it at loads where nothing was learnt.
    """
    precision = np.linalg.inv(np.array(start.covariance))
    total: Complex = precision
    pull: Complex = precision @ np.array(start.mean)
    error = 0.0
    for frames, values in zip(x, y, strict=True):
        rows, noisy = _averaged(frames)
        shared = _shared(rows, start.base_v)
        less = apart**2 / (noise**2 + apart**2 * float(shared @ shared))
        across = rows.conj().T @ shared
        total = total + (rows.conj().T @ rows - less * np.outer(across, across.conj())) / noise**2
        pull = pull + (rows.conj().T @ values - less * across * (shared @ values)) / noise**2
        error += noisy
    # What the rows tell of y22 beside the other two, less what is noise; never less than nothing.
    told = total[0, 0] - total[0, 1:] @ np.linalg.solve(total[1:, 1:], total[1:, 0])
    told = float(told.real - precision[0, 0].real)
    total[0, 0] -= min(error / noise**2, max(told, 0.0))
    covariance = np.linalg.inv(total)
    return covariance @ pull, covariance


def _shared(rows: Complex, base_v: Floats | float | None) -> Floats:
    """Return how much of what sets a recording apart each of its frames, (..., 3), shows.

    An unmeasured change of the supply weighs more, the smaller the current.
    """
    light = np.maximum(1.0, rows[..., 1].real)
    measured = np.isfinite(np.array(base_v, np.float64))
    return np.asarray(np.where(measured, 1.0, light), np.float64)


def _scatter(residuals: Sequence[Complex], start: float) -> float:
    """Return the deviation of one frame about its recording's mean, per part, from all of them."""
    parts = [np.concatenate([d.real, d.imag]) for r in residuals for d in [r - r.mean()]]
    count = sum(len(p) for p in parts) - 2 * len(parts)
    square = sum(float(p @ p) for p in parts)
    # Four frames' worth of the prior, so that a short record does not claim to know.
    return max(NOISE_FLOOR, sqrt((square + 8 * start**2) / (max(count, 0) + 8)))


def _session(misfits: Complex, start: float) -> float:
    """Return the deviation of one recording: prior and found, weighed by their number."""
    square = float(np.sum(np.abs(misfits) ** 2)) / 2
    n = SESSION_PRIOR_N
    return sqrt((n * start**2 + square) / (n + len(misfits) - 1))


def _asymmetry(
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
) -> Asymmetry:
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
    )
