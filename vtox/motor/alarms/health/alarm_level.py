"""The level of a fault, from its slots and its days. Pure.

`extend` (`alerts`) makes the slots of a diagnosis, and alerts of the changes of level.
"""

from collections.abc import Set
from dataclasses import dataclass
from typing import NamedTuple

from vtox.motor.alarms.health.alert_values import Days, EventName, Level, Line, SlotHistory
from vtox.motor.alarms.health.days import CLEAN_DAYS, are_clean, confirmed, with_slot
from vtox.motor.alarms.health.line_test import with_record
from vtox.motor.alarms.health.marks import (
    BELOW_SENSITIVITY,
    CLEAR_FAULTS,
    CLEARING,
    CLEARLY_FOUND,
    FAULTS,
    FOUND,
    MAY_PASS,
    NO_LONGER_COUNTS,
    PASSING_TIMES,
    RANK,
    SEARCHED,
    STRONG_MARKS,
    WEAK,
    WEAK_TIMES,
    Slots,
)
from vtox.motor.faults import Persistence

# Events that change the level of a fault; the others make its alert mean nothing for a time.
CHANGES_OF_LEVEL: tuple[EventName, ...] = ("raised", "escalated", "cleared")


@dataclass(frozen=True, slots=True)
class Event:
    """A change of a fault's level: raised to, escalated to, or cleared from `level`."""

    name: EventName
    level: Level
    t: float


NO_DAYS = Days()


class AlarmHistory(NamedTuple):
    """The level of an alarm, the slots on which it rests, and the days of a slow fault."""

    level: Level = ""
    slots: SlotHistory = SlotHistory()
    days: Days | None = None


def advance(
    history: AlarmHistory, slots: Slots, rule: Persistence, *, dismissed: bool = False
) -> tuple[AlarmHistory, list[Event]]:
    """Return the history with the slots of one more diagnosis, and the changes of level.

    `dismissed`: a person closed such an alarm as false, so that a warning is only seen.
    """
    below = is_below(slots, rule)
    events = []
    for i, mark in enumerate(slots.marks):
        t = slots.t_start + i * (slots.slot_s or 0.0)
        kept = mark
        if below and mark.lower() in FOUND:
            kept = BELOW_SENSITIVITY.upper() if mark.isupper() else BELOW_SENSITIVITY
        history, event = _with_slot(history, kept, t, slots.line, rule, dismissed)
        if event:
            events.append(event)
    return history, events


def _with_slot(
    history: AlarmHistory,
    mark: str,
    t: float,
    line: tuple[float, float] | None,
    rule: Persistence,
    dismissed: bool,
) -> tuple[AlarmHistory, Event | None]:
    """Return the history with one more slot: by the records first, then by the days."""
    before, known = history.level, history.days or NO_DAYS
    if mark == SEARCHED:
        if rule.days > 1 and not before:
            history = history._replace(days=with_slot(known, mark, t, rule, known.line))
        return history, None
    slots, change = transition(history.slots, mark, t, rule)
    days = None
    dismissed = dismissed and not before
    # A fault that was only seen stays so until a record shows it again.
    if rule.days > 1 or dismissed or known.agreed:
        days = with_slot(known, mark, t, rule, _with_line(known.line, mark, t, line))
    level = _alarm_level(before, slots, days, mark.lower(), t, rule)
    if dismissed and level == "warning":
        level = ""
    since = _since(history, slots, change)
    event = _event(before, level, change, since, slots, t, rule)
    if before and not level:  # the slots and days of this alarm lead to no other
        slots = SlotHistory("", slots.marks[-rule.clear :], slots.starts[-rule.clear :])
        days = days and days._replace(past=CLEAN_DAYS * "n")
    agreed = None if slots.level == level else slots
    if days and (agreed or days.agreed or since != days.since):
        days = Days(*days[:4], agreed, since, *days[6:])  # `_replace` takes half as long again
    return AlarmHistory(level, slots, days), event


def _with_line(
    kept: Line | None, mark: str, t: float, line: tuple[float, float] | None
) -> Line | None:
    if line and mark.lower() in FOUND:
        return with_record(kept, t, *line)
    if kept and mark in CLEARING:
        return kept._replace(missed=kept.missed + 1)
    return kept


def _alarm_level(
    before: Level, slots: SlotHistory, days: Days | None, mark: str, t: float, rule: Persistence
) -> Level:
    """Return the level of an alarm: that of the records, once days confirm it."""
    if days is None:
        return slots.level
    if before:
        ends = not slots.level and is_quiet(slots.marks, rule) and are_clean(days, t)
        return "" if ends else max(before, slots.level, key=RANK.__getitem__)
    if mark not in FOUND:
        return ""
    if rule.days == 1:
        return slots.level
    some = not STRONG_MARKS.isdisjoint(slots.marks)
    strong = some and _enough(slots.marks, STRONG_MARKS, rule.k, rule.n)
    return confirmed(days, slots.level, t, strong=strong)


def _since(history: AlarmHistory, slots: SlotHistory, change: Event | None) -> float:
    """Return since when records agree, s; 0 if they do not."""
    if change and change.name == "raised":
        return change.t
    return history.days.since if history.days and slots.level else 0.0


def _event(
    before: Level,
    level: Level,
    change: Event | None,
    since: float,
    slots: SlotHistory,
    t: float,
    rule: Persistence,
) -> Event | None:
    if level == before:
        return None
    if not level:
        return change or Event("cleared", before, slots.starts[-rule.clear])
    if before:
        return Event("escalated", level, t)
    found = (start for m, start in zip(slots.marks, slots.starts, strict=True) if m in FOUND)
    return Event("raised", level, (change.t if change else since) or next(found, t))


def is_below(slots: Slots, rule: Persistence) -> bool:
    """Return whether a diagnosis has less severity or confidence than alerts on its machine."""
    below = (slots.severity or 0.0) < rule.min_severity
    return below or (slots.confidence or 0.0) < rule.min_confidence


def transition(
    history: SlotHistory, mark: str, t: float, rule: Persistence
) -> tuple[SlotHistory, Event | None]:
    """Return the history with one more slot, and the change of level that it makes."""
    before, marks = history.level, history.marks
    if mark.isupper():
        marks, mark = marks.translate(NO_LONGER_COUNTS), mark.lower()
    marks += mark
    times = max(PASSING_TIMES * (not MAY_PASS.isdisjoint(marks)), WEAK_TIMES * (WEAK in marks), 1)
    most = max(rule.n * times, rule.clear)
    marks, starts = marks[-most:], (*history.starts, round(t, 3))[-most:]
    level = _level(before, marks, rule)
    after = SlotHistory(level, marks, starts)
    if level == before:
        return after, None
    if not level:
        # The slots that led to the ended alert lead to no other.
        ended = SlotHistory(level, marks[-rule.clear :], starts[-rule.clear :])
        return ended, Event("cleared", before, starts[-rule.clear])
    if before:
        return after, Event("escalated", level, t)
    of = next((n for kinds, k, n in _runs(rule) if _enough(marks, kinds, k, n)), most)
    raising = zip(marks[-of:], starts[-of:], strict=True)
    return after, Event("raised", level, next(start for m, start in raising if m in FOUND))


def _level(level: Level, marks: str, rule: Persistence) -> Level:
    if not level and FOUND.isdisjoint(marks):
        return level
    n = rule.n * PASSING_TIMES
    if _enough(marks, CLEAR_FAULTS, rule.k, rule.n) or _enough(
        marks, FAULTS, n - (rule.n - rule.k), n
    ):
        return "fault"
    if not level and any(_enough(marks, kinds, k, n) for kinds, k, n in _runs(rule)):
        return "warning"
    return "" if level and is_quiet(marks, rule) else level


def is_quiet(marks: str, rule: Persistence) -> bool:
    """Return whether the last slots show nothing, so that an alarm may end."""
    return len(marks) >= rule.clear and set(marks[-rule.clear :]) <= CLEARING


def _runs(rule: Persistence) -> tuple[tuple[set[str], int, int], ...]:
    """Return the runs that raise a warning: kinds of marks, of which `k` of the last `n` count."""
    passing = rule.n * PASSING_TIMES
    return (
        (CLEARLY_FOUND, rule.k, rule.n),
        ({*CLEARLY_FOUND, WEAK}, rule.k * WEAK_TIMES, rule.n * WEAK_TIMES),
        ({*CLEARLY_FOUND, *MAY_PASS}, passing - (rule.n - rule.k), passing),
    )


def _enough(marks: str, kinds: Set[str], k: int, n: int) -> bool:
    """Return whether `k` of the last `n` marks are of these kinds."""
    return sum(mark in kinds for mark in marks[-n:]) >= k
