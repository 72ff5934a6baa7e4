"""Load by band of frequency and by hour: which levels are usual, and how far a load is off."""

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from math import exp, log
from typing import NamedTuple

from vtox.motor.alarms.profile.values import HOURS, Kind, Minute, Profile, Site

# Logarithm of the ratio of one level to the next, and of one band of frequency.
STEP, _BAND = log(1.02), log(1.04)
# A level is usual with this share of the minutes of its hour, and at least so many.
_SHARE, _LEAST_MINUTES = 0.004, 2
# An hour whose neighbourhood has fewer minutes says nothing.
_LEAST_OBSERVED = 60
# A load on the grid is the mean of so many settled minutes in a row.
WINDOW_MIN = 6
# A load is outside so many levels beyond the usual ones. Those between follow seasons, up to so
# many levels from the ones that were learnt.
MARGIN, _DRIFT = 3, 8
# Usual levels further below, or above, the middle are of a load without a fixed cycle: a load that
# is off by 30 %, or by 25 %, would not be found. A current moves by half of that or less.
_WIDEST = {"power": (13, 6), "current": (4, 2)}
# Hours of a drive are taken together by so many: its speed says more than the hour.
_DRIVE_HOURS = 24
# Between loads that follow the speed as torque does, and as that of a fan does.
_EXPONENT = 2


class Compared(NamedTuple):
    """A load and the usual one; `levels` is how far it is off, 0 within.

    `sides` says whether unusually low loads are known, and unusually high ones.
    """

    levels: int
    load: float
    usual: float
    sides: tuple[bool, bool]


class Usual(NamedTuple):
    """The usual levels of one hour, in ascending order; none if it has too few minutes."""

    levels: tuple[int, ...] = ()
    middle: int = 0
    kind: Kind = ""

    @property
    def sides(self) -> tuple[bool, bool]:
        """Whether they say which loads are unusually low, and unusually high."""
        if not self.levels:
            return False, False
        below, above = self.middle - self.levels[0], self.levels[-1] - self.middle
        widest_below, widest_above = _WIDEST[self.kind or "current"]
        return below <= widest_below, above <= widest_above

    def off(self, level: int) -> int | None:
        """Return how many levels a load is off; None between usual ones, of which it is none."""
        first, last = self.levels[0], self.levels[-1]
        if level < first:
            return level - first
        if level > last:
            return level - last
        between = any(a + MARGIN < level < b - MARGIN for a, b in pairwise(self.levels))
        return None if between else 0


def level_of(value: float) -> int:
    """Return the level of a load.

    Examples
    --------
    >>> level_of(1000.0) - level_of(700.0), round(value_of(level_of(1000.0)))
    (18, 1003)
    """
    return round(log(value) / STEP)


def value_of(level: float) -> float:
    """Return the load in the middle of a level; half a level is its end."""
    return exp(level * STEP)


def load_of(p: Profile, m: Minute, *, driven: bool) -> float | None:
    """Return the load of a settled minute: power if the profile is of power, else current.

    On the grid it is the mean of `WINDOW_MIN` minutes, None before. On a drive it is that of the
    minute, at the middle of its band: the speed may be another one in the next.
    """
    load = m.power_w if p.kind == "power" else m.current_a
    if load is None or load <= 0:
        return None
    if driven:
        return load * (exp(_band(m) * _BAND) / (m.hz or 1.0)) ** _EXPONENT
    p.recent = [*p.recent[1 - WINDOW_MIN :], load]
    return sum(p.recent) / WINDOW_MIN if len(p.recent) == WINDOW_MIN else None


def key_of(m: Minute, hour: int, site: Site) -> int:
    """Return the number of a band and an hour: a machine on the grid has one band."""
    return key_at(_band(m) if site.driven else 0, hour, site)


def key_at(band: int, hour: int, site: Site) -> int:
    """Return the number of a band and one of the 48 hours."""
    return band * HOURS + (hour // _DRIVE_HOURS if site.driven else hour)


def _band(m: Minute) -> int:
    return round(log(max(m.hz or 1.0, 1.0)) / _BAND)


def usual_levels(p: Profile, key: int, *, driven: bool) -> Usual:
    """Return the usual levels at an hour, and at the hours next to it."""
    per_day = HOURS // (2 * _DRIVE_HOURS) if driven else HOURS // 2
    band, hour = divmod(key, HOURS)
    day = hour // per_day * per_day
    total: Counter[int] = Counter()
    for step in (-1, 0, 1):
        total.update(p.load.get(band * HOURS + day + (hour - day + step) % per_day, {}))
    return _usual(total, p.kind)


def _usual(minutes: Mapping[int, int], kind: Kind) -> Usual:
    n = sum(minutes.values())
    if n < _LEAST_OBSERVED:
        return Usual()
    least = max(_LEAST_MINUTES, _SHARE * n)
    levels = tuple(sorted(k for k, count in minutes.items() if count >= least))
    half, middle = n / 2, 0
    for middle in sorted(minutes):
        half -= minutes[middle]
        if half <= 0:
            break
    return Usual(levels, middle, kind) if levels else Usual()


def other_day(key: int, *, driven: bool) -> int:
    """Return the same hour on the other kind of day: a holiday is like a weekend."""
    per_day = HOURS // (2 * _DRIVE_HOURS) if driven else HOURS // 2
    band, hour = divmod(key, HOURS)
    return band * HOURS + (hour + per_day) % (2 * per_day)


def compare(p: Profile, load: float, key: int, *, driven: bool) -> Compared | None:
    """Compare a load with the usual one; None if that says nothing."""
    usual = usual_levels(p, key, driven=driven)
    if not any(usual.sides):
        return None
    level = level_of(load)
    off = usual.off(level)
    if off is None:
        return None
    if abs(off) > MARGIN:
        holiday = usual_levels(p, other_day(key, driven=driven), driven=driven)
        if holiday.levels and abs(holiday.off(level) or 0) <= MARGIN:
            off = 0
    return Compared(off, load, value_of(usual.middle), usual.sides)


def learn(p: Profile, load: float, key: int) -> None:
    """Count a minute at its level."""
    levels = p.load.setdefault(key, {})
    level = level_of(load)
    levels[level] = levels.get(level, 0) + 1


def set_edges(p: Profile, *, driven: bool) -> None:
    """Note the range of the usual levels of each band: seasons move them no further than a bit."""
    found: dict[int, tuple[int, int]] = {}
    for key in p.load:
        if levels := usual_levels(p, key, driven=driven).levels:
            low, high = found.get(key // HOURS, (levels[0], levels[-1]))
            found[key // HOURS] = min(low, levels[0]), max(high, levels[-1])
    p.edges = found


def may_drift(p: Profile, compared: Compared, key: int) -> bool:
    """Return whether a load next to the usual ones may become usual by itself."""
    low, high = p.edges.get(key // HOURS, (0, -1))
    level = level_of(compared.load)
    return abs(compared.levels) <= MARGIN and low - _DRIFT <= level <= high + _DRIFT
