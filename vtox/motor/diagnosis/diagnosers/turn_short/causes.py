"""Causes of a change of I2: the phase with the turn short, and causes other than a turn short.

A short in phase a draws a current D at an angle behind the voltage of that phase and adds D to I1
and to I2 alike. In phase b the I2 turns by +120 degrees, in c by -120. The shorted turns act as a
current source on the axis of their phase (Tallam, Habetler, Harley 2002, TIA 38(3):632).
"""

from dataclasses import dataclass
from math import acos, asin, degrees, inf, radians, sqrt

import numpy as np

from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_model import Sequences
from vtox.motor.values.arrays import TURN_120, Bool, Complex, Float64
from vtox.motor.values.baseline import Asymmetry
from vtox.motor.values.domain import Motor

# Source of these values: docs/calibration/turn_short.md#causes.
# Lag of the current in a short behind its phase voltage, the middle of the range.
LOOP_LAG_DEG = 30.0
# Power factor angle if neither voltages nor the load are known.
UNKNOWN_ANGLE_DEG = 55.0
# Loads over the rated one at which the power factor angle follows from the load.
USUAL_LOADS = (0.25, 1.25)
# Magnetising and leakage current over rated current, if the nameplate gives no power factor.
REACTIVE_SHARE = 0.5
# Largest angle between I2 and that of a joint at which it may be one.
JOINT_DEG = 35.0
# Least angle at which the current of a short counts as ahead of I1. The less I1 lags, the more a
# short of little resistance may lag behind it.
AHEAD_DEG = 20.0
# Largest share of the change in I2 that a single clamp may leave unexplained.
CLAMP_MISFIT = 0.35
# Three clamps never agree so well, |I0|/I1; if they seem to, one current was computed from two.
COMPUTED_SUM = 1e-6
# The gain of one of two clamps changes I2/I1 along one line, which depends on the phase computed.
CLAMP_OF_TWO_DEG = (30.0, 90.0, 150.0)
# Largest range of the loads learnt at which |I1| without the asymmetry is known.
ONE_LOAD_RATIO = 1.06


@dataclass(frozen=True, slots=True)
class AsymmetryChange:
    """Changes by one asymmetry, averaged over the frames that show it.

    `delta_i2` and `delta_i0` are the changes of I2/I1 and I0/I1, `i1_growth` that of |I1| over I1
    (None if the load may have moved). `power_factor_angle_rad` is the angle of I1 behind V1 (None
    without voltages), `load_a` the load in A rms, `zero_sequence` the largest |I0|/I1 of a frame.
    """

    delta_i2: complex
    delta_i0: complex
    i1_growth: float | None
    power_factor_angle_rad: float | None
    load_a: float
    zero_sequence: float = inf


def asymmetry_change(
    s: Sequences, excess: Complex, i: int, shown: Bool, quiet: Bool, model: Asymmetry
) -> AsymmetryChange:
    """Return the change between the frames that show an asymmetry and the other frames.

    Parameters
    ----------
    s : Sequences of shape (batch, frames)
    excess : ndarray of complex, shape (batch, frames)
        I2/I1 less that of the healthy machine.
    i : int
        Place of the recording in the batch.
    shown, quiet : ndarray of bool, shape (frames,)
        Frames with the asymmetry and without it; without any `quiet` one the model takes the place.
    model : Asymmetry
    """
    i1, i0_ratio = np.abs(s.i1[i]), s.i0[i] / s.i1[i]
    i2_before = complex(np.mean(excess[i][quiet])) if quiet.any() else 0j
    i0_before = complex(np.mean(i0_ratio[quiet])) if quiet.any() else model.residual
    before_a = _healthy_current_a(i1, quiet, model)
    now_a = float(np.median(i1[shown]))
    angle = None
    if s.v1 is not None and model.base_v is not None:
        angle = float(np.angle(np.mean(s.v1[i][shown] * s.i1[i][shown].conj())))
    return AsymmetryChange(
        delta_i2=complex(np.mean(excess[i][shown])) - i2_before,
        delta_i0=complex(np.mean(i0_ratio[shown])) - i0_before,
        i1_growth=None if before_a is None else (now_a - before_a) / now_a,
        power_factor_angle_rad=angle,
        load_a=(now_a if before_a is None else before_a) / sqrt(2),
        zero_sequence=float(np.abs(i0_ratio).max()),
    )


@dataclass(frozen=True, slots=True)
class _ClampChange:
    """A clamp whose change of gain explains I2 and I0 together: phase index, relative change."""

    phase: int
    gain: float


@dataclass(frozen=True, slots=True)
class Cause:
    """Another cause the signals do not exclude, with the phase index if it has one."""

    cause: str
    phase: int | None = None


def clamp_change(change: AsymmetryChange) -> _ClampChange | None:
    """Return the clamp whose gain alone would explain the change, or None.

    The currents of a motor sum to zero with any fault, as long as none flows to earth. A gain
    g of clamp a adds g/3 of I1 to I0 and to I2 alike. For clamp b, I2 is I0 turned by -120 degrees,
    for c by +120.
    """
    turns = np.array([1, TURN_120**2, TURN_120])
    misfit = np.abs(change.delta_i2 - turns * change.delta_i0)
    k = int(np.argmin(misfit))
    if misfit[k] > CLAMP_MISFIT * abs(change.delta_i2):
        return None
    # I0 = g * I_k / 3 with I_k = I1 turned back by k thirds.
    return _ClampChange(k, float((3 * change.delta_i0 * TURN_120**k).real))


def gain_of_two_clamps(change: AsymmetryChange, limit: float) -> float | None:
    """Return the relative change of gain of one of two clamps that would explain the change.

    None if three are measured, or if the part next to its line alone is over the `limit`.
    With ib = -ia - ic a gain g of clamp a adds g*Ia to ia and takes it from ib: I2 changes by
    g*I1/sqrt(3) at 30 degrees from I1, by one of clamp c at 210, and I0 stays zero. A short lies
    elsewhere, or next to it by the angle of its load.
    """
    if change.zero_sequence > COMPUTED_SUM:
        return None
    along = np.exp(1j * np.radians(CLAMP_OF_TWO_DEG))
    beside = np.abs((change.delta_i2 * along.conj()).imag)
    return sqrt(3) * abs(change.delta_i2) if beside.min() <= limit else None


def shorted_phase(change: AsymmetryChange, motor: Motor) -> int:
    """Return the index of the phase whose winding is shorted, star connection assumed.

    In delta a winding lies between two lines, and its current between their angles: then this is
    one of the two.
    """
    if change.power_factor_angle_rad is not None:
        centre = change.power_factor_angle_rad - radians(LOOP_LAG_DEG)
    else:
        centre = radians(usual_power_factor_angle_deg(change.load_a, motor) - LOOP_LAG_DEG)
        ahead = centre > radians(AHEAD_DEG)
        if ahead and change.i1_growth is not None and 0 < change.i1_growth < abs(change.delta_i2):
            # D also adds to I1, by its component along it: |I1| gives the angle but for its sign.
            centre = (centre + 2 * acos(change.i1_growth / abs(change.delta_i2))) / 3
    return round((np.angle(change.delta_i2) - centre) / (2 * np.pi / 3)) % 3


def other_causes(change: AsymmetryChange, model: Asymmetry, *, voltage: bool) -> list[Cause]:
    """Return the causes other than a turn short that would look the same.

    A resistance R in series with phase a drops R*I1 and drives I2 = -R/3 * Y22 * I1. So it lies
    at -Y22 turned by the phase, about 110 degrees from I1. It grows with the load and its heating,
    while a short keeps its amperes.
    """
    causes = [] if voltage else [Cause("supply_unbalance")]
    angles = [np.angle(-change.delta_i2 * TURN_120**-k / model.mean[0], deg=True) for k in range(3)]
    k = int(np.argmin(np.abs(angles)))
    if abs(angles[k]) < JOINT_DEG:
        causes.append(Cause("high_resistance_joint", k))
    return causes


def usual_power_factor_angle_deg(load_a: float, motor: Motor) -> float:
    """Return the usual lag of I1 behind V1 at a load, A rms; degrees."""
    rated_a = motor.rated_current_a
    if not rated_a or not USUAL_LOADS[0] < load_a / rated_a < USUAL_LOADS[1]:
        return UNKNOWN_ANGLE_DEG
    share = motor.active_share
    reactive = REACTIVE_SHARE if share is None else sqrt(1 - share)
    return degrees(asin(min(0.98, reactive * rated_a / load_a)))


def _healthy_current_a(i1: Float64, quiet: Bool, model: Asymmetry) -> float | None:
    """Return |I1| without the asymmetry, peak A, if the load certainly did not change."""
    if quiet.any():
        return float(np.median(i1[quiet]))
    if model.recordings and model.high_a < ONE_LOAD_RATIO * model.low_a:
        return sqrt(model.low_a * model.high_a) * sqrt(2)
    return None
