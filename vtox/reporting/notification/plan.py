"""When an event goes to which target: now, after quiet hours, or in a digest. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from fnmatch import fnmatchcase
from typing import NamedTuple
from zoneinfo import ZoneInfo

from vtox.motor.alarms.life import Alarm
from vtox.pipeline.store.machines.fleet import Place
from vtox.reporting.notification.events import SUSPENDABLE, AlarmEvent
from vtox.reporting.notification.rules import DAYS, NotificationRule, Quiet, Rules

# Ends of alarms wait so long for others: machines behind one switch return within seconds.
ENDS_TOGETHER_MS = 10_000


@dataclass(frozen=True, slots=True, order=True)
class Schedule:
    """When (ms since 1970, UTC) an event is due; in a digest it goes with others of that time."""

    due_ms: int
    digest: bool = False
    suspended: bool = False


class SecondNotice(NamedTuple):
    """When (ms) an alarm is sent again because it waited so many minutes for a person."""

    due_ms: int
    minutes: float


def plans(rules: Rules, event: AlarmEvent, now_ms: int, *, suspended: bool) -> dict[str, Schedule]:
    """Return target -> plan of an event; of several rules the one that sends first decides.

    `suspended`: its alarm is shelved, suppressed or out of service now. Events that a rule does not
    want then wait for the end of that.
    """
    found: dict[str, Schedule] = {}
    for rule in rules.rules:
        if rule.unacknowledged_min or not matches(rule, event):
            continue
        held = suspended and not rule.suspended and event.name in SUSPENDABLE
        plan = (
            Schedule(now_ms, suspended=True) if held else _plan(rule, rules.zone_of(rule), now_ms)
        )
        for target in rule.targets:
            known = found.get(target)
            found[target] = plan if known is None else min(known, plan, key=_precedence)
    return found


def second_notices(rules: Rules, event: AlarmEvent) -> dict[str, SecondNotice]:
    """Return target -> second notice of an alarm that stays unacknowledged; the earliest of rules.

    `event.ms` is since when it waits to be acknowledged.
    """
    found: dict[str, SecondNotice] = {}
    for rule in rules.rules:
        minutes = rule.unacknowledged_min.get(event.level)  # type: ignore[call-overload]
        if minutes is None or event.name not in SUSPENDABLE or not matches(rule, event):
            continue
        notice = SecondNotice(event.ms + round(60_000 * minutes), minutes)
        found |= {t: min(notice, found.get(t, notice)) for t in rule.targets}
    return found


def is_answered(alarm: Alarm | None, level: str) -> bool:
    """Return whether an alarm needs no second notice of a level: it has changed, or is seen to."""
    if alarm is None or not alarm.active or alarm.outcome is not None or alarm.level != level:
        return True
    return alarm.acknowledged and not alarm.suspensions


def gather_ends(
    found: Mapping[str, Schedule], rules: Rules, now_ms: int, gathering: Mapping[str, int]
) -> dict[str, Schedule]:
    """Return the plans of an alarm's end: people get it with other ends, programs at once.

    `gathering` is when (ms) the digest of a target is due that the end may still join.
    """
    shared = {
        target: Schedule(gathering.get(target, now_ms + ENDS_TOGETHER_MS), digest=True)
        for target, plan in found.items()
        if plan == Schedule(now_ms) and rules.targets[target].has_human_readers
    }
    return {**found, **shared}


def matches(rule: NotificationRule, event: AlarmEvent) -> bool:
    """Return whether a rule is about an event."""
    if event.name not in rule.events or (rule.levels and event.level not in rule.levels):
        return False
    return _any(rule.faults, event.fault) and is_at(rule, event.machine_id, event.place)


def is_at(rule: NotificationRule, machine_id: str, place: Place) -> bool:
    """Return whether a rule is about a machine; about the system, if it names no machines."""
    return (
        _any(rule.machines, machine_id)
        and _any(rule.sites, place.site)
        and (not rule.assets or any(_below(place.asset_path, a) for a in rule.assets))
    )


def _end_of_quiet(quiet: Quiet, zone: ZoneInfo, now_ms: int) -> int | None:
    """Return when the quiet hours end that hold at a time (ms), None if none do."""
    now = datetime.fromtimestamp(now_ms / 1000, zone)
    for days_ago in (0, 1):
        day = now.date() - timedelta(days=days_ago)
        if DAYS[day.weekday()] not in quiet.days:
            continue
        last = day if quiet.end > quiet.begin else day + timedelta(days=1)
        begin_ms = _ms(datetime.combine(day, quiet.begin, zone))
        end_ms = _ms(datetime.combine(last, quiet.end, zone))
        if begin_ms <= now_ms < end_ms:
            return end_ms
    return None


def next_time(clock: time, zone: ZoneInfo, now_ms: int) -> int:
    """Return the next time (ms) after one at which clocks of a zone show `clock`."""
    day = datetime.fromtimestamp(now_ms / 1000, zone).date()
    moments = (_ms(datetime.combine(day + timedelta(days=n), clock, zone)) for n in (0, 1, 2))
    return next(ms for ms in moments if ms > now_ms)


def _plan(rule: NotificationRule, zone: ZoneInfo, now_ms: int) -> Schedule:
    if rule.digest is not None:
        return Schedule(next_time(rule.digest, zone, now_ms), digest=True)
    held_until = _end_of_quiet(rule.quiet, zone, now_ms) if rule.quiet else None
    return Schedule(now_ms if held_until is None else held_until)


def _precedence(plan: Schedule) -> tuple[bool, int, bool]:
    return plan.suspended, plan.due_ms, plan.digest


def _any(patterns: Iterable[str], name: str) -> bool:
    wanted = tuple(patterns)
    return not wanted or (bool(name) and any(fnmatchcase(name, p) for p in wanted))


def _below(path: str, ancestor: str) -> bool:
    """Return whether an asset path is another one, or below it; `*` is any name."""
    names, wanted = path.split("/"), ancestor.strip("/").split("/")
    return len(names) >= len(wanted) and all(
        fnmatchcase(n, w) for n, w in zip(names, wanted, strict=False)
    )


def _ms(moment: datetime) -> int:
    # Converted through UTC: a time that a change of clocks skips or repeats is one moment all the
    # same.
    return round(1000 * moment.astimezone(UTC).timestamp())
