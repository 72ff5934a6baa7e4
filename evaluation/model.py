"""The diagnosers on the motor model: cage, turns, air gap, insulation and slip.

Every job makes its records, diagnoses them and returns outcomes only: waveforms stay in the
process that made them. Rotor and turn studies sample at 2 kHz, which the front end brings to the
same baseband as 10 kHz; the slip study, whose slot harmonics lie higher, at 10 kHz.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evaluation import peers, scenarios
from evaluation.outcome import Outcome, outcome
from evaluation.scenarios import Tags
from vtox.baseline import Baseline
from vtox.diagnosis import Case as Question
from vtox.diagnosis import diagnose_batch, learn_baseline
from vtox.domain import CURRENTS, VOLTAGES, Motor, Recording
from vtox.faults import FAMILIES
from vtox.simulator.model.case import Case, Earth
from vtox.simulator.model.plants import PLANTS
from vtox.simulator.model.run import Record, nameplate, records

Labelled = list[tuple[Case, Tags]]
Answers = dict[str, list[Outcome]]  # by what was known of the machine
Beside = Callable[[int, Tags], bool]  # whether others are asked too

FS_HZ = 2_000.0
BATCH = 60
# What is known of the machine: channels, and whether the speed is measured.
ROTOR_KNOWN = {
    "speed sensor": (CURRENTS, True),
    "nameplate only": (CURRENTS, False),
    "speed sensor and voltages": ((*CURRENTS, *VOLTAGES), True),
}
SENSOR, PLATE, VOLTS = ROTOR_KNOWN
TURNS_KNOWN = {
    "voltage and baseline": ((*CURRENTS, *VOLTAGES), True),
    "voltage, no baseline": ((*CURRENTS, *VOLTAGES), False),
    "currents and baseline": (CURRENTS, True),
    "currents, no baseline": (CURRENTS, False),
}
SHORTED = (0.005, 0.01, 0.02, 0.05)
GAP = 0.004  # about -59 dBc at f - fr
LOSS_S = 2e-8


@dataclass(frozen=True, slots=True)
class Size:
    """How many records of each kind."""

    cell: int  # per level, slip and wander, 10 s
    long_cell: int  # 20 s
    light: int  # per wander, 20 s at a slip of 0.5 %
    healthy: int  # 10 s
    long_healthy: int  # 20 s, speed sensor
    sound: int  # per slip and wander, 20 s, speed sensor: cages of -60 dBc
    decoys: int
    short: int
    slots: int
    machines: int
    turn_healthy: int  # per machine
    turn_faulty: int  # per machine and size of short
    peers_healthy: int
    gap_machines: int
    gap_records: int  # per machine, healthy and again faulty
    earth: int
    earth_faulty: int  # per machine and kind
    repeats: int  # of the cost, 0: not measured
    hop_s: float  # of the recorded turn shorts
    pieces: int  # of a bearing recording
    bearing_every: int  # so many bearing recordings


FULL = Size(
    cell=12,
    long_cell=4,
    light=30,
    healthy=3_000,
    long_healthy=1_000,
    sound=15,
    decoys=120,
    short=120,
    slots=80,
    machines=20,
    turn_healthy=150,
    turn_faulty=16,
    peers_healthy=100,
    gap_machines=8,
    gap_records=40,
    earth=3_000,
    earth_faulty=30,
    repeats=5,
    hop_s=0.25,
    pieces=5,
    bearing_every=1,
)
QUICK = Size(
    cell=1,
    long_cell=0,
    light=0,
    healthy=40,
    long_healthy=20,
    sound=1,
    decoys=6,
    short=12,
    slots=8,
    machines=2,
    turn_healthy=24,
    turn_faulty=4,
    peers_healthy=2,
    gap_machines=1,
    gap_records=40,
    earth=40,
    earth_faulty=30,
    repeats=2,
    hop_s=1.0,
    pieces=1,
    bearing_every=4,
)
# A run that only shows that everything still runs.
SMALLEST = replace(
    QUICK,
    cell=0,
    healthy=1,
    long_healthy=1,
    sound=0,
    decoys=0,
    short=0,
    slots=0,
    machines=1,
    turn_healthy=2,
    turn_faulty=1,
    peers_healthy=0,
    gap_records=2,
    earth=4,
    earth_faulty=1,
    repeats=0,
)


def rotor_answers(pool: Executor, size: Size) -> dict[str, Answers]:
    """Return answers on the cage by set of cases; some are asked with a speed sensor alone."""
    every, sensor = tuple(ROTOR_KNOWN), (SENSOR,)
    grid = scenarios.grid
    wanted: dict[str, tuple[Labelled, float, Beside, Sequence[str]]] = {
        "grid": (grid(size.cell, 10.0), 10.0, _one_a_cell, every),
        "grid 20 s": (grid(size.long_cell, 20.0), 20.0, _nobody, (SENSOR, PLATE)),
        "light": (
            grid(size.light, 20.0, levels=(-48.0,), slips=(0.005,)),
            20.0,
            _nobody,
            sensor,
        ),
        "healthy": (scenarios.healthy(size.healthy, 10.0), 10.0, _first(size.peers_healthy), every),
        "healthy 20 s": (
            scenarios.healthy(size.long_healthy, 20.0, first=100_000),
            20.0,
            _nobody,
            sensor,
        ),
        "sound 20 s": (
            grid(size.sound, 20.0, levels=(-60.0,), first=200_000),
            20.0,
            _nobody,
            sensor,
        ),
        "decoys": (scenarios.decoys(size.decoys), 10.0, _nobody, every),
        "short": (scenarios.too_short(size.short), 13.5, _nobody, every),
    }
    futures = {}
    for name, (cases, seconds, beside, known) in wanted.items():
        marked = [(c, t | {"peers": beside(i, t)}) for i, (c, t) in enumerate(cases)]
        parts = [marked[k : k + BATCH] for k in range(0, len(marked), BATCH)]
        futures[name] = [pool.submit(_rotor_job, part, seconds, known) for part in parts]
    return {n: _joined([f.result() for f in jobs], wanted[n][3]) for n, jobs in futures.items()}


def slip_answers(pool: Executor, size: Size) -> list[Outcome]:
    """Return cage answers of 10 kHz records without speed sensor: `slip` is what is looked at."""
    cases = scenarios.slots(size.slots)
    parts = [cases[k : k + 20] for k in range(0, len(cases), 20)]
    return [o for f in [pool.submit(_slip_job, p) for p in parts] for o in f.result()]


def turn_answers(pool: Executor, size: Size) -> Answers:
    """Return the answers on the turns, each machine with a baseline of its own."""
    jobs = [pool.submit(_turn_job, m, size) for m in range(size.machines)]
    return _joined([j.result() for j in jobs], TURNS_KNOWN)


def gap_answers(pool: Executor, size: Size) -> list[Outcome]:
    """Return the answers on the air gap: healthy against twice the modulation (6 dB)."""
    jobs = [pool.submit(_gap_job, m, size.gap_records) for m in range(size.gap_machines)]
    return [o for j in jobs for o in j.result()]


def earth_answers(pool: Executor, size: Size) -> Answers:
    """Return the answers on the insulation to earth, with and without a leakage channel."""
    jobs = [pool.submit(_earth_job, m, size.earth // 4, size.earth_faulty) for m in range(4)]
    return _joined([j.result() for j in jobs], ("leakage", "no leakage channel"))


def _one_a_cell(_: int, tags: Tags) -> bool:
    """Peers take 0.3 s a record: the first of the cells without, with some and much wander."""
    return tags["wander"] in (0.0, 0.005, 0.020) and tags["k"] == 0


def _first(n: int) -> Beside:
    return lambda index, _: index < n


def _nobody(index: int, tags: Tags) -> bool:
    return False


def _rotor_job(cases: Labelled, seconds: float, wanted: Sequence[str]) -> Answers:
    kept = list(records([c for c, _ in cases], seconds, FS_HZ))
    found: Answers = {}
    for known in wanted:
        channels, tachometer = ROTOR_KNOWN[known]
        asked = [
            Question(_cut(r.recording(channels, tachometer=tachometer), t), nameplate(r.case.plant))
            for r, (_, t) in zip(kept, cases, strict=True)
        ]
        found[known] = [
            outcome(
                d[0],
                faulty=t["kind"] == "broken bar",
                machine=r.case.plant.name,
                tags=t | _truth(r),
                peers=_peers_rotor(q.recording, r) if t["peers"] and known == SENSOR else {},
            )
            for d, q, r, (_, t) in zip(
                diagnose_batch(asked, ["broken_bar"]), asked, kept, cases, strict=True
            )
        ]
    return found


def _truth(record: Record) -> Tags:
    t = record.truth
    return {
        "true_slip": t.slip,
        "true_lower_dbc": t.lower_dbc,
        "bins": 2 * t.slip * t.supply_hz,  # times the length of the record
    }


def _peers_rotor(recording: Recording, record: Record) -> dict[str, str | None]:
    return peers.rotor(recording, nameplate(record.case.plant), record.truth.slip)


def _cut(recording: Recording, tags: Tags) -> Recording:
    """Return the first `seconds` of a recording."""
    samples = round(tags.get("seconds", recording.duration_s) * recording.fs_hz)
    if samples >= recording.samples:
        return recording
    return replace(recording, channels={n: x[:samples] for n, x in recording.channels.items()})


def _slip_job(cases: Labelled) -> list[Outcome]:
    kept = list(records([c for c, _ in cases], 10.0, 10_000.0, channels=CURRENTS))
    asked = [Question(r.recording(), nameplate(r.case.plant)) for r in kept]
    answers = diagnose_batch(asked, ["broken_bar"])
    return [
        outcome(d[0], faulty=False, machine=r.case.plant.name, tags=t | _truth(r))
        for d, r, (_, t) in zip(answers, kept, cases, strict=True)
    ]


def _turn_job(machine: int, size: Size) -> Answers:
    plant, _ = scenarios.turn_machine(machine)
    motor = nameplate(plant)
    healthy = scenarios.turn_cases(machine, 0, size.turn_healthy, (0.0,))
    faulty = scenarios.turn_cases(machine, 10_000, len(SHORTED) * size.turn_faulty, SHORTED)
    cases = healthy + faulty
    kept = list(records([c for c, _ in cases], 1.0, FS_HZ))
    baselines = _learnt(machine, motor)
    beside = {k for k in range(len(cases)) if min(k, abs(k - len(healthy))) < 8}
    found: Answers = {}
    for known, (channels, learnt) in TURNS_KNOWN.items():
        baseline = baselines[channels] if learnt else None
        asked = [Question(r.recording(channels), motor, baseline) for r in kept]
        found[known] = [
            outcome(
                d[0],
                faulty=bool(t["turns"]),
                machine=f"{plant.name} no. {machine}",
                tags=t,
                peers=peers.turns(q.recording, motor)
                if known == "currents, no baseline" and k in beside
                else {},
            )
            for k, (d, q, (_, t)) in enumerate(
                zip(diagnose_batch(asked, ["turn_short"]), asked, cases, strict=True)
            )
        ]
    return found


def _learnt(machine: int, motor: Motor) -> dict[tuple[str, ...], Baseline]:
    """Return baselines of twelve healthy records of 5 s over load and unbalance."""
    cases = scenarios.turn_cases(machine, 20_000, 12, (0.0,))
    kept = list(records([c for c, _ in cases], 5.0, FS_HZ))
    return {
        channels: learn_baseline([r.recording(channels) for r in kept], motor)
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
    seconds = FAMILIES["bearing"].record_s
    kept = list(records([c for c, _ in cases], seconds, FS_HZ, channels=CURRENTS))
    asked = [Question(r.recording(tachometer=True), motor, baseline) for r in kept]
    answers = diagnose_batch(asked, ["eccentricity"])
    return [
        outcome(
            d[0],
            faulty=t["gap"] > GAP,
            machine=f"{plant.name} no. {machine}",
            tags=t | {"true_dbc": r.truth.rotation_lower_dbc},
            peers=peers.gap(q.recording, motor, r.truth.slip) if k % count < 10 else {},
        )
        for k, (d, q, r, (_, t)) in enumerate(zip(answers, asked, kept, cases, strict=True))
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

    def made(kind: str, seed: int) -> Case:
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

    before = records([made("healthy", base + k) for k in range(20)], 1.0, FS_HZ, channels=names)
    baseline = learn_baseline([r.recording(names) for r in before], motor)
    cases = [made(kind, base + 1_000 + k) for k, kind in enumerate(kinds)]
    kept = list(records(cases, 1.0, FS_HZ, channels=names))
    found: Answers = {}
    for known, channels in (("leakage", names), ("no leakage channel", names[:-1])):
        asked = [Question(r.recording(channels), motor, baseline) for r in kept]
        found[known] = [
            outcome(
                d[0],
                faulty=kind != "healthy",
                machine=plant.name,
                tags={"kind": kind, "more_f": 0.2 * nominal, "more_s": 1e-6 - LOSS_S},
            )
            for d, kind in zip(diagnose_batch(asked, ["insulation"]), kinds, strict=True)
        ]
    return found


def _joined(parts: Sequence[Answers], names: Any) -> Answers:
    return {name: [o for part in parts for o in part.get(name, [])] for name in names}
