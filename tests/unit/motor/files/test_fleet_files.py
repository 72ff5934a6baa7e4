"""Fleets as tables: written, read back, and refused by row and column."""

import csv
import io
from dataclasses import fields
from pathlib import Path

import pytest

from vtox.motor.errors import NameplateError
from vtox.motor.files.fleet_files import fleet_csv, read_fleet_file, read_scalars_file
from vtox.motor.values.bearing import Bearing
from vtox.motor.values.domain import Motor
from vtox.motor.values.nameplate import motor_to_dict
from vtox.motor.values.nameplate_fields import FIELDS, flattened, nested

FLEET = {
    "PUMP-1": Motor(
        pole_pairs=2,
        supply_hz=50.0,
        rated_speed_rpm=1449.5,
        neighbour_orders=(0.71, 2.25),
        ie_class="IE3",
        bearing=Bearing(orders={"BPFO": 3.585, "FTF": 0.398}),
        site="=Quarry, north",
    ),
    "-FAN": Motor(
        supply="inverter", bearing=Bearing(balls=9, ball_diameter_mm=7.9, pitch_diameter_mm=39)
    ),
}


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_every_field_of_a_motor_is_in_the_form_and_the_table() -> None:
    names = {f.name.partition(".")[0] for f in FIELDS}
    assert names == {f.name for f in fields(Motor)}
    assert all(f.range or f.choices or f.max_length for f in FIELDS)


def test_a_nameplate_is_flattened_and_nested_again() -> None:
    plate = motor_to_dict(FLEET["PUMP-1"])
    assert nested(flattened(plate)) == plate


def test_what_is_exported_is_imported_as_it_was(tmp_path: Path) -> None:
    text = fleet_csv({**FLEET, "NEW": None}).decode()
    assert text.splitlines()[0].startswith("\ufeffmachine_id,pole_pairs,supply_hz")
    assert read_fleet_file(write(tmp_path / "fleet.csv", text)) == FLEET


TEXTS = ("=1+1", "-2+3", "@x", "+1", "'=1", "'s-Hertogenbosch", "''-1", "M1")


@pytest.mark.parametrize("site", TEXTS)
def test_a_text_like_a_formula_is_text_in_the_file_and_comes_back(
    tmp_path: Path, site: str
) -> None:
    table = fleet_csv({"M1": Motor(site=site)})
    rows = csv.reader(io.StringIO(table.decode("utf-8-sig"), newline=""))
    assert not [c for row in rows for c in row if c.startswith(("=", "+", "-", "@", "\t", "\r"))]
    (tmp_path / "fleet.csv").write_bytes(table)
    assert read_fleet_file(tmp_path / "fleet.csv") == {"M1": Motor(site=site)}


def test_a_number_of_a_nameplate_is_a_number_in_the_file() -> None:
    motor = Motor(pole_pairs=2, rated_speed_rpm=1449.5, supply_hz=50.0)
    row = fleet_csv({"M1": motor}).decode().splitlines()[2]
    assert row.startswith("M1,2,50,")
    assert ",1449.5," in row


def test_scalars_lose_the_mark_of_the_writer_alone(tmp_path: Path) -> None:
    text = "machine_id,t,name,value,unit\nM1,1,oil,-1.5,'-\nM1,2,oil,1,'\n"
    found = read_scalars_file(write(tmp_path / "scalars.csv", text))
    assert found is not None
    assert [(r.value, r.unit) for r in found] == [(-1.5, "-"), (1.0, "'")]


def test_semicolons_come_with_decimal_commas(tmp_path: Path) -> None:
    text = "rated_speed_rpm;machine_id;neighbour_orders\n1449,5;P1;0,71 2,25\n\n;P2;\n"
    assert read_fleet_file(write(tmp_path / "f.csv", text)) == {
        "P1": Motor(rated_speed_rpm=1449.5, neighbour_orders=(0.71, 2.25))
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("machine_id,pole_pair\nP1,2\n", "row 1: unknown column 'pole_pair', expected pole_pairs"),
        ("name\nP1\n", "row 1: unknown column 'name'"),
        ("machine_id,site,site\nP1,a,b\n", "row 1: column 'site' is there twice"),
        ("pole_pairs\n2\n", "row 1: no column machine_id"),
        (
            "machine_id,pole_pairs\nP1,two\n",
            "row 2, P1: pole_pairs: 'two', expected a whole number",
        ),
        ("machine_id,pole_pairs\n\nP1,400\n", "row 3, P1: pole_pairs: 400.0, expected"),
        ("machine_id,pole_pairs\nP1,2\nP1,1\n", "row 3: P1 is there twice"),
        ("machine_id,pole_pairs\n,2\n", "row 2: no machine_id"),
        ("machine_id,ie_class\nP1,IE9\n", "ie_class: 'IE9', expected IE1, IE2, IE3, IE4"),
        ("machine_id,pole_pairs\nP1,\n", "no machine with a value"),
        ("", "no rows"),
    ],
)
def test_a_table_that_is_wrong_is_refused_by_row_and_column(
    tmp_path: Path, text: str, expected: str
) -> None:
    path = write(tmp_path / "fleet.csv", text)
    with pytest.raises(NameplateError) as refused:
        read_fleet_file(path)
    assert expected in str(refused.value)
    assert str(path) in str(refused.value)


def test_all_machines_that_are_wrong_are_named_at_once(tmp_path: Path) -> None:
    table = "machine_id,pole_pairs,site\nP1,two,a\nP2,2,a\nP3,400,a\n,2,a\nP2,1,b\n"
    toml = "[machines.P1]\npole_pairs = 400\n[machines.P2]\nspeed = 1\n"
    with pytest.raises(NameplateError) as refused:
        read_fleet_file(write(tmp_path / "fleet.csv", table))
    assert "4 machines are wrong:\nrow 2, P1: pole_pairs" in str(refused.value)
    for row in ("row 4, P3: pole_pairs", "row 5: no machine_id", "row 6: P2 is there twice"):
        assert f"\n{row}" in str(refused.value)
    with pytest.raises(NameplateError, match=r"2 machines are wrong:\nP1: .*\nP2: speed: unknown"):
        read_fleet_file(write(tmp_path / "fleet.toml", toml))


def test_the_first_sheet_of_a_workbook_is_read(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["machine_id", "pole_pairs", "rated_speed_rpm", "site"])
    book.active.append(["P1", 2, 1449.5, "Quarry"])
    book.save(tmp_path / "fleet.xlsx")
    assert read_fleet_file(tmp_path / "fleet.xlsx") == {
        "P1": Motor(pole_pairs=2, rated_speed_rpm=1449.5, site="Quarry")
    }


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for name in ("fleet.csv", "fleet.xlsx", "fleet.toml"):
        with pytest.raises(NameplateError, match="no such file"):
            read_fleet_file(tmp_path / name)
