"""The shaft speed a bearing is judged at: where it comes from, how sure it is, sharpened by lines.

Defect frequencies are multiples of shaft speed, so without one nothing is known; with a wide one
the search is wide, and says so.
"""

from dataclasses import dataclass, replace

import numpy as np

from vtox.arrays import Float32
from vtox.domain import Motor, Recording

# A reading may be of another second of the run than the record.
SENSOR_TOLERANCE = 0.005
# Load 20 % above rated is usual; what was read off the nameplate holds to a fifth of rated slip.
OVERLOAD = 1.2
# Beyond this half width a search finds every defect order in any spectrum with lines.
WIDEST = 0.04
# Shaft lines that sharpen a speed: so many multiples, of so much power over the floor together,
# this far above the next best speed. In noise the sum of six bins, each the mean of 20 views, is
# 6 +- 1.
MULTIPLES = 6
CLEAR_SUM = 18.0
CLEAR_LEAD = 1.5
# A line counts at most as much as makes so many of them enough.
FEWEST = 3
SHARPENED = 0.003
# A shaft that changes its speed by more than this smears every line of a record.
STEADY = 0.01
# Each end of a record is searched this far around its speed.
DRIFT_TOLERANCE = 0.04
# A speed told as measured may be a set value or the nameplate's, wrong by a slip.
MISREAD = 0.02
# Shaft lines deny it where they stand so many times higher at another, and the first two are so
# near its multiples, in bins. Simulated: of 135 sound machines with blows of the shaft, read 1 %
# wrong, 16 raise an alarm instead of 31; of 54 damaged races read right 1 more is unknown, of 54
# read wrong 3. Without the second condition 5 of 72 read right were, to sidebands of the race.
TOLD_LEAD = 1.15
OFF_CENTRE = 0.4


@dataclass(frozen=True, slots=True)
class Speed:
    """Shaft speed: within the relative `tolerance` of `rpm`; `source` in words."""

    rpm: float
    tolerance: float
    source: str

    @property
    def hz(self) -> float:
        """Turns per second."""
        return self.rpm / 60


def speed_of(
    recording: Recording, motor: Motor | None, rpm: float | None, tolerance: float | None
) -> Speed | str:
    """Return the speed of a recording from the best source, or why there is none.

    Parameters
    ----------
    recording : Recording
        Its `speed_rpm` comes first.
    motor : Motor or None
        On the grid its rated and synchronous speed bound the speed.
    rpm, tolerance : float or None
        An estimate from elsewhere (slip of the currents) and its relative half width.
    """
    if recording.speed_rpm is not None:
        if not recording.speed_rpm > 0:
            return f"shaft at rest: {recording.speed_rpm:g} rpm"
        return Speed(float(recording.speed_rpm), SENSOR_TOLERANCE, "speed sensor")
    known = [Speed(float(rpm), tolerance or SENSOR_TOLERANCE, "slip")] if rpm else []
    if motor is not None and motor.rated_slip and motor.supply == "grid":
        assert motor.pole_pairs
        assert motor.supply_hz
        synchronous = 60 * motor.supply_hz / motor.pole_pairs
        lowest = synchronous * (1 - OVERLOAD * motor.rated_slip)
        known.append(
            Speed(
                (lowest + synchronous) / 2,
                (synchronous - lowest) / (synchronous + lowest),
                f"nameplate, {lowest:.0f} to {synchronous:.0f} rpm",
            )
        )
    if not known:
        if motor is not None and motor.supply == "inverter":
            return "no speed: supplied by an inverter, so the nameplate does not bound it"
        return "no speed: neither measured nor bounded by a nameplate"
    speed = min(known, key=lambda s: s.tolerance)
    if speed.tolerance > WIDEST:
        return (
            f"no speed: known to {speed.tolerance:.1%} only ({speed.source}), "
            f"need {WIDEST:.0%} or better"
        )
    return speed


def sharpened(
    speed: Speed, lines: Float32, df_hz: float, avoided_hz: tuple[float, ...] = ()
) -> Speed:
    """Return the speed at which lines stand at its first multiples, or as it was.

    Parameters
    ----------
    speed : Speed
    lines : ndarray, shape (views, bins)
        Power of the envelope spectra over their floor.
    df_hz : float
        Bin width, Hz.
    avoided_hz : tuple of float
        Fundamentals whose multiples are not of the shaft, Hz: at light load those of the supply lie
        beside every fourth (or 2p-th) line of the shaft.
    """
    # Within the tolerance the last multiple must move by more than a bin.
    if speed.tolerance <= SHARPENED or speed.tolerance * speed.hz * MULTIPLES < df_hz:
        return speed
    tried, sums = _sums(speed, lines, df_hz, avoided_hz)
    best = int(sums.argmax())
    apart = np.abs(np.arange(len(tried)) - best) > 2 * MULTIPLES
    rival = float(sums[apart].max(initial=0.0))
    if sums[best] < CLEAR_SUM or sums[best] < CLEAR_LEAD * rival:
        return speed
    # Speeds that share the bins of the best are as good: take their middle.
    equal = np.flatnonzero((sums >= 0.95 * sums[best]) & ~apart)
    rpm = 60 * float(tried[equal].mean())
    tolerance = max(SHARPENED, float(tried[1] - tried[0]) / speed.hz)
    if tolerance >= speed.tolerance:
        return speed
    return Speed(rpm, tolerance, f"{speed.source}, sharpened by shaft lines")


def corrected(
    speed: Speed, lines: Float32, df_hz: float, avoided_hz: tuple[float, ...] = ()
) -> Speed:
    """Return the speed at which shaft lines stand where they deny the one told, or as it was.

    Parameters are those of `sharpened`; the lines without those of the combs found, as a race
    beside a shaft order would else be taken for the shaft.
    """
    wide = replace(speed, tolerance=max(speed.tolerance, MISREAD))
    tried, sums = _sums(wide, lines, df_hz, avoided_hz)
    told = float(sums[np.abs(tried - speed.hz) <= speed.tolerance * speed.hz].max(initial=0.0))
    best = float(sums.max())
    if best < CLEAR_SUM or best < TOLD_LEAD * told:
        return speed
    hz = float(tried[sums >= 0.95 * best].mean())
    if not _centred(lines.mean(axis=0), hz / df_hz):
        return speed
    return Speed(60 * hz, SENSOR_TOLERANCE, f"{speed.source}, corrected by shaft lines")


def _centred(mean: Float32, shaft: float) -> bool:
    """Return whether the first two shaft lines, those that stand, are centred on multiples of it.

    Sidebands of a race lie beside the others by as much as the race beside a shaft order.

    Parameters
    ----------
    mean : ndarray, shape (bins,)
    shaft : float
        Shaft frequency, bins.
    """
    off = []
    for k in (1, 2):
        at = round(k * shaft)
        line = np.maximum(mean[at - 1 : at + 2] - 1, 0)
        if len(line) == 3 and line.max() > CLEAR_SUM / FEWEST:
            off.append(abs(at + float(line[2] - line[0]) / float(line.sum()) - k * shaft))
    return bool(off) and max(off) < OFF_CENTRE


def unsteady(
    speed: Speed,
    early: Float32,
    late: Float32,
    df_hz: float,
    avoided_hz: tuple[float, ...] = (),
) -> str:
    """Return in words that the shaft lines of two parts of a record disagree, empty otherwise."""
    wide = replace(speed, tolerance=max(speed.tolerance, DRIFT_TOLERANCE))
    first, last = (sharpened(wide, lines, df_hz, avoided_hz) for lines in (early, late))
    clear = first.tolerance < wide.tolerance and last.tolerance < wide.tolerance
    if not clear or abs(first.rpm - last.rpm) <= STEADY * speed.rpm:
        return ""
    return f"speed not steady: {first.rpm:.0f} to {last.rpm:.0f} rpm within the record"


def _sums(
    speed: Speed, lines: Float32, df_hz: float, avoided_hz: tuple[float, ...]
) -> tuple[Float32, Float32]:
    """Return the speeds within the tolerance, Hz, and the power at the first multiples of each."""
    step_hz = df_hz / (2 * MULTIPLES)
    half = int(np.ceil(speed.tolerance * speed.hz / step_hz))
    tried = speed.hz + step_hz * np.arange(-half, half + 1)
    bins = np.rint(np.arange(1, MULTIPLES + 1)[:, None] * tried / df_hz).astype(np.int64)
    mean = lines.mean(axis=0)
    frequency = np.arange(len(mean)) * df_hz
    for f in avoided_hz:
        mean[np.abs(frequency - np.rint(frequency / f) * f) <= 2 * df_hz] = 1
    bins = bins[bins[:, -1] < len(mean)]
    return tried, np.minimum(mean[bins], CLEAR_SUM / FEWEST).sum(axis=0)
