"""Whether voltages and currents are of the same phases: the angle of I1 behind V1 tells.

Each three are put in order by themselves (`dsp.sequence.wiring`), so a wrong name turns V1 against
I1 by sixths of a turn, and V2 the other way. A motor's current lags by 0 to 90 degrees; what lies
elsewhere is turned back where only one way is plausible, and not used where none or several are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi, sqrt

import numpy as np

from vtox.arrays import Complex, Float64
from vtox.domain import Motor, Reason, reason

# Angles of a motor as measured, degrees: without load nearly 90, and a few of the instruments'.
LAG_DEG = (-10.0, 95.0)
# Where voltages may be turned to: cage motors stay below a power factor of 0.95. With steps of 60
# degrees one way is left from 30 to 78, power factors of 0.87 to 0.2.
USUAL_DEG = (18.0, 90.0)
# A machine that generates, or is braked by its drive, is there by right.
GENERATING_DEG = 172.0
# V1 over the rated phase voltage: sqrt(3) between two lines. Supplies stay within 10 %, and a drive
# raises its voltage over V/f at low frequencies only.
BETWEEN_LINES = (1.5, 2.0)
DRIVE_FROM = 0.5  # of the rated frequency


@dataclass(frozen=True, slots=True)
class Pairing:
    """How the voltages of a batch belong to its currents; arrays of shape (batch,)."""

    turn: Complex  # to multiply V1 by; V2 by its conjugate
    lag_rad: Float64  # of I1 behind V1; NaN where it is not known
    problems: tuple[Reason | None, ...]  # why they do not belong together; None where they do


def pairing(i1: Complex, v1: Complex, f0_hz: Float64, motors: Sequence[Motor]) -> Pairing:
    """Return how positive-sequence envelopes of voltages belong to those of currents.

    Parameters
    ----------
    i1, v1 : ndarray of complex, shape (batch, points)
        Peak values, A and V.
    f0_hz : ndarray, shape (batch,)
    motors : sequence of Motor, length batch
        Rated voltage, for voltages between lines.
    """
    power = np.sum(v1 * i1.conj(), axis=-1)
    volts = np.sqrt(np.mean(np.abs(v1) ** 2, axis=-1) / 2)
    lag_deg = np.degrees(np.angle(power))
    turn = np.ones(len(lag_deg), complex)
    problems: list[Reason | None] = [None] * len(lag_deg)
    for b, lag in enumerate(lag_deg):
        problems[b] = between_lines(float(volts[b]), float(f0_hz[b]), motors[b])
        if problems[b] or LAG_DEG[0] <= lag <= LAG_DEG[1]:
            continue
        ways = [k for k in range(1, 6) if USUAL_DEG[0] < _wrapped(lag + 60 * k) < USUAL_DEG[1]]
        generating = LAG_DEG[1] < lag < GENERATING_DEG
        if len(ways) == 1 and not generating:
            turn[b] = np.exp(1j * pi / 3 * ways[0])
        else:
            code = "voltages_not_paired_or_generating" if generating else "voltages_not_paired"
            problems[b] = reason(code, power_factor_angle_deg=float(lag))
    lag_rad = np.where([not p for p in problems], np.angle(power * turn), np.nan)
    return Pairing(turn, np.asarray(lag_rad, np.float64), tuple(problems))


def unpaired(batch: int) -> Pairing:
    """Return the pairing of recordings without three currents and three voltages."""
    return Pairing(np.ones(batch, complex), np.full(batch, np.nan), (None,) * batch)


def between_lines(volts: float, f0_hz: float, motor: Motor) -> Reason | None:
    """Return that the voltages are measured between lines, if so; `volts` in V rms."""
    if not motor.rated_voltage_v:
        return None
    expected = motor.rated_voltage_v / sqrt(3)
    if motor.supply == "inverter":
        share = f0_hz / (motor.supply_hz or np.inf)
        if share < DRIVE_FROM:
            return None
        expected *= min(share, 1.0)
    if not BETWEEN_LINES[0] < volts / expected < BETWEEN_LINES[1]:
        return None
    return reason(
        "voltages_between_lines",
        voltage_v=volts,
        phase_voltage_ratio=volts / expected,
        rated_voltage_v=motor.rated_voltage_v,
    )


def _wrapped(deg: float) -> float:
    return (deg + 180) % 360 - 180
