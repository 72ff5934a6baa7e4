"""Shared by the tests of the bearing diagnoser: one machine, diagnosed."""

from dataclasses import replace

from tests.signals.vibration import MOTOR, ImpactTrain, Machine, recording
from vtox.motor.diagnosis.diagnosers.bearing import diagnoser as bearing
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.bearing import Bearing
from vtox.motor.values.domain import Diagnosis, Motor, Recording

HEALTHY = Machine()
# Its shaft in balance and in line, so that nothing is said of it.
BALANCED = (0.2, 0.1)
# 6203: both races within 2 % of a shaft order, as measured at 64 kHz from a drive at 1500 rpm.
NEAR_WHOLE = Bearing(orders={"BPFO": 3.054, "BPFI": 4.946, "BSF": 1.997, "FTF": 0.3818})
DRIVE = Motor(supply="inverter", bearing=NEAR_WHOLE)


def diagnose(
    x: Recording, motor: Motor | None = MOTOR, baseline: Baseline | None = None
) -> Diagnosis:
    (diagnosis,) = bearing.diagnose([x], [motor], [baseline])
    return diagnosis


def alarms(recordings: list[Recording], motor: Motor = MOTOR) -> list[Diagnosis]:
    diagnoses = bearing.diagnose(recordings, [motor] * len(recordings))
    return [d for d in diagnoses if d.state in ("warning", "fault")]


def doubts(d: Diagnosis) -> list[str]:
    return [r.code for r in d.doubts]


def near_whole(
    order: float, strength: float, by: float, *, read: float, seed: int, jitter: float = 0.01
) -> Diagnosis:
    """Diagnose impacts in `NEAR_WHOLE` at 1500 rpm, the speed read wrong by the share `read`."""
    depth = 0.9 if by else 0.0
    impacts = ImpactTrain(order=order, strength=strength, by=by, depth=depth, jitter=jitter)
    x = recording(Machine(shaft_hz=25.0, impacts=(impacts,)), 4.0, seed=seed, fs_hz=64_000.0)
    return diagnose(replace(x, speed_rpm=1500 * (1 + read)), DRIVE)
