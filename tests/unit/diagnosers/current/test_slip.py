"""Slip and its source, best first, and never a guess without a nameplate."""

from dataclasses import replace

import numpy as np
import pytest

from tests.signals.current_lines import MOTOR, Machine, recording
from vtox.diagnosers.current.front_end import front_end
from vtox.diagnosers.current.slip import Slip, analyse_slip
from vtox.domain import Motor, Reason

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


def test_rotor_sidebands_serve_where_the_bars_are_unknown() -> None:
    got = slip_of(Machine(slip=0.023, rotor_dbc=-65.0), NO_BARS)
    assert got.source == "rotor speed sidebands"
    assert got.value == pytest.approx(0.023, abs=1e-3)


@pytest.mark.parametrize(("rms_a", "slip"), [(10.0, 0.03), (7.0, 0.018), (4.0, 0.005)])
def test_nameplate_and_load_allow_the_true_slip(rms_a: float, slip: float) -> None:
    got = slip_of(Machine(slip=slip, rms_a=rms_a), NO_BARS)
    assert got.source == "nameplate and load"
    assert not got.is_measured
    assert got.low <= slip <= got.high


@pytest.mark.parametrize("level_dbc", [-110.0, -100.0])
def test_buried_slot_harmonics_are_not_taken(level_dbc: float) -> None:
    m = Machine(slip=0.02, slot_dbc=level_dbc, noise=3e-3)
    for seed in range(5):
        assert slip_of(m, seed=seed).source == "nameplate and load"


def test_pole_pairs_follow_from_a_speed() -> None:
    got = slip_of(Machine(slip=0.02), Motor(), speed=True)
    assert (got.source, got.value) == ("speed sensor", pytest.approx(0.02, abs=1e-3))


@pytest.mark.parametrize(
    ("motor", "code"),
    [(Motor(), "pole_pairs_unknown"), (Motor(pole_pairs=2), "rated_speed_unknown")],
)
def test_without_a_nameplate_there_is_no_slip(motor: Motor, code: str) -> None:
    got = slip_of(Machine(), motor)
    assert got.source == "none"
    assert not got.is_known
    assert got.reason is not None
    assert got.reason.code == code
    assert np.isnan(got.value)


def test_a_starting_motor_has_no_slip() -> None:
    got = slip_of(Machine(rms_a=45.0), NO_BARS)
    assert got.source == "none"
    assert got.reason is not None
    assert got.reason.code == "current_far_above_rated"
    assert got.reason.values == pytest.approx({"load_a": 45.0, "rated_a": 10.0}, rel=0.01)


def test_a_speed_of_another_machine_is_not_believed() -> None:
    r = recording(Machine(slip=0.02), np.random.default_rng(0))
    view = analyse_slip(front_end([replace(r, speed_rpm=2_900.0)], [NO_BARS]))
    assert view is not None
    assert view.slips[0].source == "nameplate and load"
    assert [x.code for x in view.slips[0].doubts] == ["speed_implausible"]


@pytest.mark.parametrize(
    ("slip", "rms_a", "source"),
    [(0.018, 7.0, "nameplate and load"), (0.03, 10.0, "speed sensor")],
)
def test_the_rated_speed_counts_as_measured_at_rated_load_only(
    slip: float, rms_a: float, source: str
) -> None:
    r = recording(Machine(slip=slip, rms_a=rms_a), np.random.default_rng(0))
    view = analyse_slip(front_end([replace(r, speed_rpm=1455.0)], [NO_BARS]))
    assert view is not None
    got = view.slips[0]
    assert got.source == source
    copied = [x.code for x in got.doubts] == ["speed_copied_from_nameplate"]
    assert copied == (source != "speed sensor")
    assert got.low <= slip <= got.high


def test_a_line_near_0_hz_is_not_the_speed_of_two_poles() -> None:
    """A clamp that drifts at 2.2 Hz is no rotor at a slip of 4.4 %."""
    r = recording(Machine(slip=0.03), np.random.default_rng(0))
    t = np.arange(r.samples) / r.fs_hz
    channels = {**r.channels, "ia": r.channels["ia"] + 0.02 * np.cos(2 * np.pi * 2.2 * t)}
    two_poles = replace(NO_BARS, pole_pairs=1, rated_speed_rpm=2850.0)
    view = analyse_slip(front_end([replace(r, channels=channels)], [two_poles]))
    assert view is not None
    assert view.slips[0].source == "nameplate and load"


@pytest.mark.parametrize("missing", ["pole_pairs", "supply_hz"])
def test_supply_and_rated_speed_complete_the_nameplate(
    missing: str,
) -> None:
    m = Machine(slip=0.02)
    complete, got = slip_of(m, NO_BARS), slip_of(m, replace(NO_BARS, **{missing: None}))
    assert got.source == "nameplate and load"
    assert (got.low, got.high) == (complete.low, complete.high)


@pytest.mark.parametrize(
    ("lack", "code", "values"),
    [
        ({"rated_speed_rpm": None}, "rated_speed_unknown", {}),
        (
            {"rated_speed_rpm": 1500.0},
            "rated_speed_implausible",
            {"rated_speed_rpm": 1500.0, "pole_pairs": 2, "supply_hz": 50.0},
        ),
        (
            {"supply_hz": None, "supply": "inverter"},
            "rated_supply_unknown",
            {"rated_speed_rpm": 1455.0},
        ),
    ],
)
def test_a_slip_unknown_has_its_reason(
    lack: dict[str, object], code: str, values: dict[str, float]
) -> None:
    got = slip_of(Machine(slip=0.02), replace(NO_BARS, **lack))  # type: ignore[arg-type]
    assert got.source == "none"
    assert got.reason == Reason(code, values)
    assert got.doubts == ()


def test_the_power_factor_narrows_the_slip() -> None:
    m, plate = Machine(slip=0.024, rms_a=8.0), replace(NO_BARS, rated_voltage_v=400.0)
    wide, narrow = slip_of(m, plate), slip_of(m, replace(plate, rated_power_w=5500.0))
    assert wide.low < narrow.low < 0.024 < narrow.high <= wide.high
    # A power that fits no current of this motor tells nothing.
    assert slip_of(m, replace(plate, rated_power_w=1e5)).low == wide.low


def test_a_small_motor_may_be_magnetised_by_most_of_its_current() -> None:
    """Magnetising 0.85 of rated current, at a third of the torque."""
    m = Machine(slip=0.009, rms_a=1.1 * np.sqrt(0.85**2 + (1 - 0.85**2) * 0.3**2))
    unknown = replace(NO_BARS, rated_current_a=1.1)
    assert slip_of(m, unknown).low > 0.009
    assert slip_of(m, replace(unknown, rated_power_w=370.0)).low < 0.009
    assert slip_of(m, replace(unknown, rated_voltage_v=400.0)).low < 0.009


def test_images_of_slot_harmonics_above_half_the_sampling_rate_are_not_taken() -> None:
    # 40 bars, two pole pairs: the strong ones lie near 1000 Hz, whatever was sampled of them.
    m = Machine(slip=0.02, fs_hz=1_600.0, slot_dbc=-50.0)
    assert slip_of(m, replace(MOTOR, rotor_bars=40)).source == "nameplate and load"
