from dataclasses import replace

import pytest

from tests.signals.vibration import MOTOR, ImpactTrain, Machine, defect, recording
from tests.unit.motor.diagnosis.diagnosers.bearing.cases import BALANCED, HEALTHY, diagnose, doubts
from vtox.motor.alarms.health.impact_orders import impact_orders
from vtox.motor.values.bearing import DEFECTS
from vtox.motor.values.domain import QUIET


@pytest.mark.parametrize("error", [-0.06, 0.06])
def test_unassigned_impacts_give_unknown(error: float) -> None:
    # As does a damaged bearing whose speed is read wrong.
    x = recording(Machine(impacts=(defect("BPFO", 2.0, 0.0),)), 4.0)
    d = diagnose(replace(x, speed_rpm=60 * 24.3 * (1 + error)))
    assert (d.state, d.code, d.confidence) == ("unknown", "unassigned_impacts", 0)
    assert d.values["order"] == pytest.approx(3.585 / (1 + error), rel=0.01)
    assert d.values["repetition_hz"] == pytest.approx(3.585 * 24.3, rel=0.01)
    *defects, impacts = d.evidence
    assert {e["defect"] for e in defects} == set(DEFECTS)
    assert (impacts["kind"], impacts["found_order"]) == ("impacts", d.indicators["impulsive_order"])
    assert d.indicators["impulsive_order"] == pytest.approx(3.585 / (1 + error), rel=0.01)
    assert doubts(diagnose(recording(Machine(shaft=BALANCED), 4.0))) == []


@pytest.mark.parametrize(("order", "seed"), [(2.6, 2), (3.3, 1), (3.3, 2)])
def test_unassigned_impacts_whose_second_line_is_highest_give_unknown(
    order: float, seed: int
) -> None:
    impacts = ImpactTrain(order=order, strength=3.0, jitter=0.003)
    d = diagnose(recording(Machine(impacts=(impacts,)), 2.0, seed=seed))
    assert (d.state, d.code) == ("unknown", "unassigned_impacts"), d.reason
    assert d.indicators["impulsive_order"] == pytest.approx(order, rel=0.01)


def test_weak_unassigned_impacts_are_a_doubt() -> None:
    # Modulation of -19 dB, where that of damage begins at -16 dB.
    weak = Machine(shaft=BALANCED, impacts=(ImpactTrain(order=7.3, strength=0.3),))
    d = diagnose(recording(weak, 10.0, seed=1))
    assert d.state == "normal"
    (doubt,) = d.doubts
    assert doubt.code == "weak_unassigned_impacts"
    assert doubt.values["order"] == pytest.approx(7.3, rel=0.01)


def test_impacts_near_a_half_order_may_be_the_shafts() -> None:
    # 6.45: within the tolerance of a speed from the nameplate of 6.5.
    impacts = ImpactTrain(order=6.45, strength=2.0, jitter=0.0)
    x = recording(Machine(shaft=(), impacts=(impacts,)), 4.0, seed=1, speed=False)
    d = diagnose(x)
    assert d.state == "normal", d.reason
    assert "impacts_near_shaft_order" in doubts(d)


def test_impacts_in_an_unknown_bearing_are_a_warning_with_their_rate() -> None:
    x = recording(Machine(impacts=(defect("BPFO", 2.0, 0.0),)), 4.0)
    d = diagnose(x, replace(MOTOR, bearing=None))
    assert (d.state, d.code) == ("warning", "impacts_of_unknown_part")
    assert d.values["order"] == pytest.approx(3.585, rel=0.01)
    assert d.confidence <= 0.5
    assert "defect" not in d.indicators
    assert impact_orders(d) == (d.indicators["impulsive_order"],)


def test_an_unknown_bearing_without_impacts_is_quiet() -> None:
    quiet = diagnose(recording(HEALTHY, 4.0), replace(MOTOR, bearing=None))
    assert (quiet.code, doubts(quiet)) == ("no_bearing_geometry", ["no_impacts"])
    assert QUIET in quiet.evidence
