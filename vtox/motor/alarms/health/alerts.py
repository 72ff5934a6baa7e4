"""Raises, escalates and clears alerts: from the diagnoses of a fault to its level. Pure.

The memory of a machine's faults is kept with it on the server
(`vtox.pipeline.store.stream.entries` is the codec): per fault the last slots, the severities and
the open alert.
"""

from collections.abc import Mapping, Sequence
from numbers import Real
from statistics import median
from typing import Any

from vtox.motor.alarms.health.alarm_level import AlarmHistory, Event, advance, is_below
from vtox.motor.alarms.health.alert_values import (
    Alert,
    FaultHistory,
    SlotHistory,
    Verdict,
)
from vtox.motor.alarms.health.dismissals import (
    Dismissal,
    is_dismissed,
    rises_after,
    without_dismissed,
)
from vtox.motor.alarms.health.impact_orders import impact_orders, share_an_order
from vtox.motor.alarms.health.marks import (
    CLEARLY_FOUND,
    FOUND,
    RANK,
    SEARCHED,
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


def extend(
    history: FaultHistory,
    record: Record,
    d: Diagnosis | Answer,
    rule: Persistence,
    dismissals: Sequence[Dismissal] = (),
) -> tuple[FaultHistory, list[Alert], str]:
    """Return the history of a fault with one more diagnosis, its alerts and its marks.

    The first record of a start, ramp or standstill suppresses an open alert. The first record
    of anything else unsuppresses it: each record must give the suppression again.
    `dismissals` are the alarms of the machine that people closed as false, and that hold now.
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
    rises = rises_after(history.rises, dismissals, d, said, orders, rule.n) if dismissals else ()
    alarm = AlarmHistory(history.level, history.slots, history.days)
    events: list[Event] = []
    if said.marks:
        alarm, events = advance(alarm, said, rule, dismissed=is_dismissed(rises))
        if said.marks != SEARCHED:
            severity = 0.0 if is_notice(d.doubts) else d.severity or sign.get("severity", 0.0)
            severities = (*severities, severity)[-rule.n :]
        if d.confidence is not None and not FOUND.isdisjoint(said.marks.lower()):
            confidences = (*confidences, d.confidence)[-rule.n :]
    slots = SlotHistory() if alarm.days and alarm.days.agreed else alarm.slots
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
    if RANK.get(after.last_state, 0) >= RANK[after.level] and not is_below(said, rule):
        return after.latest
    return before.held


def _reason(d: Diagnosis | Answer) -> Reason:
    return Reason(d.code, d.values)


def _despite_weakness(
    sign: Mapping[str, Any], marks: str, orders: tuple[float, ...], rule: Persistence
) -> Reason:
    """Return why a sign too weak for one record counts: it has risen, or stays where it is."""
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
    """Return the alert of an event; `stays` is its reason if the record decided nothing."""
    code, values, doubts, sentence = d.code, d.values, d.doubts, d.reason
    if stays and event.name == "raised":
        code, values, doubts, sentence = (
            stays.code,
            stays.values,
            (_reason(d), *doubts),
            stays.sentence,
        )
    if event.name == "cleared":
        why = _clearing_reason(rule)
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


def _clearing_reason(rule: Persistence) -> Reason:
    """Return why an alert is cleared: the last diagnosis alone may still be of the fault."""
    if rule.min_severity or rule.min_confidence:
        least = {"severity": rule.min_severity, "confidence": rule.min_confidence}
        return reason("below_sensitivity", slots=rule.clear, **least)
    if rule.slot_s:
        return reason("nothing_found_in_slots", slots=rule.clear, slot_s=rule.slot_s)
    return reason("nothing_found", records=rule.clear)
