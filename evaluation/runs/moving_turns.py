"""Turn shorts with voltages and a baseline, the supply's unbalance moving while it is learnt."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np

from evaluation import oracle
from evaluation.families.catalogue import families
from evaluation.families.machines import BLOCK, Machine, machine, record_case
from evaluation.motor_model.case import Case
from evaluation.motor_model.records import SimulatedRecord, records
from evaluation.outcome import Answers, Tags, concatenate, outcome
from evaluation.runs.machines import recording
from evaluation.seeds import Stage
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.diagnosis.learning.fit import learn_baseline
from vtox.motor.values.domain import CURRENTS, VOLTAGES

# Rms of V2/V1 about its mean, within records and from record to record.
MOTION = 5e-4
# Largest shift of the mean of V2/V1 after learning: another day, another neighbour.
LATER_SHIFT = 0.007
FS_HZ = 2_000.0
LEARN_RECORDS, LEARN_S, RECORD_S = 12, 5.0, 1.0
SHORTED = 0.01
KNOWN = "voltages and baseline"
CHANNELS = (*CURRENTS, *VOLTAGES)
LEARNING, SOUND, SHORT = 11, 12, 13


def moving_turn_answers(
    pool: Executor, stage: Stage, *, machines: int, sound: int, shorted: int
) -> Answers:
    """Return the outcomes of this many machines, each with a separate baseline."""
    jobs = [pool.submit(_machine_job, stage, k, sound, shorted) for k in range(machines)]
    return concatenate([j.result() for j in jobs], (KNOWN,))


def _machine_job(stage: Stage, number: int, sound: int, shorted: int) -> Answers:
    grid = [f for f in families(final=stage.final) if not f.drive]
    m = machine(grid[number % len(grid)], 200 + number, stage.seed)
    learnt = _simulated_records([_case(m, k, LEARNING) for k in range(LEARN_RECORDS)], LEARN_S)
    baseline = learn_baseline([recording(r, CHANNELS, False) for r in learnt], m.motor)
    mean = [oracle.negative_sequence(r) for r in learnt]
    cases = [(_case(m, k, SOUND), "") for k in range(sound)]
    cases += [_shorted(_case(m, k, SHORT), k) for k in range(shorted)]
    made = _simulated_records([c for c, _ in cases], RECORD_S)
    questions = [DiagnosisInput(recording(r, CHANNELS, False), m.motor, baseline) for r in made]
    answers = diagnose_batch(questions, ["turn_short"])
    return {
        KNOWN: [
            outcome(
                d[0],
                faulty=bool(phase),
                machine=m.name,
                tags=_tags(m, phase) | {"oracle": oracle.turn_statistic(r, mean)},
            )
            for d, r, (_, phase) in zip(answers, made, cases, strict=True)
        ]
    }


def _tags(m: Machine, phase: str) -> Tags:
    return {"family": m.family.name, "phase": phase}


def _case(m: Machine, number: int, purpose: int) -> Case:
    """Return a record whose unbalance moves: about the mean of its site, later about another."""
    case = record_case(m, BLOCK * number, purpose)
    unbalance = record_case(m, 0, LEARNING).supply.unbalance
    if purpose != LEARNING:
        rng = np.random.default_rng([m.seed, m.number, number, purpose, 7])
        shift = LATER_SHIFT * np.sqrt(rng.uniform()) * np.exp(2j * np.pi * rng.uniform())
        unbalance = complex(unbalance + shift)
    supply = replace(case.supply, unbalance=unbalance, unbalance_motion=MOTION)
    return replace(case, supply=supply)


def _shorted(case: Case, number: int) -> tuple[Case, str]:
    phase = "abc"[number % 3]
    faults = replace(case.faults, shorted_turns=SHORTED, shorted_phase=phase)  # type: ignore[arg-type]
    return replace(case, faults=faults), phase


def _simulated_records(cases: Sequence[Case], seconds: float) -> list[SimulatedRecord]:
    return list(records(cases, seconds, FS_HZ, channels=CHANNELS, batch=256))
