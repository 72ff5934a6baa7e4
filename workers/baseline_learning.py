"""Learns the baselines of registered machines from the stream.

A signal alone does not show that a machine is healthy. An operator who registers a nameplate
states that the machine is commissioned. Some long records without any finding then become its
baseline. A load at which it runs later is learnt in the same way, if it is consistent with the
baseline (`vtox.motor.diagnosis.learning.extension`). Baselines from the stream are marked as such
and can be reset: `vtox baseline reset`. A baseline of other channels, because the channel map has
changed, counts as none, and another one takes its place.

To learn takes as long as to diagnose some records again, and a fleet that starts together is due
together. A process therefore learns for a share of its time only (`LearningTime`); whose turn does
not come with a record learns after a later one, from its latest records.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import inf

import structlog

from vtox.motor.alarms.health.marks import is_notice
from vtox.motor.alarms.health.update import MachineHistory, last_load_a
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_model import LEAST_PERIODS
from vtox.motor.diagnosis.learning.extension import (
    PERIOD_S,
    covers_load,
    extend_baseline,
    further_period,
    one_load,
    reason_not_to_extend,
)
from vtox.motor.diagnosis.learning.fit import learn_baseline
from vtox.motor.errors import BaselineError
from vtox.motor.faults import FAULTS
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.channel_map import corrected
from vtox.motor.values.domain import Answer, Record
from vtox.motor.values.operating_state import operating_state
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.machines import learning_notes
from vtox.pipeline.store.machines.baselines import (
    refuse_load,
    store_extended_baseline,
    store_learnt_baseline,
)
from vtox.pipeline.store.machines.learning_notes import LearningNote
from vtox.pipeline.store.machines.machine_states import MachineState
from vtox.pipeline.store.machines.machines import is_listed
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.windows import fetch
from vtox.pipeline.windows.partitions import Partition
from workers.time_limit import DiagnosisTimeout, limit_s, time_limit

log = structlog.get_logger()

# Share of the retention within which records are learnt: windows older than the retention are
# trimmed, and the diagnosis of the last record takes a while.
USABLE_RETENTION = 0.95
# Healthy data of a new baseline: several long records (docs/explanation/baselines.md).
BASELINE_S = 40.0
# Share of a process's time that learning may take: records have the rest of it. Idle time is
# credited up to so long (s): after a third of a second without a break no other machine begins.
LEARNING_SHARE = 0.25
CREDIT_S = 1.0
# A server that is short of memory trims the windows of all machines too soon: a line for each would
# fill the log.
LOG_EVERY_S = 600.0

# Codes of a wrong clamp or a wrong scale. A baseline of such currents would lack the asymmetry
# of the machine, and be kept once they are fixed.
MISWIRED = {
    "channel_scale_differs",
    "currents_do_not_sum_to_zero",
    "phase_open",
    "supply_not_found",
}

Observation = tuple[Record, Sequence[Answer], MachineState]


@dataclass(slots=True)
class LearningTime:
    """Holds a process to its share: at `due_t` (s, monotonic) the time of learning is used up."""

    due_t: float = 0.0
    # Machines whose windows were gone, since the last line of the log said so.
    _too_late: set[str] = field(default_factory=set)
    _logged_t: float = -inf

    @property
    def due(self) -> bool:
        """Whether the process may learn another machine."""
        return time.monotonic() >= self.due_t

    def spend(self, took_s: float) -> None:
        """Note that a machine was learnt now, and how long it took."""
        began_t = time.monotonic() - took_s
        self.due_t = max(self.due_t, began_t - CREDIT_S) + took_s / LEARNING_SHARE

    def note_too_late(self, machine_id: str) -> None:
        """Note that the windows of a machine were trimmed before it was learnt; log it at times."""
        self._too_late.add(machine_id)
        now = time.monotonic()
        if now - self._logged_t >= LOG_EVERY_S:
            log.warning(
                "windows were trimmed before baselines were learnt (`vtox doctor`)",
                machines=len(self._too_late),
                machine_id=machine_id,
            )
            self._too_late.clear()
            self._logged_t = now


def learn(
    client: Client, settings: Settings, observations: Iterable[Observation], own: LearningTime
) -> None:
    """Note each record that may teach its machine's baseline; learn if there are enough.

    It takes the share of this process's time that `own` keeps account of.
    """
    interrupted: set[str] = set()
    for record, diagnoses, machine in observations:
        machine_id = record.machine_id
        if machine.motor is None:
            continue
        load_a = _load_a(diagnoses, machine.history)
        if not _teaches(record, diagnoses, machine, load_a):
            interrupted.add(machine_id)
            continue
        if not is_listed(client, machine_id):
            continue  # retired meanwhile
        so_far = [] if machine_id in interrupted else learning_notes.read(client, machine_id)
        interrupted.discard(machine_id)
        note = LearningNote(record, load_a)
        notes = _append(so_far, note, any_load=machine.baseline is None)
        while _enough(notes[1:], settings):
            notes = notes[1:]
        learning_notes.write(client, machine_id, notes)
        if _enough(notes, settings) and own.due:
            began = time.monotonic()
            _learn(client, machine, notes, own, settings.record_max_s)
            own.spend(time.monotonic() - began)
    learning_notes.delete(client, interrupted)


def _teaches(
    record: Record, diagnoses: Sequence[Answer], machine: MachineState, load_a: float | None
) -> bool:
    """Return whether a record is whole, healthy, and at a load that the baseline does not cover.

    A machine at rest has no load, and nothing to learn but the noise of sensors. `turn_short`
    reports errors of the currents, in its latest record.
    """
    covered = machine.baseline is not None and not (
        _new_load(machine.baseline, load_a) or _period_due(machine, record.t_start)
    )
    still = operating_state(d.code for d in diagnoses) == "standstill"
    codes = [d.code for d in diagnoses] + [h.last_code for h in machine.history.faults.values()]
    miswired = not MISWIRED.isdisjoint(codes)
    finding = _finding(diagnoses, machine.history)
    return not (covered or still or miswired or record.closed or finding)


def _enough(notes: Sequence[LearningNote], settings: Settings) -> bool:
    """Return whether records suffice, or another one would outlast the windows of the first."""
    lengths_s = [n.record.t_end - n.record.t_start for n in notes]
    total = sum(lengths_s)
    lost = total + max(lengths_s, default=0.0) > USABLE_RETENTION * settings.keep.windows.s
    return total >= BASELINE_S or lost


def _load_a(diagnoses: Iterable[Answer], history: MachineHistory) -> float | None:
    """Return the load of a record, A rms, or the last one its machine showed to another family."""
    loads_a = [x for d in diagnoses if isinstance(x := d.indicators.get("load_a"), float)]
    return loads_a[0] if loads_a else last_load_a(history)


def _new_load(baseline: str, load_a: float | None) -> bool:
    """Return whether a machine runs at a load that its baseline does not cover."""
    try:
        return load_a is not None and not covers_load(Baseline.from_json(baseline), load_a)
    except BaselineError:
        return False  # damaged: workers do without it, and log that, until it is reset


def _period_due(machine: MachineState, t: float) -> bool:
    """Return whether a machine on the grid, known by currents alone, is due for another day."""
    if machine.baseline is None or machine.motor is None or machine.motor.supply != "grid":
        return False
    try:
        known = Baseline.from_json(machine.baseline).asymmetry
    except BaselineError:
        return False
    if known is None or known.base_v is not None or known.recordings >= LEAST_PERIODS:
        return False
    return known.period_t is None or t - known.period_t >= PERIOD_S


def _learn(
    client: Client,
    machine: MachineState,
    notes: Sequence[LearningNote],
    own: LearningTime,
    record_max_s: float,
) -> None:
    machine_id = notes[0].record.machine_id
    learning_notes.delete(client, [machine_id])
    recordings = []
    for record in (n.record for n in notes):
        # One by one: since the first of them the machine may have come into another partition, and
        # once one is gone the others need not be read.
        (sent,) = fetch(client, Partition(record.partition).raw, [record])
        if sent is None:
            own.note_too_late(machine_id)
            return
        recordings.append(corrected(sent, machine.channel_map.channels))
    try:
        with time_limit(limit_s(sum(n.record.bytes for n in notes), len(notes))):
            fresh = learn_baseline(
                recordings, machine.motor, one_session=True, record_max_s=record_max_s
            )
    except DiagnosisTimeout as error:
        log.error("a baseline was not learnt", machine_id=machine_id, reason=str(error))
        return
    if fresh.empty:
        log.warning("healthy records gave no baseline", machine_id=machine_id)
        return
    if fresh.asymmetry:
        own_t = notes[-1].record.t_end
        fresh = replace(fresh, asymmetry=replace(fresh.asymmetry, period_t=own_t))
    if machine.baseline is not None:
        _extend(client, machine_id, machine, fresh, notes[0].record.t_start)
        return
    before, channels = machine.stored_baseline, machine.channel_map.channels
    if store_learnt_baseline(client, machine_id, before, fresh.to_json(), channels):
        log.info("baseline learnt", machine_id=machine_id, seconds=fresh.seconds)


def _extend(
    client: Client, machine_id: str, machine: MachineState, fresh: Baseline, t: float
) -> None:
    """Extend the baseline of a machine by the load of `fresh`, or note why that is refused.

    At a load that it knows already, extend it by the supply at `t`, if that is due.
    """
    assert machine.baseline is not None
    before = Baseline.from_json(machine.baseline)
    own = fresh.asymmetry
    if own is None or not one_load([own.low_a, own.high_a]):
        return  # the load moved meanwhile
    if covers_load(before, own.low_a):
        more = further_period(before, fresh, machine.motor) if _period_due(machine, t) else None
        if more and store_extended_baseline(
            client, machine_id, machine.baseline, more.to_json(), []
        ):
            log.info("baseline extended by a period", machine_id=machine_id)
        return
    loads_a = [own.low_a, own.high_a]
    if why := reason_not_to_extend(before, fresh):
        refuse_load(client, machine_id, loads_a, why.sentence)
        log.warning("a new load was not learnt as healthy", machine_id=machine_id, reason=why.code)
        return
    after = extend_baseline(before, fresh, machine.motor).to_json()
    if store_extended_baseline(client, machine_id, machine.baseline, after, loads_a):
        log.info("baseline extended by a load", machine_id=machine_id, load_a=loads_a[-1])


def _finding(diagnoses: Iterable[Answer], history: MachineHistory) -> bool:
    """Return whether anything is found in a record, or was found last or alarms for its machine."""
    faults = [history.faults[f] for f in FAULTS if f in history.faults]
    return any(d.state in ("warning", "fault") for d in diagnoses) or any(
        h.slots.level or (h.last_state in ("warning", "fault") and not is_notice(h.last_doubts))
        for h in faults
    )


def _append(
    notes: Sequence[LearningNote], new: LearningNote, *, any_load: bool
) -> list[LearningNote]:
    """Return the notes with one more; without the earlier ones if it does not continue them.

    It continues them if no window is missing and, after the first baseline, the load is the
    same.
    """
    if not notes:
        return [new]
    last = notes[-1].record
    follows = (last.run, last.last_seq) == (new.record.run, new.record.first_seq - 1)
    same_load = any_load or one_load([n.load_a or 0.0 for n in (*notes, new)])
    return [*notes, new] if follows and same_load else [new]
