"""When a machine runs, and how often it starts, against its hours and starts so far."""

from datetime import datetime

from vtox.motor.alarms.profile.values import DAY_MIN, Minute, Profile, Site
from vtox.motor.values.domain import Reason, reason

# An hour counts on a day with so much of it observed; the motor ran in it for at least the second.
_OBSERVED_S, _RUNNING_S = 1200.0, 120.0
# Hours before and after that count with an hour: shifts begin early, and clocks change.
_NEAR = 2
# A machine that runs at random is seldom still in so many hours: more seldom than this.
_CHANCE = 0.01
# Starts over those counted so far: by the first factor, and at least by so many.
_TIMES, _MORE_HOUR, _MORE_DAY = 2, 3, 8
_MOST_STARTS = 500


def hour_of(local: datetime) -> int:
    """Return the hour among the 48 of working days and weekend days."""
    return local.hour + (24 if local.weekday() >= 5 else 0)


def local_time(minute: int, site: Site) -> datetime:
    """Return the time of a minute at its site."""
    return datetime.fromtimestamp(60 * minute, site.zone)


def count_hour(p: Profile, m: Minute, hour: int, *, learns: bool) -> None:
    """Add a minute to the present hour; one that has ended is counted."""
    if hour != p.hour:
        if p.hour >= 0 and p.hour_observed_s >= _OBSERVED_S:
            ran = p.hour_running_s >= _RUNNING_S
            if not ran or learns or p.ran[p.hour]:
                p.seen[p.hour] += 1
                p.ran[p.hour] += ran
        p.hour, p.hour_observed_s, p.hour_running_s = hour, 0.0, 0.0
    # A stream that gives a part of each minute is taken for all of it.
    p.hour_observed_s += 60.0 if m.observed_s else 0.0
    p.hour_running_s += 60.0 * m.running_s / m.observed_s if m.observed_s else 0.0


def unusual_run(p: Profile, site: Site, local: datetime) -> Reason | None:
    """Return why a running machine does not run otherwise at this time; None if it does."""
    if site.work_hours is not None:
        quarter = local.weekday() * 96 + local.hour * 4 + local.minute // 15
        if quarter in site.work_hours:
            return None
        return reason("runs_outside_stated_hours", clock=f"{local:%H:%M}")
    if not p.learnt:
        return None
    hour = hour_of(local)
    day = hour // 24 * 24
    near = [day + (hour - day + k) % 24 for k in range(-_NEAR, _NEAR + 1)]
    seen, ran = sum(p.seen[h] for h in near), sum(p.ran[h] for h in near)
    share = sum(p.ran) / max(sum(p.seen), 1)
    if ran or (1 - share) ** seen > _CHANCE:
        return None
    days = "weekend_days" if day else "weekdays"
    return reason("runs_at_unusual_hour", clock=f"{local:%H:%M}", days=days, seen=p.seen[hour])


def is_usual_hour(p: Profile, hour: int) -> bool:
    """Return whether the machine has run at this hour or next to it."""
    day = hour // 24 * 24
    return any(p.ran[day + (hour - day + k) % 24] for k in range(-_NEAR, _NEAR + 1))


def count_starts(p: Profile, m: Minute) -> tuple[int, int]:
    """Add the starts of a minute; return those of the last hour and of the last day."""
    p.starts += [m.minute] * m.starts
    if p.starts:
        p.starts = [t for t in p.starts if t > m.minute - DAY_MIN][-_MOST_STARTS:]
    return sum(t > m.minute - 60 for t in p.starts), len(p.starts)


def learn_starts(p: Profile, in_hour: int, in_day: int) -> None:
    """Note the most starts of an hour and of a day."""
    p.starts_hour, p.starts_day = max(p.starts_hour, in_hour), max(p.starts_day, in_day)


def starts_limits(p: Profile, site: Site) -> tuple[float, float] | None:
    """Return the most starts of an hour and of a day; None while they are learnt."""
    if site.starts_per_hour is not None:
        return site.starts_per_hour, float("inf")
    if not p.learnt:
        return None
    return (
        max(_TIMES * p.starts_hour, p.starts_hour + _MORE_HOUR),
        max(_TIMES * p.starts_day, p.starts_day + _MORE_DAY),
    )


def too_many_starts(p: Profile, site: Site, in_hour: int, in_day: int) -> Reason | None:
    """Return why a machine starts too often; None if it does not."""
    limits = starts_limits(p, site)
    if limits is None:
        return None
    if in_hour > limits[0]:
        stated = site.starts_per_hour is not None
        code = "starts_above_stated" if stated else "starts_above_usual_hour"
        return reason(code, starts=in_hour, most=limits[0] if stated else p.starts_hour)
    if in_day > limits[1]:
        return reason("starts_above_usual_day", starts=in_day, most=p.starts_day)
    return None
