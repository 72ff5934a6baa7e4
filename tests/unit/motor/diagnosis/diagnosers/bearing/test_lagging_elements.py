"""Bearings whose elements turn slower than kinematics say."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.bad_shafts import random_shaft, recording
from evaluation.vibration import bearing_of
from tests.unit.motor.diagnosis.diagnosers.bearing.cases import diagnose, doubts
from vtox.motor.diagnosis.diagnosers.bearing.lagging_elements import MAX_LAG, lagging_elements
from vtox.motor.values.domain import Diagnosis

ORDERS = bearing_of(9, 0.203).defect_orders
COMBS = {**ORDERS, "BSF": 2 * ORDERS["BSF"]}
CAGE = ORDERS["FTF"]


def lagging(defect: str, lag: float, *, ratio: float = 0.203, seed: int = 1) -> Diagnosis:
    rng = np.random.default_rng(seed)
    shaft = replace(random_shaft(rng, "unbalance"), bearing=bearing_of(9, ratio), size=0.5)
    shaft = replace(shaft, defect=defect, damage=2.0, lag=lag)
    return diagnose(recording(shaft, rng), shaft.motor)


@pytest.mark.parametrize("lag", [0.02, 0.035])
def test_rates_of_the_outer_race_fall_and_those_of_the_inner_race_rise(lag: float) -> None:
    outer, inner = 9 * CAGE * (1 - lag), 9 * (1 - CAGE * (1 - lag))
    for order, defect in ((outer, "BPFO"), (inner, "BPFI")):
        found = lagging_elements(order, COMBS, CAGE)
        assert found is not None
        assert (found.defect, found.defects) == (defect, (defect,))
        assert found.lag == pytest.approx(lag)


def test_a_comb_beyond_the_largest_lag_or_of_faster_elements_belongs_to_no_part() -> None:
    for lag in (-0.02, MAX_LAG + 0.01):
        assert lagging_elements(9 * CAGE * (1 - lag), {"BPFO": ORDERS["BPFO"]}, CAGE) is None
    assert lagging_elements(1.01 * ORDERS["BPFI"], {"BPFI": ORDERS["BPFI"]}, None) is None


def test_orders_that_two_parts_share_name_both() -> None:
    found = lagging_elements(4.9, {"BPFO": 5.0, "BSF": 5.05}, CAGE)
    assert found is not None
    assert found.defects == ("BPFO", "BSF")


@pytest.mark.parametrize(("defect", "lag"), [("BPFO", 0.038), ("BPFI", 0.038)])
def test_a_race_with_lagging_elements_is_named(defect: str, lag: float) -> None:
    d = lagging(defect, lag)
    assert d.indicators["defect"] == defect
    assert d.state in ("warning", "fault")
    (doubt,) = [r for r in d.doubts if r.code == "elements_lag"]
    assert doubt.values["lag"] == pytest.approx(lag, abs=0.004)


def test_sidebands_tell_a_lagging_inner_race_from_an_element_at_its_order() -> None:
    # 9 elements, ratio 0.18: twice the ball spin is 5.38, the inner race 5.31, and 5.43 with a lag.
    d = lagging("BPFI", 0.035, ratio=0.18)
    assert d.indicators["defect"] == "BPFI"
    assert "elements_lag" in doubts(d)
    element = lagging("BSF", 0.0, ratio=0.18)
    assert element.indicators.get("defect") != "BPFI"
