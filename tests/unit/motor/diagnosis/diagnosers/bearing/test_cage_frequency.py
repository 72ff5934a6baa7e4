from dataclasses import replace

import pytest

from tests.signals.vibration import MOTOR, ImpactTrain, Machine, recording
from tests.unit.motor.diagnosis.diagnosers.bearing.cases import DRIVE, diagnose, doubts, near_whole
from vtox.motor.diagnosis.diagnosers.bearing.search import CombSearch
from vtox.motor.diagnosis.diagnosers.bearing.shaft_speed import Speed
from vtox.motor.diagnosis.dsp.surrogates import Finding
from vtox.motor.values.bearing import DEFECTS


def finding(level: float) -> Finding:
    return Finding(level, 1.0, number=30, order=0.4, view=0, sidebands="plain")


@pytest.mark.parametrize(
    ("levels", "alone"),
    [
        ({"BPFO": 0.5, "FTF": 2.0}, True),
        ({"BPFO": 1.5, "FTF": 2.0}, False),
        ({"BPFO": 0.5, "FTF": 0.9}, False),
        ({}, False),
    ],
)
def test_the_bearing_cage_is_alone_where_no_other_comb_is_found(
    levels: dict[str, float], alone: bool
) -> None:
    findings = {n: finding(x) for n, x in levels.items()}
    search = CombSearch(Speed(1500.0, 0.005, ()), None, None, findings)  # type: ignore[arg-type]
    assert search.only_bearing_cage is alone


@pytest.mark.parametrize("order", [0.394, 0.3996, 0.403])
@pytest.mark.parametrize("jitter", [0.0, 0.01])
@pytest.mark.parametrize("seconds", [2.0, 10.0])
def test_lines_at_the_bearing_cage_frequency_alone_raise_nothing(
    order: float, jitter: float, seconds: float
) -> None:
    slow = Machine(impacts=(ImpactTrain(order=order, jitter=jitter, strength=1.5),))
    d = diagnose(recording(slow, seconds, seed=1))
    assert (d.state, d.code) == ("unknown", "slower_shaft_or_bearing_cage")
    assert d.values["order"] == pytest.approx(order, rel=0.02)
    assert "defect" not in d.indicators


def test_weak_lines_at_the_bearing_cage_frequency_alone_give_unknown() -> None:
    # Modulation of about -20 dB, where that of damage begins at -16.5 dB.
    weak = Machine(impacts=(ImpactTrain(order=0.3996, strength=0.15),))
    d = diagnose(recording(weak, 10.0, seed=1))
    assert (d.state, d.code) == ("unknown", "slower_shaft_or_bearing_cage")
    assert -24 < d.values["modulation_db"] < -16.5  # type: ignore[operator]
    assert (d.severity, d.confidence) == (None, 0.0)
    assert d.indicators["leading"] == "FTF"
    assert "defect" not in d.indicators
    assert {e["defect"] for e in d.evidence if "defect" in e} == set(DEFECTS)


def test_aperiodic_impacts_between_bearing_cage_lines_are_named_beside_them() -> None:
    # A damaged element that hardly rolls, or a worn chain: impacts once a turn.
    ball = ImpactTrain(order=4.7, jitter=0.3, by=0.4, depth=1.0, strength=4.0)
    d = diagnose(recording(Machine(shaft=(0.5,), impacts=(ball,)), 10.0, seed=2))
    assert (d.state, d.code) == ("unknown", "slower_shaft_or_bearing_cage")
    assert "aperiodic_impacts" in doubts(d)


@pytest.mark.parametrize("strength", [1.0, 4.0])
def test_sidebands_around_masked_lines_point_at_an_element(strength: float) -> None:
    # 2 x BSF is 3.994, next to the fourth line of the shaft.
    d = near_whole(3.994, strength, 0.3818, read=0.0005, seed=5)
    assert (d.state, d.code) == ("warning", "element_or_bearing_cage"), d.reason
    assert d.indicators["defect"] == "BSF"
    assert "element_sidebands" in doubts(d)
    assert d.confidence <= 0.4


def test_a_slower_shaft_that_the_nameplate_names_is_normal() -> None:
    slow = ImpactTrain(order=0.3955, jitter=0.0, strength=3.0)
    x = recording(Machine(impacts=(slow,)), 4.0)
    assert diagnose(x).code == "slower_shaft_or_bearing_cage"
    geared = diagnose(x, replace(MOTOR, gear_ratio=1 / 0.3955))
    assert (geared.state, geared.code) == ("normal", "cage_lines_of_neighbour"), geared.reason
    assert geared.values["multiple"] == 1


@pytest.mark.parametrize(("multiple", "state"), [(1, "fault"), (3, "warning")])
def test_a_wheel_on_the_nameplate_at_the_order_of_a_race_is_no_race(
    multiple: int, state: str
) -> None:
    wheel = ImpactTrain(order=3.585 / multiple, jitter=0.0, strength=2.0)
    x = recording(Machine(impacts=(wheel,)), 4.0)
    assert diagnose(x).state == state
    d = diagnose(x, replace(MOTOR, neighbour_orders=(wheel.order,)))
    assert (d.state, d.code) == ("unknown", "neighbour_or_bearing"), d.reason


def test_a_race_above_the_lines_of_a_wheel_on_the_nameplate_is_kept() -> None:
    plate = replace(MOTOR, neighbour_orders=(0.3585,))  # BPFO is its tenth line
    race = ImpactTrain(order=3.585, jitter=0.003, strength=2.0)
    d = diagnose(recording(Machine(impacts=(race,)), 4.0), plate)
    assert (d.state, d.code) == ("fault", "bearing_defect"), d.reason


@pytest.mark.parametrize("order", [0.379, 0.3818])
def test_a_slower_shaft_and_four_blades_are_no_element(order: float) -> None:
    slow = ImpactTrain(order=order, jitter=0.0, strength=1.0)
    blades = ImpactTrain(order=4.0, jitter=0.0, strength=1.0)
    x = recording(Machine(shaft_hz=25.0, impacts=(slow, blades)), 4.0, fs_hz=64_000.0)
    d = diagnose(x, DRIVE)
    x = recording(Machine(shaft_hz=25.0, impacts=(slow, blades)), 4.0, fs_hz=64_000.0)
    d = diagnose(x, DRIVE)
    # The lines that hide an element are the reason; the advice of the slower shaft would mislead.
    assert (d.state, d.code) == ("unknown", "lines_at_masked_orders"), d.reason
    assert "BSF" in d.values["defects"]  # type: ignore[operator]
    assert "slower_shaft_or_bearing_cage" in doubts(d)
