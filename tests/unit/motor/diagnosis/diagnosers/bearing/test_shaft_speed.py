from dataclasses import replace

import numpy as np
import pytest

from tests.signals.vibration import (
    BEARING,
    FS_HZ,
    MOTOR,
    ImpactTrain,
    Machine,
    defect,
    recording,
    vibration,
)
from tests.unit.motor.diagnosis.diagnosers.bearing.cases import (
    HEALTHY,
    alarms,
    diagnose,
    near_whole,
)
from vtox.motor.diagnosis.diagnosers.bearing import diagnoser as bearing
from vtox.motor.diagnosis.diagnosers.bearing.shaft_speed import (
    Speed,
    best_speed,
    refine_speed,
    speed_change,
    speed_contradicted_by_lines,
    speed_problem,
)
from vtox.motor.diagnosis.diagnosis import diagnose as diagnose_faults
from vtox.motor.values.domain import Motor, Reason, Recording

DF_HZ = 0.25
UNMEASURED = recording(HEALTHY, 1.0, speed=False)
ESTIMATE = Speed(1450.0, 0.02, ("nameplate",))
REPORTED = Speed(1458.0, 0.005, ("speed_sensor",))


def shaft_lines(hz: float, power: float = 30.0, *, df_hz: float = DF_HZ) -> np.ndarray:
    """Four views of noise-free lines at the multiples of a shaft frequency."""
    lines = np.ones((4, 1000), np.float32)
    lines[:, [round(k * hz / df_hz) for k in range(1, 7)]] = power
    return lines


def test_a_measured_speed_comes_first() -> None:
    speed = best_speed(replace(UNMEASURED, speed_rpm=1458.0), MOTOR, 1440.0, 0.001)
    assert speed == Speed(1458.0, 0.005, ("speed_sensor",))


def test_the_narrower_of_estimate_and_nameplate_is_used() -> None:
    from_current = best_speed(UNMEASURED, MOTOR, 1458.0, 0.002)
    assert from_current == Speed(1458.0, 0.002, ("current_slip",))
    from_nameplate = best_speed(UNMEASURED, MOTOR, 1458.0, 0.03)
    assert isinstance(from_nameplate, Speed)
    assert from_nameplate.source == ("nameplate",)
    lowest = from_nameplate.rpm * (1 - from_nameplate.tolerance)
    assert lowest == pytest.approx(1500 - 1.2 * 60)


@pytest.mark.parametrize(
    ("recorded", "motor", "code"),
    [
        (UNMEASURED, Motor(bearing=BEARING), "no_speed"),
        (UNMEASURED, None, "no_speed"),
        (UNMEASURED, replace(MOTOR, supply="inverter"), "no_speed"),
        (UNMEASURED, replace(MOTOR, rated_speed_rpm=1200), "speed_too_uncertain"),
        (replace(UNMEASURED, speed_rpm=0.0), MOTOR, "shaft_at_rest"),
    ],
)
def test_without_a_usable_speed_there_is_a_reason(
    recorded: Recording, motor: Motor | None, code: str
) -> None:
    why = best_speed(recorded, motor, None, None)
    assert isinstance(why, Reason)
    assert why.code == code
    assert diagnose(recorded, motor or Motor(bearing=BEARING)).code == code


@pytest.mark.parametrize(
    ("speed_rpm", "motor", "f0_hz", "fits"),
    [
        (1500.0, MOTOR, 50.0, True),
        (1440.0, MOTOR, 50.0, True),
        (1330.0, MOTOR, 50.0, True),  # a slip of 11 %, of a stalling motor
        (1580.0, MOTOR, 50.0, True),  # braking
        (1600.0, MOTOR, 50.0, False),
        (1310.0, MOTOR, 50.0, False),
        (2950.0, MOTOR, 50.0, False),
        (970.0, MOTOR, 50.0, False),
        (970.0, replace(MOTOR, pole_pairs=None), 50.0, False),  # by the rated speed
        (970.0, Motor(pole_pairs=2), 50.0, False),
        (970.0, Motor(supply_hz=50.0), 50.0, True),
        (1440.0, MOTOR, 60.0, False),
        # At constant flux a drive slows the rotor by as many turns at any frequency.
        (240.0, replace(MOTOR, supply="inverter"), 10.0, True),
        (310.0, replace(MOTOR, supply="inverter"), 50.0, False),
    ],
)
def test_a_speed_without_a_possible_slip_is_contradicted(
    speed_rpm: float, motor: Motor, f0_hz: float, fits: bool
) -> None:
    why = speed_problem(speed_rpm, motor, f0_hz)
    assert (why is None) == fits
    assert why is None or why.code == "speed_implausible"


@pytest.mark.parametrize(("read", "state"), [(1.0, "normal"), (0.5, "unknown"), (2.0, "unknown")])
def test_currents_and_pole_pairs_contradict_a_speed(read: float, state: str) -> None:
    x = recording(Machine(impacts=()), 2.0)
    t = np.arange(x.samples) / x.fs_hz
    turns = {"ia": 0, "ib": 1, "ic": 2}
    currents = {n: 10 * np.sin(2 * np.pi * (50 * t - k / 3)) for n, k in turns.items()}
    rpm = read * 60 * HEALTHY.shaft_hz
    (d,) = diagnose_faults(
        Recording({**x.channels, **currents}, x.fs_hz, rpm), MOTOR, faults="bearing"
    )
    assert d.state == state
    assert (d.code == "speed_implausible") == (state == "unknown")
    # Without currents nothing contradicts it.
    assert diagnose(replace(x, speed_rpm=rpm)).code != "speed_implausible"


def test_shaft_lines_refine_an_uncertain_speed() -> None:
    speed = refine_speed(ESTIMATE, shaft_lines(24.3), DF_HZ)
    assert speed.rpm == pytest.approx(60 * 24.3, rel=0.002)
    assert speed.tolerance < ESTIMATE.tolerance
    assert speed.source == ("nameplate", "refined_by_shaft_lines")


@pytest.mark.parametrize("power", [1.0, 2.5])
def test_weak_shaft_lines_do_not_refine_a_speed(power: float) -> None:
    assert refine_speed(ESTIMATE, shaft_lines(24.3, power), DF_HZ) == ESTIMATE


def test_lines_of_the_supply_do_not_refine_a_speed() -> None:
    assert refine_speed(ESTIMATE, shaft_lines(24.3), DF_HZ, (24.3,)) == ESTIMATE


def test_shaft_lines_contradict_a_reported_speed() -> None:
    speed = speed_contradicted_by_lines(REPORTED, shaft_lines(24.3 * 1.012), DF_HZ)
    assert speed is not None
    assert speed.rpm == pytest.approx(1458 * 1.012, rel=0.003)
    assert speed.source == ("speed_sensor", "corrected_by_shaft_lines")


def test_shaft_lines_at_the_reported_speed_do_not_contradict_it() -> None:
    assert speed_contradicted_by_lines(REPORTED, shaft_lines(24.3), DF_HZ) is None


def test_lines_off_the_multiples_do_not_contradict_a_speed() -> None:
    lines = shaft_lines(24.3 * 1.012)
    for k in (1, 2):  # the first two lie two thirds of a bin lower: sidebands of a race
        at = round(k * 24.3 * 1.012 / DF_HZ)
        lines[:, at - 1] = 60.0
    assert speed_contradicted_by_lines(REPORTED, lines, DF_HZ) is None


def test_a_change_of_speed_is_seen_in_the_two_ends_of_a_record() -> None:
    why = speed_change(REPORTED, shaft_lines(24.3), shaft_lines(23.8), DF_HZ)
    assert why is not None
    assert why.code == "shaft_speed_changes"
    assert why.values["first_rpm"] == pytest.approx(60 * 24.3, rel=0.003)
    assert why.values["last_rpm"] == pytest.approx(60 * 23.8, rel=0.003)
    assert speed_change(REPORTED, shaft_lines(24.3), shaft_lines(24.25), DF_HZ) is None


def test_a_record_whose_speed_changes_gives_unknown_where_no_shaft_line_can_be_tracked() -> None:
    once_a_turn = (ImpactTrain(order=1, jitter=0.0),)
    first, last = (
        vibration(Machine(shaft_hz=hz, shaft=(), impacts=once_a_turn), 5.0) for hz in (24.3, 23.8)
    )
    x = np.concatenate([first, last]).astype(np.float32)
    d = diagnose(Recording({"vibration": x}, FS_HZ, 24.05 * 60))
    assert (d.state, d.code) == ("unknown", "shaft_speed_changes")


def test_without_a_measured_speed_the_nameplate_bounds_the_search() -> None:
    x = recording(Machine(impacts=(defect("BPFI", 2.0),)), 4.0, speed=False)
    d = diagnose(x)
    assert d.indicators["defect"] == "BPFI", d.reason
    assert d.values["speed_source"][0] == "nameplate"  # type: ignore[index]


def test_without_a_measured_speed_healthy_machines_raise_no_alarm() -> None:
    machines = [Machine(shaft_hz=hz, supply=2.0) for hz in np.linspace(23.9, 24.95, 40)]
    assert alarms([recording(m, 2.0, seed=i, speed=False) for i, m in enumerate(machines)]) == []


def test_a_speed_estimated_from_the_currents_is_used() -> None:
    x = recording(Machine(impacts=(defect("BPFO", 2.0),)), speed=False)
    (d,) = bearing.diagnose(
        [x],
        [Motor(bearing=BEARING)],
        speed_rpm=[24.3 * 60],
        speed_tolerance=[0.002],
        supply_hz=[50.0],
    )
    assert d.indicators["defect"] == "BPFO"
    assert d.values["speed_source"] == ("current_slip",)


@pytest.mark.parametrize(
    ("name", "order"), [("BPFI", 4.96), ("BPFI", 4.93), ("BPFO", 3.054), ("BPFO", 3.035)]
)
@pytest.mark.parametrize("strength", [0.5, 2.0, 8.0])
def test_a_race_near_a_shaft_order_does_not_move_the_speed(
    name: str, order: float, strength: float
) -> None:
    by = 1.0 if name == "BPFI" else 0.0
    d = near_whole(order, strength, by, read=0.0005, seed=2)
    assert d.indicators.get("defect") == name, d.reason
    assert d.indicators["speed_rpm"] == pytest.approx(1500.8, abs=0.1)


@pytest.mark.parametrize("read", [-0.01, 0.01])
@pytest.mark.parametrize("strength", [1.0, 4.0])
def test_blades_at_a_speed_that_shaft_lines_contradict_give_unknown(
    read: float, strength: float
) -> None:
    # A set point, or the nameplate value, reported as if measured.
    d = near_whole(5, strength, 1.0, read=read, seed=1, jitter=0.0)
    assert d.state == "unknown", d.reason
    if d.code == "lines_at_masked_orders":
        assert d.values["speed_source"] == ("speed_sensor", "corrected_by_shaft_lines")
        assert d.values["speed_rpm"] == pytest.approx(1500, rel=0.003)
    else:
        assert d.code == "shaft_or_bearing"
        assert d.values["shaft_lines_rpm"] == pytest.approx(1500, rel=0.003)


@pytest.mark.parametrize("read", [-0.003, 0.0, 0.003])
def test_sidebands_of_a_race_near_a_shaft_order_do_not_contradict_the_speed(read: float) -> None:
    d = near_whole(3.045, 4.0, 1.0, read=read, seed=2)
    assert d.indicators.get("defect") == "BPFO", d.reason
    assert "corrected_by_shaft_lines" not in d.values["speed_source"]  # type: ignore[operator]
