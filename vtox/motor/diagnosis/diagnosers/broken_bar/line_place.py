"""Place of the line of a rotor cage in a record over which the slip moves.

The known slip is the mean over the record. The window of the line weighs the middle most, so a load
that moves puts the line next to twice the mean slip frequency.
"""

import numpy as np
import scipy.fft

from vtox.motor.diagnosis.diagnosers.broken_bar.moving_slip import SENSITIVITIES_OF_CURRENT
from vtox.motor.diagnosis.dsp import order_tracking
from vtox.motor.diagnosis.dsp.modulation_spectrum import PAD
from vtox.motor.values.arrays import Float64


def place_shift(amplitude: Float64, period_points: int, bins: float) -> tuple[float, float]:
    """Return the range in which the movement of the slip puts the line, in bins from 2sf.

    Parameters
    ----------
    amplitude : ndarray, shape (points,)
        Amplitude of the supply line over the record, in any unit.
    period_points : int
        Points of one period of the line: its effect on the amplitude itself moves no slip.
    bins : float
        Twice the slip frequency, in bins of 1/T.

    Returns
    -------
    tuple of float
        The least and the most; both include no shift.
    """
    slow = order_tracking.smooth(amplitude[None], max(1, period_points))[0]
    moved = slow / slow.mean() - 1
    shifts = [_peak_bins(bins * sensitivity * moved) for sensitivity in SENSITIVITIES_OF_CURRENT]
    return min(0.0, *shifts), max(0.0, *shifts)


def _peak_bins(bins: Float64) -> float:
    """Return the highest point of the spectrum of a line that is at `bins` over the record."""
    points = len(bins)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(points) + 0.5) / points)
    line = window * np.exp(2j * np.pi * np.cumsum(bins) / points)
    power = np.abs(scipy.fft.fft(line, PAD * points))
    return float(scipy.fft.fftfreq(PAD * points, 1 / (PAD * points))[np.argmax(power)]) / PAD
