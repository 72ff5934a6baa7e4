"""`vtox diagnose` on starts of the motor model, as CSV and as the records of a protection relay."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation.motor_model.case import Case, Faults, ShaftLoad
from evaluation.motor_model.plants import PLANTS
from evaluation.motor_model.records import nameplate
from evaluation.motor_model.start_case import Start, StartCase
from evaluation.motor_model.start_records import StartRecord, start_records
from tests.unit.cli.test_diagnose import run
from tests.unit.motor.files.comtrade_bytes import Analog, Record
from vtox import Recording, motor_start
from vtox.motor.values.domain import CURRENTS, VOLTAGES

FS_HZ = 2_000.0
ON_S = 0.25
UNITS = {"i": ("A", 0.05), "v": ("V", 0.1)}


@pytest.fixture(scope="module")
def starts() -> tuple[StartRecord, StartRecord]:
    """A start of a sound machine, and of one with a bar broken."""
    plant = PLANTS["50hp"]
    cases = [
        StartCase(
            case=Case(
                plant=plant, load=ShaftLoad(torque=0.6, quadratic=1.0, inertia=2.0), faults=f
            ),
            start=Start(at_s=ON_S, skin=1.5, source=0.1),
        )
        for f in (Faults(), Faults(rotor_asymmetry=0.04))
    ]
    sound, broken = start_records(cases, 3.0, FS_HZ)
    return sound, broken


@pytest.fixture
def motor(tmp_path: Path) -> Path:
    plate = nameplate(PLANTS["50hp"])
    path = tmp_path / "motor.toml"
    path.write_text(
        f"pole_pairs = {plate.pole_pairs}\nsupply_hz = {plate.supply_hz}\n"
        f"rated_speed_rpm = {plate.rated_speed_rpm}\nrated_current_a = {plate.rated_current_a}\n"
        f"rated_voltage_v = {plate.rated_voltage_v}\n"
    )
    return path


def comtrade(start: StartRecord, revision: str, form: str) -> Record:
    """Return the record that a relay would write of a start, in counts."""
    channels = []
    for name in (*CURRENTS, *VOLTAGES):
        unit, count = UNITS[name[0]]
        raw = np.rint(start.channels[name] / count).astype(int).tolist()
        channels.append(Analog(name.upper(), name[1].upper(), unit, raw, a=count))
    return Record(channels, revision=revision, form=form, step_us=round(1e6 / FS_HZ))


def check(start: StartRecord, told: dict[str, Any]) -> None:
    """Compare the figures of a start with the model."""
    speed = start.speed_rpm
    late, over = (float(np.argmax(speed > k * speed.max())) / FS_HZ for k in (0.95, 0.999))
    peak_a = max(float(np.abs(start.channels[c]).max()) for c in CURRENTS)
    assert told["on_s"] == pytest.approx(ON_S, abs=0.005)
    assert late < ON_S + told["duration_s"] < over
    assert told["peak_a"] == pytest.approx(peak_a, rel=0.01)
    assert told["unknown"] == []
    v = np.stack([start.channels[c] for c in VOLTAGES]).astype(float)
    parts = [v[:, round(a * FS_HZ) : round(b * FS_HZ)] for a, b in ((0, 0.2), (0.35, 0.4))]
    before_v, starting_v = (np.sqrt(np.mean(x**2)) for x in parts)
    assert told["dip"] == pytest.approx(1 - starting_v / before_v, abs=0.01)


@pytest.mark.long
@pytest.mark.parametrize("name", ["start.csv", "start.cfg", "start.cff"])
def test_a_start_in_a_file_is_told_with_duration_and_inrush(
    starts: tuple[StartRecord, StartRecord], motor: Path, tmp_path: Path, name: str
) -> None:
    sound, _ = starts
    path = tmp_path / name
    if name == "start.csv":
        rows = np.stack([np.arange(len(sound.speed_rpm)) / FS_HZ, *sound.channels.values()], axis=1)
        header = ",".join(["t", *sound.channels])
        np.savetxt(path, rows, delimiter=",", header=header, comments="", fmt="%.6g")
    elif name == "start.cfg":
        record = comtrade(sound, "1999", "BINARY")
        path.write_bytes(record.cfg())
        path.with_suffix(".dat").write_bytes(record.dat())
    else:
        path.write_bytes(comtrade(sound, "2013", "BINARY").cff())
    result = run(path, "--motor", motor, "--json")
    lines = json.loads(result.stdout)
    check(sound, lines[0]["start"])
    assert {d["state"] for d in lines} == {"unknown"}
    shown = " ".join(run(path, "--motor", motor, width=400).stdout.split())
    assert "start the motor starts 0.25 s into the record" in shown
    assert "the supply dips by" in shown
    # Said once; the faults refer to it.
    assert shown.count("the motor starts 0.25 s into the record") == 1
    assert shown.count("see the start above") >= 3


@pytest.mark.long
def test_a_broken_bar_shows_in_the_record_of_a_relay(
    starts: tuple[StartRecord, StartRecord], motor: Path, tmp_path: Path
) -> None:
    path = tmp_path / "start.cff"
    path.write_bytes(comtrade(starts[1], "2013", "BINARY").cff())
    result = run(path, "--motor", motor, "--json", "--faults", "broken_bar")
    (d,) = json.loads(result.stdout)
    assert (d["state"], d["code"]) == ("warning", "rotor_asymmetry_in_start")
    assert d["start"]["duration_s"] > 1.0


@pytest.mark.long
def test_what_a_record_does_not_show_of_a_start_is_named(
    starts: tuple[StartRecord, StartRecord],
) -> None:
    sound, _ = starts
    plate = nameplate(PLANTS["50hp"])

    def codes(begin_s: float, end_s: float, *channels: str) -> list[str]:
        part = slice(round(begin_s * FS_HZ), round(end_s * FS_HZ))
        x = Recording({n: sound.channels[n][part] for n in channels}, FS_HZ)
        start = motor_start(x, plate)
        assert start is not None
        return [why.code for why in start.unknown]

    assert codes(0.0, 3.0, *CURRENTS) == ["start_without_voltages"]
    assert codes(0.0, 0.9, *CURRENTS, *VOLTAGES) == ["start_end_not_seen"]
    assert codes(0.4, 3.0, *CURRENTS, *VOLTAGES) == [
        "start_before_record",
        "voltage_before_start_not_seen",
    ]


@pytest.mark.long
def test_a_record_without_a_start_has_no_figures_of_one(
    starts: tuple[StartRecord, StartRecord],
) -> None:
    steady = {n: starts[0].channels[n][round(2.5 * FS_HZ) :] for n in CURRENTS}
    assert motor_start(Recording(steady, FS_HZ)) is None
