"""Cost of the diagnosers: per second of one machine's data, and compared with statorscope."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter, process_time

import numpy as np

from evaluation import peers
from evaluation.motor_model.plants import PLANTS
from evaluation.motor_model.records import SimulatedRecord, nameplate, records
from evaluation.runs.recordings import bearing_motor
from evaluation.scenarios import record_case
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.faults import FAMILIES, FAULTS
from vtox.motor.values.domain import CURRENTS, VIBRATIONS, Motor, Recording
from workers.malloc import keep_freed_memory

BATCH = 32
TOGETHER_S = 10.0
FS_HZ = 10_000.0
CURRENT_FAULTS = ("turn_short", "eccentricity", "broken_bar")


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of one core; per second of data by family, and per 10 s record of currents.

    `together_ms` is per second of data too: all faults of one record in one call.
    """

    family_ms: dict[str, float]
    alone_ms: dict[str, float]
    together_ms: float
    together_alone_ms: float
    slip_unknown_ms: float
    slip_given_ms: float
    statorscope_slip_unknown_ms: float | None
    statorscope_slip_given_ms: float | None

    @property
    def total_ms(self) -> float:
        """All families, per second of one machine's data in batches, as in the workers."""
        return sum(self.family_ms.values())


def cost(repeats: int) -> Cost:
    """Measure in this process with the memory settings of a worker; records are made before."""
    keep_freed_memory()
    plant = PLANTS["2kw2"]
    cases = [record_case(plant, 0.03, 40_000_000 + k, wander_hz=0.002) for k in range(BATCH)]
    made = list(records(cases, TOGETHER_S, FS_HZ, channels=CURRENTS))
    motor = nameplate(plant)
    family_ms, alone_ms = {}, {}
    for family in FAMILIES.values():
        questions = [_question(r, k, motor, family.min_record_s) for k, r in enumerate(made)]
        batched = _median_ms(lambda a=questions, f=family: diagnose_batch(a, f.faults), repeats)  # type: ignore[misc]
        single = _median_ms(lambda a=questions, f=family: diagnose_batch(a[:1], f.faults), repeats)  # type: ignore[misc]
        family_ms[family.name] = batched / BATCH / family.min_record_s
        alone_ms[family.name] = single / family.min_record_s
    whole = [_question(r, k, motor, TOGETHER_S) for k, r in enumerate(made)]
    # Nameplate only, and no rotor bars: the slip must come from the current, as in statorscope.
    plate = Motor(
        pole_pairs=motor.pole_pairs,
        supply_hz=motor.supply_hz,
        rated_speed_rpm=motor.rated_speed_rpm,
        rated_current_a=motor.rated_current_a,
    )
    blind = [DiagnosisInput(r.recording(), plate) for r in made]
    given = [DiagnosisInput(r.recording(tachometer=True), motor) for r in made]
    few = made[: 1 if repeats < 3 else 3]
    return Cost(
        family_ms,
        alone_ms,
        _median_ms(lambda: diagnose_batch(whole, FAULTS), repeats) / BATCH / TOGETHER_S,
        _median_ms(lambda: diagnose_batch(whole[:1], FAULTS), repeats) / TOGETHER_S,
        _median_ms(lambda: diagnose_batch(blind, CURRENT_FAULTS), repeats) / BATCH,
        _median_ms(lambda: diagnose_batch(given, CURRENT_FAULTS), repeats) / BATCH,
        _statorscope_ms(few, motor, slip_given=False),
        _statorscope_ms(few, motor, slip_given=True),
    )


def _question(record: SimulatedRecord, k: int, motor: Motor, seconds: float) -> DiagnosisInput:
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
    return DiagnosisInput(Recording(channels, FS_HZ, float(record.speed_rpm.mean())), named)


def _statorscope_ms(
    made: Sequence[SimulatedRecord], motor: Motor, *, slip_given: bool
) -> float | None:
    if peers.versions()["statorscope"] is None:
        return None

    def run() -> None:
        for r in made:
            slip = r.truth.slip if slip_given else None
            peers.statorscope(r.recording(), motor, "broken_rotor_bar", slip)

    return _median_ms(run, 1) / len(made)


def _median_ms(work: Callable[[], object], repeats: int) -> float:
    """Return the median time of one call after a first; CPU time, as other programs may run."""
    work()
    times = []
    for _ in range(repeats):
        wall, start = perf_counter(), process_time()
        work()
        times.append(min(process_time() - start, perf_counter() - wall))
    return 1e3 * median(times)
