"""The steps of every task: start on records, fetch their windows, diagnose the batch, commit."""

import secrets
import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import structlog
from celery import current_task

from vtox.motor.alarms.health.update import HealthUpdate, is_past, update
from vtox.motor.diagnosis.diagnosers import registry
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, answer_batch
from vtox.motor.errors import InputError
from vtox.motor.faults import FAMILIES, FAULTS, TASK_VERSION
from vtox.motor.values import codec
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.channel_map import corrected, sent_channels
from vtox.motor.values.domain import Answer, Reason, Record, Recording, abstain, reason
from vtox.motor.values.energy import counts_of, operation_text
from vtox.motor.values.scalars import ScalarReading
from vtox.pipeline.store.ledger.ledger import CHANGED, COMMITTED, COMMITTED_AT_ONCE, Ledger
from vtox.pipeline.store.ledger.outcomes import Outcome
from vtox.pipeline.store.machines.baselines import OF_OTHER_CHANNELS
from vtox.pipeline.store.machines.energy import ENERGY, OPERATION, Metered, metered
from vtox.pipeline.store.machines.machine_states import MachineState, load_states
from vtox.pipeline.store.stream.entries import Entry, encode_results, entry_of
from vtox.pipeline.store.stream.scalars import add_readings, note_no_velocity
from vtox.pipeline.store.stream.unreadable import is_trouble
from vtox.pipeline.store.stream.windows import fetch
from workers.baseline_learning import learn
from workers.celery_signals import Process, process
from workers.package_failures import report_failures
from workers.time_limit import DiagnosisTimeout, limit_s, time_limit
from workers.traces import Stopwatch, trace_batch
from workers.velocity import velocity_readings

log = structlog.get_logger()

NO_BASELINE = "no_baseline"
# Baselines are learnt from the longest records: four of them are enough.
LEARNING_FAMILY = max(FAMILIES, key=lambda f: FAMILIES[f].min_record_s)
# The family whose records are of the vibration: others get it if a machine sends nothing else.
VIBRATION_FAMILY = next(f.name for f in FAMILIES.values() if "vibrations" in f.shows)
# When another family's worker has changed a machine meanwhile, its health is computed again on the
# new state. A worker that loses so many times in a row leaves the record to the next dispatch.
COMMIT_TRIES = 20


@dataclass(frozen=True, slots=True)
class _Started:
    """A record on which the worker has started, with its samples and its machine's settings."""

    record_id: str
    record: Record
    recording: Recording
    machine: MachineState


@dataclass(slots=True)
class _Diagnosed:
    """A record with its diagnoses, and its machine: when finished, as it was before its commit.

    `latest_t` is the latest time that a right clock may show when its last window arrives.
    """

    record_id: str
    record: Record
    diagnoses: Sequence[Answer]
    machine: MachineState
    latest_t: float

    @property
    def past(self) -> bool:
        """Whether its machine has shown something newer already."""
        return any(
            is_past(self.machine.history, self.record, d.fault, self.latest_t)
            for d in self.diagnoses
        )


def work(
    family: str,
    record_ids: list[str],
    version: int = TASK_VERSION,
    partition: int = 0,
    packages: Mapping[str, str] = MappingProxyType({}),
) -> int:
    """Diagnose and commit a batch of a partition; return how many records this call finished.

    A record whose diagnosis raises stays in the ledger: it is dispatched again, alone, and becomes
    a dead letter after `MAX_ATTEMPTS` starts. So do the records of a task of an unknown
    version. A start that ends because the server is away does not count: the next task says so.
    One that fails because another program overwrote a machine counts for each record: each goes
    alone. `packages` are the faults of packages that the bridge knows, with their families.
    """
    here = process()
    here.missing = {f: of for f, of in packages.items() if f not in FAULTS}
    ledger = here.ledger(partition)
    _report_interrupted(here)
    if version != TASK_VERSION:
        for record_id in record_ids:
            ledger.bury(family, record_id, "unknown_version", f"task of version {version!r}")
        return 0
    # The worker's main process reports a pool process that was lost, and knows the task's id alone.
    token = (current_task and current_task.request.id) or uuid.uuid4().hex
    try:
        return _work(here, ledger, family, record_ids, token)
    except MemoryError as error:  # Celery would raise it in the worker's main process too
        raise RuntimeError(
            f"a batch needs more memory than VTOX_WORKER_MEMORY_MB: {error}"
        ) from None
    except Exception as error:
        if is_trouble(error):
            here.interrupted.append((ledger, family, record_ids, token))
        else:
            ledger.report(family, record_ids, token, interrupted=False)
        raise


def _report_interrupted(here: Process) -> None:
    """Report the starts that ended because the server was away; it is back."""
    while here.interrupted:
        of, family, record_ids, token = here.interrupted[0]
        of.report(family, record_ids, token, interrupted=True)
        del here.interrupted[0]


def _work(here: Process, ledger: Ledger, family: str, record_ids: list[str], token: str) -> int:
    here.times.begin()
    clock = Stopwatch()
    batch = _start(here, ledger, family, record_ids, token)
    clock.lap("fetch")
    finished = _finish(here, ledger, family, batch, token, clock)
    if here.tracing:
        answers = [(d.record, d.diagnoses) for d in finished]
        trace_batch(here.tracing, here.name, family, answers, clock)
    if here.settings.baseline_auto and family == LEARNING_FAMILY:
        present = [d for d in finished if not d.past]
        observations = [(d.record, d.diagnoses, d.machine) for d in present]
        learn(ledger.client, here.settings, observations, here.learning)
    if not here.times.counted:
        ledger.commit(family, [], here.times.take(here.name))
    here.times.end()
    return len(finished)


def _finish(
    here: Process,
    ledger: Ledger,
    family: str,
    batch: Sequence[_Started],
    token: str,
    clock: Stopwatch,
) -> list[_Diagnosed]:
    """Diagnose and commit a batch; if its diagnosis raises, each half by itself.

    A batch that takes too long would do so in a half too: then each record goes alone. One that
    raises alone is reported. One that takes too long is not: it waits until it is dispatched again,
    so that the others go first.
    """
    if not batch:
        return []
    try:
        missing = [f for f, of in here.missing.items() if of == family]
        answers = _diagnose(here, batch, (*FAMILIES[family].faults, *missing))
    except Exception as error:  # isolate failures, so that the rest of the batch still commits
        log.exception("a diagnosis raised", records=len(batch), first=batch[0].record_id)
        too_long = isinstance(error, DiagnosisTimeout)
        if len(batch) > 1:
            size = 1 if too_long else -(-len(batch) // 2)
            parts = [batch[i : i + size] for i in range(0, len(batch), size)]
            return [d for p in parts for d in _finish(here, ledger, family, p, token, clock)]
        if not too_long:
            ledger.report(family, [batch[0].record_id], token, interrupted=False)
        return []
    report_failures(answers)
    tolerance_s = here.settings.clock_tolerance_s
    clock.lap("diagnose")
    diagnosed = [
        _Diagnosed(
            s.record_id,
            s.record,
            _with_settings_stated(_asked_feeder(here, s, answer), s.machine),
            s.machine,
            s.record.arrived_t + tolerance_s,
        )
        for s, answer in zip(batch, answers, strict=True)
    ]
    if family == VIBRATION_FAMILY:
        _send_velocities(here, batch)
    finished = _commit(here, ledger, family, diagnosed)
    clock.lap("commit")
    return finished


def _send_velocities(here: Process, batch: Sequence[_Started]) -> None:
    """Send the vibration velocity of records, before their commit: done again, it counts once."""
    found = [
        (s.record.machine_id, v)
        for s in batch
        for v in velocity_readings(
            s.record.machine_id, s.record.t_end, s.recording, s.machine.motor
        )
    ]
    if found:
        add_readings(here.client, [v for _, v in found if isinstance(v, ScalarReading)])
        note_no_velocity(here.client, {m: v for m, v in found if isinstance(v, Reason)})


def _diagnose(
    here: Process, batch: Sequence[_Started], faults: Sequence[str]
) -> list[list[Answer]]:
    """Diagnose a batch within its time limit."""
    cases = [_case(s) for s in batch]
    began = time.perf_counter()
    try:
        with time_limit(limit_s(sum(s.record.bytes for s in batch), len(batch))):
            return answer_batch(cases, faults)
    finally:
        here.times.diagnosis_s += time.perf_counter() - began


def _with_settings_stated(answers: list[Answer], machine: MachineState) -> list[Answer]:
    """Return answers that state their channel map, and the baseline that it has made void."""
    if machine.baseline_refused:
        answers = [_without_baseline(a) if a.code == NO_BASELINE else a for a in answers]
    if not machine.channel_map.channels:
        return answers
    stated = {"kind": "channel_map", "version": machine.channel_map.version}
    return [a._replace(evidence=(*a.evidence, stated)) for a in answers]


def _asked_feeder(here: Process, s: _Started, answers: list[Answer]) -> list[Answer]:
    if s.machine.motor is None or not s.machine.motor.feeder:
        return answers
    return [
        here.feeders.add_feeder_evidence(here.client, a, s.record, s.machine.motor) for a in answers
    ]


def _without_baseline(a: Answer) -> Answer:
    said = abstain(a.fault, reason(OF_OTHER_CHANNELS), *a.doubts)
    return a._replace(code=said.code, values=said.values, reason=said.reason)


def _start(
    here: Process, ledger: Ledger, family: str, record_ids: Sequence[str], token: str
) -> list[_Started]:
    """Start on the records that are not finished; those whose windows are gone are buried."""
    records = ledger.start(family, record_ids, token)
    ids = list({r.machine_id for r in records.values()})
    of_machines = load_states(here.client, ids, here.states, history=False)
    known = dict(zip(ids, of_machines, strict=True))
    machines = [known[r.machine_id] for r in records.values()]
    read = registry.channels(FAMILIES[family].faults)
    wanted = [sent_channels(read, m.channel_map.channels) for m in machines]
    recordings = fetch(ledger.client, ledger.partition.raw, records.values(), wanted)
    started: list[_Started] = []
    for (record_id, record), machine, x in zip(records.items(), machines, recordings, strict=True):
        if x is None:
            ledger.bury(family, record_id, "samples_missing", "the stream no longer has them")
        else:
            x = corrected(x, machine.channel_map.channels)
            started.append(_Started(record_id, record, x, machine))
    return started


def _case(s: _Started) -> DiagnosisInput:
    stored = s.machine.baseline
    return DiagnosisInput(s.recording, s.machine.motor, _baseline(stored) if stored else None)


@lru_cache(maxsize=4096)
def _baseline(text: str) -> Baseline | None:
    """Return a stored baseline, decoded once; a damaged one must not stop the rest of the batch."""
    try:
        return Baseline.from_json(text)
    except InputError as error:
        log.error("a stored baseline cannot be read: reset it", reason=str(error))
        return None


def _commit(
    here: Process, ledger: Ledger, family: str, diagnosed: Sequence[_Diagnosed]
) -> list[_Diagnosed]:
    """Commit each record with the health that it leads to; return the ones finished by this call.

    The records of a machine commit in order of time, each on the state that the last one left.
    """
    todo = sorted(diagnosed, key=lambda d: d.record.t_start)
    parts = (todo[i : i + COMMITTED_AT_ONCE] for i in range(0, len(todo), COMMITTED_AT_ONCE))
    return [d for part in parts for d in _commit_part(here, ledger, family, part)]


def _commit_part(
    here: Process, ledger: Ledger, family: str, todo: Sequence[_Diagnosed]
) -> list[_Diagnosed]:
    """Commit records by one script, on the states that their machines have now.

    States are read here, as most machines of a large batch have changed while it was diagnosed.
    If another worker has changed one since, the rest is computed again on its new state.
    """
    finished: list[_Diagnosed] = []
    for _ in range(COMMIT_TRIES):
        if not todo:
            break
        ids = list({d.record.machine_id for d in todo})
        states = dict(zip(ids, load_states(here.client, ids, here.states), strict=True))
        energies = _energies(todo, states)
        # Names that no other worker can make: a commit succeeds only if the one it builds on did.
        name = secrets.token_hex(16)
        outcomes, steps = _outcomes(family, todo, states, energies, name, here.missing)
        replies = ledger.commit(family, outcomes, here.times.take(here.name))
        for d, reply, (before, after) in zip(todo, replies, steps, strict=True):
            if reply == COMMITTED:
                d.machine = before
                finished.append(d)
                here.states.keep(d.record.machine_id, after)
        todo = [d for d, reply in zip(todo, replies, strict=True) if reply == CHANGED]
    return finished


def _energies(
    todo: Sequence[_Diagnosed], states: Mapping[str, MachineState]
) -> list[Metered | None]:
    """Return the counts of each record for the meter of its machine, None if it counts nothing.

    One after the other: between the other work of an outcome each would take three times as long.
    """
    meters: dict[str, bytes] = {}
    found: list[Metered | None] = []
    for d in todo:
        own, m = None, d.record.machine_id
        for a in d.diagnoses:
            if isinstance(a, Answer) and a.energy:
                own = metered(meters.get(m) or states[m].meter, a.energy, d.record)
                meters[m] = own.meter
        found.append(own)
    return found


def _outcomes(
    family: str,
    todo: Sequence[_Diagnosed],
    states: dict[str, MachineState],
    energies: Sequence[Metered | None],
    name: str,
    missing: Collection[str],
) -> tuple[list[Outcome], list[tuple[MachineState, MachineState]]]:
    """Return the outcomes to commit, and each machine before and after its commit.

    `states` are then those after the last commit; their versions begin with `name`.
    """
    updates, steps = [], []
    for k, (d, energy) in enumerate(zip(todo, energies, strict=True)):
        before = states[d.record.machine_id]
        after = update(
            before.history,
            d.record,
            d.diagnoses,
            latest_t=d.latest_t,
            rules=before.sensitivity.rules,
            dismissals=before.dismissals.at(d.record.arrived_t),
            missing=missing,
        )
        meter = energy.meter if energy else before.meter
        machine = before._replace(history=after.history, version=f"{name}-{k}", meter=meter)
        states[d.record.machine_id] = machine
        updates.append(after)
        steps.append((before, machine))
    rows = [
        (d.record, a, after.marks.get(a.fault, ""))
        for d, after in zip(todo, updates, strict=True)
        for a in after.decided
    ]
    results, outcomes = iter(encode_results(family, rows)), []
    for d, after, energy, step in zip(todo, updates, energies, steps, strict=True):
        kept, entries = _entries(after, results, energy)
        if after.marks:
            kept = {"memory": codec.encode(after.history), **kept}
        published = after.published and entry_of(after.published)
        outcome = Outcome(
            record_id=d.record_id,
            version=step[0].version,
            next_version=step[1].version,
            machine=(tuple(kept), [*kept.values()]),
            results=entries,
            assessments=[_entry(["machine_id", d.record.machine_id, *published])]
            if published
            else [],
            alerts=[_entry(entry_of(a)) for a in after.alerts],
            evidence=after.keep_waveform,
            fingerprint=after.fingerprint,
        )
        outcomes.append(outcome)
    return outcomes, steps


def _entries(
    after: HealthUpdate,
    results: Iterator[tuple[Entry, bytes]],
    energy: Metered | None,
) -> tuple[dict[str, str | bytes], list[Entry]]:
    """Return the fields that the machine keeps of a record, and the entries of its results."""
    kept = dict(energy.fields) if energy else {}
    entries: list[Entry] = []
    for diagnosis, ((names, values), latest) in zip(after.decided, results, strict=False):
        newest = diagnosis.fault in after.marks
        if energy and isinstance(diagnosis, Answer) and diagnosis.energy:
            # A stream entry is text to its readers.
            counts = codec.encode(counts_of(diagnosis.energy.counts))
            names, values = (*names, ENERGY), (*values, counts[1:-1].replace(b",", b" "))
            if operation := operation_text(diagnosis.energy.kept):
                names, values = (*names, OPERATION), (*values, operation)
            if newest:
                kept[ENERGY] = energy.reading
        entries.append((names, values))
        if newest:
            kept[f"latest:{diagnosis.fault}"] = latest
    return kept, entries


def _entry(texts: Sequence[str | bytes]) -> Entry:
    return tuple(texts[::2]), texts[1::2]
