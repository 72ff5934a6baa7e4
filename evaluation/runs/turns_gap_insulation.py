"""The diagnosers on the motor model: turn short, eccentricity, insulation.

Every job makes its records, diagnoses them and returns outcomes only: waveforms stay in the
process that made them. Records are of 2 kHz, which the front end reduces to the same baseband as
10 kHz.
"""

from concurrent.futures import Executor
from dataclasses import replace

import numpy as np

from evaluation import peers, scenarios
from evaluation.motor_model.case import Case, Earth
from evaluation.motor_model.plants import PLANTS
from evaluation.motor_model.records import nameplate, records
from evaluation.outcome import Answers, Outcome, concatenate, outcome
from evaluation.sizes import Size
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.diagnosis.learning.fit import learn_baseline
from vtox.motor.faults import FAMILIES
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Motor

FS_HZ = 2_000.0
# Knowledge of the machine: channels, and whether it has a baseline.
TURNS_KNOWN = {
    "voltage and baseline": ((*CURRENTS, *VOLTAGES), True),
    "voltage, no baseline": ((*CURRENTS, *VOLTAGES), False),
    "currents and baseline": (CURRENTS, True),
    "currents, no baseline": (CURRENTS, False),
}
SHORTED = (0.005, 0.01, 0.02, 0.05)
GAP = 0.004  # about -59 dBc at f - fr
LOSS_S = 2e-8


def turn_answers(pool: Executor, size: Size) -> Answers:
    """Return outcomes of turn shorts, each machine with its own baseline."""
    jobs = [pool.submit(_turn_job, m, size) for m in range(size.machines)]
    return concatenate([j.result() for j in jobs], TURNS_KNOWN)


def gap_answers(pool: Executor, size: Size) -> list[Outcome]:
    """Return outcomes of eccentricity: healthy against twice the modulation (6 dB)."""
    jobs = [pool.submit(_gap_job, m, size.gap_records) for m in range(size.gap_machines)]
    return [o for j in jobs for o in j.result()]


def earth_answers(pool: Executor, size: Size) -> Answers:
    """Return outcomes of insulation to earth, with and without a leakage channel."""
    jobs = [pool.submit(_earth_job, m, size.earth // 4, size.earth_faulty) for m in range(4)]
    return concatenate([j.result() for j in jobs], ("leakage", "no leakage channel"))


def _turn_job(machine: int, size: Size) -> Answers:
    plant, _ = scenarios.turn_machine(machine)
    motor = nameplate(plant)
    healthy = scenarios.turn_cases(machine, 0, size.turn_healthy, (0.0,))
    faulty = scenarios.turn_cases(machine, 10_000, len(SHORTED) * size.turn_faulty, SHORTED)
    cases = healthy + faulty
    made = list(records([c for c, _ in cases], 1.0, FS_HZ))
    baselines = _learn_baselines(machine, motor)
    with_peers = {k for k in range(len(cases)) if min(k, abs(k - len(healthy))) < 8}
    answers: Answers = {}
    for known, (channels, with_baseline) in TURNS_KNOWN.items():
        baseline = baselines[channels] if with_baseline else None
        questions = [DiagnosisInput(r.recording(channels), motor, baseline) for r in made]
        answers[known] = [
            outcome(
                d[0],
                faulty=bool(t["turns"]),
                machine=f"{plant.name} no. {machine}",
                tags=t,
                peers=peers.turns(q.recording, motor)
                if known == "currents, no baseline" and k in with_peers
                else {},
            )
            for k, (d, q, (_, t)) in enumerate(
                zip(diagnose_batch(questions, ["turn_short"]), questions, cases, strict=True)
            )
        ]
    return answers


def _learn_baselines(machine: int, motor: Motor) -> dict[tuple[str, ...], Baseline]:
    """Return baselines of twelve healthy records of 5 s over load and unbalance."""
    cases = scenarios.turn_cases(machine, 20_000, 12, (0.0,))
    made = list(records([c for c, _ in cases], 5.0, FS_HZ))
    return {
        channels: learn_baseline([r.recording(channels) for r in made], motor)
        for channels in {c for c, _ in TURNS_KNOWN.values()}
    }


def _gap_job(machine: int, count: int) -> list[Outcome]:
    plant, _ = scenarios.turn_machine(machine)
    motor = nameplate(plant)
    before = records(
        [c for c, _ in scenarios.gap_cases(machine, 0, 6, GAP)], 10.0, FS_HZ, channels=CURRENTS
    )
    baseline = learn_baseline([r.recording(tachometer=True) for r in before], motor)
    cases = scenarios.gap_cases(machine, 1_000, count, GAP)
    cases += scenarios.gap_cases(machine, 2_000, count, 2 * GAP)
    seconds = FAMILIES["bearing"].min_record_s
    made = list(records([c for c, _ in cases], seconds, FS_HZ, channels=CURRENTS))
    questions = [DiagnosisInput(r.recording(tachometer=True), motor, baseline) for r in made]
    answers = diagnose_batch(questions, ["eccentricity"])
    return [
        outcome(
            d[0],
            faulty=t["gap"] > GAP,
            machine=f"{plant.name} no. {machine}",
            tags=t | {"true_dbc": r.truth.rotation_lower_dbc},
            peers=peers.gap(q.recording, motor, r.truth.slip) if k % count < 10 else {},
        )
        for k, (d, q, r, (_, t)) in enumerate(zip(answers, questions, made, cases, strict=True))
    ]


def _earth_job(machine: int, count: int, faulty: int) -> Answers:
    """Healthy records, then phase a with 20 % more capacitance, then phase b at 1 Mohm.

    The supply has no zero sequence, as behind a balanced transformer: equal admittances of the
    three phases cancel in the summed leakage, and only differences between them can be measured.
    """
    plant = PLANTS[sorted(PLANTS)[machine]]
    motor = nameplate(plant)
    names = (*CURRENTS, *VOLTAGES, "leakage")
    nominal = float(np.random.default_rng([machine, 14]).uniform(3e-9, 15e-9))
    kinds = ["healthy"] * count + ["capacitance"] * faulty + ["conductance"] * faulty
    base = 30_000_000 + 100_000 * machine

    def case_of(kind: str, seed: int) -> Case:
        slip = scenarios.load_slip(plant, 0.8)
        case = scenarios.record_case(plant, slip, seed)
        c = nominal * (1.2 if kind == "capacitance" else 1.0)
        g = 1e-6 if kind == "conductance" else LOSS_S
        earth = Earth(
            capacitance_f=(c, nominal, nominal),
            conductance_s=(LOSS_S, g, LOSS_S),
            noise_a=2e-6,
        )
        return replace(case, earth=earth)

    before = records([case_of("healthy", base + k) for k in range(20)], 1.0, FS_HZ, channels=names)
    baseline = learn_baseline([r.recording(names) for r in before], motor)
    cases = [case_of(kind, base + 1_000 + k) for k, kind in enumerate(kinds)]
    made = list(records(cases, 1.0, FS_HZ, channels=names))
    answers: Answers = {}
    for known, channels in (("leakage", names), ("no leakage channel", names[:-1])):
        questions = [DiagnosisInput(r.recording(channels), motor, baseline) for r in made]
        answers[known] = [
            outcome(
                d[0],
                faulty=kind != "healthy",
                machine=plant.name,
                tags={"kind": kind, "more_f": 0.2 * nominal, "more_s": 1e-6 - LOSS_S},
            )
            for d, kind in zip(diagnose_batch(questions, ["insulation"]), kinds, strict=True)
        ]
    return answers
