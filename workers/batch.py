"""What every task does: start on records, fetch their windows, diagnose the batch, commit."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import structlog
from celery.exceptions import SoftTimeLimitExceeded

from vtox import keys
from vtox.baseline import Baseline
from vtox.diagnosis import Case, diagnose_batch
from vtox.domain import Diagnosis, Record
from vtox.errors import InputError
from vtox.faults import FAMILIES
from vtox.health import step
from vtox.store.entries import json_bytes, result_fields, text_fields
from vtox.store.ledger import CHANGED, COMMITTED, Ledger, Outcome
from vtox.store.machines import MachineState, states
from vtox.store.windows import fetch
from workers.baseline_learning import learn
from workers.celery_signals import process

log = structlog.get_logger()

Found = tuple[str, Record, list[Diagnosis]]
# Its records are the longest: four of them are what a baseline is learnt from.
LEARNING_FAMILY = max(FAMILIES, key=lambda f: FAMILIES[f].record_s)
# The machine changed while its record was judged (another family's worker committed): judge its
# health again. A worker that loses this often in a row leaves the record to the next dispatch.
COMMIT_TRIES = 20


def work(family: str, record_ids: list[str]) -> int:
    """Diagnose and commit a batch; return how many records this call finished.

    A record whose diagnosis raises is left in the ledger: it is dispatched again, alone, and
    becomes a dead letter after `VTOX_MAX_ATTEMPTS` starts.
    """
    here = process()
    ledger = Ledger(here.client, here.settings)
    begun = time.perf_counter()
    started = ledger.start(family, record_ids)
    recordings = fetch(here.client, keys.RAW, started.values())
    for record_id, recording in zip(started, recordings, strict=True):
        if recording is None:
            ledger.bury(family, record_id, "samples_missing", "the stream no longer has them")
    todo = [(i, r, x) for (i, r), x in zip(started.items(), recordings, strict=True) if x]
    machines = states(here.client, [r.machine_id for _, r, _ in todo])
    cases = [
        Case(x, m.motor, _baseline(m.baseline) if m.baseline else None)
        for (_, _, x), m in zip(todo, machines, strict=True)
    ]
    diagnosing = time.perf_counter()
    answers = _diagnose(cases, FAMILIES[family].faults)
    diagnosed = time.perf_counter()
    failed = [i for (i, _, _), a in zip(todo, answers, strict=True) if a is None]
    ledger.hurry(family, failed)
    found = [(i, r, a) for (i, r, _), a in zip(todo, answers, strict=True) if a is not None]
    kept = [m for m, a in zip(machines, answers, strict=True) if a is not None]
    done = _commit(ledger, family, found, kept)
    if here.settings.baseline_auto and family == LEARNING_FAMILY:
        finished = {r.ids for r in done}
        seen = [(r, a, m) for (_, r, a), m in zip(found, kept, strict=True) if r.ids in finished]
        learn(here.client, here.settings, seen)
    here.count(
        family,
        windows=sum(r.windows for r in done),
        diagnosis_s=diagnosed - diagnosing,
        busy_s=time.perf_counter() - begun,
    )
    return len(done)


@lru_cache(maxsize=4096)
def _baseline(text: str) -> Baseline | None:
    """Return a stored baseline, read once; one that cannot be read must not stop its neighbours."""
    try:
        return Baseline.from_json(text)
    except InputError as error:
        log.error("a stored baseline cannot be read: reset it", reason=str(error))
        return None


def _diagnose(cases: Sequence[Case], faults: Sequence[str]) -> list[list[Diagnosis] | None]:
    """Diagnose the batch; where it raises, each case alone, and None for those that raise.

    The time limit ends the whole task instead: its records are dispatched again, each alone, and
    going on here would only run into the hard limit, which kills the process.
    """
    try:
        return list(diagnose_batch(cases, faults))
    except SoftTimeLimitExceeded:
        raise
    except Exception:  # whatever a diagnoser raises: its neighbours must not suffer
        log.exception("a batch raised, trying its records one by one", records=len(cases))
    answers: list[list[Diagnosis] | None] = []
    for case in cases:
        try:
            answers += diagnose_batch([case], faults)
        except SoftTimeLimitExceeded:
            raise
        except Exception:  # the record is started again later and ends in dead_letters
            log.exception("a record raised")
            answers.append(None)
    return answers


def _commit(
    ledger: Ledger, family: str, found: Sequence[Found], machines: Sequence[MachineState]
) -> list[Record]:
    """Commit each record with the health it leads to; return those that this call finished.

    The records of one machine commit in order of time, each on the memory the last one left; where
    another worker came between, the rest is judged again on what is there now.
    """
    done: list[Record] = []
    todo = sorted(found, key=lambda f: f[1].t_start)
    state = {f[1].machine_id: m for f, m in zip(found, machines, strict=True)}
    for _ in range(COMMIT_TRIES):
        if not todo:
            break
        outcomes = []
        for f in todo:
            machine_id = f[1].machine_id
            outcome, state[machine_id] = _outcome(family, f, state[machine_id])
            outcomes.append(outcome)
        codes = ledger.commit(family, outcomes)
        done += [f[1] for f, code in zip(todo, codes, strict=True) if code == COMMITTED]
        todo = [f for f, code in zip(todo, codes, strict=True) if code == CHANGED]
        ids = list({f[1].machine_id for f in todo})
        state = dict(zip(ids, states(ledger.client, ids), strict=True)) if ids else {}
    return done


def _outcome(family: str, found: Found, machine: MachineState) -> tuple[Outcome, MachineState]:
    """Return what to commit, and the machine as the commit leaves it."""
    record_id, record, diagnoses = found
    after = step(machine.memory, record, diagnoses)
    kept: list[str | bytes] = [
        "memory",
        json_bytes(after.memory),
        "health",
        json_bytes(after.health),
    ]
    results = []
    for d in diagnoses:
        fields = result_fields(family, record, d)
        results.append(text_fields(fields))
        kept += [f"latest:{d.fault}", json_bytes(fields)]
    # A name that nobody else can make: a commit succeeds only if the one it builds on did.
    version = uuid.uuid4().hex
    assessment = {**after.health, "machine_id": record.machine_id}
    outcome = Outcome(
        record_id=record_id,
        version=machine.version,
        next_version=version,
        machine=kept,
        results=results,
        assessments=[text_fields(assessment)] if after.assessed else [],
        alerts=[text_fields(a) for a in after.alerts],
        evidence=after.notable,
    )
    return outcome, replace(machine, memory=after.memory, version=version)
