"""Sampling rates from columns of sample times."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vtox.motor.errors import FileError
from vtox.motor.files.table import Samples

# Time since 1970 is larger than this many of each unit (the year 2001), and recordings are shorter.
EPOCH_UNITS = ((1e18, 1e-9, "ns"), (1e15, 1e-6, "us"), (1e12, 1e-3, "ms"), (1e9, 1.0, "s"))
# Sample times are below this in any unit: it is 3,000 years in ns. Their squares are finite.
LATEST = 1e20
# Samples closer than this, s, are of no recorder: a rate in Hz would not be finite.
SHORTEST_STEP_S = 1e-15
# A rate below this is that of no waveform: the unit of the time may be another one.
SLOW_HZ = 50.0
# RMS differences of steps, of a step: one above the first is reported. Convention: by the second,
# 0.05 % of the power of a line at a tenth of the rate becomes noise.
JITTER = (0.005, 0.05)


def epoch_unit(first: float) -> tuple[float, str] | None:
    """Return the unit of a time that states none and can only count from 1970: seconds, name."""
    return next(((s, name) for limit, s, name in EPOCH_UNITS if first > limit), None)


@dataclass(frozen=True, slots=True)
class _Steps:
    """The rate of sample times, Hz, and the RMS difference of their steps, of the mean step.

    `jitter` is 0 if the times are uniform but for the digits they are written with.
    """

    fs_hz: float
    jitter: float = 0.0


def sampling_rate(t: Samples, unit_s: float, path: Path, column: str) -> _Steps:
    """Return the sampling rate of uniform sample times, Hz.

    Written times are rounded. Steps may differ from their mean by that rounding, up to half a step,
    or by a tenth of a step. A missing or repeated sample makes a difference of a whole step.

    Steps are uneven if their RMS difference exceeds both the rounding and the lower `JITTER`. If it
    is within the upper one, and no step differs by more than half a step, the rate is the slope of
    the times over the number of the sample.

    Parameters
    ----------
    t : ndarray, shape (samples,)
        Sample times.
    unit_s : float
        Unit of `t`, s.
    path, column : Path, str
        File and column of the times, for errors.

    Raises
    ------
    FileError
        The times do not rise in equal steps.
    """

    def refused(code: str, observed: str, remedy: str = "") -> FileError:
        return FileError(
            code, path, f"column {column!r}: {observed}", channel=column, remedy=remedy
        )

    if len(t) < 3:
        raise refused("no_rate", f"{len(t)} sample times, expected 3 or more", "give --rate HZ")
    if (late := np.abs(t) > LATEST).any():
        i = int(late.argmax())
        raise refused("uneven_time", f"sample {i + 1}: {t[i]:.6g}, expected at most {LATEST:g}")
    step = float(t[-1] - t[0]) / (len(t) - 1)
    if not step * unit_s > SHORTEST_STEP_S:
        raise refused("uneven_time", f"time goes from {t[0]:.6g} to {t[-1]:.6g}, expected to rise")
    # With a fixed number of significant digits, the last times are the coarsest.
    rounding = _rounding(t[-1000:])
    steps = np.diff(t)
    tolerance = max(0.1 * step, min(rounding, 0.5 * step))
    off = np.abs(steps - step) > tolerance
    jitter = float(np.std(steps)) / step
    whole = not (np.abs(steps - step) > 0.5 * step).any()
    if whole and max(JITTER[0], rounding / step) < jitter <= JITTER[1]:
        slope = float(np.polyfit(np.arange(len(t)), t - t[0], 1)[0])
        return _Steps(1 / (slope * unit_s), jitter)
    if off.any():
        i = int(np.flatnonzero(off)[0])
        raise refused(
            "uneven_time",
            f"not uniform: step {steps[i]:.6g} after sample {i + 1} (t = {t[i]:.6g}), "
            f"mean step {step:.6g}, {int(off.sum())} of {len(steps)} steps differ"
            + _coarseness(t, rounding, step),
            "give --rate HZ if the rate is known",
        )
    fs_hz = 1 / (step * unit_s)
    # The first and last times are rounded too: a whole number within that error is the true rate.
    error_hz = fs_hz * (rounding / float(t[-1] - t[0]) + 1e-6)
    return _Steps(float(round(fs_hz)) if abs(fs_hz - round(fs_hz)) <= error_hz else fs_hz)


def _coarseness(t: Samples, rounding: float, step: float) -> str:
    """Return the remark if many samples bear the same time, as with times in whole seconds."""
    if rounding < 1.5 * step or len(t) == len(np.unique(t)):
        return ""
    return (
        f"; times are written to {rounding:g} only, {len(t) / len(np.unique(t)):.3g} samples each"
    )


def _rounding(t: Samples) -> float:
    """Return the power of ten to which times are rounded."""
    for digits in range(10):
        if np.allclose(t, np.round(t, digits), rtol=0, atol=10.0**-digits * 1e-4):
            return float(10.0**-digits)
    return 0.0
