"""Test whether an oscillating load could have made a pair of sidebands, as a broken bar does.

An oscillating load moves the tip of the current's phasor to and fro on the circle that it describes
over load. Both sidebands are nearly equal, and amplitude and phase move together, the phase by no
more than the tangent of the power factor angle. A rotor cage cannot do that. With great inertia it
makes one sideband. With small inertia the speed holds the torque, and the rest of the motion is
square to the load's (Filippetti, Franceschini, Tassoni, Vas 1998, IEEE TIA 34(1):98; Bellini et al.
2001, IEEE TIA 37(5):1248).
"""

import numpy as np

from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.current.slip_prior import TYPICAL_ACTIVE_RATIO
from vtox.motor.values.arrays import SILENCE, Complex, Float64

# At less than this distance from the range of a load, a load may have made a pair. If one did, the
# distance is about Exp(1) distributed. docs/calibration/broken_bar.md#distance-from-a-load
MIN_DISTANCE = 2.5
# Range of the sine of the power factor angle: a small motor without load has a power factor of 0.1.
SINE_RANGE = (0.3, 0.995)
# Added to the measured angle: the stator's resistance turns the movement ahead of the voltage by
# 2 Rs/Xs, 2 degrees at 2 kW, 7 at 0.4 kW.
ANGLE_ALLOWANCE_RAD = np.radians(8.0)


def largest_phase_ratio(analysis: CurrentAnalysis) -> Float64:
    """Return the largest pm/am that a load can make, the tangent of the power factor angle.

    Measured if there are voltages. Without them the sine of the angle grows as the current
    falls, because the reactive current hardly depends on load; without a rated current it is the
    largest possible. Shape (batch,).
    """
    sines = []
    for motor, rms_a, lag in zip(
        analysis.motors, analysis.current_rms_a, analysis.lag_rad, strict=True
    ):
        rated_a = motor.rated_current_a
        if np.isfinite(lag):
            sines.append(np.sin(np.clip(lag + ANGLE_ALLOWANCE_RAD, 0, np.pi / 2)))
        elif not rated_a:
            sines.append(SINE_RANGE[1])
        else:
            active = motor.active_share or TYPICAL_ACTIVE_RATIO
            reactive_a = np.sqrt(max(1 - active**2, 0.0)) * rated_a
            sines.append(reactive_a / max(float(rms_a), 1e-6 * rated_a))
    return np.asarray(np.tan(np.arcsin(np.clip(sines, *SINE_RANGE))), np.float64)


def distance(
    am: Complex,
    pm: Complex,
    am_floor: Float64,
    pm_floor: Float64,
    largest_ratio: Float64,
    hz: Float64,
) -> Float64:
    """Return the squared distance, over its noise, from the nearest pm/am that a load can make.

    Parameters
    ----------
    am, pm : ndarray of complex, shape (batch,)
        Modulations at one frequency, ratio and rad, as of `modulation_spectrum.Modulation`.
    am_floor, pm_floor : ndarray, shape (batch,)
        Noise power of each.
    largest_ratio : ndarray, shape (batch,)
        Result of `largest_phase_ratio`.
    hz : ndarray, shape (batch,)
        Frequency of the modulation: the upper sideband weakens with it.

    Returns
    -------
    ndarray, shape (batch,)
    """
    # Range of pm/am that a load can make: docs/calibration/broken_bar.md#load-limits.
    ratio = pm / np.where(am == 0, SILENCE, am)
    real = np.clip(ratio.real, -0.1, largest_ratio)
    # (L^2 - U^2)/(L^2 + U^2) of sidebands at the least and the largest distance in dB.
    limits_db = -1.0, np.maximum(3.0, 0.5 * hz)
    low, high = (np.tanh(db * np.log(10) / 20) * (1 + real**2) / 2 for db in limits_db)
    nearest = real + 1j * np.clip(ratio.imag, low, high)
    left = np.abs(pm - nearest * am) ** 2
    return np.asarray(left / (pm_floor + np.abs(nearest) ** 2 * am_floor), np.float64)
