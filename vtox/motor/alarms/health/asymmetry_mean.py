"""Decides over hours on turn shorts that a moving supply leaves open, from currents alone. Pure.

The supply's unbalance draws an I2 whose angle wanders from hour to hour; a short draws one that
stays. The mean over hours of the excess of I2, as a phasor, is the short and what is left of the
supply: its scatter over the root of the states seen, now and while the baseline was learnt.
"""

from cmath import rect
from math import radians, sqrt
from typing import NamedTuple

from vtox.motor.alarms.health.over_records import is_open, sound, with_doubt
from vtox.motor.values.domain import Answer, Diagnosis, Reason, Record

HOUR_S = 3600.0
# Hours of the mean: the least that decide, and the weight of the latest is one of the most.
LEAST_HOURS, MOST_HOURS = 24, 48
# A supply keeps a state for about so many hours: ten states a day.
# docs/calibration/turn_short.md#over-hours
HOURS_A_STATE = 3.0
# Upper bound of a phasor at 99 %, deviations per part of its mean.
BOUND_DEVIATIONS = 2.33
OPEN = frozenset({"supply_not_excluded", "baseline_too_uncertain"})
# |I2|/I1 that excludes a developing short: `DECISIVE_LIMIT` of
# `vtox/motor/diagnosis/diagnosers/turn_short/asymmetry_excess.py`.
LIMIT_RATIO = 0.05
# Confidence at the limit, and without any I2: as of one record from currents and baseline.
CONFIDENCE = 0.3, 0.6


class AsymmetryMean(NamedTuple):
    """Mean excess of I2/I1 over hours, its parts before I1, and its mean square.

    `hour` is the last that was counted, since 1970; `periods` is how many the baseline knew.
    """

    hours: int = 0
    real: float = 0.0
    imaginary: float = 0.0
    square: float = 0.0
    hour: int = 0
    periods: int = 0


def decided_by_mean(
    mean: AsymmetryMean | None, d: Diagnosis | Answer, record: Record
) -> tuple[AsymmetryMean | None, Diagnosis | Answer]:
    """Return the mean with one more record, and its diagnosis as the mean decides it.

    The first record of an hour counts, so that no rhythm of a sender weighs more. An open one is
    `normal` if the mean excludes a developing short; else the bound is a doubt. A baseline that
    was learnt again, from fewer periods, begins a new mean.
    """
    ratio, deg, periods = map(d.indicators.get, ("corrected_ratio", "corrected_deg", "periods"))
    if not isinstance(ratio, float) or not isinstance(deg, float) or not isinstance(periods, int):
        return mean, d
    if mean is None or periods < mean.periods:
        mean = AsymmetryMean()
    mean = mean._replace(periods=periods)
    hour = int(record.t_start // HOUR_S)
    if hour > mean.hour:
        mean = _extended(mean, rect(ratio, radians(deg)), hour)
    if mean.hours < LEAST_HOURS or not is_open(d, OPEN):
        return mean, d
    bound = bound_ratio(mean)
    values = {"hours": mean.hours, "bound_ratio": round(bound, 4)}
    if bound > LIMIT_RATIO:
        return mean, with_doubt(d, Reason("asymmetry_bounded", values))
    least, most = CONFIDENCE
    confidence = least + (most - least) * (1 - bound / LIMIT_RATIO)
    return mean, sound(d, Reason("no_asymmetry_over_hours", values), confidence)


def bound_ratio(mean: AsymmetryMean) -> float:
    """Return the largest |I2|/I1 of a short at 99 %."""
    size = abs(complex(mean.real, mean.imaginary))
    variance = max(mean.square - size**2, 0.0) / 2  # of a part
    states = mean.hours / HOURS_A_STATE
    of_mean = variance * (1 / states + 1 / max(mean.periods, 1))
    return size + BOUND_DEVIATIONS * sqrt(of_mean)


def _extended(mean: AsymmetryMean, excess: complex, hour: int) -> AsymmetryMean:
    hours = min(mean.hours + 1, MOST_HOURS)

    def moved(before: float, now: float) -> float:
        return round(before + (now - before) / hours, 7)

    return AsymmetryMean(
        hours,
        moved(mean.real, excess.real),
        moved(mean.imaginary, excess.imag),
        moved(mean.square, abs(excess) ** 2),
        hour,
        mean.periods,
    )
