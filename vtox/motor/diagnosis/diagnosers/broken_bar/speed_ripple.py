"""Test whether the ripple of the speed made the weaker of two sidebands, as behind a rotor cage.

The torque of a cage's lower sideband swings the speed, and that swing makes the upper sideband. A
great inertia makes it weak, but not its phase: the speed is the integral of the torque. An
interharmonic below the supply frequency turns hardly any torque, and the little that it leaves on
the other side has any phase.
"""

import numpy as np

from vtox.motor.diagnosis.diagnosers.broken_bar.supply_lines import BOUND_DEVIATIONS
from vtox.motor.values.arrays import SILENCE, Complex, Float64, db

# Share of a line on its other side without any swing: clamps and windings differ.
OTHER_SHARE = 0.003


def apart_db(am: Complex, pm: Complex) -> Float64:
    """Return the level of the lower sideband over the upper one, dB, shape (batch,)."""
    return db(np.abs(am - 1j * pm)) - db(np.abs(am + 1j * pm))


def off_swing_deg(am: Complex, pm: Complex, noise: Float64, tangents: Float64) -> Float64:
    """Return the least angle between the upper sideband and that of a heavy rotor, degrees.

    Parameters
    ----------
    am, pm : ndarray of complex, shape (batch,)
        Modulations at one frequency, ratio and rad, as of `modulation_spectrum.Modulation`.
    noise : ndarray, shape (batch,)
        Its rms in a sideband.
    tangents : ndarray, shape (batch,)
        Of the power factor angle, as of `flicker.lag_tangents`; NaN if it is not known.

    Returns
    -------
    ndarray, shape (batch,)
        0 if the noise hides it; NaN without a power factor. Behind a great inertia the upper
        sideband leads the conjugate of the lower one by 90 degrees, in the frame of the voltage.
    """
    lower, upper = am - 1j * pm, am + 1j * pm
    turned = upper * np.conj(lower) * np.exp(-2j * np.arctan(tangents)) / 1j
    hidden = BOUND_DEVIATIONS * noise / np.sqrt(2) + OTHER_SHARE * np.abs(lower)
    share = hidden / np.maximum(np.abs(upper), SILENCE)
    open_rad = np.where(share < 1, np.arcsin(np.minimum(share, 1.0)), np.pi)
    return np.asarray(np.degrees(np.maximum(np.abs(np.angle(turned)) - open_rad, 0.0)))
