"""The price of energy: one for all times, and others for periods of the week."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, PlainSerializer
from pydantic_settings import NoDecode

QUARTER_S = 900
QUARTERS_A_DAY, QUARTERS_A_WEEK = 96, 672
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAYS = "(?:" + "|".join(DAYS) + ")"
_PERIOD = re.compile(
    rf"(?P<price>-?\d+(?:\.\d+)?)(?: (?P<days>{_DAYS}(?:[-,]{_DAYS})*))?"
    r"(?: (?P<from>\d\d:\d\d)-(?P<to>\d\d:\d\d))?"
)
_EXPECTED = "expected periods like 0.16 22:00-06:00; 0.18 sat,sun (price, days, local time)"
# Monday is the first day of a week, and 1970-01-01 was a Thursday.
_THURSDAY = 3 * QUARTERS_A_DAY


@dataclass(frozen=True, slots=True)
class _PricePeriod:
    """A price of certain quarter-hours of the week, counted from Monday 00:00, local time."""

    per_kwh: float
    quarters: frozenset[int]
    text: str


@dataclass(frozen=True, slots=True)
class PricePeriods:
    """Periods in reading order: the first that holds a time has its price."""

    periods: tuple[_PricePeriod, ...] = ()

    @classmethod
    def parse(cls, value: Any) -> Any:
        """Return the periods of a text: `0.16 22:00-06:00; 0.18 sat,sun`; empty: none."""
        if not isinstance(value, str):
            return value
        parts = [p.strip() for p in value.split(";") if p.strip()]
        return cls(tuple(map(_period, parts)))

    def __str__(self) -> str:
        return "; ".join(p.text for p in self.periods)

    def spans(self) -> Iterator[tuple[int, int, int]]:
        """Yield first quarter-hour of the week, the one behind the last, and number of period.

        Examples
        --------
        >>> list(PricePeriods.parse("0.1 mon 00:00-06:00").spans())
        [(0, 24, 0)]
        """
        of_quarter = [
            next((i for i, p in enumerate(self.periods) if q in p.quarters), -1)
            for q in range(QUARTERS_A_WEEK)
        ]
        first = 0
        for q in range(1, QUARTERS_A_WEEK + 1):
            if q == QUARTERS_A_WEEK or of_quarter[q] != of_quarter[first]:
                if of_quarter[first] >= 0:
                    yield first, q, of_quarter[first]
                first = q


def quarters_ahead(time_zone: str, from_s: int, to_s: int) -> list[tuple[int, int]]:
    """Return from which times on (s since 1970) how many quarter-hours the week is ahead of them.

    A time t belongs to quarter-hour (t / 900 + ahead) modulo 672 of the week; if clocks change,
    another number begins.

    Examples
    --------
    >>> quarters_ahead("UTC", 0, 900)
    [(0, 288)]
    """
    zone = ZoneInfo(time_zone)
    found: list[tuple[int, int]] = []
    # Clocks change at whole quarter-hours, by such; not twice a day.
    t = from_s
    while t < to_s:
        ahead = _ahead(zone, t)
        if not found:
            found.append((t, ahead))
        elif ahead != found[-1][1]:
            low, high = t - 86_400, t
            while high - low > QUARTER_S:
                middle = low + (high - low) // 2 // QUARTER_S * QUARTER_S
                low, high = (low, middle) if _ahead(zone, middle) == ahead else (middle, high)
            found.append((high, ahead))
        t += 86_400
    return found


def _ahead(zone: ZoneInfo, t: int) -> int:
    offset = datetime.fromtimestamp(t, UTC).astimezone(zone).utcoffset()
    assert offset is not None
    return _THURSDAY + int(offset.total_seconds()) // QUARTER_S


def _period(text: str) -> _PricePeriod:
    found = _PERIOD.fullmatch(text)
    if not found or not (found["days"] or found["from"]):
        raise ValueError(f"{text!r}: {_EXPECTED}")
    first, last = _quarter(found["from"] or "00:00"), _quarter(found["to"] or "24:00")
    if first == last:
        raise ValueError(f"{text!r}: ends where it begins")
    length = (last - first) % QUARTERS_A_DAY or QUARTERS_A_DAY
    quarters = {
        (day * QUARTERS_A_DAY + first + k) % QUARTERS_A_WEEK
        for day in _days(found["days"] or "mon-sun")
        for k in range(length)
    }
    return _PricePeriod(float(found["price"]), frozenset(quarters), text)


def _quarter(time: str) -> int:
    hour, minute = int(time[:2]), int(time[3:])
    if hour * 60 + minute > 24 * 60 or minute % 15 or minute > 45:
        raise ValueError(f"{time!r}: expected a quarter-hour from 00:00 to 24:00")
    return hour * 4 + minute // 15


def _days(text: str) -> list[int]:
    found: list[int] = []
    for part in text.split(","):
        first, *rest = (DAYS.index(day) for day in part.split("-"))
        if len(rest) > 1:
            raise ValueError(f"{text!r}: expected days like mon-fri or sat,sun")
        last = rest[0] if rest else first
        found += [(first + k) % 7 for k in range((last - first) % 7 + 1)]
    return found


Periods = Annotated[
    PricePeriods, NoDecode, BeforeValidator(PricePeriods.parse), PlainSerializer(str)
]
