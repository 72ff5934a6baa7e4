"""Changes by the diagnoses of one record: the history, the alerts and the health of its machine.

Pure; the worker commits the result.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from vtox.motor.alarms.health import asymmetry_mean, sideband_mean
from vtox.motor.alarms.health.alert_values import Alert, FaultHistory
from vtox.motor.alarms.health.alerts import extend
from vtox.motor.alarms.health.assessment import Assessment, Fused, Published, assess
from vtox.motor.alarms.health.dismissals import Dismissal
from vtox.motor.alarms.health.marks import RANK
from vtox.motor.faults import FAULTS, PERSISTENCE, Persistence
from vtox.motor.values.domain import Answer, Diagnosis, Record


# Not frozen, as that takes a third of the time.
@dataclass(slots=True)
class MachineHistory:
    """Findings on a machine so far, up to a time `t`, and the last published assessment."""

    faults: Mapping[str, FaultHistory] = field(default_factory=dict)
    last_published: Published | None = None
    t: float = 0.0

    @property
    def assessment(self) -> Assessment:
        """The health of the machine at that time."""
        return assess(self.faults, self.t)


class HealthUpdate(NamedTuple):
    """Changes by the diagnoses of one record.

    `marks` has the faults of which the record is the latest now, each with the marks that its alarm
    has taken of the record (`vtox.motor.alarms.health.alerts.Slots`). `published` is the assessment
    if it is due, at the end of the record: of a back-fill the families are minutes apart.
    `keep_waveform` says whether the record shows something new, so that its samples are kept as
    evidence. `fingerprint` is that of the machine, empty if nothing has changed. `decided` are the
    diagnoses; the records before decide some that are open alone.
    """

    marks: Mapping[str, str]
    history: MachineHistory
    alerts: Sequence[Alert] = ()
    published: Assessment | None = None
    keep_waveform: bool = False
    fingerprint: str = ""
    decided: Sequence[Diagnosis | Answer] = ()


def update(
    history: MachineHistory,
    record: Record,
    diagnoses: Sequence[Diagnosis | Answer],
    *,
    latest_t: float = inf,
    rules: Mapping[str, Persistence] = PERSISTENCE,
    dismissals: Sequence[Dismissal] = (),
    missing: Collection[str] = (),
) -> HealthUpdate:
    """Return history and new alerts of a machine after the diagnoses of one record.

    A diagnosis of the past, older than the last one of its fault, changes nothing. `latest_t` is
    the latest time that a right clock may show (`is_past`).

    An alert is raised when `k` of the last `n` decided slots of a fault are at its level or above.
    It is escalated when `k` of them are faults. It is cleared when the last `clear` slots are
    normal and not near the limit. `rules` has these numbers for each fault. Abstentions neither
    raise nor clear, except `QUIET` ones.

    The time of an alert is that of the signal: the start of the first slot found, and of the first
    normal one. A warning that people closed as false (`dismissals`, in force when the record
    arrives) does not come again until it has grown. Faults that are `missing` here belong to
    packages that other hosts have: their alarms stay as they are.
    """
    marks: dict[str, str] = {}
    faults = dict(history.faults)
    alerts: list[Alert] = []
    keep_waveform = False
    decided: list[Diagnosis | Answer] = []
    for d in diagnoses:
        if is_past(history, record, d.fault, latest_t):
            decided.append(d)
            continue
        if d.fault in missing:
            marks[d.fault] = ""
            decided.append(d)
            continue
        before = faults.get(d.fault) or FaultHistory()
        sidebands, said = sideband_mean.decided_by_mean(before.sidebands, d)
        asymmetry, said = asymmetry_mean.decided_by_mean(before.asymmetry, said, record)
        decided.append(said)
        after, events, marks[d.fault] = extend(before, record, said, rules[d.fault], dismissals)
        after.sidebands, after.asymmetry = sidebands, asymmetry
        faults[d.fault] = after
        alerts += events
        found = said.state in ("warning", "fault")
        keep_waveform |= found and RANK[said.state] > RANK.get(before.last_state, 0)
    if not marks:
        return HealthUpdate(marks, history, decided=decided)
    t = max([0.0, record.t_end, *[h.last_t for h in faults.values() if h.last_t <= latest_t]])
    fused = Fused.of(faults, t, missing)
    now, last, published = Published(record.t_end, *fused[:2]), history.last_published, None
    if now.is_due_after(last):
        last, published = now, assess(faults, now.t, fused=fused)
    return HealthUpdate(
        marks,
        MachineHistory(faults, last, t),
        alerts,
        published,
        keep_waveform,
        fused.fingerprint(faults),
        decided,
    )


def is_past(history: MachineHistory, record: Record, fault: str, latest_t: float) -> bool:
    """Return whether a record is older than the last one of a fault: a replay, or overtaken.

    A last one beyond `latest_t` came from a clock that was ahead: later records are not its past.
    """
    last = history.faults.get(fault)
    return last is not None and record.t_end < last.last_t <= latest_t


def last_load_a(history: MachineHistory) -> float | None:
    """Return the load that the machine showed last, positive-sequence A rms; None: not measured."""
    loads = [(h.last_t, h.load_a) for f, h in history.faults.items() if f in FAULTS and h.load_a]
    return float(max(loads)[1]) if loads else None
