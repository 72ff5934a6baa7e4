"""Records in which the speed of the shaft moves by 2 % either way."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.bad_shafts import random_shaft, recording
from evaluation.vibration import bearing_of
from tests.unit.motor.diagnosis.diagnosers.bearing.cases import diagnose
from vtox.motor.values.domain import Diagnosis

ORDERS = bearing_of(9, 0.203)


def swinging(defect: str, *, swing: float, seed: int) -> Diagnosis:
    rng = np.random.default_rng(seed)
    shaft = replace(random_shaft(rng, "unbalance"), bearing=ORDERS, size=1.0, swing=swing)
    shaft = replace(shaft, defect=defect, damage=1.5 if defect else 0.0)
    return diagnose(recording(shaft, rng), shaft.motor)


@pytest.mark.parametrize("defect", ["BPFO", "BPFI"])
def test_a_damaged_race_is_found_by_the_angle_of_the_shaft(defect: str) -> None:
    found = [swinging(defect, swing=0.02, seed=seed) for seed in range(4)]
    assert [d.indicators.get("defect") for d in found] == [defect] * 4
    assert all("tracked_by_shaft_line" in str(d.values["speed_source"]) for d in found)


def test_a_sound_bearing_at_a_moving_speed_raises_no_alarm() -> None:
    assert {swinging("", swing=0.02, seed=seed).state for seed in range(4)} == {"normal"}


def test_a_steady_speed_is_searched_as_recorded() -> None:
    d = swinging("BPFO", swing=0.0, seed=1)
    assert d.values["speed_source"] == ("speed_sensor",)
    assert d.indicators["defect"] == "BPFO"
