"""The diagnoses of each set-up: sound machines, broken bars and shorted turns of the motor model.

A job is one machine of one kind. It learns a baseline for each set-up, and diagnoses the same
records with and without it, each fault at the record length of the stream.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from evaluation.families.catalogue import FAMILIES, Family
from evaluation.families.conditions import log_uniform
from evaluation.families.machines import BLOCK, Machine, machine, record_case
from evaluation.motor_model.case import Case, ControlName
from evaluation.motor_model.records import SimulatedRecord, records
from evaluation.outcome import Answers, Outcome, Tags, outcome
from evaluation.runs.machines import nominal_levels_dbc, record_s, recording
from evaluation.seeds import Stage
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.diagnosis.learning.fit import learn_baseline
from vtox.motor.faults import FAULTS
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Motor, Recording
from vtox.motor.values.record_lengths import record_length_s

# Channels, and whether the speed is measured.
SETUPS = {
    "3 currents, nameplate": (CURRENTS, False),
    "with speed": (CURRENTS, True),
    "with voltages": ((*CURRENTS, *VOLTAGES), False),
}
WATCHED = ("turn_short", "eccentricity", "broken_bar")
BARS, SHORT = "broken bars", "shorted turns"
FS_HZ = 2_000.0
LEARN_RECORDS, LEARN_S = 8, 5.0
SHORT_S = 1.0
# Share of the turns that are shorted: a drive's own control hides a part.
SHORTED = {False: 0.03, True: 0.05}
LEARNING, SOUND, BROKEN, SHORTS = 31, 32, 33, 34
# A drive runs a machine at its own frequency, within this ratio, and its bridge is not quite even.
HOLDS_HZ, UNEVEN = 0.01, 2e-4
# Bandwidth of current controllers, Hz; of a drive that moves, rms of its frequency over 10 s, Hz.
CONTROL_HZ, MOVING_HZ = (50.0, 150.0), (0.3, 1.5)


@dataclass(frozen=True, slots=True)
class Kind:
    """Machines of a row of the table: their family, and how their drive works."""

    name: str
    family: str
    control: ControlName | None = None
    moving: bool = False


KINDS = (
    Kind("pump", "pumps, 4 poles"),
    Kind("fan, 2 poles", "fans, 2 poles"),
    Kind("gear, conveyor", "conveyors, 6 poles"),
    Kind("piston compressor", "piston compressors, 4 and 6 poles"),
    Kind("stirrer", "stirrers, 8 poles"),
    Kind("drive, fixed speed, V/f", "V/f drives, 4 poles"),
    Kind("drive, fixed speed, vector control", "V/f drives, 4 poles", control="current"),
    Kind("drive, fixed speed, V/f by the speed", "V/f drives, 4 poles", control="slip"),
    Kind("drive, fixed speed, torque control", "V/f drives, 4 poles", control="torque"),
    Kind("drive, moving speed", "V/f drives, 4 poles", moving=True),
)


def coverage_answers(pool: Executor, stage: Stage, *, machines: int, each: int) -> Answers:
    """Return the outcomes of this many machines of each kind, by the name of the kind."""
    jobs = {
        kind.name: [pool.submit(machine_job, kind, k, stage, each) for k in range(machines)]
        for kind in KINDS
    }
    return {name: [o for j in of_kind for o in j.result()] for name, of_kind in jobs.items()}


def machine_job(kind: Kind, number: int, stage: Stage, each: int) -> list[Outcome]:
    """Return the outcomes of one machine: of every set-up, before and after its baseline."""
    groups: dict[str, list[Asked]] = {}
    for one in questions(kind, number, stage, each):
        groups.setdefault(one.fault, []).append(one)
    found = []
    for fault, some in groups.items():
        answers = diagnose_batch([one.question for one in some], [fault])
        for one, (d,) in zip(some, answers, strict=True):
            tags = {"setup": one.setup, "learnt": one.learnt, "d": d, **one.about.tags}
            machine_name = one.about.machine
            found.append(outcome(d, faulty=one.faulty, machine=machine_name, tags=tags))
    return found


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: the set-up, whether a baseline was learnt, the fault, and the truth."""

    setup: str
    learnt: bool
    fault: str
    about: "About"
    question: DiagnosisInput

    @property
    def faulty(self) -> bool:
        """Whether the machine has a fault."""
        return self.about.kind != ""


def questions(kind: Kind, number: int, stage: Stage, each: int) -> Iterator[Asked]:
    """Yield the questions about one machine, each fault at the record length of the stream."""
    learnt, made = machine_records(kind, number, stage, each)
    motor = made[0][0].motor
    for setup, (channels, tachometer) in SETUPS.items():
        baseline = learn_baseline([recording(r, channels, True) for r in learnt], motor)
        for known in (None, baseline):
            for about, record in made:
                whole = recording(record, channels, tachometer)
                for fault in about.faults:
                    part = cut(whole, record_length_s(FAULTS[fault].name, motor))
                    question = DiagnosisInput(part, motor, known)
                    yield Asked(setup, known is not None, fault, about, question)


@dataclass(frozen=True, slots=True)
class About:
    """The truth about a record, and the faults that are asked."""

    machine: str
    motor: Motor
    kind: str
    faults: tuple[str, ...]
    tags: Tags


def machine_records(
    kind: Kind, number: int, stage: Stage, each: int
) -> tuple[list[SimulatedRecord], list[tuple[About, SimulatedRecord]]]:
    """Return the records that a machine learns from, and the others with the truth about them."""
    family = next(f for f in FAMILIES if f.name == kind.family)
    m = machine(family, 300 + number, stage.seed)
    of_bearing_s = record_length_s("bearing", m.motor)
    healthy = [case_of(m, kind, k, LEARNING) for k in range(LEARN_RECORDS)]
    learnt = _simulated(healthy, max(LEARN_S, of_bearing_s))
    sound = [case_of(m, kind, k, SOUND) for k in range(each)]
    broken = [case_of(m, kind, k, BROKEN, broken=True) for k in range(each)]
    shorted = [_shorted(case_of(m, kind, k, SHORTS), k, family) for k in range(each)]
    open_loop = [replace(c, supply=replace(c.supply, control_hz=0.0)) for c in broken]
    levels = nominal_levels_dbc(open_loop)
    longest_s = max(record_s(m), of_bearing_s)
    made = [(_about(m, "", WATCHED), r) for r in _simulated(sound, longest_s)]
    made += [
        (_about(m, BARS, ("broken_bar",), dbc=dbc), r)
        for dbc, r in zip(levels, _simulated(broken, record_s(m)), strict=True)
    ]
    made += [(_about(m, SHORT, ("turn_short",)), r) for r in _simulated(shorted, SHORT_S)]
    return learnt, made


def _about(m: Machine, kind: str, faults: tuple[str, ...], **tags: float) -> About:
    return About(m.name, m.motor, kind, faults, {"kind": kind, **tags})


def _simulated(cases: Sequence[Case], seconds: float) -> list[SimulatedRecord]:
    return list(records(cases, seconds, FS_HZ, channels=(*CURRENTS, *VOLTAGES), batch=256))


def case_of(m: Machine, kind: Kind, number: int, purpose: int, *, broken: bool = False) -> Case:
    """Return a record of a machine; a drive keeps its frequency and its bridge."""
    case = record_case(m, BLOCK * number, purpose, broken=broken)
    if not m.family.drive:
        return case
    own = record_case(m, 0, LEARNING).supply
    rng = np.random.default_rng([m.seed, m.number, number, purpose, 5])
    of_machine = np.random.default_rng([m.seed, m.number, 6])
    assert own.hz is not None
    supply = replace(
        case.supply,
        hz=own.hz * float(1 + rng.uniform(-HOLDS_HZ, HOLDS_HZ)),
        unbalance=own.unbalance + complex(UNEVEN * (rng.normal() + 1j * rng.normal())),
        control=kind.control or "current",
        control_hz=log_uniform(of_machine, *CONTROL_HZ) if kind.control else 0.0,
        wander_hz=log_uniform(rng, *MOVING_HZ) if kind.moving else case.supply.wander_hz,
    )
    return replace(case, supply=supply)


def _shorted(case: Case, number: int, family: Family) -> Case:
    faults = replace(
        case.faults,
        shorted_turns=SHORTED[family.drive],
        shorted_phase="abc"[number % 3],  # type: ignore[arg-type]
    )
    return replace(case, faults=faults)


def cut(whole: Recording, seconds: float) -> Recording:
    """Return the first seconds of a recording, or as much as there is."""
    length = min(whole.samples, round(seconds * whole.fs_hz))
    return replace(whole, channels={n: x[:length] for n, x in whole.channels.items()})
