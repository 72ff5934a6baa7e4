"""One more minute of a machine: its profile learns, and conditions begin and end."""

from statistics import median

from vtox.motor.alarms.profile import load as loads
from vtox.motor.alarms.profile import operation, supply
from vtox.motor.alarms.profile.values import (
    ACCEPTED_DAYS,
    CONDITIONS,
    DAY_MIN,
    HOURS,
    LEARNING_DAYS,
    PROFILE_CODES,
    RUNNING_DAYS,
    Change,
    Condition,
    Minute,
    Now,
    Profile,
    Site,
    Streak,
)
from vtox.motor.values.domain import Reason, reason

# A gap of so many minutes may hide a stop. The first minutes after a start are not compared.
_GAP_MIN, _SETTLING_MIN = 10, 4
# The frequency moves by less within a settled minute.
_STEADY_HZ = 0.02
# Condition -> minutes and readings outside before it begins, minutes within before it ends.
_LASTS: dict[Condition, tuple[int, int, int]] = {
    "load_low": (4, 4, 480),
    "load_high": (4, 4, 480),
    "runs_unusually": (15, 3, 480),
    "starts_often": (0, 1, 120),
    "supply_off": (4, 3, 120),
}
# Loads on the grid are means of some minutes already.
_DRIVE_LASTS = (6, 5, 480)
# Condition -> the topic of which a person's word lets levels be learnt.
_TOPICS: dict[Condition, str] = {c: c for c in CONDITIONS} | {
    "load_low": "load",
    "load_high": "load",
}


def advance(p: Profile, m: Minute, site: Site) -> list[Change]:
    """Add a minute to a profile; return the conditions that begin or end with it.

    A minute that is not later than the last one changes nothing.
    """
    if m.minute <= p.last:
        return []
    _note_time(p, m, site)
    local = operation.local_time(m.minute, site)
    hour = operation.hour_of(local)
    found = [*_check_load(p, m, hour, site), *_check_run(p, m, hour, site)]
    found += [*_check_starts(p, m, site), *_check_supply(p, m, site)]
    p.last = m.minute
    return found


def accept(p: Profile, condition: Condition, minute: int) -> list[Change]:
    """Learn what a condition shows as usual, as a person said that it is; it ends.

    Loads from before are forgotten: between two levels no load would be unusual.
    """
    if _TOPICS[condition] == "load":
        p.load, p.edges, p.recent = {}, {}, []
    p.accepted[_TOPICS[condition]] = minute + ACCEPTED_DAYS * DAY_MIN
    ended = [c for c in CONDITIONS if _TOPICS[c] == _TOPICS[condition]]
    return [change for c in ended for change in _end(p, c, minute, "profile_accepted")]


def end_all(p: Profile, minute: int) -> list[Change]:
    """End all conditions, as the profile is learnt again."""
    return [change for c in CONDITIONS for change in _end(p, c, minute, "profile_reset")]


def no_profile(p: Profile, *, driven: bool) -> Reason | None:
    """Return why a machine's load has no profile; None if it has one."""
    if not p.learnt:
        days = (p.last - p.began) // DAY_MIN if p.began else 0
        return reason("profile_learning", days=days, needed=LEARNING_DAYS, running=p.running_days)
    usual = [u for k in p.load if (u := loads.usual_levels(p, k, driven=driven)).levels]
    if not usual:
        return reason("profile_without_load")
    if 2 * sum(any(u.sides) for u in usual) < len(usual):
        return reason("profile_load_varies")
    return None


def _note_time(p: Profile, m: Minute, site: Site) -> None:
    p.began = p.began or m.minute
    if not m.runs or m.starts:
        p.run_since = 0
    elif not p.run_since or m.minute - p.last > _GAP_MIN:
        p.run_since = m.minute
    day = operation.local_time(m.minute, site).toordinal()
    if m.runs and day != p.running_day:
        p.running_day, p.running_days = day, p.running_days + 1
    if p.kind != "power" and (m.power_w is not None or (not p.kind and m.current_a is not None)):
        p.kind, p.load, p.edges = ("power" if m.power_w is not None else "current"), {}, {}
        if p.learnt:
            p.learnt, p.began = False, m.minute
    enough = m.minute - p.began >= LEARNING_DAYS * DAY_MIN and p.running_days >= RUNNING_DAYS
    if enough and not p.learnt:
        p.learnt = True
        loads.set_edges(p, driven=site.driven)


def _check_load(p: Profile, m: Minute, hour: int, site: Site) -> list[Change]:
    if not p.run_since or m.minute - p.run_since < _SETTLING_MIN or m.hz_spread > _STEADY_HZ:
        p.recent = []
        return []
    key = loads.key_of(m, hour, site)
    load = loads.load_of(p, m, driven=site.driven)
    if load is None:
        return []
    p.now = Now(m.minute, load, m.hz or 0.0, key)
    if p.learns("load", m.minute):
        if m.healthy:
            loads.learn(p, load, key)
            if p.learnt and m.minute >= p.accepted["load"] - 1:
                loads.set_edges(p, driven=site.driven)
        return []
    compared = loads.compare(p, load, key, driven=site.driven)
    if compared is None:
        return []
    if m.healthy and compared.levels and loads.may_drift(p, compared, key):
        loads.learn(p, load, key)
    lasts = _DRIVE_LASTS if site.driven else _LASTS["load_low"]
    # The mean that is compared may still have minutes from before.
    now = median(p.recent[-3:]) if p.recent else load
    low, high = (_load_reason(compared, now, m, hour, below=below) for below in (True, False))
    return [
        *_persist(p, "load_low", m.minute, low, lasts),
        *_persist(p, "load_high", m.minute, high, lasts),
    ]


def _load_reason(
    x: loads.Compared, now: float, m: Minute, hour: int, *, below: bool
) -> Reason | None:
    off = -x.levels if below else x.levels
    if off <= loads.MARGIN or not x.sides[0 if below else 1]:
        return None
    return reason(
        "load_difference_below" if below else "load_difference_above",
        percent=100 * abs(now / x.usual - 1),
        hz=m.hz or 0.0,
        days="weekend_days" if hour >= HOURS // 2 else "weekdays",
    )


def _check_run(p: Profile, m: Minute, hour: int, site: Site) -> list[Change]:
    learns = p.learns("runs_unusually", m.minute)
    operation.count_hour(p, m, hour, learns=learns or operation.is_usual_hour(p, hour))
    if not m.observed_s or (learns and site.work_hours is None):
        return []
    local = operation.local_time(m.minute, site)
    why = operation.unusual_run(p, site, local) if m.runs else None
    return _persist(p, "runs_unusually", m.minute, why)


def _check_starts(p: Profile, m: Minute, site: Site) -> list[Change]:
    in_hour, in_day = operation.count_starts(p, m)
    if p.learns("starts_often", m.minute):
        operation.learn_starts(p, in_hour, in_day)
        if site.starts_per_hour is None:
            return []
    why = operation.too_many_starts(p, site, in_hour, in_day)
    return _persist(p, "starts_often", m.minute, why)


def _check_supply(p: Profile, m: Minute, site: Site) -> list[Change]:
    if not m.runs or not p.run_since or m.minute - p.run_since < _SETTLING_MIN:
        return []
    if p.learns("supply_off", m.minute):
        supply.learn_supply(p, m)
        if p.learnt:
            return []
    return _persist(p, "supply_off", m.minute, supply.supply_problem(p, m, site))


def _persist(
    p: Profile,
    condition: Condition,
    minute: int,
    why: Reason | None,
    rule: tuple[int, int, int] | None = None,
) -> list[Change]:
    """Count a reading outside or within; return the change that it makes."""
    streak = p.streaks.get(condition)
    if why is None and streak is None:
        return []
    streak = p.streaks.setdefault(condition, Streak())
    lasts, readings, back = rule or _LASTS[condition]
    if why is None:
        streak.back_since = streak.back_since if streak.back else minute
        streak.back += 1
        if condition not in p.open and streak.back >= readings:
            del p.streaks[condition]
        elif minute - streak.back_since >= back:
            return _end(p, condition, minute, "profile_kept")
        return []
    streak.since = streak.since if streak.readings else minute
    streak.readings, streak.back = streak.readings + 1, 0
    if condition in p.open or minute - streak.since < lasts or streak.readings < readings:
        return []
    p.open[condition] = minute
    return [Change(minute, condition, True, (reason(PROFILE_CODES[condition]), why))]


def _end(p: Profile, condition: Condition, minute: int, code: str) -> list[Change]:
    p.streaks.pop(condition, None)
    if p.open.pop(condition, None) is None:
        return []
    return [Change(minute, condition, False, (reason(code),))]
