"""Broken bars over the records of an hour: each alone, and as the records before decide it.

A machine keeps its supply and its load for the hour; noise and wander differ from record to record.
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import cast

from evaluation.families.catalogue import families
from evaluation.families.machines import Machine, machine, record_case
from evaluation.motor_model.case import Case
from evaluation.motor_model.records import records
from evaluation.outcome import Answers, Outcome, concatenate, outcome
from evaluation.runs.coverage import FS_HZ, cut
from evaluation.runs.machines import nominal_levels_dbc, recording
from evaluation.seeds import Stage
from vtox.motor.alarms.health.update import MachineHistory, update
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.values.domain import CURRENTS, Diagnosis, Record
from vtox.motor.values.record_lengths import record_length_s

ALONE, OVER_RECORDS = "each record alone", "over records"
FAULT = "broken_bar"
RECORDS = 24
# Levels of weak broken cages: that of a developing fault lies between.
WEAK_ASYMMETRY = (4e-3, 6e-3, 9e-3)
HOUR = 61


def hour_answers(pool: Executor, stage: Stage, *, machines: int) -> Answers:
    """Return the outcomes of this many machines of each family at the grid, sound and broken."""
    grid = [f for f in families(final=stage.final) if not f.drive]
    jobs = [
        pool.submit(_hour, machine(f, 600 + k, stage.seed), asymmetry)
        for f in grid
        for k in range(machines)
        for asymmetry in (0.0, WEAK_ASYMMETRY[k % len(WEAK_ASYMMETRY)])
    ]
    return concatenate([j.result() for j in jobs], (ALONE, OVER_RECORDS))


def _hour(m: Machine, asymmetry: float) -> Answers:
    cases = [_case(m, k, asymmetry) for k in range(RECORDS)]
    (dbc,) = nominal_levels_dbc(cases[:1])
    seconds = record_length_s(FAULT, m.motor)
    made = records(cases, seconds, FS_HZ, channels=CURRENTS, batch=RECORDS)
    parts = [cut(recording(r, CURRENTS, False), seconds) for r in made]
    alone = [d for (d,) in diagnose_batch([DiagnosisInput(x, m.motor) for x in parts], [FAULT])]
    name = f"{m.name}, {'broken' if asymmetry else 'sound'}"

    def outcomes(found: Sequence[Diagnosis]) -> list[Outcome]:
        tags = {"family": m.family.name, "dbc": float(dbc)}
        return [outcome(d, faulty=bool(asymmetry), machine=name, tags=tags) for d in found]

    return {ALONE: outcomes(alone), OVER_RECORDS: outcomes(_over_records(alone, seconds))}


def _case(m: Machine, number: int, asymmetry: float) -> Case:
    case = record_case(m, 0, HOUR)
    case = replace(case, seed=case.seed + 1_000 * number)
    if not asymmetry:
        return case
    own = case.faults.rotor_asymmetry
    return replace(case, faults=replace(case.faults, rotor_asymmetry=own / abs(own) * asymmetry))


def _over_records(alone: Sequence[Diagnosis], seconds: float) -> list[Diagnosis]:
    history, found = MachineHistory(), []
    for k, d in enumerate(alone):
        start = k * seconds
        record = Record(
            machine_id="M",
            run="",
            first_seq=k,
            last_seq=k,
            t_start=start,
            t_end=start + seconds,
            ids=f"{k + 1}-0",
            windows=1,
            bytes=1,
        )
        after = update(history, record, [d])
        history = after.history
        found.append(cast(Diagnosis, after.decided[0]))
    return found
