"""The value of a baseline: levels by load, the weight of few records, and its JSON."""

import numpy as np
import pytest

from tests.signals.phasor_motor import MOTOR, Machine, recording
from vtox.motor.diagnosis.learning.fit import learn_baseline
from vtox.motor.errors import BaselineError
from vtox.motor.values.baseline import Baseline, Level, bands_of
from vtox.motor.values.domain import CURRENTS, VOLTAGES

BOTH = (*CURRENTS, *VOLTAGES)


def test_bands_group_similar_loads() -> None:
    loads = np.array([5.0, 10.0, 5.5, 10.4, 6.1, np.nan])
    levels = np.array([1.0, 7.0, 3.0, np.nan, 2.0, 5.0])
    bands = bands_of({"x": levels}, loads)
    assert [(b.low_a, b.high_a) for b in bands] == [(0.0, 0.0), (5.0, 6.1), (10.0, 10.4)]
    assert bands[1].levels["x"] == Level(3, 2.0, 1.0)
    assert bands[2].levels["x"] == Level(1, 7.0, 0.0)


@pytest.mark.parametrize(
    ("load_a", "mean"), [(5.0, 2.0), (4.6, 2.0), (6.7, 2.0), (10.0, 7.0), (8.0, None), (None, 5.0)]
)
def test_a_level_answers_near_the_loads_it_was_learnt_at(
    load_a: float | None, mean: float | None
) -> None:
    loads = np.array([5.0, 10.0, 5.5, 10.4, 6.1, np.nan])
    baseline = Baseline(bands_of({"x": np.array([1.0, 7, 3, np.nan, 2, 5])}, loads))
    found = baseline.level("x", load_a)
    assert (found.mean if found else None) == mean


@pytest.mark.parametrize(
    ("feature", "load_a", "code"),
    [("x", 5.0, None), ("x", 8.0, "no_baseline_at_load"), ("y", 5.0, "no_baseline")],
)
def test_a_missing_level_has_its_code(feature: str, load_a: float, code: str | None) -> None:
    baseline = Baseline(bands_of({"x": np.array([1.0, 7.0])}, np.array([5.0, 10.0])))
    why = baseline.no_level_reason(feature, load_a)
    assert (why and why.code) == code


def test_all_loads_together() -> None:
    x = np.array([1.0, 2.0, 3.0, 10.0, 11.0])
    loads = np.array([1.0, 1.0, 1.0, 5.0, 5.0])
    pooled = Baseline(bands_of({"x": x}, loads)).any_load("x")
    assert pooled is not None
    assert (pooled.n, pooled.mean) == (5, x.mean())
    assert pooled.std == pytest.approx(x.std(ddof=1))
    assert Baseline().any_load("x") is None


def test_json_round_trip() -> None:
    x = recording(Machine(), 3.0, channels=BOTH)
    learnt = learn_baseline([x], MOTOR)
    assert learnt.asymmetry is not None
    text = learnt.to_json()
    assert Baseline.from_json(text) == learnt
    assert Baseline.from_json(text).to_json() == text
    assert Baseline.from_json(text) is Baseline.from_json(text)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"version": 99}', '{"version": 1, "bands": 3}', "null", "[" * 20_000],
)
def test_what_is_no_baseline_is_refused(text: str) -> None:
    with pytest.raises(BaselineError):
        Baseline.from_json(text)
