"""Bearings by designation: the middle and the range of several makers, and refusals by name."""

import csv
from pathlib import Path

import pytest

from vtox.motor.errors import NameplateError
from vtox.motor.values.bearing import Bearing
from vtox.motor.values.bearing_catalogue import (
    CATALOGUE,
    catalogued,
    differing_makers,
    orders_of_geometry,
)
from vtox.motor.values.fleet_rows import fleet_of_rows, rows_of_fleet
from vtox.motor.values.nameplate import motor_from_dict, motor_to_dict

WRITTEN = (
    *("6205", "6205-2RS", "6205ZZ", "6205 2RS1 C3", "SKF 6205-2Z/C3", "fag 6205-c-2hrs"),
    *("62052RS", "6205DDUC3", "E2.6205-2Z/C3", "KOYO 6205-2RU C3", "6205.2ZR.C3"),
)
COMMON = [n for n in CATALOGUE if catalogued(n).orders]
MOTOR_BEARINGS = Path(__file__).with_name("motor_bearings.csv")


@pytest.mark.parametrize("designation", COMMON)
def test_the_orders_of_each_maker_lie_within_the_tolerance(designation: str) -> None:
    found = catalogued(designation)
    for made in CATALOGUE[designation]:
        for pitch in (made.pitch_min, made.pitch_max):
            orders = orders_of_geometry(made.balls, made.ball, pitch)
            for name in ("BPFO", "BPFI", "FTF"):
                apart = abs(orders[name] / found.orders[name] - 1)
                assert apart <= found.tolerance + 1e-9, (made.maker, name)
        assert made.source
    assert 0 < found.tolerance < 0.015


def test_a_hundred_designations_and_most_bearings_of_motors_are_known() -> None:
    lines = (x for x in MOTOR_BEARINGS.read_text().splitlines() if not x.startswith("#"))
    motors = [row["designation"] for row in csv.DictReader(lines)]
    assert len(CATALOGUE) >= 100
    assert len(motors) == 40
    assert len(set(motors) & set(COMMON)) >= 25


def test_makers_with_other_balls_need_the_maker() -> None:
    assert Bearing(designation="6203").defect_orders == {}
    assert differing_makers("6203-2Z")["KYK, TPI"] == 7
    eight, seven = Bearing(designation="nsk 6203DDU"), Bearing(designation="KYK 6203")
    assert eight.defect_orders["BPFO"] == pytest.approx(3.06, abs=0.02)
    assert seven.defect_orders["BPFO"] == pytest.approx(2.64, abs=0.02)
    assert Bearing(designation="Unknown 6203").defect_orders == {}
    assert differing_makers("6205") == {}


def test_makers_number_the_same_bearing_differently() -> None:
    assert catalogued("61905-2RS1") == catalogued("6905")
    assert catalogued("63/22ZZ").orders


@pytest.mark.parametrize("written", WRITTEN)
def test_seals_clearance_and_maker_may_stand_around_the_number(written: str) -> None:
    assert Bearing(designation=written).defect_orders == catalogued("6205").orders


def test_the_orders_of_cwru_lie_in_the_range() -> None:
    found = catalogued("6205-2RS")
    known = {"BPFO": 3.5848, "BPFI": 5.4152, "BSF": 2.35675, "FTF": 0.3983}
    for name, order in known.items():
        assert found.orders[name] == pytest.approx(order, rel=0.006)


@pytest.mark.parametrize(
    "unknown", ["62055", "NU205", "6801-2Z", "61205", "6205 ETN9", "bearing", "6205\n6206"]
)
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
    with pytest.raises(NameplateError, match=r"row 2, P1: .*'6801' is not in the catalogue"):
        fleet_of_rows([["machine_id", "bearing.designation"], ["P1", "6801"]])
