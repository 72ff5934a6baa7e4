"""The diagnosers on the motor model: broken bars, and the slip that they depend on.

Every job makes its records, diagnoses them and returns outcomes only: waveforms stay in the
process that made them. Records are of 2 kHz, which the front end reduces to the same baseband as
10 kHz; those of the slip study, whose slot harmonics lie higher, of 10 kHz.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace

from evaluation import peers, scenarios
from evaluation.motor_model.case import Case
from evaluation.motor_model.records import SimulatedRecord, nameplate, records
from evaluation.outcome import Answers, Outcome, concatenate, outcome
from evaluation.scenarios import Tags
from evaluation.sizes import Size
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Recording

TaggedCases = list[tuple[Case, Tags]]
PeerChoice = Callable[[int, Tags], bool]  # whether other packages see the record too

FS_HZ = 2_000.0
BATCH = 60
# Knowledge of the machine: channels, and whether the speed is measured.
ROTOR_KNOWN = {
    "speed sensor": (CURRENTS, True),
    "nameplate only": (CURRENTS, False),
    "speed sensor and voltages": ((*CURRENTS, *VOLTAGES), True),
}
SENSOR, PLATE, VOLTS = ROTOR_KNOWN


def rotor_answers(pool: Executor, size: Size) -> dict[str, Answers]:
    """Return outcomes of broken bars by set of cases, some with a speed sensor only."""
    every, sensor = tuple(ROTOR_KNOWN), (SENSOR,)
    grid = scenarios.grid_cases
    wanted: dict[str, tuple[TaggedCases, float, PeerChoice, Sequence[str]]] = {
        "grid": (grid(size.cell, 10.0), 10.0, _first_of_some_cells, every),
        "grid 20 s": (grid(size.long_cell, 20.0), 20.0, _none, (SENSOR, PLATE)),
        "light": (
            grid(size.light, 20.0, levels=(-48.0,), slips=(0.005,)),
            20.0,
            _none,
            sensor,
        ),
        "healthy": (
            scenarios.healthy_cases(size.healthy, 10.0),
            10.0,
            _first(size.peers_healthy),
            every,
        ),
        "healthy 20 s": (
            scenarios.healthy_cases(size.long_healthy, 20.0, first=100_000),
            20.0,
            _none,
            sensor,
        ),
        "sound 20 s": (
            grid(size.sound, 20.0, levels=(-60.0,), first=200_000),
            20.0,
            _none,
            sensor,
        ),
        "oscillation": (scenarios.oscillation_cases(size.decoys), 10.0, _none, every),
        "short": (scenarios.short_record_cases(size.short), 13.5, _none, every),
    }
    futures = {}
    for name, (cases, seconds, with_peers, known) in wanted.items():
        marked = [(c, t | {"peers": with_peers(i, t)}) for i, (c, t) in enumerate(cases)]
        parts = [marked[k : k + BATCH] for k in range(0, len(marked), BATCH)]
        futures[name] = [pool.submit(_rotor_job, part, seconds, known) for part in parts]
    return {n: concatenate([f.result() for f in jobs], wanted[n][3]) for n, jobs in futures.items()}


def slip_answers(pool: Executor, size: Size) -> list[Outcome]:
    """Return outcomes of 10 kHz records without a speed sensor, for the error of their slip."""
    cases = scenarios.slot_harmonic_cases(size.slots)
    parts = [cases[k : k + 20] for k in range(0, len(cases), 20)]
    return [o for f in [pool.submit(_slip_job, p) for p in parts] for o in f.result()]


def _first_of_some_cells(_: int, tags: Tags) -> bool:
    """Peers take 0.3 s a record: the first of the cells with no, some and much wander."""
    return tags["wander"] in (0.0, 0.005, 0.020) and tags["k"] == 0


def _first(n: int) -> PeerChoice:
    return lambda index, _: index < n


def _none(index: int, tags: Tags) -> bool:
    return False


def _rotor_job(cases: TaggedCases, seconds: float, wanted: Sequence[str]) -> Answers:
    made = list(records([c for c, _ in cases], seconds, FS_HZ))
    answers: Answers = {}
    for known in wanted:
        channels, tachometer = ROTOR_KNOWN[known]
        questions = [
            DiagnosisInput(
                _cut(r.recording(channels, tachometer=tachometer), t), nameplate(r.case.plant)
            )
            for r, (_, t) in zip(made, cases, strict=True)
        ]
        answers[known] = [
            outcome(
                d[0],
                faulty=t["kind"] == "broken bar",
                machine=r.case.plant.name,
                tags=t | _truth(r),
                peers=_rotor_peers(q.recording, r) if t["peers"] and known == SENSOR else {},
            )
            for d, q, r, (_, t) in zip(
                diagnose_batch(questions, ["broken_bar"]), questions, made, cases, strict=True
            )
        ]
    return answers


def _truth(record: SimulatedRecord) -> Tags:
    t = record.truth
    return {
        "true_slip": t.slip,
        "true_lower_dbc": t.lower_dbc,
        "bins": 2 * t.slip * t.supply_hz,  # times the length of the record
    }


def _rotor_peers(recording: Recording, record: SimulatedRecord) -> dict[str, str | None]:
    return peers.rotor(recording, nameplate(record.case.plant), record.truth.slip)


def _cut(recording: Recording, tags: Tags) -> Recording:
    """Return the first `seconds` of a recording."""
    samples = round(tags.get("seconds", recording.duration_s) * recording.fs_hz)
    if samples >= recording.samples:
        return recording
    return replace(recording, channels={n: x[:samples] for n, x in recording.channels.items()})


def _slip_job(cases: TaggedCases) -> list[Outcome]:
    made = list(records([c for c, _ in cases], 10.0, 10_000.0, channels=CURRENTS))
    questions = [DiagnosisInput(r.recording(), nameplate(r.case.plant)) for r in made]
    answers = diagnose_batch(questions, ["broken_bar"])
    return [
        outcome(d[0], faulty=False, machine=r.case.plant.name, tags=t | _truth(r))
        for d, r, (_, t) in zip(answers, made, cases, strict=True)
    ]
