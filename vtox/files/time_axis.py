"""Sampling rates from columns of sample times."""

import re

import numpy as np

from vtox.errors import RecordingError
from vtox.files.columns import Column

SECONDS = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
TIMES = ("time", "t", "timestamp")


def plain_name(column: str) -> str:
    """Return a column name in lower case, its unit after an underscore: `Ia [mA]` is `ia_ma`."""
    return re.sub(r"[\s_]*[\[(](.*?)[\])]$", r"_\1", column.strip().lower())


def seconds_per_unit(column: str) -> float | None:
    """Return the seconds per unit of a time column, or None for another column."""
    base, _, unit = plain_name(column).partition("_")
    return SECONDS.get(unit) if base in TIMES else None


def sampling_rate(t: Column, unit_s: float, where: str) -> float:
    """Return the sampling rate of uniform sample times, Hz.

    Written times are rounded. Steps may differ from their mean by that rounding, up to half a step,
    or by a tenth of a step; a missing or repeated sample makes a difference of a whole step.

    Parameters
    ----------
    t : ndarray, shape (samples,)
        Sample times.
    unit_s : float
        Unit of `t`, s.
    where : str
        File and column, for errors.

    Raises
    ------
    RecordingError
        The times do not rise in equal steps.
    """
    if len(t) < 3:
        raise RecordingError(f"{where}: {len(t)} sample times, expected 3 or more")
    step = float(t[-1] - t[0]) / (len(t) - 1)
    if not step > 0:
        raise RecordingError(f"{where}: time goes from {t[0]:.6g} to {t[-1]:.6g}, expected to rise")
    # With a fixed number of significant digits, the last times are the coarsest.
    rounding = _rounding(t[-1000:])
    steps = np.diff(t)
    tolerance = max(0.1 * step, min(rounding, 0.5 * step))
    off = np.abs(steps - step) > tolerance
    if off.any():
        i = int(np.flatnonzero(off)[0])
        raise RecordingError(
            f"{where}: not uniform: step {steps[i]:.6g} after sample {i + 1} (t = {t[i]:.6g}), "
            f"mean step {step:.6g}; give --fs HZ if the rate is known"
        )
    fs_hz = 1 / (step * unit_s)
    # The first and last times are rounded too: a whole number within that error is the true rate.
    error_hz = fs_hz * (rounding / float(t[-1] - t[0]) + 1e-6)
    return float(round(fs_hz)) if abs(fs_hz - round(fs_hz)) <= error_hz else fs_hz


def _rounding(t: Column) -> float:
    """Return the power of ten to which times are rounded."""
    for digits in range(10):
        if np.allclose(t, np.round(t, digits), rtol=0, atol=10.0**-digits * 1e-4):
            return float(10.0**-digits)
    return 0.0
