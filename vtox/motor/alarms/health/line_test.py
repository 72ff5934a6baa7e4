"""Whether the line of a broken cage moves with the load, as the supply's does not. Pure.

A cage puts its line at twice the slip: log distance over log slip has slope 1, an interharmonic of
the supply has slope 0. Sums are kept as means and moments about them: these stay exact where a
machine sends thousands of records of one load.
"""

from math import isfinite, log, sqrt
from typing import Literal

from vtox.motor.alarms.health.alert_values import Line, LineSums

Course = Literal["one_load", "unclear", "moves", "stays"]

# Older sums are dropped after two such periods: a cage may break where an interharmonic was.
PERIOD_S = 10 * 86_400
LEAST_RECORDS = 3
# Standard deviation of log slip below which the load has not moved: 8 % of the slip.
LEAST_SPREAD = 0.08
# 54 simulated cages: 50 moved, 4 were undecided, none stayed (docs/explanation/alerts.md#days).
STAYS_RATIO = 0.35
SLOPE_LOW, SLOPE_HIGH, LEAST_R2 = 0.6, 1.4, 0.5
# Significant digits of a sum: 100 bytes for all, and errors far below those of a slip.
_ROUNDED = " ".join(5 * ["%.5g"])


def with_record(line: Line | None, t: float, slip: float, distance_hz: float) -> Line | None:
    """Return the sums with one more record; a slip or distance that is no such number is left out.

    >>> with_record(None, 0.0, float("nan"), 2.0)
    """
    if not (isfinite(slip) and isfinite(distance_hz) and slip > 0 and distance_hz > 0):
        return line
    now = int(t)
    if line is None or now < line.start - PERIOD_S:
        line = Line(now)
    elif now >= line.start + PERIOD_S:
        line = Line(now, before=line.now) if shows(line) else Line(now)
    return Line(line.start, _with(line.now, log(slip), log(distance_hz)), line.before, line.missed)


def shows(line: Line) -> bool:
    """Return whether at least half of the decided records since its start show the line.

    The search moves with the slip, and so does a line found by chance: a sound pump was found
    broken in 2 of 48 conditions, at two places that fit. A cage is found in most.
    """
    return line.missed <= line.now.n


def course(line: Line | None) -> Course:
    """Return how the line went while the slip moved, if that moved far enough to say."""
    if line is None:
        return "one_load"
    s = _together(line.before, line.now)
    if s.n < LEAST_RECORDS or not s.xx > 0 or sqrt(s.xx / s.n) < LEAST_SPREAD:
        return "one_load"
    if s.yy <= STAYS_RATIO**2 * s.xx:
        return "stays"
    follows = SLOPE_LOW <= s.xy / s.xx <= SLOPE_HIGH and s.xy * s.xy >= LEAST_R2 * s.xx * s.yy
    return "moves" if follows else "unclear"


def _with(s: LineSums, x: float, y: float) -> LineSums:
    """Return the sums with one record: as `_together`, in a third of the time."""
    n, mean_x, mean_y, xx, xy, yy = s
    if n <= 0:
        return _rounded(1, x, y, 0.0, 0.0, 0.0)
    dx, dy = x - mean_x, y - mean_y
    n, w = n + 1, n / (n + 1)
    sums = mean_x + dx / n, mean_y + dy / n, xx + w * dx * dx, xy + w * dx * dy, yy + w * dy * dy
    return _rounded(n, *sums)


def _together(a: LineSums, b: LineSums) -> LineSums:
    n = a.n + b.n
    if a.n <= 0 or b.n <= 0:
        return a if a.n > 0 else b
    dx, dy, w = b.mean_x - a.mean_x, b.mean_y - a.mean_y, a.n * b.n / n
    return LineSums(
        n,
        a.mean_x + dx * b.n / n,
        a.mean_y + dy * b.n / n,
        a.xx + b.xx + w * dx * dx,
        a.xy + b.xy + w * dx * dy,
        a.yy + b.yy + w * dy * dy,
    )


def _rounded(n: int, *sums: float) -> LineSums:
    return LineSums(n, *map(float, (_ROUNDED % sums).split()))
