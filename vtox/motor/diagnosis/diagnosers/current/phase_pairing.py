"""Pairing of voltages and currents of the same phases, from the angle of I1 behind V1.

Voltages and currents are each put in order by themselves (`symmetrical_components.wiring`). So a
wrong name rotates V1 against I1 by a multiple of 60 degrees, and V2 the other way. The current of a
motor lags by 0 to 90 degrees. At another angle the voltages are rotated back if one rotation
alone is plausible, and not used if none or several are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi, sqrt

import numpy as np

from vtox.motor.values.arrays import Complex, Float64
from vtox.motor.values.domain import Motor, Reason, reason

# Lag of a motor as measured, degrees: nearly 90 without load, and some degrees of instrument error.
MOTORING_LAG_DEG = (-10.0, 95.0)
# Lag that voltages may be rotated to, degrees. docs/calibration/front_end.md#rotation-of-voltages
ROTATED_LAG_DEG = (18.0, 90.0)
# From the motoring lag to this, degrees, a machine may generate or be braked by its drive.
MAX_GENERATING_LAG_DEG = 172.0
# V1 over the rated phase voltage if it is measured between lines, sqrt(3) within the supply's
# 10 %. A drive raises V1 over V/f only below this ratio of the rated frequency.
LINE_VOLTAGE_RATIO = (1.5, 2.0)
MIN_DRIVE_FREQUENCY_RATIO = 0.5


@dataclass(frozen=True, slots=True)
class _PhaseMatching:
    """Matching of the voltages of a batch to its currents; arrays of shape (batch,)."""

    voltage_rotation: Complex  # unit phasor to multiply V1 by, and V2 by its conjugate
    lag_rad: Float64  # of I1 behind V1; NaN if unknown
    problems: tuple[Reason | None, ...]  # why they do not belong together; None if they do


def match_voltages_to_currents(
    i1: Complex, v1: Complex, f0_hz: Float64, motors: Sequence[Motor]
) -> _PhaseMatching:
    """Return the matching of positive-sequence envelopes of voltages to those of currents.

    Parameters
    ----------
    i1, v1 : ndarray of complex, shape (batch, points)
        Peak values, A and V.
    f0_hz : ndarray, shape (batch,)
        Supply frequency, Hz.
    motors : sequence of Motor, length batch
        Rated voltage, for voltages between lines.
    """
    power = np.sum(v1 * i1.conj(), axis=-1)
    volts = np.sqrt(np.mean(np.abs(v1) ** 2, axis=-1) / 2)
    rotation = np.ones(len(power), complex)
    problems: list[Reason | None] = []
    for b, lag_deg in enumerate(np.degrees(np.angle(power))):
        problem = between_lines(float(volts[b]), float(f0_hz[b]), motors[b])
        if not problem and not MOTORING_LAG_DEG[0] <= lag_deg <= MOTORING_LAG_DEG[1]:
            sixths = _sixths_to_motoring(lag_deg)
            if sixths is None:
                problem = _not_paired(float(lag_deg))
            else:
                rotation[b] = np.exp(1j * pi / 3 * sixths)
        problems.append(problem)
    lag_rad = np.where([not p for p in problems], np.angle(power * rotation), np.nan)
    return _PhaseMatching(rotation, np.asarray(lag_rad, np.float64), tuple(problems))


def _sixths_to_motoring(lag_deg: float) -> int | None:
    """Return the one rotation, in sixths of a turn, that makes a motor's lag; None if not one."""
    low, high = ROTATED_LAG_DEG
    possible = [k for k in range(1, 6) if low < _wrap_degrees(lag_deg + 60 * k) < high]
    return possible[0] if len(possible) == 1 and not _may_generate(lag_deg) else None


def _may_generate(lag_deg: float) -> bool:
    return MOTORING_LAG_DEG[1] < lag_deg < MAX_GENERATING_LAG_DEG


def _not_paired(lag_deg: float) -> Reason:
    generates = _may_generate(lag_deg)
    code = "voltages_not_paired_or_generating" if generates else "voltages_not_paired"
    return reason(code, power_factor_angle_deg=lag_deg)


def between_lines(volts: float, f0_hz: float, motor: Motor) -> Reason | None:
    """Return the reason if voltages of `volts` V rms are measured between lines."""
    if not motor.rated_voltage_v:
        return None
    expected = motor.rated_voltage_v / sqrt(3)
    if motor.supply == "inverter":
        ratio = f0_hz / (motor.supply_hz or np.inf)
        if ratio < MIN_DRIVE_FREQUENCY_RATIO:
            return None
        expected *= min(ratio, 1.0)
    if not LINE_VOLTAGE_RATIO[0] < volts / expected < LINE_VOLTAGE_RATIO[1]:
        return None
    return reason(
        "voltages_between_lines",
        voltage_v=volts,
        phase_voltage_ratio=volts / expected,
        rated_voltage_v=motor.rated_voltage_v,
    )


def _wrap_degrees(deg: float) -> float:
    """Return an angle within -180 to 180 degrees."""
    return (deg + 180) % 360 - 180
