"""Shared by the tests of turn shorts: one diagnosis, and baselines of healthy machines."""

import numpy as np

from tests.signals.phasor_motor import MOTOR, Machine, recording
from vtox import Motor, diagnose, learn_baseline
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Diagnosis, Recording

CHANNELS = (*CURRENTS, *VOLTAGES)
# Clamps as a survey hangs them: within 0.4 % and 0.2 degrees.
GAINS = (1.004, 0.997 * np.exp(0.004j), 1.0)


def turn_short(
    x: Recording, baseline: Baseline | None = None, motor: Motor | None = MOTOR
) -> Diagnosis:
    (diagnosis,) = diagnose(x, motor, faults={"turn_short"}, baseline=baseline)
    return diagnosis


def healthy_baseline(channels: tuple[str, ...], *, v2_max: float, loads: int = 6) -> Baseline:
    """Learnt at loads of 0.4 to 1 while V2/V1 of the supply was anywhere up to `v2_max`."""
    rng = np.random.default_rng(1)
    machines = [
        Machine(
            load=load,
            v2=v2_max * rng.uniform() * np.exp(2j * np.pi * rng.uniform()),
            gains=GAINS,
        )
        for load in np.linspace(0.4, 1.0, loads)
    ]
    recordings = [recording(m, 2.0, channels=channels, seed=i) for i, m in enumerate(machines)]
    return learn_baseline(recordings, MOTOR)
