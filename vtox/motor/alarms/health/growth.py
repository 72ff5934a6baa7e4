"""Whether a fault grows, and how long its state has lasted: slope with an interval. Pure.

The slope is the median of the slopes between all pairs of levels (Theil-Sen), its interval that of
Sen: a record that lies far off moves neither. Sen, P. K. (1968), Estimates of the regression
coefficient based on Kendall's tau, JASA 63, 1379-1389. Levels an hour apart follow each other,
so that they are worth fewer. The variance is raised by (1 + r) / (1 - r), with r the correlation
of neighbours about the line (Yue and Wang 2004, Water Resources Management 18, 201-218).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from vtox.motor.values.domain import Reason, State, reason

HOUR_S, DAY_S, WEEK_S = 3600.0, 86_400.0, 604_800.0
# Levels over so long have a slope a week: a day of a slow one is rounded to nothing.
LEAST_WEEKS_S = 2 * WEEK_S
# With fewer levels, or over a shorter time, the interval is wider than any change that matters.
LEAST_LEVELS, LEAST_SPAN_S = 8, 4 * 3600.0
# Levels of which the first and the last are the median: one alone is one record's.
AT_AN_END = 3
# Two-sided 95 %.
Z = 1.959964
# A correlation estimated from few levels may be anything: no fewer than a tenth of them count.
MOST_CORRELATION = 0.82

Array = npt.NDArray[np.float64]
Course = Literal["rising", "unchanged", "falling", "unknown"]
Per = Literal["day", "week"]
CODES: Mapping[Course, str] = {
    "rising": "growth_rising",
    "unchanged": "growth_unchanged",
    "falling": "growth_falling",
    "unknown": "growth_unknown",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How the level of a fault moves; levels are in dB by `unit`."""

    course: Course
    """unchanged: the interval has zero in it; unknown: the history has too few levels, and every
    number is null"""
    why: Reason
    quantity: str = ""
    unit: str = ""
    then_db: float | None = None
    """when it was raised, else at the beginning"""
    now_db: float | None = None
    """now"""
    slope_db: float | None = None
    """dB a day or a week, by `per`"""
    low_db: float | None = None
    """lower end of the interval of the slope"""
    high_db: float | None = None
    """its upper end"""
    per: Per = "day"
    """week if the levels span two weeks"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultGrowth:
    """The state of a fault, since when (s since 1970; None: no record), and how its level moves."""

    fault: str
    state: State
    """the level of its open alert; else normal where records decide, or unknown"""
    since_t: float | None
    held: Reason
    growth: Growth


def held(code: str, since_t: float, now_s: float, **values: str) -> Reason:
    """Return how long a state has lasted, in the largest unit of which there are two."""
    units = (("days", DAY_S), ("hours", HOUR_S), ("minutes", 60.0))
    lasted_s = max(now_s - since_t, 0.0)
    unit, length = next((u for u in units if lasted_s >= 2 * u[1]), units[-1])
    count = int(lasted_s // length)
    return reason(code, held=count, held_unit="minute" if count == 1 else unit, **values)


def growth(
    raised_t: float,
    t: Sequence[float],
    level_db: Sequence[float],
    quantity: str = "",
    unit: str = "",
) -> Growth:
    """Return how a fault grows, by the week where its levels span two.

    Parameters
    ----------
    raised_t
        When the alarm began, s; 0 without one, and the first levels are those of then.
    t, level_db
        Times (s, rising) and levels (dB), each of length n; before the alarm too.
    """
    n = len(t)
    if n < LEAST_LEVELS or t[-1] - t[0] < LEAST_SPAN_S:
        span_h = (t[-1] - t[0]) / 3600 if n else 0.0
        why = reason(CODES["unknown"], levels=n, span_h=round(span_h, 1))
        return Growth(course="unknown", why=why)
    x, y = np.asarray(t, float) / DAY_S, np.asarray(level_db, float)
    per: Per = "week" if t[-1] - t[0] >= LEAST_WEEKS_S else "day"
    slope, low, high = slope_with_interval(x / 7 if per == "week" else x, y)
    course: Course = "rising" if low > 0 else "falling" if high < 0 else "unchanged"
    since = np.flatnonzero(x >= raised_t / DAY_S)
    first = min(int(since[0]) if since.size else 0, n - AT_AN_END)
    numbers = {
        "then_db": round(float(np.median(y[first : first + AT_AN_END])), 1),
        "now_db": round(float(np.median(y[-AT_AN_END:])), 1),
        "slope_db": round(slope, 2),
        "low_db": round(low, 2),
        "high_db": round(high, 2),
    }
    ago_d = round(float(x[-1] - x[first]), 1)
    named: dict[str, str | float] = {"quantity": quantity, "unit": unit, "per": per}
    return Growth(
        course=course,
        why=Reason(CODES[course], {**numbers, **named, "ago_d": ago_d}),
        quantity=quantity,
        unit=unit,
        per=per,
        **numbers,
    )


def slope_with_interval(x: Array, y: Array) -> tuple[float, float, float]:
    """Return the Theil-Sen slope of `y` over `x`, each of shape (n,), with its 95 % interval."""
    i, j = np.triu_indices(x.size, 1)
    apart = x[j] > x[i]
    slopes = np.sort((y[j] - y[i])[apart] / (x[j] - x[i])[apart])
    slope = float(np.median(slopes))
    rest = y - slope * x
    rest = rest - np.median(rest)
    power = float(rest @ rest)
    r = min(max(float(rest[1:] @ rest[:-1]) / power, 0.0), MOST_CORRELATION) if power else 0.0
    n = x.size
    variance = n * (n - 1) * (2 * n + 5) / 18 * (1 + r) / (1 - r)
    half = Z * np.sqrt(variance) / 2
    middle = (slopes.size - 1) / 2
    low = max(int(np.floor(middle - half)), 0)
    high = min(int(np.ceil(middle + half)), slopes.size - 1)
    return slope, float(slopes[low]), float(slopes[high])
