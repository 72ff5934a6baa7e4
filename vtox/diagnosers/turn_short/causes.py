"""What a negative-sequence current that should not be there points at: which phase, which cause.

A short in phase a draws a current D at an angle behind the voltage of that phase and adds D to I1
and to I2 alike; in phase b the I2 turns by +120 degrees, in c by -120 (Tallam, Habetler, Harley
2002, TIA 38(3):632: the shorted turns act as a current source on the axis of their phase).
"""

from dataclasses import dataclass
from math import acos, asin, degrees, radians, sqrt

import numpy as np
import numpy.typing as npt

from vtox.arrays import TURN_120, Complex
from vtox.baseline import Asymmetry
from vtox.diagnosers.turn_short.asymmetry_model import Sequences
from vtox.domain import Motor

# The loop of a short lags its phase voltage by 0 (contact resistance) to 80 degrees (leakage of a
# large winding): the middle of what is met, so that each phase owns 60 degrees to both sides.
LOOP_LAG_DEG = 30.0
# Power-factor angle where the load is not known: between 32 (full load) and 80 degrees (none).
UNKNOWN_LAG_DEG = 55.0
# Magnetising and leakage current, per unit of rated current: sets the lag at a known load. Where
# the plate tells power factor times efficiency, the two are taken for equal, as they nearly are.
REACTIVE = 0.5
# A joint adds resistance, so its I2 lies along Y22: within this angle it may be one.
JOINT_DEG = 35.0
# From this angle ahead of I1 on, D is taken to be ahead: the less I1 lags, the more a short of
# little resistance may lag behind it.
AHEAD_DEG = 20.0
# Share of the change in I2 that a single clamp may leave unexplained.
CLAMP_MISFIT = 0.35


@dataclass(frozen=True, slots=True)
class Clue:
    """One asymmetry, averaged over the frames that show it.

    `d` change of I2/I1, `z` change of I0/I1, `growth` change of |I1| over I1 (None if unknown),
    `lag` the angle of I1 behind V1 in radians (None without voltage), `load_a` in A rms.
    """

    d: complex
    z: complex
    growth: float | None
    lag: float | None
    load_a: float

    @staticmethod
    def of(
        s: Sequences,
        residual: Complex,
        i: int,
        found: npt.NDArray[np.bool_],
        quiet: npt.NDArray[np.bool_],
        model: Asymmetry,
    ) -> "Clue":
        """Return the clue of recording i: frames `found` against `quiet` ones or the baseline."""
        i1, zero = np.abs(s.i1[i]), s.i0[i] / s.i1[i]
        before = complex(np.mean(residual[i][quiet])) if quiet.any() else 0j
        before_z = complex(np.mean(zero[quiet])) if quiet.any() else model.residual
        steady_a = _steady_a(i1, quiet, model)
        now = float(np.median(i1[found]))
        lag = None
        if s.v1 is not None and model.base_v is not None:
            lag = float(np.angle(np.mean(s.v1[i][found] * s.i1[i][found].conj())))
        return Clue(
            d=complex(np.mean(residual[i][found])) - before,
            z=complex(np.mean(zero[found])) - before_z,
            growth=None if steady_a is None else (now - steady_a) / now,
            lag=lag,
            load_a=(now if steady_a is None else steady_a) / sqrt(2),
        )


@dataclass(frozen=True, slots=True)
class Clamp:
    """A clamp whose change explains I2 and I0 together: phase index and relative change."""

    phase: int
    gain: float


@dataclass(frozen=True, slots=True)
class Cause:
    """Another cause the signals do not exclude, with the phase index where it has one."""

    cause: str
    phase: int | None = None


def clamp(clue: Clue) -> Clamp | None:
    """Return the clamp whose gain alone would explain the change, or None.

    The currents of a motor sum to zero whatever its faults, as long as none flows to earth. A gain
    g of clamp a adds g/3 of I1 to I0 and to I2 alike; of b the I2 is I0 turned by -120 degrees,
    of c by +120.
    """
    turns = np.array([1, TURN_120**2, TURN_120])
    misfit = np.abs(clue.d - turns * clue.z)
    k = int(np.argmin(misfit))
    if misfit[k] > CLAMP_MISFIT * abs(clue.d):
        return None
    # I0 = g * I_k / 3 with I_k = I1 turned back by k thirds.
    return Clamp(k, float((3 * clue.z * TURN_120**k).real))


def phase(clue: Clue, motor: Motor) -> int:
    """Return the index of the phase whose winding is shorted, star connection assumed.

    (In delta a winding lies between two lines, and its current between their angles: then this
    names one of the two.)
    """
    if clue.lag is not None:
        centre = clue.lag - radians(LOOP_LAG_DEG)
    else:
        centre = radians(_usual_lag_deg(clue, motor) - LOOP_LAG_DEG)
        ahead = centre > radians(AHEAD_DEG)
        if ahead and clue.growth is not None and 0 < clue.growth < abs(clue.d):
            # D also adds to I1, by its component along it: |I1| tells the angle but for its sign.
            centre = (centre + 2 * acos(clue.growth / abs(clue.d))) / 3
    return round((np.angle(clue.d) - centre) / (2 * np.pi / 3)) % 3


def alternatives(clue: Clue, model: Asymmetry, *, measured: bool) -> list[Cause]:
    """Return what else would look like this.

    A resistance R in series with phase a drops R*I1, drives I2 = -R/3 * Y22 * I1 and so lies at
    -Y22 turned by the phase: about 110 degrees from I1. It grows with the load and its heating,
    while a short keeps its amperes.
    """
    causes = [] if measured else [Cause("supply unbalance")]
    angles = [np.angle(-clue.d * TURN_120**-k / model.mean[0], deg=True) for k in range(3)]
    k = int(np.argmin(np.abs(angles)))
    if abs(angles[k]) < JOINT_DEG:
        causes.append(Cause("high-resistance joint", k))
    return causes


def _usual_lag_deg(clue: Clue, motor: Motor) -> float:
    rated_a = motor.rated_current_a
    if not rated_a or not 0.25 < clue.load_a / rated_a < 1.25:
        return UNKNOWN_LAG_DEG
    share = motor.active_share
    reactive = REACTIVE if share is None else sqrt(1 - share)
    return degrees(asin(min(0.98, reactive * rated_a / clue.load_a)))


def _steady_a(
    i1: npt.NDArray[np.float64], quiet: npt.NDArray[np.bool_], model: Asymmetry
) -> float | None:
    """Return |I1| without the asymmetry, peak A, where the load is known to have stayed."""
    if quiet.any():
        return float(np.median(i1[quiet]))
    if model.recordings and model.high_a < 1.06 * model.low_a:
        return sqrt(model.low_a * model.high_a) * sqrt(2)
    return None
