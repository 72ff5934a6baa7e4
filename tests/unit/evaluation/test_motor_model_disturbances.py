"""Disturbances of the motor model: each is where it should be, as large as it was set."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.motor_model.case import Case, ShaftLoad, SupplyVoltage, Voltmeters
from evaluation.motor_model.plants import PLANTS
from evaluation.motor_model.records import SimulatedRecord, records

pytestmark = pytest.mark.long
QUIET = Case(plant=PLANTS["2kw2"], seed=3)


def record(case: Case, seconds: float = 2.0, fs_hz: float = 2_000.0) -> SimulatedRecord:
    return next(iter(records([case], seconds, fs_hz)))


def line(x: np.ndarray, hz: float, fs_hz: float = 2_000.0) -> float:
    """Amplitude of a line, by a Hann window."""
    window = np.hanning(len(x))
    z = np.exp(-2j * np.pi * hz * np.arange(len(x)) / fs_hz)
    return float(2 * abs(np.sum(x * window * z)) / window.sum())


def test_flicker_makes_two_sidebands_of_half_its_depth() -> None:
    r = record(replace(QUIET, supply=SupplyVoltage(flicker=0.02, flicker_hz=4.0)))
    v1 = line(r.channels["va"], 50.0)
    for hz in (46.0, 54.0):
        assert line(r.channels["va"], hz) / v1 == pytest.approx(0.01, rel=0.05)


def test_an_interharmonic_is_one_line_and_drives_a_current() -> None:
    r = record(replace(QUIET, supply=SupplyVoltage(interharmonic=0.01, interharmonic_hz=41.0)))
    v1 = line(r.channels["va"], 50.0)
    assert line(r.channels["va"], 41.0) / v1 == pytest.approx(0.01, rel=0.05)
    assert line(r.channels["va"], 59.0) / v1 < 1e-3
    assert line(r.channels["ia"], 41.0) / line(r.channels["ia"], 50.0) > 0.01


def test_ripple_control_is_keyed() -> None:
    r = record(replace(QUIET, supply=SupplyVoltage(ripple=0.02, ripple_hz=320.0)))
    tone = np.abs(r.channels["va"].reshape(-1, 200) @ np.exp(2j * np.pi * 0.16 * np.arange(200)))
    assert tone.max() > 10 * tone.min()


def test_unbalance_moves_by_its_rms() -> None:
    case = replace(QUIET, supply=SupplyVoltage(unbalance=0.01 + 0j, unbalance_motion=2e-3))
    r = record(case, seconds=20.0)
    v = np.stack([r.channels[n] for n in ("va", "vb", "vc")]).astype(float)
    space = np.exp(2j * np.pi / 3 * np.arange(3)) @ v
    back = space * np.exp(2j * np.pi * 50 * np.arange(space.size) / r.fs_hz)
    negative = back.reshape(-1, 200).mean(axis=1) / abs(space).mean()
    assert np.std(negative) == pytest.approx(2e-3, rel=0.5)


def test_pulses_of_torque_follow_the_angle_of_the_shaft() -> None:
    r = record(replace(QUIET, load=ShaftLoad(torque=0.8, pulses={1.0: 0.3})), seconds=4.0)
    turns_hz = float(r.speed_rpm.mean()) / 60
    speed = r.speed_rpm - r.speed_rpm.mean()
    assert line(speed, turns_hz) > 20 * line(speed, 1.3 * turns_hz)


def test_a_drifting_load_changes_the_torque_by_its_share() -> None:
    r = record(replace(QUIET, load=ShaftLoad(torque=0.5, quadratic=0.0, drift=0.2)), seconds=10.0)
    change = r.torque_nm[-200:].mean() / r.torque_nm[:200].mean()
    assert change == pytest.approx(1.1 / 0.9, rel=0.02)


def test_saturation_and_voltmeters_have_their_size() -> None:
    case = replace(QUIET, saturation={3: 0.004, 5: 0.01}, voltmeters=Voltmeters(gain=(0.1, 0, 0)))
    r = record(case)
    rated = QUIET.plant.nameplate.rated_current_a
    assert line(r.channels["ia"], 250.0) == pytest.approx(0.01 * rated * np.sqrt(2), rel=0.02)
    assert line(r.channels["ia"], 150.0) == pytest.approx(0.004 * rated * np.sqrt(2), rel=0.02)
    assert line(r.channels["va"], 50.0) / line(r.channels["vb"], 50.0) == pytest.approx(1.1, 1e-3)
