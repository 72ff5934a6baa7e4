"""A profile as people see it: usual loads by hour, the load now, limits of supply and starts."""

from dataclasses import dataclass
from datetime import datetime

from vtox.motor.alarms.profile import load, operation, supply
from vtox.motor.alarms.profile.values import HOURS, Kind, Profile, Site
from vtox.motor.values.codec import Number


@dataclass(frozen=True, slots=True)
class UsualHour:
    """The usual loads of an hour at the present frequency; null: not known."""

    hour: int
    """0 to 23 of working days, 24 to 47 of weekend days, by the time zone of the site"""
    low: Number | None
    high: Number | None
    ran_days: int
    """days on which it ran in this hour"""
    seen_days: int
    """of so many"""


@dataclass(frozen=True, slots=True)
class PresentLoad:
    """The last settled load; beyond the usual loads of its hour and the margin it alarms."""

    t: Number
    """s since 1970 (UTC)"""
    hour: int
    load: Number
    hz: Number
    """supply frequency"""


@dataclass(frozen=True, slots=True)
class ProfilePicture:
    """The usual operation of a machine, and its load now."""

    kind: Kind
    """of the load: power in W, current in A, empty before any"""
    learnt: bool
    hours: tuple[UsualHour, ...]
    now: PresentLoad | None
    low_v: Number | None
    """lowest voltage without an alarm; null: no limit"""
    high_v: Number | None
    unbalance: Number | None
    """highest unbalance of the voltage without an alarm"""
    starts_per_hour: Number | None
    """most starts in an hour without an alarm"""


def picture(p: Profile, site: Site) -> ProfilePicture:
    """Return the picture of a profile, at the band of frequency of its last load."""
    volts = supply.voltage_limits(p, site) or (None, None)
    starts = operation.starts_limits(p, site)
    band = p.now.key // HOURS if p.now and site.driven else 0
    return ProfilePicture(
        kind=p.kind,
        learnt=p.learnt,
        hours=tuple(_hour(p, site, band, hour) for hour in range(HOURS)),
        now=_now(p, site),
        low_v=volts[0],
        high_v=volts[1],
        unbalance=supply.unbalance_limit(p, site),
        starts_per_hour=starts[0] if starts else None,
    )


def _hour(p: Profile, site: Site, band: int, hour: int) -> UsualHour:
    levels = load.usual_levels(p, load.key_at(band, hour, site), driven=site.driven).levels
    low, high = None, None
    if levels:
        low, high = load.value_of(levels[0] - 0.5), load.value_of(levels[-1] + 0.5)
    return UsualHour(hour, low, high, p.ran[hour], p.seen[hour])


def _now(p: Profile, site: Site) -> PresentLoad | None:
    if p.now is None:
        return None
    local: datetime = operation.local_time(p.now.minute, site)
    return PresentLoad(60.0 * p.now.minute, operation.hour_of(local), p.now.load, p.now.hz)
