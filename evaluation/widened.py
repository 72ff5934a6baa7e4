"""The widened sets: machines, vibration and input that no rule was designed on, each by its name.

`python -m evaluation --only NAME` runs one; `--final` runs the final sets instead of the design
sets (`evaluation.seeds`).
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor

from evaluation.outcome import Study
from evaluation.runs.advice import advice_outcomes
from evaluation.runs.bearing_decoys import bearing_answers
from evaluation.runs.commissioning import commissioning_outcomes
from evaluation.runs.coverage import coverage_answers
from evaluation.runs.inputs import input_outcomes
from evaluation.runs.machines import machine_answers
from evaluation.runs.moving_turns import moving_turn_answers
from evaluation.runs.other_rigs import ghent_pairs, hit_outcomes
from evaluation.runs.over_records import hour_answers
from evaluation.runs.recordings import folder
from evaluation.seeds import Stage
from evaluation.sizes import Size
from evaluation.studies.advice import advice_study
from evaluation.studies.bearing_decoys import bearing_decoy_study
from evaluation.studies.commissioning import commissioning_study
from evaluation.studies.coverage import coverage_study
from evaluation.studies.inputs import input_study
from evaluation.studies.machines import machine_study
from evaluation.studies.moving_turns import moving_turn_study
from evaluation.studies.other_rigs import other_rig_study
from evaluation.studies.over_records import over_records_study

Run = Callable[[Executor, Stage, Size], Study]


def _machines(pool: Executor, stage: Stage, size: Size) -> Study:
    answers = machine_answers(
        pool,
        stage,
        each=size.family_machines,
        sound=size.family_sound,
        broken=size.family_broken,
    )
    return machine_study(answers, stage)


def _inputs(pool: Executor, stage: Stage, size: Size) -> Study:
    machines, every = size.input_machines, size.input_every
    return input_study(input_outcomes(pool, stage, machines=machines, every=every), stage)


def _bearing_decoys(pool: Executor, stage: Stage, size: Size) -> Study:
    answers = bearing_answers(
        pool,
        stage,
        shafts=size.bad_shafts,
        decoys=size.bearing_decoys,
        damaged=size.bearing_damaged,
    )
    return bearing_decoy_study(answers, stage)


def _moving_turns(pool: Executor, stage: Stage, size: Size) -> Study:
    answers = moving_turn_answers(
        pool,
        stage,
        machines=size.turn_machines,
        sound=size.turn_sound,
        shorted=size.turn_shorted,
    )
    return moving_turn_study(answers, stage)


def _other_rigs(pool: Executor, stage: Stage, size: Size) -> Study:
    where = folder() if size.rigs else None
    if where is None:
        return other_rig_study(None, None)
    bearings, clamps = pool.submit(hit_outcomes, where), pool.submit(ghent_pairs, where)
    return other_rig_study(bearings.result(), clamps.result())


def _commissioning(pool: Executor, stage: Stage, size: Size) -> Study:
    installations, mistakes = size.installations, size.installation_mistakes
    outcomes = commissioning_outcomes(pool, stage, installations=installations, mistakes=mistakes)
    return commissioning_study(outcomes, stage)


def _coverage(pool: Executor, stage: Stage, size: Size) -> Study:
    machines, each = size.covered_machines, size.covered_records
    return coverage_study(coverage_answers(pool, stage, machines=machines, each=each), stage)


def _advice(pool: Executor, stage: Stage, size: Size) -> Study:
    machines, every = size.input_machines, size.input_every
    return advice_study(advice_outcomes(pool, stage, machines=machines, every=every), stage)


def _over_records(pool: Executor, stage: Stage, size: Size) -> Study:
    return over_records_study(hour_answers(pool, stage, machines=size.hour_machines), stage)


SETS: Mapping[str, Run] = {
    "machines": _machines,
    "inputs": _inputs,
    "bearing_decoys": _bearing_decoys,
    "turns": _moving_turns,
    "rigs": _other_rigs,
    "commissioning": _commissioning,
    "coverage": _coverage,
    "advice": _advice,
    "over_records": _over_records,
}
