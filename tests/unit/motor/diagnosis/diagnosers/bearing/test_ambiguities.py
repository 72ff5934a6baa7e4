from dataclasses import replace

import numpy as np
import pytest

from evaluation.bad_shafts import random_shaft
from evaluation.bad_shafts import recording as recorded
from evaluation.vibration import bearing_of
from tests.signals.vibration import BEARING, MOTOR, ImpactTrain, Machine, recording
from tests.unit.motor.diagnosis.diagnosers.bearing.cases import (
    BALANCED,
    DRIVE,
    HEALTHY,
    NEAR_WHOLE,
    diagnose,
    doubts,
    near_whole,
)
from vtox.motor.diagnosis.diagnosers.bearing.ambiguities import masked_by_moving_drive
from vtox.motor.diagnosis.diagnosers.bearing.search_setup import SearchSetup, set_up_search
from vtox.motor.diagnosis.dsp.surrogates import Finding
from vtox.motor.values.bearing import Bearing
from vtox.motor.values.domain import Diagnosis, Motor

WHOLE_ORDER = Bearing(orders=dict(BEARING.defect_orders) | {"BPFI": 5.03})


def test_masked_orders_are_a_doubt() -> None:
    motor = replace(MOTOR, bearing=Bearing(orders=dict(BEARING.defect_orders) | {"BPFI": 5.05}))
    (doubt,) = (r for r in diagnose(recording(HEALTHY), motor).doubts if r.code == "orders_masked")
    assert doubt.values["defects"] == ("BPFI",)
    assert "orders_masked" not in doubts(diagnose(recording(HEALTHY)))


def test_a_short_record_does_not_search_the_bearing_cage() -> None:
    d = diagnose(recording(Machine(shaft=BALANCED), 1.0))
    assert doubts(d) == ["bearing_cage_not_searched"]
    assert "FTF" not in {e.get("defect") for e in d.evidence}


def test_twice_an_unknown_supply_frequency_is_a_doubt() -> None:
    # With two pole pairs it lies at 4 to 4.4 times a turn.
    bearing = Bearing(orders={"BPFO": 4.2})
    motor = Motor(pole_pairs=2, supply="inverter", bearing=bearing)
    d = diagnose(recording(Machine(shaft=BALANCED)), motor)
    assert doubts(d) == ["supply_frequency_unknown"]
    fed = diagnose(recording(HEALTHY), replace(motor, supply="grid"))
    assert "supply_frequency_unknown" not in doubts(fed)


def test_an_uncertain_speed_is_a_doubt_and_lowers_confidence() -> None:
    quiet = Machine(shaft=())
    d, sure = (diagnose(recording(quiet, 4.0, speed=s)) for s in (False, True))
    (doubt,) = d.doubts
    assert (doubt.code, doubt.values["tolerance"]) == (
        "speed_uncertain",
        pytest.approx(36 / 1464, rel=1e-5),
    )
    assert d.confidence <= 0.8
    assert "speed_uncertain" not in doubts(sure)


def test_blades_that_the_speed_does_not_exclude_are_no_fault() -> None:
    motor = replace(MOTOR, bearing=WHOLE_ORDER)
    blades = Machine(impacts=(ImpactTrain(order=5.0, jitter=0.0, strength=3.0),))
    diagnoses = [diagnose(recording(blades, 4.0, seed=i, speed=False), motor) for i in range(4)]
    assert "fault" not in {d.state for d in diagnoses}
    assert all(d.confidence < 0.5 for d in diagnoses if d.state == "warning")


@pytest.mark.parametrize("blades", [3, 5])
@pytest.mark.parametrize("read", [-0.0045, 0.0, 0.0045])
@pytest.mark.parametrize("strength", [1.0, 4.0])
def test_blades_near_a_race_are_no_alarm(blades: int, read: float, strength: float) -> None:
    d = near_whole(blades, strength, 1.0, read=read, seed=3, jitter=0.0)
    assert d.state in ("normal", "unknown"), d.reason
    ambiguous = {"shaft_or_bearing", "lines_at_masked_orders", "orders_masked"}
    assert ambiguous & {d.code, *doubts(d)}


def test_a_comb_that_a_wrong_speed_makes_the_shafts_gives_unknown() -> None:
    d = near_whole(5, 2.0, 1.0, read=0.0045, seed=0, jitter=0.0)
    assert (d.state, d.code) == ("unknown", "shaft_or_bearing")
    assert (d.values["defects"], d.values["impacts_per_turn"]) == (("BPFI",), ("5",))


def test_lines_at_masked_orders_give_unknown() -> None:
    d = near_whole(5.0, 2.0, 1.0, read=0.0, seed=4, jitter=0.0)
    assert (d.state, d.code) == ("unknown", "lines_at_masked_orders")
    assert "BPFI" in d.values["defects"]  # type: ignore[operator]
    quiet = diagnose(recording(replace(HEALTHY, shaft_hz=25.0), 4.0, fs_hz=64_000.0), DRIVE)
    assert quiet.state == "normal"


@pytest.mark.parametrize("shaft_hz", [8.2, 12.3, 24.6])
def test_masked_lines_of_a_race_separate_in_more_turns_and_not_at_another_speed(
    shaft_hz: float,
) -> None:
    race = ImpactTrain(order=NEAR_WHOLE.defect_orders["BPFO"], strength=3.0)
    slow = Machine(shaft_hz=shaft_hz, impacts=(race,))
    few, many = (diagnose(recording(slow, n / shaft_hz), DRIVE) for n in (17, 50))
    assert (few.state, few.code) == ("unknown", "lines_at_masked_orders")
    assert (many.state, many.indicators["defect"]) == ("fault", "BPFO")


@pytest.mark.parametrize(("grid_hz", "defect"), [(60.0, "BPFI"), (50.0, "BPFO")])
def test_interference_of_the_grid_behind_a_drive_is_no_race(grid_hz: float, defect: str) -> None:
    order = BEARING.defect_orders[defect]
    turns_with_load = 1.0 if defect == "BPFI" else 0.0
    pulses = ImpactTrain(order=order, strength=2.0, jitter=0.0, by=turns_with_load, depth=0.5)
    drive = Motor(supply="inverter", bearing=BEARING)
    at_the_grids = Machine(shaft_hz=2 * grid_hz / order, impacts=(pulses,))
    assert diagnose(recording(at_the_grids, 4.0), drive).state not in ("warning", "fault")
    beside = Machine(shaft_hz=2.08 * grid_hz / order, impacts=(pulses,))
    assert diagnose(recording(beside, 4.0), drive).indicators["defect"] == defect


@pytest.mark.parametrize(
    ("moving", "order", "masked"),
    [(True, 4.1, ("BPFO",)), (True, 4.5, ()), (True, 8.3, ("BPFO",)), (False, 4.1, ())],
)
def test_twice_the_supply_of_a_drive_is_masked_while_the_speed_moves(
    moving: bool, order: float, masked: tuple[str, ...]
) -> None:
    motor = Motor(pole_pairs=2, supply="inverter", bearing=Bearing(orders={"BPFO": order}))
    setup = set_up_search(0, recording(HEALTHY), motor)
    assert isinstance(setup, SearchSetup)
    finding = Finding(3.0, 1.0, number=100, order=order, view=0, sidebands="plain")
    setup = replace(setup, moving=moving)
    why = masked_by_moving_drive(setup, {"BPFO": finding}, setup.speed)
    assert (why.values["defects"] if why else ()) == masked


@pytest.mark.parametrize("trouble", ["interference", "mixed lines"])
def test_pulses_of_the_supply_that_the_shaft_modulates_are_no_race(trouble: str) -> None:
    # BPFI at 2f + f_shaft: 5.1 with two pole pairs and a slip of 2 %, 3.03 with one and 1.5 %.
    for pairs, slip, bearing in ((2, 0.02, bearing_of(9, 0.13)), (1, 0.015, bearing_of(5, 0.21))):
        for seed in range(2):
            rng = np.random.default_rng(seed)
            s = replace(random_shaft(rng, trouble), bearing=bearing, size=5.0)
            s = replace(s, supply_hz=50.0, grid_hz=50.0, shaft_hz=50 / pairs * (1 - slip))
            d = diagnose(recorded(s, rng, seconds=2.0), s.motor)
            assert d.state in ("normal", "unknown"), d.reason


def test_a_race_beside_pulses_of_the_supply_is_found() -> None:
    rng = np.random.default_rng(1)
    s = replace(random_shaft(rng, "mixed lines"), bearing=bearing_of(9, 0.203), size=0.5)
    s = replace(s, supply_hz=50.0, grid_hz=50.0, shaft_hz=24.4, defect="BPFI", damage=2.0)
    assert diagnose(recorded(s, rng), s.motor).indicators["defect"] == "BPFI"


def test_twice_an_unknown_supply_frequency_is_a_warning_at_most() -> None:
    bearing = Bearing(orders={"BPFO": 4.2})
    motor = Motor(pole_pairs=2, supply="inverter", bearing=bearing)
    race = Machine(impacts=(ImpactTrain(order=4.2, strength=4.0),))
    d = diagnose(recording(race, 4.0), motor)
    assert (d.state, "supply_frequency_unknown" in doubts(d)) == ("warning", True)


def test_a_race_nearer_a_shaft_order_than_short_segments_resolve_is_found() -> None:
    # Its second and third line lie apart from those of the shaft over the whole record.
    d = of_drive(ImpactTrain(order=3.016, strength=3.0, jitter=0.002))
    assert d.indicators.get("defect") == "BPFO", d.reason
    blades = ImpactTrain(order=3.0, strength=3.0, jitter=0.0, by=1.0, depth=0.9)
    assert of_drive(blades).state in ("normal", "unknown")


def of_drive(impacts: ImpactTrain) -> Diagnosis:
    return diagnose(recording(Machine(shaft_hz=25.0, impacts=(impacts,)), 10.0, seed=1), DRIVE)


def test_looseness_at_the_order_of_a_race_is_undecided() -> None:
    rng = np.random.default_rng(1)
    shaft = replace(random_shaft(rng, "looseness"), bearing=bearing_of(6, 1 / 6))
    d = diagnose(recorded(shaft, rng), shaft.motor)
    assert shaft.bearing.defect_orders["BPFO"] == 2.5
    assert (d.state, d.code) == ("unknown", "looseness_or_bearing"), d.reason
