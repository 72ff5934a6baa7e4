"""Raises, escalates and clears alerts: from the diagnoses of a fault to its level. Pure.

What is remembered of a machine's faults is kept with it on the server
(`vtox.pipeline.store.stream.entries` is the codec): per fault the last slots, the severities and
the open alert.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from statistics import median
from typing import Any, NamedTuple

from vtox.motor.alarms.health.alert_values import (
    Alert,
    EventName,
    FaultHistory,
    Level,
    SlotHistory,
    Verdict,
)
from vtox.motor.alarms.health.impact_orders import impact_orders, share_an_order
from vtox.motor.faults import Persistence
from vtox.motor.values.domain import QUIET, Answer, Diagnosis, Reason, Record, reason
from vtox.motor.values.operating_state import suppresses_alarms

# What changes the level of a fault; the others say that its alert means nothing for a time.
CHANGES_OF_LEVEL: tuple[EventName, ...] = ("raised", "escalated", "cleared")

# How a slot is remembered. `h`: normal, but so near the limit that it neither raises nor clears.
# `q`: undecided, but nothing found where the method could look (`QUIET`), which clears.
MARKS = {"normal": "n", "warning": "w", "fault": "f", "unknown": "q"}
NEAR_LIMIT = "h"
# Found, but with less severity or confidence than alerts on this machine: clears.
BELOW_SENSITIVITY = "b"
CLEARING = {"n", "q", BELOW_SENSITIVITY}
# Found, but a cause that passes is not excluded: a `warning`, a `fault`.
PASSING = {"w": "v", "f": "g"}
MAY_PASS = frozenset(PASSING.values())
# Undecided: too little was found for one record (`weak_sign` in its evidence); impacts of another
# part were, or what raises no alert (`NOTICE_CAUSES`), which neither raise nor clear.
# A weak sign that has risen above the baseline (`rise_db`) counts as one that is not weak.
WEAK, RISEN, OF_ANOTHER_PART = "s", "r", "o"
UNDECIDED = MARKS["unknown"] + WEAK + RISEN + OF_ANOTHER_PART
FOUND = {*PASSING, *MAY_PASS, WEAK, RISEN}
FAULTS = {"f", PASSING["f"]}
# A mark in upper case: impacts found, but at none of the orders of those before (`impact_orders`).
# What was found before no longer counts: it cannot be of the same part.
NO_LONGER_COUNTS = str.maketrans(dict.fromkeys(FOUND, NEAR_LIMIT))
# The doubts that say so. Then so many times as many slots raise an alert, of which no more may be
# without the fault than else. docs/calibration/alerts.md#causes-that-pass
PASSING_CAUSES = {"flicker_not_excluded"}
PASSING_TIMES = 8
# So many times as many slots raise an alert where some found too little alone, of which the same
# share must show it. docs/calibration/alerts.md#weak-signs-that-stay
WEAK_TIMES = 2
# Doubts of what is shown and raises no alert: the machine has not been known for long enough, or
# the other machines of its feeder show the same, or are not heard yet.
NOTICE_CAUSES = {"few_periods_learnt", "feeder_moves", "feeder_not_heard"}
# Statistic over threshold from which an episode is clear. The quiet slots of a record with a
# weaker one count as near the limit.
CLEAR_EPISODE_RATIO = 2.0
RANK = {"": 0, "warning": 1, "fault": 2}


# A named tuple, as `SlotHistory`.
class Slots(NamedTuple):
    """What one diagnosis says to the alarm of its fault: a mark for each slot of its record.

    `marks` is empty where it says nothing. `slot_s` is the length of a slot, s; None: one record.
    """

    marks: str
    t_start: float
    slot_s: float | None = None
    severity: float | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A change of a fault's level: raised to, escalated to, or cleared from `level`."""

    name: EventName
    level: Level
    t: float


def slots_of(d: Diagnosis | Answer, record: Record, rule: Persistence) -> Slots:
    """Return what a diagnosis says: episodes in a record give a finer time than its own."""
    marks = ""
    if d.state != "unknown" or QUIET in d.evidence:
        marks = _marks(d, record, rule)
    elif sign := _evidence(d, "weak_sign"):
        marks = RISEN if "rise_db" in sign else WEAK
    elif _evidence(d, "impacts"):
        marks = OF_ANOTHER_PART
    return Slots(marks, record.t_start, rule.slot_s, d.severity, d.confidence)


def _evidence(d: Diagnosis | Answer, kind: str) -> Mapping[str, Any] | None:
    """Return the first piece of evidence of a kind."""
    for e in d.evidence:
        if e.get("kind") == kind:
            return e
    return None


def advance(
    history: SlotHistory, slots: Slots, rule: Persistence
) -> tuple[SlotHistory, list[Event]]:
    """Return the history with the slots of one more diagnosis, and the changes of level."""
    below = _is_below(slots, rule)
    events = []
    for i, mark in enumerate(slots.marks):
        t = slots.t_start + i * (slots.slot_s or 0.0)
        kept = mark
        if below and mark.lower() in FOUND:
            kept = BELOW_SENSITIVITY.upper() if mark.isupper() else BELOW_SENSITIVITY
        history, event = transition(history, kept, t, rule)
        if event:
            events.append(event)
    return history, events


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
    if _enough(marks, {"f"}, rule.k, rule.n) or _enough(marks, FAULTS, n - (rule.n - rule.k), n):
        return "fault"
    if not level and any(_enough(marks, kinds, k, n) for kinds, k, n in _runs(rule)):
        return "warning"
    if level and len(marks) >= rule.clear and set(marks[-rule.clear :]) <= CLEARING:
        return ""
    return level


def _runs(rule: Persistence) -> tuple[tuple[set[str], int, int], ...]:
    """Return the runs that raise a warning: kinds of marks, of which `k` of the last `n` count."""
    passing = rule.n * PASSING_TIMES
    return (
        ({*PASSING, RISEN}, rule.k, rule.n),
        ({*PASSING, RISEN, WEAK}, rule.k * WEAK_TIMES, rule.n * WEAK_TIMES),
        ({*PASSING, RISEN, *MAY_PASS}, passing - (rule.n - rule.k), passing),
    )


def _enough(marks: str, kinds: set[str], k: int, n: int) -> bool:
    """Return whether `k` of the last `n` marks are of these kinds."""
    return sum(mark in kinds for mark in marks[-n:]) >= k


def extend(
    history: FaultHistory, record: Record, d: Diagnosis | Answer, rule: Persistence
) -> tuple[FaultHistory, list[Alert], str]:
    """Return the history of a fault with one more diagnosis, its alerts and its marks.

    An alert that is open is suppressed by the first record of a start, ramp or standstill, and
    unsuppressed by the first one of anything else: what hides an alarm must be said again each
    time.
    """
    severities, confidences, alert_id = history.severities, history.confidences, history.alert
    alerts = _suppression(history, record, d) if alert_id else []
    said = slots_of(d, record, rule)
    sign = _evidence(d, "weak_sign") or {}
    orders = impact_orders(d) if sign or d.state in ("warning", "fault") else ()
    if orders and history.orders and not share_an_order(history.orders, orders):
        said = said._replace(marks=said.marks.upper())
    slots, events = advance(history.slots, said, rule)
    if said.marks:
        severity = 0.0 if is_notice(d.doubts) else d.severity or sign.get("severity", 0.0)
        severities = (*severities, severity)[-rule.n :]
    if d.confidence is not None and not FOUND.isdisjoint(said.marks.lower()):
        confidences = (*confidences, d.confidence)[-rule.n :]
    for event in events:
        if event.name == "raised":
            alert_id = f"{record.machine_id}:{d.fault}:{round(event.t * 1000)}"
        why = _despite_weakness(sign, slots.marks, orders, rule) if sign else None
        alerts.append(_alert(alert_id, record.machine_id, d, event, rule, why))
    load_a = d.indicators.get("load_a")
    after = FaultHistory(
        last_state=d.state,
        last_code=d.code,
        last_reason=d.reason,
        last_t=record.t_end,
        load_a=float(load_a) if isinstance(load_a, Real) else None,
        severities=severities,
        level=slots.level,
        marks=slots.marks,
        starts=slots.starts,
        alert=alert_id if slots.level else "",
        last_values=d.values,
        orders=orders or history.orders,
        last_doubts=d.doubts,
        confidences=confidences if slots.level or not events else (),
    )
    if slots.level:
        after.held = _held(history, after, said, rule)
        after.alert_severity, after.alert_confidence = (
            (median_of(severities), median_of(confidences))
            if events
            else (history.alert_severity, history.alert_confidence)
        )
    if sign and slots.level and (after.held is None or not RANK.get(after.held.state, 0)):
        why = _despite_weakness(sign, slots.marks, orders, rule)
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
    kinds = {*PASSING, RISEN} if rise_db is not None else {*PASSING, RISEN, WEAK}
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


def _nothing_found(rule: Persistence) -> Reason:
    """Return why an alert is cleared: the last diagnosis alone may still be of the fault."""
    if rule.min_severity or rule.min_confidence:
        least = {"severity": rule.min_severity, "confidence": rule.min_confidence}
        return reason("below_sensitivity", slots=rule.clear, **least)
    if rule.slot_s:
        return reason("nothing_found_in_slots", slots=rule.clear, slot_s=rule.slot_s)
    return reason("nothing_found", records=rule.clear)


def _marks(d: Diagnosis | Answer, record: Record, rule: Persistence) -> str:
    marks = MARKS | {"normal": NEAR_LIMIT} if _near_limit(d, rule) else MARKS
    if any(doubt.code in PASSING_CAUSES for doubt in d.doubts):
        marks = {state: PASSING.get(mark, mark) for state, mark in marks.items()}
    if is_notice(d.doubts):
        marks = {
            state: OF_ANOTHER_PART if mark in PASSING else mark for state, mark in marks.items()
        }
    if rule.slot_s is None:
        return marks[d.state]
    slots = max(1, round((record.t_end - record.t_start) / rule.slot_s))
    episodes = [e for e in d.evidence if e.get("kind") == "episode"]
    if not episodes:
        return slots * marks[d.state]
    found = ""
    for i in range(slots):
        middle = (i + 0.5) * rule.slot_s
        states = [e["state"] for e in episodes if e["t_start_s"] <= middle < e["t_end_s"]]
        found += marks[max(states, key=lambda s: RANK[s]) if states else "normal"]
    return found


def is_notice(doubts: Iterable[Reason]) -> bool:
    """Return whether doubts say that what was found is shown and raises no alert."""
    return any(doubt.code in NOTICE_CAUSES for doubt in doubts)


def _near_limit(d: Diagnosis | Answer, rule: Persistence) -> bool:
    """Return whether the quiet slots of a record are only just below the limit."""
    if d.statistic is None or d.threshold is None:
        return False
    clear_from = CLEAR_EPISODE_RATIO if d.state in ("warning", "fault") else 1.0
    return rule.hold * d.threshold < d.statistic < clear_from * d.threshold
