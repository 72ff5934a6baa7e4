"""Overall velocity of a vibration, 10 Hz to 1 kHz, from acceleration."""

import numpy as np
from scipy.signal import welch

from vtox.values.domain import Array, Reason, reason

LOW_HZ, HIGH_HZ = 10.0, 1000.0
# A sensor with its filter passes up to rate / 2.56.
LEAST_FS_HZ = 2.56 * HIGH_HZ
# Ten periods of the lowest frequency: lines 1 Hz apart.
LEAST_S = 1.0
SEGMENT_S = 2.0


def vibration_velocity(x: Array, fs_hz: float) -> float | Reason:
    """Return the velocity of an acceleration, mm/s rms from 10 Hz to 1 kHz.

    Each line of the spectrum (Welch 1967: Hann windows of 2 s that overlap by half) has its power
    over (2 pi f)^2; the lines are summed. Over whole records a Hann window would weigh the middle.

    Parameters
    ----------
    x
        Acceleration, m/s^2, shape (n,).
    fs_hz
        Samples per second.

    Returns
    -------
    float or Reason
        mm/s rms; a code where rate or length do not reach the band.
    """
    if fs_hz < LEAST_FS_HZ:
        return reason("velocity_rate_too_low", fs_hz=fs_hz, least_hz=LEAST_FS_HZ)
    if len(x) < LEAST_S * fs_hz:
        return reason("velocity_record_too_short", seconds=len(x) / fs_hz, least_s=LEAST_S)
    n = min(len(x), int(SEGMENT_S * fs_hz))
    f, power = welch(np.asarray(x, float), fs_hz, "hann", n, n // 2)
    band = (f >= LOW_HZ) & (f <= HIGH_HZ)
    lines = power[band] / (2 * np.pi * f[band]) ** 2
    return float(1000 * np.sqrt(lines.sum() * fs_hz / n))
