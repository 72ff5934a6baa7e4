"""Figures of alarms by the measures of ANSI/ISA-18.2 and EEMUA 191: frequency, chattering. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from vtox.motor.faults import FAULTS

# An alarm chatters if it comes and goes three times in a minute: the first criterion of Hollifield
# and Habibi (Taming the Wild Alarm System, part 3, PAS), after ISA-18.2. Their alarms are
# scanned once a second, so that their minute has 60 scans; a fault here has 60 records.
CHATTER_TIMES = 3
CHATTER_RECORDS = 60
# The monitor looks every 10 s at conditions that are no fault of a motor.
OTHER_LOOK_S = 10.0
# Lasts longer than this: a standing (stale) alarm of ISA-18.2.
STANDING_S = 86_400.0


class RaisedAlarm(NamedTuple):
    """One alarm: when its alert was written, ms by the server's clock. No machine: the system."""

    alarm_id: str
    machine_id: str
    fault: str
    ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmsOfDay:
    """One day, UTC."""

    day: str
    """YYYY-MM-DD"""
    alarms: int
    """raised by faults, `silent` or `clock` of machines"""
    system_alarms: int
    machine_days: float
    """hours in which machines were assessed, as days"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmsOfMachine:
    """Number of alarms of one machine."""

    machine_id: str
    alarms: int
    machine_days: float
    """hours in which machines were assessed, as days"""
    per_machine_day: float | None
    """null: it was not assessed"""


@dataclass(frozen=True, slots=True)
class FrequentAlarm:
    """An alarm that came often."""

    machine_id: str
    """empty: an alarm of the system itself"""
    fault: str
    alarms: int
    share: float
    """share of all alarms"""


LoadVerdict = Literal["within", "above", "no_limit", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmLoad:
    """Alarms of a day that each person gets, those of the system too, next to the site's limit."""

    verdict: LoadVerdict
    people: int
    """who handle alarms, by the site's settings"""
    days: int
    """of these days, since something was recorded"""
    per_person_day: float | None
    """null: nothing is recorded"""
    most: float | None
    """at most so many a day and person; null: the site sets none"""
    days_above: int
    """on which it was more"""


def alarm_load(by_day: Sequence[int], people: int, most: float | None) -> AlarmLoad:
    """Return the load of some days, from the alarms of each.

    >>> alarm_load([3, 9], people=2, most=2.5).verdict
    'above'
    """
    # Rounded as it is shown: a person can check the verdict.
    mean = round(sum(by_day) / len(by_day) / people, 3) if by_day else None
    verdict: LoadVerdict = "no_limit" if most is None else "unknown"
    if mean is not None and most is not None:
        verdict = "above" if mean > most else "within"
    return AlarmLoad(
        verdict=verdict,
        people=people,
        days=len(by_day),
        per_person_day=mean,
        most=most,
        days_above=sum(n > most * people for n in by_day) if most is not None else 0,
    )


class Chatter(NamedTuple):
    """An alarm that chattered."""

    machine_id: str
    """empty: an alarm of the system itself"""
    fault: str
    times: int
    """in its worst stretch of `window_s`"""
    window_s: float
    first_ms: int
    last_ms: int


def most_frequent(alarms: Iterable[RaisedAlarm], most: int) -> list[FrequentAlarm]:
    """Return the alarms that were raised most often, the most frequent first."""
    counts = Counter((a.machine_id, a.fault) for a in alarms)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [FrequentAlarm(*of, n, n / counts.total()) for of, n in ranked[:most]]


def chatter_window_s(fault: str) -> float:
    """Return the time of 60 records of a fault; of a condition, of 60 looks."""
    name = fault.partition(":")[0]
    family = FAULTS.get(name)
    return CHATTER_RECORDS * (family.min_record_s if family else OTHER_LOOK_S)


def chattering(alarms: Iterable[RaisedAlarm]) -> list[Chatter]:
    """Return the alarms that chattered, the one with most alarms in its window first."""
    times: dict[tuple[str, str], list[int]] = defaultdict(list)
    for a in alarms:
        times[a.machine_id, a.fault].append(a.ms)
    found = []
    for (machine_id, fault), raised in times.items():
        raised.sort()
        window_ms = round(1000 * chatter_window_s(fault))
        most = max((_within(raised, i, window_ms) for i in range(len(raised))), key=len)
        if len(most) >= CHATTER_TIMES:
            ends = most[0], most[-1]
            found.append(Chatter(machine_id, fault, len(most), window_ms / 1000, *ends))
    return sorted(found, key=lambda c: (-c.times, c.machine_id, c.fault))


def _within(raised: list[int], first: int, window_ms: int) -> list[int]:
    end = raised[first] + window_ms
    return [ms for ms in raised[first:] if ms < end]
