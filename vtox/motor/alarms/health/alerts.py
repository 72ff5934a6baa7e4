"""Raises, escalates and clears alerts: from the diagnoses of a fault to its level. Pure.

What is remembered of a machine's faults is kept with it on the server
(`vtox.pipeline.store.stream.entries` is the codec): per fault the last slots, the severities and
the open alert.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from statistics import median
from typing import Any, NamedTuple

from vtox.motor.alarms.health.alert_values import (
    Alert,
    Days,
    EventName,
    FaultHistory,
    Level,
    SlotHistory,
    Verdict,
)
from vtox.motor.alarms.health.days import CLEAN_DAYS, are_clean, confirmed, with_slot
from vtox.motor.alarms.health.dismissals import (
    Dismissal,
    is_dismissed,
    rises_after,
    without_dismissed,
)
from vtox.motor.alarms.health.impact_orders import impact_orders, share_an_order
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
    STRONG,
    WEAK,
    WEAK_TIMES,
    Slots,
    evidence_of,
    is_notice,
    slots_of,
)
from vtox.motor.faults import Persistence
from vtox.motor.values.domain import Answer, Diagnosis, Reason, Record, reason
from vtox.motor.values.operating_state import suppresses_alarms

# What changes the level of a fault; the others say that its alert means nothing for a time.
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
    below = _is_below(slots, rule)
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
    """Return the history with one more slot: what records say, then what days make of it."""
    before = history.level
    if mark == SEARCHED:
        waits = rule.days > 1 and not before
        days = with_slot(history.days or NO_DAYS, mark, t, rule) if waits else history.days
        return history._replace(days=days), None
    slots, change = transition(history.slots, mark, t, rule)
    days = None
    dismissed = dismissed and not before
    # What was only seen stays so until a record shows it again.
    if rule.days > 1 or dismissed or (history.days and history.days.agreed):
        days = with_slot(history.days or NO_DAYS, mark, t, rule)
        if line and mark.lower() in FOUND:
            days = days._replace(line=with_record(days.line, t, *line))
        elif days.line and mark in CLEARING:
            days = days._replace(line=days.line._replace(missed=days.line.missed + 1))
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
        days = days._replace(since=since, agreed=agreed)
    return AlarmHistory(level, slots, days), event


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
    strong = _enough(slots.marks, set(STRONG.values()), rule.k, rule.n)
    return confirmed(days, slots.level, t, strong=strong)


def _since(history: AlarmHistory, slots: SlotHistory, change: Event | None) -> float:
    """Return since when records agree, s; 0 where they do not."""
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


def _is_below(slots: Slots, rule: Persistence) -> bool:
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
        # What led to the alert that has ended leads to no other.
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


def _enough(marks: str, kinds: set[str], k: int, n: int) -> bool:
    """Return whether `k` of the last `n` marks are of these kinds."""
    return sum(mark in kinds for mark in marks[-n:]) >= k


def extend(
    history: FaultHistory,
    record: Record,
    d: Diagnosis | Answer,
    rule: Persistence,
    dismissals: Sequence[Dismissal] = (),
) -> tuple[FaultHistory, list[Alert], str]:
    """Return the history of a fault with one more diagnosis, its alerts and its marks.

    An alert that is open is suppressed by the first record of a start, ramp or standstill, and
    unsuppressed by the first one of anything else: what hides an alarm must be said again each
    time. `dismissals` are the alarms of the machine that people closed as false, and that hold now.
    """
    alerts: list[Alert] = []
    if dismissals and history.alert:
        kept = without_dismissed(history, dismissals, record.t_start, rule.n)
        alerts = [] if kept.alert else [_dismissed(history, record, d)]
        history = kept
    severities, confidences, alert_id = history.severities, history.confidences, history.alert
    alerts += _suppression(history, record, d) if alert_id else []
    said = slots_of(d, record, rule)
    sign = evidence_of(d, "weak_sign") or {}
    orders = impact_orders(d) if sign or d.state in ("warning", "fault") else ()
    if orders and history.orders and not share_an_order(history.orders, orders):
        said = said._replace(marks=said.marks.upper())
    before = AlarmHistory(history.level, history.slots, history.days)
    rises = rises_after(history.rises, dismissals, d, said, orders, rule.n) if dismissals else ()
    alarm, events = advance(before, said, rule, dismissed=is_dismissed(rises))
    slots = SlotHistory() if alarm.days and alarm.days.agreed else alarm.slots
    if said.marks and said.marks != SEARCHED:
        severity = 0.0 if is_notice(d.doubts) else d.severity or sign.get("severity", 0.0)
        severities = (*severities, severity)[-rule.n :]
    if d.confidence is not None and not FOUND.isdisjoint(said.marks.lower()):
        confidences = (*confidences, d.confidence)[-rule.n :]
    for event in events:
        if event.name == "raised":
            alert_id = f"{record.machine_id}:{d.fault}:{round(event.t * 1000)}"
        why = _despite_weakness(sign, alarm.slots.marks, orders, rule) if sign else None
        alerts.append(_alert(alert_id, record.machine_id, d, event, rule, why))
    load_a = d.indicators.get("load_a")
    after = FaultHistory(
        last_state=d.state,
        last_code=d.code,
        last_reason=d.reason,
        last_t=record.t_end,
        load_a=float(load_a) if isinstance(load_a, Real) else None,
        severities=severities,
        level=alarm.level,
        marks=slots.marks,
        starts=slots.starts,
        alert=alert_id if alarm.level else "",
        last_values=d.values,
        orders=orders or history.orders,
        last_doubts=d.doubts,
        confidences=confidences if alarm.level or not events else (),
        days=alarm.days,
        rises=() if alarm.level else rises,
        alert_severity=history.alert_severity,
    )
    if alarm.level:
        after.held = _held(history, after, said, rule)
        after.alert_severity, after.alert_confidence = (
            (median_of(severities), median_of(confidences))
            if events
            else (history.alert_severity, history.alert_confidence)
        )
    if sign and alarm.level and (after.held is None or not RANK.get(after.held.state, 0)):
        why = _despite_weakness(sign, alarm.slots.marks, orders, rule)
        after.held = Verdict(
            state=d.state,
            code=why.code,
            reason=why.sentence,
            t=record.t_end,
            values=why.values,
            doubts=(_reason(d), *d.doubts),
        )
    return after, alerts, said.marks


def median_of(shares: tuple[float, ...]) -> float | None:
    """Return the median of severities or confidences; None without any."""
    return round(median(shares), 4) if shares else None


def _held(
    before: FaultHistory, after: FaultHistory, said: Slots, rule: Persistence
) -> Verdict | None:
    if RANK.get(after.last_state, 0) >= RANK[after.level] and not _is_below(said, rule):
        return after.latest
    return before.held


def _reason(d: Diagnosis | Answer) -> Reason:
    return Reason(d.code, d.values)


def _despite_weakness(
    sign: Mapping[str, Any], marks: str, orders: tuple[float, ...], rule: Persistence
) -> Reason:
    """Return why what is too little for one record counts: it has risen, or stays where it is."""
    order, rise_db = orders[0] if orders else 0.0, sign.get("rise_db")
    n = min(len(marks), rule.n * (WEAK_TIMES if rise_db is None else 1))
    kinds = CLEARLY_FOUND if rise_db is not None else {*CLEARLY_FOUND, WEAK}
    values = {"order": order, "found": sum(m in kinds for m in marks[-n:]), "records": n}
    if rise_db is None:
        return reason("weak_lines_stay", **values)
    return reason("weak_lines_risen", rise_db=rise_db, **values)


def _suppression(history: FaultHistory, record: Record, d: Diagnosis | Answer) -> list[Alert]:
    suppressed = suppresses_alarms(d.code)
    if suppressed == suppresses_alarms(history.last_code):
        return []
    return [
        Alert(
            id=history.alert,
            machine_id=record.machine_id,
            fault=d.fault,
            level=history.level,
            event="suppressed" if suppressed else "unsuppressed",
            t=record.t_start,
            code=d.code,
            reason=d.reason,
            values=d.values,
            doubts=d.doubts,
        )
    ]


def _alert(
    alert_id: str,
    machine_id: str,
    d: Diagnosis | Answer,
    event: Event,
    rule: Persistence,
    stays: Reason | None = None,
) -> Alert:
    """Return the alert of an event; `stays` is its reason where the record decided nothing."""
    code, values, doubts, sentence = d.code, d.values, d.doubts, d.reason
    if stays and event.name == "raised":
        code, values, doubts, sentence = (
            stays.code,
            stays.values,
            (_reason(d), *doubts),
            stays.sentence,
        )
    if event.name == "cleared":
        why = _nothing_found(rule)
        code, values, doubts, sentence = why.code, why.values, (), why.sentence
    return Alert(
        id=alert_id,
        machine_id=machine_id,
        fault=d.fault,
        level=event.level,
        event=event.name,
        t=event.t,
        code=code,
        reason=sentence,
        values=values,
        doubts=doubts,
    )


def _dismissed(history: FaultHistory, record: Record, d: Diagnosis | Answer) -> Alert:
    """Return the end of an open alert that a person closed as false."""
    why = reason("alarm_dismissed")
    return Alert(
        id=history.alert,
        machine_id=record.machine_id,
        fault=d.fault,
        level=history.level,
        event="cleared",
        t=record.t_start,
        code=why.code,
        reason=why.sentence,
    )


def _nothing_found(rule: Persistence) -> Reason:
    """Return why an alert is cleared: the last diagnosis alone may still be of the fault."""
    if rule.min_severity or rule.min_confidence:
        least = {"severity": rule.min_severity, "confidence": rule.min_confidence}
        return reason("below_sensitivity", slots=rule.clear, **least)
    if rule.slot_s:
        return reason("nothing_found_in_slots", slots=rule.clear, slot_s=rule.slot_s)
    return reason("nothing_found", records=rule.clear)
