"""CWRU bearings (Case Western Reserve University Bearing Data Center), drive end, 12 kHz.

Smith & Randall 2015 (MSSP 64-65:100-131) found no bearing lines in OR014@6 and in ball records.
"""

import csv
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from evaluation.runs.recordings import NOMINAL_RPM, bearing_motor
from tests.recordings.folder import recordings
from vtox.motor.diagnosis.diagnosers.bearing import diagnoser as bearing
from vtox.motor.files.units import STANDARD_GRAVITY
from vtox.motor.values.bearing import Bearing
from vtox.motor.values.domain import Diagnosis, Motor, Recording

pytestmark = pytest.mark.recordings

MOTOR = Motor(
    pole_pairs=2,
    supply_hz=60.0,
    rated_speed_rpm=1730,
    bearing=bearing_motor().bearing,
)
TRUTH = {"inner_race": "BPFI", "outer_race": "BPFO", "ball": "BSF", "healthy": None}

# Name of the recording, true defect, diagnosis.
Diagnoses = list[tuple[str, str | None, Diagnosis]]


@cache
def diagnoses(folder: Path, seconds: float | None, designation: str = "") -> Diagnoses:
    """Diagnose every recording, whole or cut; by the bearing's geometry or its designation."""
    motor = replace(MOTOR, bearing=Bearing(designation=designation)) if designation else MOTOR
    found: Diagnoses = []
    with (folder / "labels.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        with np.load(folder / f"{row['recording']}.npz") as data:
            x, fs_hz, rpm = (
                STANDARD_GRAVITY * data["de_g"],
                float(data["fs_hz"]),
                float(data["rpm"]),
            )
        rpm = rpm if np.isfinite(rpm) else NOMINAL_RPM[int(row["load_hp"])]
        length = round(seconds * fs_hz) if seconds else len(x)
        cut = [
            Recording({"vibration": x[i : i + length]}, fs_hz, rpm)
            for i in range(0, len(x) - length + 1, length)
        ]
        for d in bearing.diagnose(cut, [motor] * len(cut)):
            found.append((row["recording"], TRUTH[row["fault"]], d))
    return found


def test_the_damaged_race_is_found_in_38_of_44_weak_signs_included() -> None:
    races = [x for x in diagnoses(recordings("cwru"), None) if x[1] in ("BPFI", "BPFO")]
    right = [name for name, truth, d in races if d.indicators.get("defect") == truth]
    weak = [
        name
        for name, truth, d in races
        if d.indicators["leading"] == truth and "weak_sign" in [e.get("kind") for e in d.evidence]
    ]
    assert len(races) == 44
    assert (len(right) >= 36, len(right + weak) >= 38) == (True, True)


def test_the_designation_alone_gives_the_states_of_the_geometry() -> None:
    by_geometry = diagnoses(recordings("cwru"), None)
    by_designation = diagnoses(recordings("cwru"), None, "6205-2RS")
    states = [[(name, d.state, d.code) for name, _, d in x] for x in (by_geometry, by_designation)]
    assert states[0] == states[1]


def test_a_bearing_of_other_orders_gives_unassigned_impacts() -> None:
    # IR028: 4.28 times a turn, of a bearing that has other orders than the one listed.
    other = [d for name, _, d in diagnoses(recordings("cwru"), None) if name.startswith("IR028")]
    said = [{d.code, *(r.code for r in d.doubts)} for d in other]
    assert all("unassigned_impacts" in codes for codes in said)
    assert {d.state for d in other} <= {"normal", "unknown"}
    orders = [d.indicators["impulsive_order"] for d in other]
    assert orders == pytest.approx([4.28] * 4, abs=0.02)


def test_whole_healthy_recordings_raise_no_alarm() -> None:
    healthy = [d for _, truth, d in diagnoses(recordings("cwru"), None) if truth is None]
    assert [d.state for d in healthy] == ["normal"] * 2


@pytest.mark.parametrize("seconds", [1.0, 2.0, 4.0])
def test_cut_healthy_recordings_raise_few_alarms(seconds: float) -> None:
    healthy = [d for _, truth, d in diagnoses(recordings("cwru"), seconds) if truth is None]
    states = Counter(d.state for d in healthy)
    assert states["fault"] == 0
    # Lines at quarter orders, of the rig and not of the bearing, come close to 2 x BSF.
    assert states["warning"] <= 0.02 * len(healthy)


@pytest.mark.parametrize("seconds", [None, 1.0, 2.0])
def test_no_ball_is_taken_for_a_race_with_confidence(seconds: float | None) -> None:
    balls = [d for _, truth, d in diagnoses(recordings("cwru"), seconds) if truth == "BSF"]
    wrong = [
        d
        for d in balls
        if d.indicators.get("defect") in ("BPFI", "BPFO")
        and (d.state == "fault" or d.confidence >= 0.5)
    ]
    assert wrong == []


@pytest.mark.parametrize("seconds", [1.0, 2.0])
def test_clear_races_are_found_in_short_records(seconds: float) -> None:
    hidden = ("IR028", "OR014")
    clear = [
        d.indicators.get("defect") == truth
        for name, truth, d in diagnoses(recordings("cwru"), seconds)
        if truth in ("BPFI", "BPFO") and not name.startswith(hidden)
    ]
    assert np.mean(clear) >= 0.99
