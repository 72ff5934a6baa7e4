"""Test whether a pair of sidebands looks like a supply's, and not like broken bars.

A voltage that flickers, or has a line above its frequency, moves the flux of the stator, and so
flux and speed of the rotor. At twice slip frequency the ratio of phase to amplitude modulation then
lies on one curve each, from infinite inertia to none, for a given power factor. The ratio of a
rotor cage lies on another curve.
docs/calibration/broken_bar.md#curves-of-flicker-and-rotor-cage
"""

from math import isfinite, sqrt

import numpy as np

from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.current.slip_prior import ie1_losses
from vtox.motor.values.arrays import Complex, Complex128, Float64
from vtox.motor.values.domain import Motor

# Losses over those of class IE1, between that and IE4.
USUAL_LOSS_SHARE = 0.75
# Share of the torque's ripple by which the slip changes: from infinite inertia to none.
SPEED_GAINS = (0.0, *np.geomspace(0.02, 50.0, 16).tolist())
# The curve of a line above the supply frequency is next to that of a cage. It counts if it is so
# many times as near. docs/calibration/broken_bar.md#curves-of-flicker-and-rotor-cage
TIMES_AS_NEAR = 2.0


def lag_tangents(analysis: CurrentAnalysis) -> Float64:
    """Return the tangent of the power factor angle of each recording, shape (batch,).

    Measured if there are voltages, else from the nameplate; NaN if that gives none.
    """
    rms_a = analysis.current_rms_a.tolist()
    rows = zip(analysis.motors, rms_a, analysis.lag_rad.tolist(), strict=True)
    return np.array([np.tan(lag) if isfinite(lag) else _tangent(m, a) for m, a, lag in rows])


def _tangent(motor: Motor, rms_a: float) -> float:
    """Return that of a current whose reactive part is the rated one at any load."""
    if motor.active_share is None or not motor.rated_current_a or not motor.rated_power_w:
        return float("nan")
    losses = ie1_losses(motor.rated_power_w)
    active = min(motor.active_share / (1 - USUAL_LOSS_SHARE * losses), 0.95)
    reactive_a = sqrt(1 - active**2) * motor.rated_current_a
    return reactive_a / sqrt(max(rms_a**2 - reactive_a**2, (0.1 * reactive_a) ** 2))


def phase_ratios(tangent: float) -> tuple[Complex128, Complex128, Complex128]:
    """Return pm/am that flicker, a line at f + 2sf and a cage make at 2sf, at any slip and inertia.

    The circuit has its leakage in the rotor and no resistance in the stator, whose flux is 1. Time
    is counted in leakage over resistance of the rotor, slip in that of breakdown.

    Parameters
    ----------
    tangent : float
        Tangent of the power factor angle.

    Returns
    -------
    tuple of ndarray of complex, shape (points,)
        Curves of flicker, of a line of the supply at f + 2sf, and of a rotor cage.
    """
    # Slips from light load to full.
    slip, gain = (x.ravel() for x in np.meshgrid((0.1, 0.2, 0.3, 0.4), SPEED_GAINS))
    magnetising = np.maximum((tangent - slip) * slip / (1 + slip**2), 0.01)
    rotor = 1 / (1 + 1j * slip)
    current = magnetising + 1 - rotor
    # Flux (d, q) of the rotor: d/dt = 1 - d + slip q, -q - slip d, and -1j x ripple of the slip x
    # rotor. The ripple of the slip is the integral of the torque's, (q + rotor's mean q) x gain.
    per_torque = gain / 1j
    dd, dq = 2j * slip + 1, -slip - per_torque * rotor.imag
    qd, qq = slip, 2j * slip + 1 + per_torque * rotor.real

    def moves(
        stator: float, drive_d: Complex128, drive_q: Complex128
    ) -> tuple[Complex128, Complex128]:
        det = dd * qq - dq * qd
        d, q = (drive_d * qq - dq * drive_q) / det, (dd * drive_q - qd * drive_d) / det
        along, across = stator * (magnetising + 1) - d, -q
        square = np.abs(current) ** 2
        am = (along * current.real + across * current.imag) / square
        return am, (across * current.real - along * current.imag) / square

    # Amplitude of the flux of the stator, and its phase, which moves the slip too.
    am, pm = moves(1.0, 1 + per_torque * rotor.imag**2, -per_torque * rotor.imag * rotor.real)
    am_turned, pm_turned = moves(0.0, 2j * slip * rotor.imag, -2j * slip * rotor.real)
    above = (pm - 1j * (pm_turned + 1)) / (am - 1j * am_turned)
    # Unequal bars drive a voltage that turns backwards at the slip.
    am_cage, pm_cage = moves(0.0, np.ones_like(per_torque), np.full_like(per_torque, 1j))
    return pm / am, np.asarray(above), pm_cage / am_cage


def looks_like_flicker(
    am: Complex, pm: Complex, am_floor: Float64, pm_floor: Float64, tangents: Float64
) -> list[bool]:
    """Return whether modulations are nearer to those of a supply than of a cage, beyond the noise.

    Parameters
    ----------
    am, pm : ndarray of complex, shape (batch,)
        Modulations at one frequency, ratio and rad, as of `modulation_spectrum.Modulation`.
    am_floor, pm_floor : ndarray, shape (batch,)
        Noise power of each.
    tangents : ndarray, shape (batch,)
        Tangents of `lag_tangents`; if NaN, the answer is False.

    Returns
    -------
    list of bool, length batch
    """
    rows = zip(am, pm, am_floor, pm_floor, tangents.tolist(), strict=True)
    return [isfinite(t) and _is_nearer(a, p, fa, fp, *phase_ratios(t)) for a, p, fa, fp, t in rows]


def _is_nearer(
    am: complex,
    pm: complex,
    am_floor: float,
    pm_floor: float,
    of_flicker: Complex128,
    above: Complex128,
    of_cage: Complex128,
) -> bool:
    def nearest(ratios: Complex128) -> tuple[float, float]:
        """Return the distance of the nearest point, and the noise of that distance."""
        apart = np.abs(pm - ratios * am) / np.sqrt(1 + np.abs(ratios) ** 2)
        k = int(np.argmin(apart))
        square = abs(ratios[k]) ** 2
        return float(apart[k]), sqrt((pm_floor + square * am_floor) / (1 + square))

    (flicker, noise), (line, noise_of_line) = nearest(of_flicker), nearest(above)
    from_cage, _ = nearest(of_cage)
    return min(flicker + noise, TIMES_AS_NEAR * line + noise_of_line) < from_cage
