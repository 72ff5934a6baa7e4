"""Hours of work on a nameplate: `Mon-Fri 06:00-22:00; Sat 06:00-14:00`, by the zone of the site."""

import re

from vtox.motor.errors import NameplateError
from vtox.motor.values.nameplate_ranges import PLACE_LENGTHS

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_PART = re.compile(r"([A-Z][a-z]{2})(?:-([A-Z][a-z]{2}))?\s+(\d\d):(\d\d)-(\d\d):(\d\d)")
_FORM = "Mon-Fri 06:00-22:00 on quarter-hours, with ; between several"
# Quarter-hours of a day and of a week.
DAY, WEEK = 96, 7 * 96


def work_quarters(text: object) -> frozenset[int]:
    """Return the quarter-hours of a week, from Monday 00:00, in which a machine may run.

    A span that ends before it begins ends on the next day.

    Raises `NameplateError`: a part is of another form.

    Examples
    --------
    >>> sorted(work_quarters("Sun 23:30-00:15"))
    [0, 670, 671]
    """
    if not isinstance(text, str) or len(text) > PLACE_LENGTHS["work_hours"]:
        raise NameplateError(f"work_hours: {repr(text)[:60]}, expected {_FORM}", "work_hours")
    found: set[int] = set()
    for part in filter(None, map(str.strip, text.split(";"))):
        quarters = _quarters(part)
        if not quarters:
            raise NameplateError(f"work_hours: {part[:60]!r}, expected {_FORM}", "work_hours")
        found |= quarters
    return frozenset(found)


def _quarters(part: str) -> set[int]:
    """Return the quarter-hours of one part; none if it is of another form."""
    match = _PART.fullmatch(part)
    if match is None or match[1] not in _DAYS or (match[2] or match[1]) not in _DAYS:
        return set()
    first, last = _DAYS.index(match[1]), _DAYS.index(match[2] or match[1])
    begin, end = (_quarter(match[k], match[k + 1]) for k in (3, 5))
    if begin is None or end is None:
        return set()
    lasts = (end - begin) % DAY or DAY
    days = range(first, last + 1 if last >= first else last + 8)
    return {(DAY * day + begin + k) % WEEK for day in days for k in range(lasts)}


def _quarter(hour: str, minute: str) -> int | None:
    whole = int(minute) % 15 == 0 and int(minute) < 60 and int(hour) <= 24
    return 4 * int(hour) + int(minute) // 15 if whole else None
