"""Times of day and dates as files write them, as seconds after the first."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

_DATE = (
    r"(?:(?P<y>\d{4})[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})日?"
    r"|(?P<p>\d{1,2})[-/.](?P<q>\d{1,2})[-/.](?P<z>\d{4}))"
)
_CLOCK = (
    r"(?P<h>\d{1,2})[:时](?P<min>\d{1,2})(?:[:分](?P<s>\d{1,2})(?:[.,:](?P<f>\d{1,9}))?秒?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?"
)
_ZONE = r"\s*(?P<zone>Z|[+-]\d{2}:?\d{2})?"
_TIME_PATTERN = re.compile(rf"\s*(?:{_DATE}(?:[T\s]+|$))?(?:{_CLOCK}{_ZONE})?\s*", re.ASCII)
DAY_NS = 86_400 * 10**9


def is_clock_time(text: str) -> bool:
    """Whether a text has a time of day, with or without a date."""
    match = _TIME_PATTERN.fullmatch(text)
    return bool(match and match["h"])


def is_date(text: str) -> bool:
    """Whether a text is a date without a time."""
    match = _TIME_PATTERN.fullmatch(text)
    return bool(match and not match["h"] and (match["y"] or match["z"]))


def iso_time(text: str) -> str:
    """Return a time as ISO 8601; of 03/04/2026 the day is the first unless it cannot be.

    Empty if the text is no time.
    """
    match = _TIME_PATTERN.fullmatch(text)
    if not match or not (match["h"] or match["y"] or match["z"]):
        return ""
    try:
        day, ns = _instant(match)
    except ValueError:
        return ""
    when = datetime.combine(day or date(1, 1, 1), datetime.min.time()) + timedelta(
        microseconds=ns / 1000
    )
    zone = (match["zone"] or "").replace("Z", "+00:00")
    return (when.isoformat() if day else when.time().isoformat()) + zone


def seconds_after_first() -> Callable[[str], float]:
    """Return a function from the times of one column, in order, to seconds after the first.

    Differences are taken in whole nanoseconds, so that a date in front costs no digits. Without a
    date, midnight is passed if the time falls by more than half a day.
    """
    first: int | None = None
    last, days = 0, 0

    def seconds(text: str) -> float:
        nonlocal first, last, days
        match = _TIME_PATTERN.fullmatch(text)
        if not match or not match["h"]:
            raise ValueError(f"{text!r} is no time")
        day, ns = _instant(match)
        if day is None:
            days += ns - last < -DAY_NS // 2
            last = ns
        count = ns + DAY_NS * (day.toordinal() if day else days)
        if first is None:
            first = count
        return (count - first) / 1e9

    return seconds


def _instant(match: re.Match[str]) -> tuple[date | None, int]:
    """Return the day, and nanoseconds since midnight."""
    day = None
    if match["y"]:
        day = date(int(match["y"]), int(match["m"]), int(match["d"]))
    elif match["z"]:
        first, second = int(match["p"]), int(match["q"])
        day = (
            date(int(match["z"]), first, second)
            if second > 12
            else date(int(match["z"]), second, first)
        )
    hours = int(match["h"] or 0)
    if match["half"]:
        hours = hours % 12 + 12 * (match["half"] in "Pp")
    seconds = hours * 3600 + int(match["min"] or 0) * 60 + int(match["s"] or 0)
    return day, seconds * 10**9 + int((match["f"] or "0").ljust(9, "0"))
