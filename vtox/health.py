"""From diagnoses to the health of a machine: persistence, hysteresis, one alert per episode. Pure.

The history of a machine is kept with it on the server (`vtox.store.entries` is its codec): per
fault the last slots, the severities and the open alert.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from statistics import median
from typing import Literal, NamedTuple

from vtox.domain import QUIET, Diagnosis, Reason, Record, State, reason
from vtox.faults import FAULTS, PERSISTENCE, Persistence
from vtox.sentences.rendering import render

Level = Literal["", "warning", "fault"]
EventName = Literal["raised", "escalated", "cleared"]

# How a slot is remembered. `h`: normal, but so near the limit that it neither raises nor clears.
# `q`: undecided, but nothing found where the method could look (`QUIET`), which clears.
MARKS = {"normal": "n", "warning": "w", "fault": "f", "unknown": "q"}
NEAR_LIMIT = "h"
CLEARING = {"n", "q"}
# Statistic over threshold from which an episode is clear. The quiet slots of a record with a
# weaker one count as near the limit.
CLEAR_EPISODE_RATIO = 2.0
RANK = {"": 0, "warning": 1, "fault": 2}
# An assessment is published when it changes, and at least this often.
PUBLISH_EVERY_S = 10.0
# A fault of which nothing was decided for this time is undecided: three of the longest records.
UNDECIDED_S = 120.0


# These three are named tuples, not dataclasses: every commit makes a dozen of them, and that in a
# third of the time of frozen dataclasses.
class SlotHistory(NamedTuple):
    """The last slots of a fault (a mark and a start each), and the level that they have led to."""

    level: Level = ""
    marks: str = ""
    starts: tuple[float, ...] = ()


class FaultHistory(NamedTuple):
    """What a machine has shown of one fault; `alert_id` is empty without an open alert.

    `severities` are those of the last decided records, a median of which is that of the fault.
    """

    last_state: State | Literal[""] = ""
    last_code: str = ""
    last_reason: str = ""
    last_t: float = 0.0
    load_a: float | None = None
    severities: tuple[float, ...] = ()
    slots: SlotHistory = SlotHistory()
    alert_id: str = ""


class FaultAssessment(NamedTuple):
    """One fault of a machine: its state now, and what its last record showed."""

    state: State
    severity: float | None
    last: State | Literal[""]
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Published:
    """The assessment that was published last, as far as the next one is compared with it."""

    t: float
    health: float | None
    state: State


@dataclass(frozen=True, slots=True)
class MachineHistory:
    """What a machine has shown so far, and what of it was published."""

    faults: Mapping[str, FaultHistory] = field(default_factory=dict)
    last_published: Published | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """The fused health of one machine at time `t`: 0 to 100, None where nothing is decided."""

    t: float
    health: float | None
    state: State
    faults: Mapping[str, FaultAssessment]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One event of an alarm. Its `id` (machine:fault:ms of the onset) is that of the alarm.

    `fault` is a fault, or the name of a flag (`vtox.store.flags`); `t` is the time of the signal.
    """

    id: str
    machine_id: str
    fault: str
    level: str
    event: EventName
    t: float
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A change of a fault's level: raised to, escalated to, or cleared from `level`."""

    name: EventName
    level: Level
    t: float


@dataclass(frozen=True, slots=True)
class HealthUpdate:
    """What the diagnoses of one record change.

    `publish` says whether the assessment is due; `keep_waveform` whether the record shows
    something new, so that its samples are kept as evidence.
    """

    history: MachineHistory
    assessment: Assessment
    alerts: tuple[Alert, ...]
    publish: bool
    keep_waveform: bool


def update(history: MachineHistory, record: Record, diagnoses: Sequence[Diagnosis]) -> HealthUpdate:
    """Return history, health and new alerts of a machine after the diagnoses of one record.

    An alert is raised when `k` of the last `n` decided slots of a fault are at its level or above
    (`PERSISTENCE`), escalated when `k` of them are faults, and cleared when the last `clear` slots
    are normal and not near the limit. Abstentions neither raise nor clear, but for those that are
    `QUIET`. The time of an alert is that of the signal: the start of the first slot found, and of
    the first normal one.
    """
    faults = dict(history.faults)
    alerts: list[Alert] = []
    keep_waveform = False
    for d in diagnoses:
        before = faults.get(d.fault) or FaultHistory()
        faults[d.fault], events = _extend(before, record, d)
        alerts += events
        found = d.state in ("warning", "fault")
        keep_waveform |= found and RANK[d.state] > RANK.get(before.last_state, 0)
    assessment = assess(faults, record.t_end)
    publish = _changed(history.last_published, assessment)
    published = history.last_published
    if publish:
        published = Published(assessment.t, assessment.health, assessment.state)
    return HealthUpdate(
        MachineHistory(faults, published), assessment, tuple(alerts), publish, keep_waveform
    )


def last_load_a(history: MachineHistory) -> float | None:
    """Return the load that the machine showed last, positive-sequence A rms; None: not measured."""
    loads = [(h.last_t, h.load_a) for f, h in history.faults.items() if f in FAULTS and h.load_a]
    return float(max(loads)[1]) if loads else None


def transition(
    history: SlotHistory, mark: str, t: float, rule: Persistence
) -> tuple[SlotHistory, Event | None]:
    """Return the history with one more slot, and the change of level that it makes."""
    most = max(rule.n, rule.clear)
    before = history.level
    marks = (history.marks + mark)[-most:]
    starts = (*history.starts, round(t, 3))[-most:]
    level = _level(before, marks, rule)
    after = SlotHistory(level, marks, starts)
    if level == before:
        return after, None
    if not level:
        return after, Event("cleared", before, starts[-rule.clear])
    if before:
        return after, Event("escalated", level, t)
    last_n = zip(marks[-rule.n :], starts[-rule.n :], strict=True)
    return after, Event("raised", level, next(start for m, start in last_n if m in "wf"))


def _level(level: Level, marks: str, rule: Persistence) -> Level:
    last_n = marks[-rule.n :]
    faults = last_n.count("f")
    if faults >= rule.k:
        return "fault"
    if not level and last_n.count("w") + faults >= rule.k:
        return "warning"
    if level and len(marks) >= rule.clear and set(marks[-rule.clear :]) <= CLEARING:
        return ""
    return level


def _extend(
    history: FaultHistory, record: Record, d: Diagnosis
) -> tuple[FaultHistory, list[Alert]]:
    """Return the history of a fault with one more diagnosis, and the alerts that it causes."""
    rule = PERSISTENCE[d.fault]
    alerts: list[Alert] = []
    slots, severities, alert_id = history.slots, history.severities, history.alert_id
    if d.state != "unknown" or QUIET in d.evidence:
        severities = (*severities, d.severity or 0.0)[-rule.n :]
        for mark, t in _slots(d, record, rule):
            slots, event = transition(slots, mark, t, rule)
            if event is None:
                continue
            if event.name == "raised":
                alert_id = f"{record.machine_id}:{d.fault}:{round(event.t * 1000)}"
            alerts.append(_alert(alert_id, record.machine_id, d, event, rule))
    load_a = d.indicators.get("load_a")
    after = FaultHistory(
        last_state=d.state,
        last_code=d.code,
        last_reason=d.reason,
        last_t=record.t_end,
        load_a=float(load_a) if isinstance(load_a, Real) else None,
        severities=severities,
        slots=slots,
        alert_id=alert_id if slots.level else "",
    )
    return after, alerts


def _alert(alert_id: str, machine_id: str, d: Diagnosis, event: Event, rule: Persistence) -> Alert:
    code, sentence = d.code, d.reason
    if event.name == "cleared":
        why = _nothing_found(rule)
        code, sentence = why.code, render(why.code, why.values)
    return Alert(
        id=alert_id,
        machine_id=machine_id,
        fault=d.fault,
        level=event.level,
        event=event.name,
        t=event.t,
        code=code,
        reason=sentence,
    )


def _nothing_found(rule: Persistence) -> Reason:
    """Return why an alert is cleared: the last diagnosis alone may still be of the fault."""
    if rule.slot_s:
        return reason("nothing_found_in_slots", slots=rule.clear, slot_s=rule.slot_s)
    return reason("nothing_found", records=rule.clear)


def _slots(d: Diagnosis, record: Record, rule: Persistence) -> list[tuple[str, float]]:
    """Return mark and start of each slot: episodes in a record give a finer time than its own."""
    marks = MARKS | {"normal": NEAR_LIMIT} if _near_limit(d, rule) else MARKS
    if rule.slot_s is None:
        return [(marks[d.state], record.t_start)]
    episodes = [e for e in d.evidence if e.get("kind") == "episode"]
    slots = []
    for i in range(max(1, round((record.t_end - record.t_start) / rule.slot_s))):
        middle = (i + 0.5) * rule.slot_s
        states = [e["state"] for e in episodes if e["t_start_s"] <= middle < e["t_end_s"]]
        state = max(states, key=lambda s: RANK[s]) if states else "normal"
        if not episodes:
            state = d.state
        slots.append((marks[state], record.t_start + i * rule.slot_s))
    return slots


def _near_limit(d: Diagnosis, rule: Persistence) -> bool:
    """Return whether the quiet slots of a record are only just below the limit."""
    if d.statistic is None or d.threshold is None:
        return False
    clear_from = CLEAR_EPISODE_RATIO if d.state in ("warning", "fault") else 1.0
    return rule.hold * d.threshold < d.statistic < clear_from * d.threshold


def assess(faults: Mapping[str, FaultHistory], t: float) -> Assessment:
    """Return the health: 100 less the median severity (in %) of the worst fault with an alert.

    A fault without an open alert is `normal` where it was decided within `UNDECIDED_S`, else
    `unknown`; a machine of which nothing is decided has no health.
    """
    found = {fault: _assess_fault(faults[fault], t) for fault in FAULTS if fault in faults}
    decided: list[State] = [f.state for f in found.values() if f.state != "unknown"]
    if not decided:
        return Assessment(t, None, "unknown", found)
    state = max(decided, key=lambda s: RANK.get(s, 0))
    worst = max(
        (f.severity or 0.0 for f in found.values() if f.state in ("warning", "fault")),
        default=0.0,
    )
    return Assessment(t, round(100 * (1 - worst), 1), state, found)


def _assess_fault(history: FaultHistory, t: float) -> FaultAssessment:
    severities = history.severities
    return FaultAssessment(
        history.slots.level or ("normal" if _decided_lately(history.slots, t) else "unknown"),
        round(median(severities), 4) if severities else None,
        history.last_state,
        history.last_code,
        history.last_reason,
    )


def _decided_lately(slots: SlotHistory, t: float) -> bool:
    """Return whether a diagnosis of this fault decided lately: a dead sensor is not health."""
    decided = len(slots.marks.rstrip(MARKS["unknown"]))
    return decided > 0 and t - slots.starts[decided - 1] <= UNDECIDED_S


def _changed(last: Published | None, now: Assessment) -> bool:
    """Return whether an assessment differs from the last one published, or that one is old."""
    if last is None or last.state != now.state:
        return True
    moved = abs((last.health or 0) - (now.health or 0)) >= 1
    return moved or now.t - last.t >= PUBLISH_EVERY_S
