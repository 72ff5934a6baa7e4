"""The diagnosis of the rotor cage in a record of a start."""

import numpy as np
import pytest

from tests.signals.motor_start import FS_HZ, level, with_sideband
from vtox.motor.diagnosis.diagnosis import diagnose
from vtox.motor.values.domain import CURRENTS, Diagnosis, Motor, Recording

MOTOR = Motor(pole_pairs=2, supply_hz=50.0, rated_speed_rpm=1450.0, rated_current_a=1.0)
LEVEL = level((0.5, 0.0), (2.0, 6.0), (2.5, 0.8))
SLIP = np.interp(np.arange(len(LEVEL)) / FS_HZ, [0.5, 1.5, 2.5], [1.0, 0.6, 0.02])


def broken_bar(recording: Recording, motor: Motor = MOTOR) -> Diagnosis:
    (found,) = diagnose(recording, motor, faults=["broken_bar"])
    return found


def start(share: float) -> Recording:
    return with_sideband(LEVEL, 50.0, SLIP, share)


def test_a_strong_sweep_is_a_warning_with_the_least_asymmetry() -> None:
    d = broken_bar(start(0.03))
    assert (d.state, d.code) == ("warning", "rotor_asymmetry_in_start")
    assert d.values["least_share"] == pytest.approx(0.03, rel=0.15)
    assert d.statistic is not None
    assert d.threshold is not None
    assert d.statistic > d.threshold
    assert [r.code for r in d.doubts][:1] == ["motor_starts"]
    (sweep,) = d.evidence
    assert 0.5 < sweep["begin_s"] < sweep["end_s"] < 2.0


@pytest.mark.parametrize(
    ("share", "doubt"), [(0.004, "start_sideband_weak"), (0.0, "start_sideband_not_found")]
)
def test_a_weak_sweep_or_none_excludes_nothing(share: float, doubt: str) -> None:
    d = broken_bar(start(share))
    assert (d.state, d.code, d.doubts[-1].code) == ("unknown", "motor_starts", doubt)


def test_where_no_sweep_can_be_searched_the_doubt_says_why() -> None:
    x = start(0.03)
    one = Recording({"ia": x.channels["ia"]}, FS_HZ)
    assert broken_bar(one).doubts[-1].code == "start_sideband_needs_three_currents"
    drive = Motor(pole_pairs=2, rated_current_a=1.0, supply="inverter")
    assert broken_bar(x, drive).doubts[-1].code == "start_sideband_needs_grid"
    short = Recording({n: x.channels[n][:1400] for n in CURRENTS}, FS_HZ)
    assert broken_bar(short).doubts[-1].code == "start_too_short_for_sideband"
