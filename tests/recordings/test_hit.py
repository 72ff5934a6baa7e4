"""Bearings of two rigs of the Harbin Institute of Technology (hit), 6205, at a nominal speed.

Wang et al. 2022 (MST 33:105109). Scales differ between files: only what is free of scale counts.
"""

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from evaluation.runs.recordings import bearing_motor
from tests.recordings.folder import recordings
from vtox.motor.diagnosis.diagnosers.bearing import diagnoser as bearing
from vtox.motor.values.domain import Diagnosis, Motor, Recording

pytestmark = pytest.mark.recordings

MOTOR = Motor(supply="inverter", bearing=bearing_motor().bearing)
TRUTH = {"inner_race": "BPFI", "outer_race": "BPFO", "healthy": None}


@cache
def diagnoses(folder: Path) -> list[tuple[str, str | None, Diagnosis]]:
    """Diagnose every recording; return its name and true defect as well."""
    found = []
    with (folder / "labels.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        with np.load(folder / f"{row['recording']}.npz") as data:
            x = Recording({"vibration": data["vibration"]}, float(data["fs_hz"]), float(row["rpm"]))
        (d,) = bearing.diagnose([x], [MOTOR])
        found.append((row["recording"], TRUTH[row["fault"]], d))
    return found


def test_every_damaged_race_is_found_and_named() -> None:
    races = [x for x in diagnoses(recordings("hit")) if x[1]]
    assert len(races) == 36
    assert [n for n, truth, d in races if d.indicators.get("defect") != truth] == []


def test_no_sound_bearing_alarms_though_one_shows_lines_near_its_outer_race() -> None:
    sound = {n: d for n, truth, d in diagnoses(recordings("hit")) if truth is None}
    assert len(sound) == 6
    assert [n for n, d in sound.items() if d.state in ("warning", "fault")] == []
    assert sound["selfbuilt_Normal_1200"].code == "weak_defect_lines"
