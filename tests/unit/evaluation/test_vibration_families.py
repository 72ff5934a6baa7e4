"""The widened vibration: every trouble gives a finite record, design and final bearings differ."""

import numpy as np
import pytest

from evaluation.bad_shafts import BEARINGS
from evaluation.families.vibration import DESIGN, FINAL, SHAFT_TROUBLES, VibrationFamily
from evaluation.runs.bearing_decoys import true_orders

CASES = [(f, t) for f in (DESIGN, FINAL) for t in f.troubles]


@pytest.mark.parametrize(("family", "trouble"), CASES, ids=lambda x: getattr(x, "name", x))
def test_a_trouble_is_larger_than_the_background_and_finite(
    family: VibrationFamily, trouble: str
) -> None:
    shaft = family.shaft(np.random.default_rng(3), trouble)
    x, turns = family.record(shaft, np.random.default_rng(4))
    again, _ = family.record(shaft, np.random.default_rng(4))
    assert np.isfinite(x.channels["vibration"]).all()
    assert np.array_equal(x.channels["vibration"], again.channels["vibration"])
    mean_hz = (turns[-1] - turns[0]) / x.duration_s
    assert mean_hz * 60 == pytest.approx(x.speed_rpm, rel=5e-3)


def test_stages_share_the_troubles_of_shafts_and_no_bearing() -> None:
    assert set(SHAFT_TROUBLES) <= set(DESIGN.troubles) & set(FINAL.troubles)
    assert set(DESIGN.troubles) - set(FINAL.troubles)
    assert set(FINAL.troubles) - set(DESIGN.troubles)
    assert not set(BEARINGS) & set(FINAL.bearings)


def test_true_orders_are_those_of_elements_that_lag() -> None:
    shaft = DESIGN.shaft(np.random.default_rng(1), "gear")
    outer, inner = true_orders(shaft)
    orders = shaft.bearing.defect_orders
    assert outer == pytest.approx(orders["BPFO"] * (1 - shaft.lag))
    assert outer + inner == pytest.approx(orders["BPFO"] + orders["BPFI"])
