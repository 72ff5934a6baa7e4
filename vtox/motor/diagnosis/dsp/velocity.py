"""Overall velocity of a vibration, 10 Hz to 1 kHz, from acceleration."""

import numpy as np
from scipy.fft import next_fast_len, rfft

from vtox.motor.values.domain import Array, Reason, reason

LOW_HZ, HIGH_HZ = 10.0, 1000.0
# A sensor with its filter passes up to rate / 2.56.
_LEAST_FS_HZ = 2.56 * HIGH_HZ


def vibration_velocity(x: Array, fs_hz: float) -> float | Reason:
    """Return the velocity of an acceleration, mm/s rms from 10 Hz to 1 kHz.

    The line through the record is taken off, 0.1 s at each end fade (cosine). Each line of the
    spectrum has its power over (2 pi f)^2. The lines are summed, those at the ends of the band by
    the share of their width within it.

    Parameters
    ----------
    x
        Acceleration, m/s^2, shape (n,).
    fs_hz
        Samples per second.

    Returns
    -------
    float or Reason
        mm/s rms; a code if rate or length do not reach the band.
    """
    if fs_hz < _LEAST_FS_HZ:
        return reason("velocity_rate_too_low", fs_hz=fs_hz, least_hz=_LEAST_FS_HZ)
    least_s = 10 / LOW_HZ  # ten periods of the lowest frequency: lines 1 Hz apart
    if len(x) < least_s * fs_hz:
        return reason("velocity_record_too_short", seconds=len(x) / fs_hz, least_s=least_s)
    # One period of the lowest frequency. Longer ends would weigh the middle of a record: with Hann
    # windows of 2 s records whose loudness moves differed by up to 7 % (docs/appendix/plant.md).
    weights = _faded(len(x), fs_hz / LOW_HZ)
    n = next_fast_len(len(x), real=True)
    step_hz = fs_hz / n
    first, last = (round(end / step_hz) for end in (LOW_HZ, HIGH_HZ))
    f = step_hz * np.arange(first, last + 1)
    upper, lower = np.minimum(f + step_hz / 2, HIGH_HZ), np.maximum(f - step_hz / 2, LOW_HZ)
    power = np.abs(rfft(_level(x) * weights, n)[first : last + 1]) ** 2 * (upper - lower) / step_hz
    total = 2 * float(np.sum(power / (2 * np.pi * f) ** 2))
    return 1000 * float(np.sqrt(total / n / float(np.sum(weights**2))))


def _faded(n: int, ends: float) -> Array:
    """Return n weights: one, but for cosines over about `ends` samples at each end: a Tukey window.

    Written here, as scipy.signal would load statistics and optimizers into every worker: 1 s.
    """
    ends *= (n - 1) / n
    rise = 0.5 * (1 - np.cos(np.pi * np.arange(int(ends) + 1) / ends))
    weights = np.ones(n)
    weights[: len(rise)] = rise
    weights[n - len(rise) :] = rise[::-1]
    return weights


def _level(x: Array) -> Array:
    """Return x without its mean and slope."""
    t = np.arange(len(x)) - (len(x) - 1) / 2
    level = np.asarray(x, np.float64) - np.mean(x)
    return np.asarray(level - t * ((t @ level) / (t @ t)))
