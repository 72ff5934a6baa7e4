"""The diagnosers on the machine families: sound machines for all faults, and broken bars.

A job is one machine: it learns its baseline, makes its records, diagnoses them and returns outcomes
only. Errors are counted by machine, and by record.
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from itertools import islice

import numpy as np

from evaluation import oracle
from evaluation.families.catalogue import families
from evaluation.families.machines import BLOCK, Machine, conditions, machine, record_case
from evaluation.motor_model.case import Case
from evaluation.motor_model.records import SimulatedRecord, records
from evaluation.outcome import Answers, Tags, concatenate, outcome
from evaluation.seeds import Stage
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.diagnosis.learning.fit import learn_baseline
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Recording
from vtox.motor.values.record_lengths import record_length_s

ALL_CHANNELS = (*CURRENTS, *VOLTAGES, "leakage")
# Knowledge of the machine: channels, whether speed is measured, whether there is a baseline.
KNOWN = {
    "all channels, speed and baseline": (ALL_CHANNELS, True, True),
    "currents, speed and baseline": (CURRENTS, True, True),
    "currents and nameplate": (CURRENTS, False, False),
}
EVERYTHING, SENSOR, PLATE = KNOWN
FAULTS = ("turn_short", "insulation", "eccentricity", "broken_bar")
CAGE = "broken_bar"
CIRCUIT = "oracle that knows the circuit"
# Records that a baseline is learnt from; in the stream more are used.
LEARN_RECORDS = 8
# A record as the stream makes it, but not longer: the model takes its time.
RECORD_S = (10.0, 20.0)
LEARNING, SOUND, BROKEN = 1, 2, 3
TACHOMETER_RPM = 0.1


def machine_answers(pool: Executor, stage: Stage, *, each: int, sound: int, broken: int) -> Answers:
    """Return the outcomes of `each` machines a family, by knowledge and fault."""
    jobs = [
        pool.submit(_machine_job, family.name, number, stage, sound, broken)
        for number in range(each)
        for family in families(final=stage.final)
    ]
    names = [answer_name(known, fault) for known in KNOWN for fault in FAULTS]
    return concatenate([j.result() for j in jobs], names)


def answer_name(known: str, fault: str) -> str:
    """Return the key of the answers: the fault, and the knowledge of the machine."""
    return f"{fault}: {known}"


def _machine_job(family: str, number: int, stage: Stage, sound: int, broken: int) -> Answers:
    of_name = {f.name: f for f in families(final=stage.final)}
    m = machine(of_name[family], number, stage.seed)
    learning = [record_case(m, BLOCK * k, LEARNING) for k in range(LEARN_RECORDS)]
    good = [record_case(m, k, SOUND) for k in range(sound)]
    bad = [record_case(m, BLOCK * k, BROKEN, broken=True) for k in range(broken)]
    # All in one batch, as the time of the model is that of its steps.
    cases = [*learning, *good, *bad]
    made = records(
        cases, record_s(m), m.family.fs_hz, channels=ALL_CHANNELS, batch=max(len(cases), 1)
    )
    baselines = _baselines(m, list(islice(made, LEARN_RECORDS)))
    levels = nominal_levels_dbc(bad)
    answers: Answers = {answer_name(known, fault): [] for known in KNOWN for fault in FAULTS}
    for k, record in enumerate(made):
        is_sound, index = k < sound, k if k < sound else k - sound
        tags = _tags(m, index if is_sound else BLOCK * index, record)
        if not is_sound:
            tags["dbc"] = levels[index]
        _add(answers, m, FAULTS if is_sound else (CAGE,), record, tags, baselines)
    return answers


def record_s(m: Machine) -> float:
    """Return the length of a record as the stream makes it, within `RECORD_S`."""
    return float(np.clip(record_length_s(CAGE, m.motor), *RECORD_S))


def nominal_levels_dbc(cases: Sequence[Case]) -> list[float]:
    """Return the level of the lower sideband of each case, were supply and load quiet."""
    quiet = [
        replace(
            c,
            supply=replace(
                c.supply,
                wander_hz=0.0,
                unbalance=0j,
                unbalance_motion=0.0,
                amplitude_noise=0.0,
                flicker=0.0,
                interharmonic=0.0,
            ),
            load=replace(c.load, noise=0.0, wander=0.0, drift=0.0, pulses={}),
        )
        for c in cases
    ]
    return [r.truth.lower_dbc for r in records(quiet, 5.0, 1_000.0, channels=CURRENTS)]


def _tags(m: Machine, number: int, record: SimulatedRecord) -> Tags:
    supply, load = conditions(m, number)
    return {
        "family": m.family.name,
        "supply": supply,
        "load": load,
        "block": number // BLOCK,
        "record_s": record_s(m),
        "slip": record.truth.slip,
        "oracle": oracle.cage_statistic(record, circuit=False),
        CIRCUIT: oracle.cage_statistic(record, circuit=True),
    }


def _add(
    answers: Answers,
    m: Machine,
    faults: Sequence[str],
    record: SimulatedRecord,
    tags: Tags,
    baselines: dict[tuple[str, ...], Baseline],
) -> None:
    """Add the outcomes of one record, by knowledge of the machine and fault."""
    for known, (channels, tachometer, with_baseline) in KNOWN.items():
        baseline = baselines[channels] if with_baseline else None
        question = DiagnosisInput(recording(record, channels, tachometer), m.motor, baseline)
        for d in diagnose_batch([question], faults)[0]:
            about = tags | {"diagnosis": d}
            o = outcome(d, faulty="dbc" in tags, machine=m.name, tags=about)
            answers[answer_name(known, d.fault)].append(o)


def recording(record: SimulatedRecord, channels: Sequence[str], tachometer: bool) -> Recording:
    """Return the recording as an instrument sends it: a speed has one decimal."""
    made = record.recording(channels, tachometer=tachometer)
    if made.speed_rpm is None:
        return made
    return replace(made, speed_rpm=round(made.speed_rpm / TACHOMETER_RPM) * TACHOMETER_RPM)


def _baselines(m: Machine, made: Sequence[SimulatedRecord]) -> dict[tuple[str, ...], Baseline]:
    return {
        channels: learn_baseline([recording(r, channels, True) for r in made], m.motor)
        for channels, _, with_baseline in KNOWN.values()
        if with_baseline
    }
