"""The bearing diagnoser on the widened vibration: sound bearings and damaged races."""

from concurrent.futures import Executor
from dataclasses import replace

import numpy as np

from evaluation import oracle
from evaluation.families.vibration import SECONDS, SHAFT_TROUBLES, vibration_family
from evaluation.outcome import Answers, Outcome, Tags, concatenate, outcome
from evaluation.seeds import Stage
from evaluation.vibration import Shaft
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.values.record_lengths import record_length_s

SOUND = "sound"
# Motion in the records of damaged races: none, a swing, a ramp, elements that lag.
MOVEMENTS = ("steady", "swings by 2 %", "ramps by 2 %", "elements lag 1.5 to 4 %")
SWING = RAMP = 0.02
LAG = (0.015, 0.04)
# Damage over the noise, RMS, dB: both are coloured by the same resonances.
DAMAGE_DB = (-6.0, 0.0, 6.0, 12.0)
MAX_SIZE_BESIDE_DAMAGE = 1.0
# Records of one machine, which differ in noise and in how the speed wanders.
RECORDS = 3
# A machine that alarmed is recorded more often, so that its days are not made of three records.
AGAIN, MORE_RECORDS = "again", 24
JOB_MACHINES = 20


def bearing_answers(
    pool: Executor, stage: Stage, *, shafts: int, decoys: int, damaged: int
) -> Answers:
    """Return the outcomes of this many machines per trouble, and per movement and level."""
    family = vibration_family(final=stage.final)
    jobs = []
    for trouble in family.troubles:
        count = shafts if trouble in SHAFT_TROUBLES else decoys
        jobs += [
            pool.submit(_sound_job, stage, trouble, start, min(JOB_MACHINES, count - start))
            for start in range(0, count, JOB_MACHINES)
        ]
    jobs += [pool.submit(_damaged_job, stage, m, damaged) for m in MOVEMENTS]
    return concatenate([j.result() for j in jobs], (SOUND, AGAIN, *MOVEMENTS))


def _sound_job(stage: Stage, trouble: str, start: int, count: int) -> Answers:
    family = vibration_family(final=stage.final)
    index = list(family.troubles).index(trouble)
    outcomes: list[Outcome] = []
    again: list[Outcome] = []
    for k in range(start, start + count):
        shaft = family.shaft(np.random.default_rng([stage.seed, index, k, 1]), trouble)
        key = [stage.seed, index, k]
        own = _outcomes(stage, shaft, f"{trouble} {k}", [*key, 2], RECORDS)
        outcomes += own
        if any(o.alarm for o in own):
            again += _outcomes(stage, shaft, f"{trouble} {k}", [*key, 5], MORE_RECORDS)
    return {SOUND: outcomes, AGAIN: again}


def _damaged_job(stage: Stage, movement: str, count: int) -> Answers:
    family = vibration_family(final=stage.final)
    index, troubles = MOVEMENTS.index(movement), list(family.troubles)
    outcomes: list[Outcome] = []
    for level, db in enumerate(DAMAGE_DB):
        for k in range(count):
            key = [stage.seed, index, level, k, 3]
            rng = np.random.default_rng(key)
            shaft = family.shaft(rng, troubles[k % len(troubles)])
            shaft = _with_damage(shaft, movement, ("BPFO", "BPFI")[k // 2 % 2], db, rng)
            name = f"{movement} {db:+.0f} dB {k}"
            outcomes += _outcomes(stage, shaft, name, [*key, 4], 1, db=db)
    return {movement: outcomes}


def _with_damage(
    shaft: Shaft, movement: str, defect: str, db: float, rng: np.random.Generator
) -> Shaft:
    shaft = replace(
        shaft, defect=defect, damage=10 ** (db / 20), size=min(shaft.size, MAX_SIZE_BESIDE_DAMAGE)
    )
    if movement.startswith("swings"):
        return replace(shaft, swing=SWING)
    if movement.startswith("ramps"):
        return replace(shaft, ramp=float(rng.choice([-1, 1])) * RAMP)
    if movement.startswith("elements"):
        return replace(shaft, lag=float(rng.uniform(*LAG)))
    return shaft


def _outcomes(
    stage: Stage, shaft: Shaft, name: str, key: list[int], records: int, **tags: float
) -> list[Outcome]:
    family = vibration_family(final=stage.final)
    seconds = max(SECONDS, record_length_s("bearing", shaft.motor))
    made = [family.record(shaft, np.random.default_rng([*key, k]), seconds) for k in range(records)]
    answers = diagnose_batch([DiagnosisInput(r, shaft.motor) for r, _ in made], ["bearing"])
    about: Tags = {"trouble": shaft.trouble, "defect": shaft.defect, "size": shaft.size}
    return [
        outcome(
            d,
            faulty=bool(shaft.defect),
            machine=name,
            tags=about
            | tags
            | {
                "oracle": oracle.bearing_statistic(r, turns, true_orders(shaft)),
                "diagnosis": d,
                "block": k,
                "record_s": seconds,
            },
        )
        for k, ((r, turns), (d,)) in enumerate(zip(made, answers, strict=True))
    ]


def true_orders(shaft: Shaft) -> list[float]:
    """Return the orders of both races as the elements really turn."""
    orders = shaft.bearing.defect_orders
    cage = orders["FTF"] * (1 - shaft.lag)
    elements = orders["BPFO"] / orders["FTF"]
    return [elements * cage, elements * (1 - cage)]
