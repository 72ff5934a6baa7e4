"""Impacts that come as often as those of a part, with and without the sidebands of its load."""

import pytest

from tests.signals.vibration import ImpactTrain, Machine, defect, recording
from tests.unit.motor.diagnosis.diagnosers.bearing.cases import diagnose

# Orders of the inner race and of twice the ball spin, and of their modulation.
INNER_RACE, ELEMENT = (5.415, 1.0), (4.714, 0.398)


def strong(order: float, by: float, depth: float) -> Machine:
    train = ImpactTrain(order=order * 1.004, strength=6.0, by=by * 1.004, depth=depth)
    return Machine(shaft=(0.2, 0.1), impacts=(train,))


@pytest.mark.parametrize(("order", "by"), [INNER_RACE, ELEMENT])
@pytest.mark.parametrize("seconds", [2.0, 4.0])
def test_impacts_that_no_load_modulates_are_another_machines(
    order: float, by: float, seconds: float
) -> None:
    d = diagnose(recording(strong(order, 0.0, 0.0), seconds, seed=3))
    assert (d.state, d.code) == ("unknown", "here_or_a_neighbour"), d.reason
    assert "defect" not in d.indicators


@pytest.mark.parametrize(("order", "by", "name"), [(*INNER_RACE, "BPFI"), (*ELEMENT, "BSF")])
@pytest.mark.parametrize("depth", [0.3, 0.9])
def test_impacts_that_load_modulates_are_the_parts(
    order: float, by: float, name: str, depth: float
) -> None:
    d = diagnose(recording(strong(order, by, depth), 4.0, seed=3))
    assert (d.code, d.indicators["defect"]) == ("bearing_defect", name), d.reason


def test_weak_impacts_of_an_inner_race_show_its_load_too() -> None:
    weak = [ImpactTrain(order=5.437, strength=1.0, by=by, depth=0.9) for by in (0.0, 1.0)]
    found = [diagnose(recording(Machine(impacts=(w,)), 4.0, seed=3)) for w in weak]
    assert [d.code for d in found] == ["here_or_a_neighbour", "bearing_defect"]


def test_an_outer_race_needs_no_sidebands() -> None:
    d = diagnose(recording(Machine(impacts=(defect("BPFO", 6.0),)), 4.0, seed=3))
    assert (d.state, d.indicators["defect"]) == ("fault", "BPFO")
