"""The negative-sequence current a healthy machine draws, as a linear model with known uncertainty.

Used by `turn_short`: what the model does not explain is a short, a joint or a clamp. Prior
knowledge (catalogue motors, supplies within the standard, clamp classes) stands in where no
baseline was learnt, so one statistic serves all cases and its threshold says what is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import sqrt

import numpy as np

from vtox.arrays import Complex, Float64
from vtox.baseline import Asymmetry
from vtox.domain import Motor

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
# between any two recordings, so each is 1/sqrt(2) of that from the machine's own mean. Clamps that
# stay where they are make the recordings of a baseline alike, but nothing says that they stayed.
SESSION_STD = 0.0027
SESSION_STD_UNMEASURED = 0.008
# Scatter of one 0.2 s frame where nothing was learnt.
NOISE_STD = 0.003
# Y22 goes nearly as 1/f: V2 of 2 % at 6 per unit moves I2 by up to 0.6 % of I1 within this.
SAME_FREQUENCY = 0.05


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
    return model_of(
        np.array([Y22, 0, 0]),
        np.diag(np.square(std)).astype(complex),
        noise=NOISE_STD,
        session=SESSION_STD if measured else SESSION_STD_UNMEASURED,
        base=(1.0, None),
        span=(0.0, 0.0),
        residual=0j,
        counts=(0, 0),
    )


def regressors(s: Sequences, base_a: Float64, base_v: Float64) -> Complex:
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


def expected(models: Sequence[Asymmetry], s: Sequences) -> tuple[Complex, Float64]:
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
    session = np.array([[m.session] for m in models]) * shared(x, base_v)
    return np.sum(x * mean[:, None], axis=-1), np.sqrt(variance + session**2)


def shared(rows: Complex, base_v: Float64 | float | None) -> Float64:
    """Return how much of what sets a recording apart each of its frames, (..., 3), shows.

    An unmeasured change of the supply weighs more, the smaller the current.
    """
    light = np.maximum(1.0, rows[..., 1].real)
    measured = np.isfinite(np.array(base_v, np.float64))
    return np.asarray(np.where(measured, 1.0, light), np.float64)


def model_of(
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
    """Return arrays, (3,) and (3, 3), and what goes with them as the plain value that is kept."""
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
