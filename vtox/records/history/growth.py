"""The levels of an alarm from the history, and whether they grow."""

from collections.abc import Iterator, Mapping
from math import ceil, log10

from sqlalchemy import Connection

from vtox.alarms.health.growth import DAY_S, Growth, growth
from vtox.faults import FAULTS, LINES
from vtox.records.history.queries import trends_of_steps
from vtox.records.history.resolution import grid
from vtox.records.history.retention import Oldest
from vtox.records.history.trend import Trend

# Steps: pairs of them are few enough for a page, and enough for a narrow interval.
STEPS = 60
# Before the alarm too: what has just been raised may have grown for long.
LEAST_DAYS, MOST_DAYS = 1, 30
# Line of the history -> its identifier among the words.
_QUANTITIES: Mapping[str, str] = {
    line.quantity: line.name for lines in LINES.values() for line in lines
}


def alarm_growth(
    db: Connection | None,
    machine_id: str,
    fault: str,
    level: str,
    raised_t: float,
    now_s: float,
    oldest: Oldest,
) -> Growth | None:
    """Return whether the fault of an alarm grows; None for what is no fault of a machine."""
    if fault not in FAULTS:
        return None
    points: list[tuple[float, float]] = []
    quantity = ""
    if db is not None:
        since_s = max(min(raised_t, now_s - LEAST_DAYS * DAY_S), now_s - MOST_DAYS * DAY_S)
        made_of = grid("auto", since_s, now_s, STEPS, oldest)
        step_s = made_of.step_s
        first_s, end_s = int(since_s) // step_s * step_s, ceil(now_s / step_s) * step_s
        names = [line.quantity for line in LINES.get(fault, ())] or [fault]
        found = trends_of_steps(db, machine_id, names, made_of, first_s, end_s).series
        columns = {name: list(_levels(name, trend)) for name, trend in found.items()}
        # The line that is seen most often, and of these the strongest now.
        quantity = max(
            columns, key=lambda n: (len(columns[n]), columns[n] and columns[n][-1][1]), default=""
        )
        points = columns.get(quantity, [])
    t, levels = [p[0] for p in points], [p[1] for p in points]
    named = _QUANTITIES.get(quantity, "statistic")
    return growth(fault, level, raised_t, t, levels, named, _unit(quantity))


def _levels(quantity: str, trend: Trend) -> Iterator[tuple[float, float]]:
    """Yield time and level (dB) of the steps of a trend that have one."""
    for t, mean, threshold in zip(trend.t, trend.mean, trend.threshold, strict=True):
        if mean is None:
            continue
        if quantity.endswith("_dbc"):
            yield t, mean
            continue
        ratio = mean if quantity in _QUANTITIES else mean / threshold if threshold else 0.0
        if ratio > 0:
            yield t, 20 * log10(ratio)


def _unit(quantity: str) -> str:
    if quantity.endswith("_dbc"):
        return "dBc"
    return "over_chance" if quantity in _QUANTITIES else "over_limit"
