"""What the diagnosers cost: per second of one machine's data, and beside statorscope."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter, process_time

import numpy as np

from evaluation import peers
from evaluation.runs.recordings import bearing_motor
from evaluation.scenarios import record_case
from vtox.diagnosis import Case as Question
from vtox.diagnosis import diagnose_batch
from vtox.domain import CURRENTS, VIBRATIONS, Motor, Recording
from vtox.faults import FAMILIES, FAULTS
from vtox.simulator.motor_model.plants import PLANTS
from vtox.simulator.motor_model.records import Record, nameplate, records
from workers.malloc import keep_freed_memory

BATCH = 32
TOGETHER_S = 10.0
FS_HZ = 10_000.0
CURRENT_FAULTS = ("turn_short", "eccentricity", "broken_bar")


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of one core; per second of data by family, and per 10 s record of currents.

    `together_ms` is per second of data too: all faults asked of one record, with one front end.
    """

    family_ms: dict[str, float]
    alone_ms: dict[str, float]
    together_ms: float
    together_alone_ms: float
    blind_ms: float
    given_ms: float
    theirs_blind_ms: float | None
    theirs_given_ms: float | None

    @property
    def total_ms(self) -> float:
        """All families, per second of one machine's data in batches, as the workers ask them."""
        return sum(self.family_ms.values())


def cost(repeats: int) -> Cost:
    """Measure in this process, its memory kept as in a worker's; records are made before."""
    keep_freed_memory()
    plant = PLANTS["2kw2"]
    cases = [record_case(plant, 0.03, 40_000_000 + k, wander_hz=0.002) for k in range(BATCH)]
    made = list(records(cases, TOGETHER_S, FS_HZ, channels=CURRENTS))
    motor = nameplate(plant)
    family_ms, alone_ms = {}, {}
    for family in FAMILIES.values():
        asked = [_question(r, k, motor, family.record_s) for k, r in enumerate(made)]
        batched = _ms(lambda a=asked, f=family: diagnose_batch(a, f.faults), repeats)  # type: ignore[misc]
        single = _ms(lambda a=asked, f=family: diagnose_batch(a[:1], f.faults), repeats)  # type: ignore[misc]
        family_ms[family.name] = batched / BATCH / family.record_s
        alone_ms[family.name] = single / family.record_s
    whole = [_question(r, k, motor, TOGETHER_S) for k, r in enumerate(made)]
    # Nameplate only, and no bars: the slip has to come from the current, as for the other.
    plate = Motor(
        pole_pairs=motor.pole_pairs,
        supply_hz=motor.supply_hz,
        rated_speed_rpm=motor.rated_speed_rpm,
        rated_current_a=motor.rated_current_a,
    )
    blind = [Question(r.recording(), plate) for r in made]
    given = [Question(r.recording(tachometer=True), motor) for r in made]
    few = made[: 1 if repeats < 3 else 3]
    return Cost(
        family_ms,
        alone_ms,
        _ms(lambda: diagnose_batch(whole, FAULTS), repeats) / BATCH / TOGETHER_S,
        _ms(lambda: diagnose_batch(whole[:1], FAULTS), repeats) / TOGETHER_S,
        _ms(lambda: diagnose_batch(blind, CURRENT_FAULTS), repeats) / BATCH,
        _ms(lambda: diagnose_batch(given, CURRENT_FAULTS), repeats) / BATCH,
        _theirs(few, motor, known=False),
        _theirs(few, motor, known=True),
    )


def _question(record: Record, k: int, motor: Motor, seconds: float) -> Question:
    """Return three currents and one vibration channel with a bearing's nameplate."""
    samples = round(seconds * FS_HZ)
    channels = {c: record.channels[c][:samples] for c in CURRENTS}
    noise = np.random.default_rng(k).standard_normal(samples)
    channels[VIBRATIONS[0]] = noise.astype(np.float32)
    named = Motor(
        pole_pairs=motor.pole_pairs,
        supply_hz=motor.supply_hz,
        rated_speed_rpm=motor.rated_speed_rpm,
        rated_current_a=motor.rated_current_a,
        rotor_bars=motor.rotor_bars,
        bearing=bearing_motor().bearing,
    )
    return Question(Recording(channels, FS_HZ, float(record.speed_rpm.mean())), named)


def _theirs(made: Sequence[Record], motor: Motor, *, known: bool) -> float | None:
    if peers.versions()["statorscope"] is None:
        return None

    def run() -> None:
        for r in made:
            slip = r.truth.slip if known else None
            peers.statorscope(r.recording(), motor, "broken_rotor_bar", slip)

    return _ms(run, 1) / len(made)


def _ms(work: Callable[[], object], repeats: int) -> float:
    """Return the median time of one call after a first; CPU time, as other programs may run."""
    work()
    times = []
    for _ in range(repeats):
        wall, start = perf_counter(), process_time()
        work()
        times.append(min(process_time() - start, perf_counter() - wall))
    return 1e3 * median(times)
