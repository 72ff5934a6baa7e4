"""Recordings whose samples are held: no diagnosis can be made from these, not even `normal`."""

import numpy as np
import pytest

from tests.recordings.folder import recordings
from vtox import Motor, diagnose
from vtox.motor.faults import FAULTS
from vtox.motor.values.domain import Recording

pytestmark = pytest.mark.recordings


@pytest.mark.parametrize("name", ["1.1inner-100watt", "BRB-12-4-300watt", "healthy"])
@pytest.mark.parametrize("seconds", [1.0, 6.0])
def test_held_samples_make_every_fault_unknown(name: str, seconds: float) -> None:
    with np.load(recordings("stuck") / f"{name}.npz") as data:
        currents, fs_hz = data["i"], float(data["fs_claimed_hz"])
    record = currents[: round(seconds * fs_hz)]
    x = Recording({c: record[:, k] for k, c in enumerate(("ia", "ib", "ic"))}, fs_hz)
    motor = Motor(pole_pairs=2, supply_hz=50.0, rated_speed_rpm=1400.0)
    diagnoses = diagnose(x, motor)
    assert [d.fault for d in diagnoses] == list(FAULTS)
    assert {d.state for d in diagnoses} == {"unknown"}
    assert diagnoses[0].code == "samples_stuck"
