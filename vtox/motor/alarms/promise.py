"""The promise about false alarms, and the verdict on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from vtox.motor.alarms.life import Outcome

# One a year of 365.25 days (docs/explanation/false-alarms.md).
PROMISED_PER_MACHINE_DAY = 1 / 365.25

Verdict = Literal["kept", "broken", "undecided", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseAlarms:
    """False alarms of faults, counted from outcomes, next to the promise."""

    verdict: Verdict
    code: str
    """why: `less_than_promised`, `more_than_promised`, `outcomes_missing`, `too_few_machine_days`,
    `no_outcomes`, `no_machine_days`"""
    promised_per_machine_day: float
    alarms: int
    """of faults, raised in this time"""
    outcomes: Mapping[Outcome, int]
    """the last one of each"""
    undecided: int
    """without outcome, or not inspected"""
    machine_days: float
    """hours in which machines were assessed, as days"""
    per_machine_day: float | None
    """of those known to be false; null: not known"""
    low: float | None
    """exact 95 % interval of that rate"""
    high: float | None
    at_most: float | None
    """its upper end if all undecided alarms were false"""
