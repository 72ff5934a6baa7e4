"""Damage whose lines a moving speed smears, where no line of the shaft shows how it moves."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.bad_shafts import random_shaft, recording
from evaluation.vibration import bearing_of
from tests.unit.motor.diagnosis.diagnosers.bearing.cases import diagnose
from vtox.motor.values.domain import Diagnosis

ORDERS = bearing_of(9, 0.203)


def beside_magnetic_pull(defect: str, *, swing: float, seed: int) -> Diagnosis:
    """Diagnose a machine whose lines of the supply hide those of its shaft."""
    rng = np.random.default_rng(seed)
    shaft = replace(random_shaft(rng, "electrical"), bearing=ORDERS, size=1.0, swing=swing)
    shaft = replace(shaft, defect=defect, damage=0.9 if defect else 0.0)
    return diagnose(recording(shaft, rng), shaft.motor)


@pytest.mark.parametrize("seed", [3, 8, 11])
def test_a_race_that_no_shaft_line_unsmears_is_not_called_normal(seed: int) -> None:
    d = beside_magnetic_pull("BPFI", swing=0.02, seed=seed)
    assert (d.state, d.code, d.confidence) == ("unknown", "smeared_defect_lines", 0)
    assert d.values["defect"] == "BPFI"
    assert d.values["order"] == pytest.approx(ORDERS.defect_orders["BPFI"], rel=1e-4)
    assert d.values["modulation_db"] > -16.5  # type: ignore[operator]
    assert "defect" not in d.indicators


@pytest.mark.parametrize("swing", [0.0, 0.02])
def test_a_sound_bearing_stays_normal(swing: float) -> None:
    states = [beside_magnetic_pull("", swing=swing, seed=seed).state for seed in (3, 8, 11)]
    assert states == ["normal"] * 3


def test_a_race_at_a_steady_speed_is_found() -> None:
    assert beside_magnetic_pull("BPFI", swing=0.0, seed=3).indicators["defect"] == "BPFI"
