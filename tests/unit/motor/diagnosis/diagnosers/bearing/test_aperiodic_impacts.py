from dataclasses import replace

import numpy as np
import pytest

from tests.signals.vibration import FS_HZ, MOTOR, Machine, defect, recording, vibration
from tests.unit.motor.diagnosis.diagnosers.bearing.cases import HEALTHY, diagnose, doubts
from vtox.motor.values.domain import Recording


@pytest.mark.parametrize(
    ("name", "ramp"), [("BPFO", 0.2), ("BPFO", 0.6), ("BPFI", 0.2), ("BSF", 0.6)]
)
def test_impacts_at_a_changing_speed_give_unknown(name: str, ramp: float) -> None:
    impacts = replace(defect(name, 4.0), ramp=ramp)
    d = diagnose(recording(Machine(shaft=(0.5,), impacts=(impacts,)), 6.0, seed=1))
    assert (d.state, d.code) == ("unknown", "aperiodic_impacts"), d.reason
    assert d.values["modulation"] > 0.5  # type: ignore[operator]
    assert d.indicators["irregular_modulation_db"] > -6  # type: ignore[operator]
    x = recording(Machine(impacts=(impacts,)), 6.0, seed=1)
    unknown_bearing = diagnose(x, replace(MOTOR, bearing=None))
    assert unknown_bearing.code == "no_bearing_geometry"
    assert doubts(unknown_bearing) == ["aperiodic_impacts"]


@pytest.mark.parametrize("seconds", [1.0, 2.0, 10.0])
def test_single_knocks_leave_a_bearing_normal(seconds: float) -> None:
    rng = np.random.default_rng(2)
    states = set()
    for i in range(20):
        x = vibration(HEALTHY, seconds, seed=i)
        x[rng.integers(0, len(x), 2)] += 100
        states.add(diagnose(Recording({"vibration": x}, FS_HZ, 60 * HEALTHY.shaft_hz)).state)
    assert states == {"normal"}


@pytest.mark.parametrize("ramp", [0.0, 0.4])
def test_noise_that_a_shaft_modulates_leaves_a_bearing_normal(ramp: float) -> None:
    # Modulated by 40 % once a turn, and growing as the square of the speed.
    t = np.arange(60_000) / FS_HZ
    turned = HEALTHY.shaft_hz * t * (1 + ramp * (t / t[-1] - 1) / 2)
    size = (1 + 0.4 * np.cos(2 * np.pi * turned)) * (1 + ramp * (t / t[-1] - 0.5)) ** 2
    for seed in range(5):
        x = size * np.random.default_rng(seed).standard_normal(len(t))
        d = diagnose(Recording({"vibration": x}, FS_HZ, 60 * HEALTHY.shaft_hz))
        assert d.state == "normal", d.reason
