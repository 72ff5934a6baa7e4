"""What the diagnoses of one record change: the history, the alerts and the health of its machine.

Pure; the worker commits what comes out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from vtox.alarms.health.alert_values import Alert, FaultHistory
from vtox.alarms.health.alerts import RANK, extend
from vtox.alarms.health.assessment import Assessment, Published, assess, is_due
from vtox.faults import FAULTS, PERSISTENCE, Persistence
from vtox.values.domain import Answer, Diagnosis, Record


@dataclass(frozen=True, slots=True)
class MachineHistory:
    """What a machine has shown so far, and what of it was published."""

    faults: Mapping[str, FaultHistory] = field(default_factory=dict)
    last_published: Published | None = None


@dataclass(frozen=True, slots=True)
class HealthUpdate:
    """What the diagnoses of one record change.

    `marks` has the faults of which the record is the latest now, each with what its alarm has taken
    of the record (`vtox.alarms.health.alerts.Slots`). `published` is the assessment where it is
    due, at the end of the record: of a back-fill the families are minutes apart. `keep_waveform`
    says whether the record shows something new, so that its samples are kept as evidence.
    """

    marks: Mapping[str, str]
    history: MachineHistory
    assessment: Assessment
    alerts: tuple[Alert, ...]
    published: Assessment | None
    keep_waveform: bool


def update(
    history: MachineHistory,
    record: Record,
    diagnoses: Sequence[Diagnosis | Answer],
    *,
    latest_t: float = inf,
    rules: Mapping[str, Persistence] = PERSISTENCE,
) -> HealthUpdate:
    """Return history, health and new alerts of a machine after the diagnoses of one record.

    A diagnosis of the past, older than the last one of its fault, changes nothing. `latest_t` is
    the latest time that a right clock may show (`is_past`).

    An alert is raised when `k` of the last `n` decided slots of a fault are at its level or above,
    escalated when `k` of them are faults, and cleared when the last `clear` slots are normal and
    not near the limit; `rules` are these numbers for each fault. Abstentions neither raise nor
    clear, unless it is `QUIET`. The time of an alert is that of the signal: the start of
    the first slot found, and of the first normal one.
    """
    marks: dict[str, str] = {}
    faults = dict(history.faults)
    alerts: list[Alert] = []
    keep_waveform = False
    for d in diagnoses:
        if is_past(history, record, d.fault, latest_t):
            continue
        before = faults.get(d.fault) or FaultHistory()
        faults[d.fault], events, marks[d.fault] = extend(before, record, d, rules[d.fault])
        alerts += events
        found = d.state in ("warning", "fault")
        keep_waveform |= found and RANK[d.state] > RANK.get(before.last_state, 0)
    credible_t = (h.last_t for h in faults.values() if h.last_t <= latest_t)
    assessment = assess(faults, max(record.t_end, *credible_t, 0.0))
    last, published = history.last_published, None
    if marks and is_due(last, assessment, record.t_end):
        published = replace(assessment, t=record.t_end)
        last = Published(record.t_end, assessment.health, assessment.state)
    return HealthUpdate(
        marks,
        MachineHistory(faults, last),
        assessment,
        tuple(alerts),
        published,
        keep_waveform,
    )


def is_past(history: MachineHistory, record: Record, fault: str, latest_t: float) -> bool:
    """Return whether a record is older than the last one of a fault: a replay, or overtaken.

    A last one beyond `latest_t` came from a clock that was ahead: what follows is not its past.
    """
    last = history.faults.get(fault)
    return last is not None and record.t_end < last.last_t <= latest_t


def last_load_a(history: MachineHistory) -> float | None:
    """Return the load that the machine showed last, positive-sequence A rms; None: not measured."""
    loads = [(h.last_t, h.load_a) for f, h in history.faults.items() if f in FAULTS and h.load_a]
    return float(max(loads)[1]) if loads else None
