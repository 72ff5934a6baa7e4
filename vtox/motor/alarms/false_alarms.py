"""False alarms per machine-day, counted from the outcomes that operators gave. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import nan

from scipy.special import gammaincinv

from vtox.motor.alarms.figures import RaisedAlarm
from vtox.motor.alarms.life import Outcome
from vtox.motor.alarms.promise import PROMISED_PER_MACHINE_DAY, FalseAlarms, Verdict
from vtox.motor.faults import FAULTS

CONFIDENCE = 0.95


def poisson_interval(count: int, exposure: float) -> tuple[float, float]:
    """Return the exact interval of a Poisson rate, 95 % (Garwood 1936, Biometrika 28:437)."""
    if exposure <= 0:
        return nan, nan
    tail = (1 - CONFIDENCE) / 2
    low = float(gammaincinv(count, tail)) if count else 0.0
    return low / exposure, float(gammaincinv(count + 1, 1 - tail)) / exposure


def false_alarm_rate(
    alarms: Iterable[RaisedAlarm], outcomes: Mapping[str, Outcome], machine_days: float
) -> FalseAlarms:
    """Return the rate of false alarms among alarms of faults, by alarm id -> outcome.

    The promise is kept if even the undecided alarms leave the upper end below it, and broken
    if the lower end of those known to be false is above it.
    """
    of_faults = [a for a in alarms if a.machine_id and a.fault in FAULTS]
    counts = Counter(outcomes[a.alarm_id] for a in of_faults if a.alarm_id in outcomes)
    false, decided = counts["false_alarm"], counts.total() - counts["not_inspected"]
    undecided = len(of_faults) - decided
    rate = FalseAlarms(
        verdict="unknown",
        code="no_outcomes" if machine_days > 0 else "no_machine_days",
        promised_per_machine_day=PROMISED_PER_MACHINE_DAY,
        alarms=len(of_faults),
        outcomes=dict(counts),
        undecided=undecided,
        machine_days=machine_days,
        per_machine_day=None,
        low=None,
        high=None,
        at_most=None,
    )
    if machine_days <= 0 or (of_faults and not decided):
        return rate
    low, high = poisson_interval(false, machine_days)
    at_most = poisson_interval(false + undecided, machine_days)[1]
    verdict, code = _verdict(low, high, at_most)
    return replace(
        rate,
        verdict=verdict,
        code=code,
        per_machine_day=false / machine_days,
        low=low,
        high=high,
        at_most=at_most,
    )


def _verdict(low: float, high: float, at_most: float) -> tuple[Verdict, str]:
    if low > PROMISED_PER_MACHINE_DAY:
        return "broken", "more_than_promised"
    if at_most <= PROMISED_PER_MACHINE_DAY:
        return "kept", "less_than_promised"
    if high <= PROMISED_PER_MACHINE_DAY:
        return "undecided", "outcomes_missing"
    return "undecided", "too_few_machine_days"
