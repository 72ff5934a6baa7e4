"""Whether days confirm a slow fault: the rule of an alarm that takes its time. Pure.

All records of an hour share one load and one supply. Days do not: a day of which a due share of
records shows the fault counts once, however many records it has.
"""

from collections.abc import Mapping
from functools import lru_cache

from vtox.motor.alarms.health.alert_values import Day, Days, Level, Line, Seen
from vtox.motor.alarms.health.line_test import Course, course, shows
from vtox.motor.alarms.health.marks import (
    FAULTS,
    FOUND,
    MAY_PASS,
    OF_ANOTHER_PART,
    PASSING_TIMES,
    SEARCHED,
)
from vtox.motor.faults import OF_SLIP, Persistence
from vtox.motor.values.domain import Reason

# A day begins so long after the start of the last one: a daily run may come early, and midnight
# splits one condition of the machine into two.
DAY_S = 20 * 3600
# A day under way counts when its machine was seen so long after the day before: the same shift
# would count twice.
LEAST_S = 8 * 3600
# After a longer pause a wrong clock may have made the day: it counts once it has lasted so long.
LONGEST_PAUSE_S = 30 * 86_400
# An alarm clears after so many days without the fault: one wrong day would end and raise it.
CLEAN_DAYS = 2
# A line that moved with the load for so long needs no days.
LINE_S = 3600
# A sign that may pass shows on a day if one in so many records shows it. Records that were searched
# and stayed undecided are included: if most are undecided, a sound machine has a few wrong records
# and none to outweigh them (docs/calibration/alerts.md#days-of-sound-machines).
LEAST_SHARE = 3
NO_LONGER_SHOWN = str.maketrans("wf", "nn")


def with_slot(days: Days, mark: str, t: float, rule: Persistence, line: Line | None) -> Days:
    """Return the days with one more slot, which shows the fault at `line` if that moves.

    A slot from before the day under way is put into it: nothing is counted twice. One that lies
    more than a day before it comes after a clock that was ahead, whose days are dropped.
    """
    now, day, past, dropped = int(t), days.day, days.past, days.dropped
    if mark.isupper():  # of another part than before
        mark, past = mark.lower(), past.translate(NO_LONGER_SHOWN)
        day = day and day._replace(found=0, faults=0, passing=0)
    if day is None or now < day.start - DAY_S:
        past, dropped, day = "", day is not None, Day(now, LEAST_S)
    elif now >= day.start + DAY_S:
        past = (past + _letter(day, rule))[-max(rule.of_days, CLEAN_DAYS) :]
        pause_s = now - day.last
        day = Day(now, min(max(pause_s, 0), LEAST_S) if pause_s <= LONGEST_PAUSE_S else 0)
    if mark != OF_ANOTHER_PART:
        start, before_s, slots, found, faults, passing, searched, _ = day
        if mark == SEARCHED:
            searched += 1
        else:
            slots += 1
            if mark in MAY_PASS:
                passing += 1
            elif mark in FOUND:
                found += 1
            if mark in FAULTS:
                faults += 1
        day = Day(start, before_s, slots, found, faults, passing, searched, now)
    return Days(  # `_replace` takes four times as long
        past,
        _letter(day, rule),
        day,
        (rule.days, rule.of_days),
        days.agreed,
        days.since,
        line,
        dropped and not past,
    )


def _letter(day: Day, rule: Persistence) -> str:
    """Return the letter of a day: the share of its slots decides, as of the last `n` slots."""
    if not day.slots:
        return "u" * (day.searched > 0)
    found = day.found + day.passing
    if not found:
        return "n"
    passing_n = rule.n * PASSING_TIMES
    if day.found * rule.n < rule.k * day.slots:
        if found * passing_n < (passing_n - (rule.n - rule.k)) * day.slots:
            return "n"
        if found * LEAST_SHARE < day.slots + day.searched:
            return "u"
    return "f" if day.faults * rule.n >= rule.k * day.slots else "w"


def confirmed(days: Days, agreed: Level, t: float, *, strong: bool) -> Level:
    """Return the level that an alarm gets now, none if it has to wait.

    `agreed` is the level on which records agree, `strong` that they do so beyond doubt.
    """
    line = course(days.line)
    if line == "stays":
        return ""
    if agreed and (strong or (line == "moves" and _is_long(days.line, t))):
        return agreed
    needed, of_days = days.needed
    shown = _counted(days, t)[-of_days:]
    if _days_shown(shown) < needed:
        return ""
    return "fault" if agreed == "fault" or shown.count("f") >= needed else "warning"


def are_clean(days: Days, t: float) -> bool:
    """Return whether the last days show nothing, so that an alarm may end."""
    return _counted(days, t)[-CLEAN_DAYS:] == CLEAN_DAYS * "n"


def _counted(days: Days, t: float) -> str:
    """Return a letter for each of the last days; the one under way counts if it is long enough."""
    day = days.day
    long = day is not None and day.before_s + t - day.start >= LEAST_S
    return days.past + days.today * long


def _days_shown(letters: str) -> int:
    return letters.count("w") + letters.count("f")


def _is_long(line: Line | None, t: float) -> bool:
    return line is not None and shows(line) and (line.before.n > 0 or t - line.start >= LINE_S)


def seen_of(fault: str, level: Level, days: Days | None, *, dismissed: bool = False) -> Seen | None:
    """Return the sighting of a fault whose alarm has this level, None if the alarm says it.

    `dismissed`: a person closed such an alarm as false.
    """
    if days is None or level or days.agreed is None:
        return None
    needed, of_days = days.needed
    last = (days.past + days.today)[-of_days:]
    shown, judged = _days_shown(last), len(last)
    line = ""
    if fault in OF_SLIP:
        line = _COURSES[course(days.line)] if days.line else "line_not_measured"
    more = line, "alarm_dismissed" * dismissed, "days_dropped" * days.dropped
    return Seen(
        level=days.agreed.level,
        t=days.since,
        shown=shown,
        judged=judged,
        days=needed,
        of_days=of_days,
        needs=_needs(shown, judged, needed, of_days, more),
    )


@lru_cache(maxsize=1024)
def _needs(
    shown: int, judged: int, days: int, of_days: int, more: tuple[str, ...]
) -> tuple[Reason, ...]:
    """Return the reasons of a fault that is seen; each record of it has the same."""
    values = {"shown": shown, "judged": judged, "days": days, "of_days": of_days}
    return (Reason("days_needed", values), *(Reason(code) for code in more if code))


_COURSES: Mapping[Course, str] = {
    "one_load": "line_at_one_load",
    "unclear": "line_unclear",
    "moves": "line_moves",
    "stays": "line_stays",
}
