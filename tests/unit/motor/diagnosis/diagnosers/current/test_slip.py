"""Slip and its source, best first, and never a guess without a nameplate."""

from dataclasses import replace

import numpy as np
import pytest

from tests.signals.current_lines import MOTOR, Machine, recording
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.diagnosis.diagnosers.current.slip import analyse_slip
from vtox.motor.diagnosis.diagnosers.current.slip_prior import Slip
from vtox.motor.values.domain import Motor

NO_BARS = replace(MOTOR, rotor_bars=None)


def slip_of(m: Machine, motor: Motor = MOTOR, *, speed: bool = False, seed: int = 0) -> Slip:
    r = recording(m, np.random.default_rng(seed), speed=speed)
    view = analyse_slip(front_end([r], [motor]))
    assert view is not None
    return view.slips[0]


@pytest.mark.parametrize("slip", [0.009, 0.02, 0.028])
@pytest.mark.parametrize("seconds", [2.0, 10.0])
def test_slot_harmonics_come_before_the_nameplate(slip: float, seconds: float) -> None:
    got = slip_of(Machine(slip=slip, seconds=seconds, slot_dbc=-60.0, wander_hz=0.005))
    assert got.source == "slot harmonics"
    assert got.is_measured
    assert got.value == pytest.approx(slip, abs=5e-4)
    assert abs(got.value - slip) < got.half


def test_slot_harmonics_refine_a_measured_speed() -> None:
    m = Machine(slip=0.02, slot_dbc=-60.0)
    assert slip_of(m, speed=True).source == "slot harmonics"
    assert slip_of(replace(m, slot_dbc=-300.0), speed=True).source == "speed sensor"


@pytest.mark.parametrize(
    ("slip", "motor", "sources"),
    [
        (0.005, replace(MOTOR, rated_speed_rpm=1410.0), ("slot harmonics", "nameplate and load")),
        (0.005, replace(NO_BARS, rated_speed_rpm=1410.0), ("speed sensor", "nameplate and load")),
    ],
)
def test_an_idle_slip_excluded_by_nameplate_and_load_is_not_known(
    slip: float, motor: Motor, sources: tuple[str, str]
) -> None:
    got = slip_of(Machine(slip=slip, slot_dbc=-55.0), motor, speed=motor.rotor_bars is None)
    assert not got.is_known
    assert got.reason is not None
    assert got.reason.code == "slip_sources_disagree"
    assert (got.reason.values["slip_source"], got.reason.values["other_source"]) == sources
    assert got.reason.values["slip"] == pytest.approx(slip, abs=1e-3)
    assert got.reason.values["other_low"] > slip


def test_a_speed_excluded_by_clear_slot_harmonics_leaves_the_slip_unknown() -> None:
    r = recording(Machine(slip=0.02, slot_dbc=-55.0), np.random.default_rng(0), speed=True)
    wrong = replace(r, speed_rpm=r.speed_rpm and r.speed_rpm - 10)
    view = analyse_slip(front_end([r, wrong], [MOTOR, MOTOR]))
    assert view is not None
    assert view.slips[0].source == "slot harmonics"
    assert view.slips[1].reason is not None
    assert view.slips[1].reason.code == "slip_sources_disagree"
    assert view.slips[1].reason.values["other_source"] == "slot harmonics"


def test_a_speed_that_slot_harmonics_confirm_stands_against_a_wrong_nameplate() -> None:
    motor = replace(MOTOR, rated_speed_rpm=1410.0)
    got = slip_of(Machine(slip=0.005, slot_dbc=-55.0), motor, speed=True)
    assert (got.source, got.value) == ("slot harmonics", pytest.approx(0.005, abs=5e-4))


def test_rotor_sidebands_serve_where_the_bars_are_unknown() -> None:
    got = slip_of(Machine(slip=0.023, rotor_dbc=-65.0), NO_BARS)
    assert got.source == "rotor speed sidebands"
    assert got.value == pytest.approx(0.023, abs=1e-3)


NO_SPEED = replace(NO_BARS, rated_speed_rpm=None, rated_power_w=4e3, rated_voltage_v=400.0)


def test_without_a_rated_speed_the_rated_power_bounds_the_slip() -> None:
    got = slip_of(Machine(slip=0.02), NO_SPEED)
    assert (got.source, got.is_measured, got.is_guessed) == ("rated power and load", False, True)
    assert got.low < 0.02 < got.high
    assert [x.code for x in got.doubts] == ["slip_from_rated_power"]


def test_the_slip_is_the_rotors_part_of_the_losses() -> None:
    """A pump of 34 kW loses 9 %, and slips by 1 to 2 %: no cage of it makes a line at 8.4 Hz."""
    pump = replace(NO_SPEED, rated_power_w=34e3, rated_current_a=None)
    got = slip_of(Machine(slip=0.015), pump)
    assert got.low < 0.015 < got.high
    assert 2 * 50 * got.high < 8.4


def test_without_a_rated_speed_slot_harmonics_measure_the_slip() -> None:
    got = slip_of(Machine(slip=0.02, slot_dbc=-60.0), replace(NO_SPEED, rotor_bars=28))
    assert (got.source, got.is_measured, got.doubts) == ("slot harmonics", True, ())
    assert got.value == pytest.approx(0.02, abs=5e-4)


def test_without_a_rated_speed_one_line_may_be_of_the_rotor_two_are_open() -> None:
    r = recording(Machine(slip=0.023, rotor_dbc=-60.0), np.random.default_rng(0))
    belt = 1 + 1e-3 * np.cos(2 * np.pi * 23.4 * np.arange(r.samples) / r.fs_hz)
    two = replace(r, channels={name: x * belt for name, x in r.channels.items()})
    view = analyse_slip(front_end([r, two], [NO_SPEED, NO_SPEED]))
    assert view is not None
    one, other = view.slips
    assert (one.source, one.is_measured) == ("rotor speed sidebands", False)
    assert one.value == pytest.approx(0.023, abs=1e-3)
    assert other.source == "rated power and load"


@pytest.mark.parametrize("level_dbc", [-110.0, -100.0])
def test_buried_slot_harmonics_are_not_taken(level_dbc: float) -> None:
    m = Machine(slip=0.02, slot_dbc=level_dbc, noise=3e-3)
    for seed in range(5):
        assert slip_of(m, seed=seed).source == "nameplate and load"


def test_pole_pairs_follow_from_a_speed() -> None:
    got = slip_of(Machine(slip=0.02), Motor(), speed=True)
    assert (got.source, got.value) == ("speed sensor", pytest.approx(0.02, abs=1e-3))


def test_a_line_near_0_hz_is_not_the_speed_of_two_poles() -> None:
    """A clamp that drifts at 2.2 Hz is no rotor at a slip of 4.4 %."""
    r = recording(Machine(slip=0.03), np.random.default_rng(0))
    t = np.arange(r.samples) / r.fs_hz
    channels = {**r.channels, "ia": r.channels["ia"] + 0.02 * np.cos(2 * np.pi * 2.2 * t)}
    two_poles = replace(NO_BARS, pole_pairs=1, rated_speed_rpm=2850.0)
    view = analyse_slip(front_end([replace(r, channels=channels)], [two_poles]))
    assert view is not None
    assert view.slips[0].source == "nameplate and load"


def test_images_of_slot_harmonics_above_half_the_sampling_rate_are_not_taken() -> None:
    # 40 bars, two pole pairs: the strong ones lie near 1000 Hz, whatever was sampled of them.
    m = Machine(slip=0.02, fs_hz=1_600.0, slot_dbc=-50.0)
    assert slip_of(m, replace(MOTOR, rotor_bars=40)).source == "nameplate and load"
