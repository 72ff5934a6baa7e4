"""Bearings by designation: the middle and the range of several makers, and refusals by name."""

import pytest

from vtox.errors import NameplateError
from vtox.values.bearing import Bearing
from vtox.values.bearing_catalogue import CATALOGUE, catalogued, orders_of_geometry
from vtox.values.fleet_rows import fleet_of_rows, rows_of_fleet
from vtox.values.nameplate import motor_from_dict, motor_to_dict

WRITTEN = ("6205", "6205-2RS", "6205ZZ", "6205 2RS1 C3", "SKF 6205-2Z/C3", "fag 6205-c-2hrs")


@pytest.mark.parametrize("designation", CATALOGUE)
def test_the_orders_of_each_maker_lie_within_the_tolerance(designation: str) -> None:
    found = catalogued(designation)
    for made in CATALOGUE[designation]:
        orders = orders_of_geometry(made.balls, made.ball, made.pitch)
        for name in ("BPFO", "BPFI", "FTF"):
            apart = abs(orders[name] / found.orders[name] - 1)
            assert apart <= found.tolerance + 1e-9, (made.maker, name)
        assert made.source
    assert 0.001 < found.tolerance < 0.008


@pytest.mark.parametrize("written", WRITTEN)
def test_seals_clearance_and_maker_may_stand_around_the_number(written: str) -> None:
    assert Bearing(designation=written).defect_orders == catalogued("6205").orders


def test_the_orders_of_cwru_lie_in_the_range() -> None:
    found = catalogued("6205-2RS")
    known = {"BPFO": 3.5848, "BPFI": 5.4152, "BSF": 2.35675, "FTF": 0.3983}
    for name, order in known.items():
        assert found.orders[name] == pytest.approx(order, rel=0.006)


@pytest.mark.parametrize("unknown", ["62055", "NU205", "6302-2Z", "bearing", "6205\n6206"])
def test_an_unknown_one_is_refused_by_name(unknown: str) -> None:
    with pytest.raises(NameplateError, match=r"^bearing.designation: ") as refused:
        motor_from_dict({"bearing": {"designation": unknown}})
    assert refused.value.field == "bearing.designation"


def test_what_is_stated_comes_before_the_catalogue() -> None:
    geometry = {"balls": 9, "ball_diameter_mm": 8.0, "pitch_diameter_mm": 40.0}
    stated = Bearing(designation="NU205", **geometry)
    assert (stated.defect_orders["BPFO"], stated.order_tolerance) == (pytest.approx(3.6), 0.0)


def test_a_spreadsheet_takes_and_gives_designations() -> None:
    fleet = fleet_of_rows([["machine_id", "bearing.designation"], ["P1", "6205-2RS"]])
    assert fleet["P1"].bearing == Bearing(designation="6205-2RS")
    assert fleet_of_rows(rows_of_fleet(fleet)) == fleet
    assert motor_from_dict(motor_to_dict(fleet["P1"])) == fleet["P1"]
    with pytest.raises(NameplateError, match=r"row 2, P1: .*'6302' is not in the catalogue"):
        fleet_of_rows([["machine_id", "bearing.designation"], ["P1", "6302"]])
