"""Diagnoses without currents abstain too if the currents show a machine that does not run."""

from dataclasses import replace

import numpy as np
import pytest

from tests.signals import vibration
from vtox.motor.diagnosis.diagnosis import diagnose
from vtox.motor.values.arrays import Float64
from vtox.motor.values.domain import CURRENTS, Diagnosis, Recording

MOTOR = replace(vibration.MOTOR, rated_current_a=1.0)
DAMAGED = vibration.recording(
    replace(vibration.Machine(), impacts=(vibration.defect("BPFO"),)), 3.0
)
STATES = {
    "runs": (np.array([0.8]), None),
    "starts": (np.repeat([0.0, 6.0, 0.8], [5, 10, 15]), "motor_starts"),
    "runs down": (np.repeat([0.8, 0.0], [20, 10]), "motor_runs_down"),
    "stands still": (np.array([0.0]), "motor_stands_still"),
}


def bearing(level_a: Float64, speed_rpm: float | None = None) -> Diagnosis:
    rng = np.random.default_rng(0)
    t = np.arange(DAMAGED.samples) / DAMAGED.fs_hz
    amps = np.sqrt(2) * np.repeat(level_a, -(-len(t) // len(level_a)))[: len(t)]
    x = dict(DAMAGED.channels)
    for k, name in enumerate(CURRENTS):
        noise = 0.005 * rng.standard_normal(len(t))
        x[name] = amps * np.sin(2 * np.pi * (50 * t - k / 3)) + noise
    (found,) = diagnose(Recording(x, DAMAGED.fs_hz, speed_rpm), MOTOR, faults=["bearing"])
    return found


@pytest.mark.parametrize(("level_a", "code"), STATES.values(), ids=STATES)
def test_a_bearing_is_diagnosed_of_a_running_machine_alone(
    level_a: Float64, code: str | None
) -> None:
    speed_rpm = None if code == "motor_stands_still" else DAMAGED.speed_rpm
    d = bearing(level_a, speed_rpm)
    assert (d.code == code) if code else (d.state in ("warning", "fault"))


def test_a_machine_with_a_measured_speed_does_not_stand_still() -> None:
    assert bearing(np.array([0.0]), DAMAGED.speed_rpm).state in ("warning", "fault")
