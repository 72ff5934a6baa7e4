"""Starts, run-downs and standstill are recognised; records that only look like them are not."""

import numpy as np
import pytest

from tests.signals.motor_start import FS_HZ, currents, level
from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.diagnosis.diagnosis import diagnose
from vtox.motor.values.arrays import Float64
from vtox.motor.values.domain import Motor, Recording
from vtox.motor.values.operating_state import operating_state

MOTOR = Motor(pole_pairs=2, supply_hz=50.0, rated_speed_rpm=1450.0, rated_current_a=1.0)
DRIVE = Motor(pole_pairs=2, rated_current_a=1.0, supply="inverter")
STARTS = {
    "direct": level((0.7, 0.0), (0.6, 6.0), (2.7, 0.8)),
    "of low inertia": level((0.7, 0.0), (0.15, 6.0), (2.7, 0.3)),
    "at the very beginning": level((0.04, 0.0), (0.6, 6.0), (2.7, 0.8)),
    "star-delta": level((0.3, 0.0), (1.5, 2.0), (0.06, 0.0), (0.3, 5.0), (2.0, 0.8)),
    "soft": np.concatenate([level((0.5, 0.0)), np.linspace(1.5, 3.0, 3000), level((1.5, 0.7))]),
    "that does not end": level((0.5, 0.0), (1.5, 6.0)),
}


def analysis(recording: Recording, motor: Motor = MOTOR) -> CurrentAnalysis:
    return front_end([recording], [motor], frames=False, slot_band=False)


def state(level_a: Float64, hz: Float64 | float = 50.0, motor: Motor = MOTOR) -> str:
    operation = analysis(currents(level_a, hz), motor).operations[0]
    assert operation is not None
    return operation.state


@pytest.mark.parametrize("level_a", STARTS.values(), ids=STARTS)
def test_a_start_is_recognised_with_and_without_a_nameplate(level_a: Float64) -> None:
    assert state(level_a) == "start"
    # Constant currents that come on may be a clamp that was put on.
    if level_a is not STARTS["that does not end"]:
        assert state(level_a, motor=Motor()) == "start"


@pytest.mark.parametrize("last_s", [0.004, 0.012, 0.019, 0.021, 0.05])
def test_a_start_at_the_very_end_of_a_record_is_one(last_s: float) -> None:
    x = currents(level((2.0 - last_s, 0.0), (last_s, 6.0)))
    t_s = np.arange(x.samples) / FS_HZ
    voltages = {
        name: (230 * np.sin(2 * np.pi * 50 * t_s - phase)).astype(np.float32)
        for name, phase in zip(("va", "vb", "vc"), (0.0, 2.094, 4.189), strict=True)
    }
    for recording in (x, Recording({**x.channels, **voltages}, x.fs_hz)):
        found = analysis(recording).problems[0][0]
        assert found.code == "motor_start_unfinished"
        assert found.values["on_s"] == pytest.approx(2.0 - last_s, abs=0.02)
        assert 0 < found.values["inrush_a"] <= found.values["peak_a"]


def test_a_start_that_is_under_way_is_recognised_beyond_breakdown() -> None:
    assert state(level((0.4, 5.0), (2.0, 0.8))) == "start"
    assert state(np.linspace(6.0, 5.5, 4000)) == "start"


def test_a_drive_that_ramps_its_frequency_starts_or_runs_down() -> None:
    ramp = np.concatenate([np.linspace(1.0, 50.0, 4000), np.full(4000, 50.0)])
    assert state(np.full(8000, 0.8), ramp, DRIVE) == "start"
    assert state(np.full(8000, 0.8), ramp[::-1], DRIVE) == "run_down"
    assert state(level((0.3, 0.0), (3.7, 0.8)), ramp, DRIVE) == "start"


def test_a_motor_that_is_switched_off_runs_down() -> None:
    found = analysis(currents(level((2.5, 0.8), (0.5, 0.0))))
    assert found.problems[0][0].code == "motor_runs_down"
    assert found.problems[0][0].values["end_s"] == pytest.approx(2.5, abs=0.05)


def test_currents_of_noise_are_a_standstill_where_the_rated_current_is_known() -> None:
    nothing = np.zeros(4000)
    assert analysis(currents(nothing)).problems[0][0].code == "motor_stands_still"
    assert "motor_stands_still" not in {
        r.code for r in analysis(currents(nothing), Motor()).problems[0]
    }


T = np.arange(8000) / FS_HZ
NO_STARTS = {
    "steady": np.full(8000, 0.8),
    "load comes": level((2.0, 0.3), (2.0, 1.2)),
    "load goes": level((2.0, 1.4), (2.0, 0.3)),
    "overload goes": level((0.5, 2.2), (3.5, 0.3)),
    "peak of load": level((1.0, 0.3), (1.0, 2.2), (2.0, 0.3)),
    "pulsating load": 0.8 + 0.5 * np.sin(2 * np.pi * 1.5 * T),
    "flicker": 0.8 * (1 + 0.1 * np.sin(2 * np.pi * 8 * T)),
    "dip of the supply": level((1.0, 0.8), (0.2, 1.9), (0.3, 2.3), (2.5, 0.8)),
    "interruption of the supply": level((1.0, 0.8), (0.2, 0.0), (0.2, 5.0), (2.6, 0.8)),
    "clamp put on": level((1.0, 0.0), (3.0, 0.8)),
}


@pytest.mark.parametrize("level_a", NO_STARTS.values(), ids=NO_STARTS)
def test_what_is_no_start_is_not_taken_for_one(level_a: Float64) -> None:
    assert state(level_a) in ("steady", "unsteady")
    assert state(level_a, motor=Motor()) in ("steady", "unsteady")


def test_what_is_said_of_a_start() -> None:
    x = currents(STARTS["direct"])
    (why,) = analysis(x).problems[0]
    assert why.code == "motor_starts"
    assert why.values["on_s"] == pytest.approx(0.7, abs=0.005)
    assert why.values["duration_s"] == pytest.approx(0.6, abs=0.025)
    assert why.values["inrush_a"] == pytest.approx(6.0, rel=0.01)
    assert why.values["inrush_ratio"] == pytest.approx(6.0, rel=0.01)
    assert why.values["peak_a"] == pytest.approx(6.0 * np.sqrt(2), rel=0.01)
    assert why.values["final_a"] == pytest.approx(0.8, rel=0.02)


def test_an_inrush_without_nameplate_is_a_multiple_of_the_final_current() -> None:
    (why,) = analysis(currents(STARTS["direct"]), Motor()).problems[0]
    assert why.values["base"] == "final_current"
    assert why.values["inrush_ratio"] == pytest.approx(7.5, rel=0.02)


def test_no_fault_is_decided_of_a_start() -> None:
    x = currents(STARTS["direct"])
    channels = dict(x.channels) | {"vibration": np.random.default_rng(0).normal(size=x.samples)}
    found = diagnose(Recording(channels, FS_HZ), MOTOR)
    assert {d.state for d in found} == {"unknown"}
    assert operating_state(d.code for d in found) == "start"
    assert {d.fault for d in found if d.code == "motor_starts"} >= {
        "turn_short",
        "eccentricity",
        "broken_bar",
    }


def test_a_converter_that_clips_the_inrush_is_a_doubt() -> None:
    x = currents(STARTS["direct"])
    clipped = Recording({n: c.clip(-4.0, 4.0) for n, c in x.channels.items()}, FS_HZ)
    assert [r.code for r in analysis(clipped).problems[0]][:2] == [
        "motor_starts",
        "inrush_clipped",
    ]


def test_frequencies_near_zero_are_no_ramp_of_a_drive() -> None:
    crawling = np.linspace(5.0, 12.0, 8000)
    for hz in (crawling, crawling[::-1]):
        assert state(np.full(8000, 0.8), hz, Motor()) == "unsteady"
