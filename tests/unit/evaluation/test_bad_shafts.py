"""The simulated vibration of bad shafts: as described, and the same for the same seed."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.bad_shafts import TROUBLES, random_shaft, recording
from evaluation.vibration import bearing_of
from vtox.motor.values.domain import Recording


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_seed_gives_one_finite_record_and_its_speed(trouble: str) -> None:
    x, again = (_record(trouble, seed=3) for _ in range(2))
    samples = x.channels["vibration"]
    assert np.isfinite(samples).all()
    assert np.array_equal(samples, again.channels["vibration"])
    assert x.speed_rpm == again.speed_rpm
    assert not np.array_equal(samples, _record(trouble, seed=4).channels["vibration"])


def test_orders_of_a_bearing_are_those_of_its_kinematics() -> None:
    orders = bearing_of(9, 0.203).defect_orders
    assert orders["BPFO"] + orders["BPFI"] == pytest.approx(9)
    assert orders["BPFO"] == pytest.approx(9 * orders["FTF"])


def test_a_swing_moves_the_shaft_and_keeps_its_mean_speed() -> None:
    shaft = replace(random_shaft(np.random.default_rng(1), "unbalance"), size=10.0)
    still = recording(shaft, np.random.default_rng(2))
    moving = recording(replace(shaft, swing=0.02), np.random.default_rng(2))
    assert moving.speed_rpm == pytest.approx(still.speed_rpm, rel=1e-3)
    lines = [np.abs(np.fft.rfft(r.channels["vibration"])).max() for r in (still, moving)]
    assert lines[1] < 0.7 * lines[0]


def _record(trouble: str, seed: int) -> Recording:
    rng = np.random.default_rng(seed)
    return recording(random_shaft(rng, trouble), rng, seconds=1.0)
