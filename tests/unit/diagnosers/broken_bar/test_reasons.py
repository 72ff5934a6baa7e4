"""The rules of broken bars one by one: what each needs, and which comes first."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from vtox.baseline import Level
from vtox.diagnosers.broken_bar.moving_slip import Tracking
from vtox.diagnosers.broken_bar.observation import Observation
from vtox.diagnosers.broken_bar.reasons import SUPPLY, abstention, finding, shows_cage
from vtox.diagnosers.broken_bar.sidebands import SidebandPair
from vtox.diagnosers.current.slip_prior import Slip
from vtox.domain import Motor, reason

MEASURED = Slip(0.02, 1e-3, "speed sensor")
ESTIMATED = Slip(0.02, 0.01, "nameplate and load")
BROKEN = SidebandPair(
    hz=2.0,
    peak_hz=2.0,
    over_floor=200.0,
    over_floor_limit=18.0,
    bins=20.0,
    lower_dbc=-48.0,
    upper_dbc=-55.0,
    level_dbc=-48.0,
    deviation_db=0.1,
    upper_bound_dbc=-47.7,
    statistic=5.0,
    detectable_dbc=-70.0,
    floor_dbc=-85.0,
    distance_from_load=50.0,
    phase_ratio=0.1 + 1.1j,
    neighbour_hz=np.nan,
    alternative_hz=np.nan,
    alternative_dbc=np.nan,
    voltage_ratio=0.0,
    voltage_bound=0.02,
    half_dbc=np.nan,
    is_as_of_flicker=False,
)
STEADY = Observation(
    motor=Motor(rated_current_a=10.0),
    slip=MEASURED,
    pair=BROKEN,
    f0_hz=50.0,
    duration_s=10.0,
    bin_hz=0.1,
    load_a=8.0,
    low_a=7.9,
    high_a=8.1,
    current_range=0.02,
    frequency_range_hz=0.01,
    has_voltages=True,
)
NO_LINE = {"over_floor": 5.0, "statistic": 0.2}
WEAK = {"statistic": 0.5, "level_dbc": -58.0, "upper_bound_dbc": -57.0}
ELSEWHERE = {"alternative_hz": 3.5, "alternative_dbc": -46.0}


def observed(pair: dict[str, Any] | None = None, **changes: Any) -> Observation:
    return replace(STEADY, pair=replace(BROKEN, **(pair or {})), **changes)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"motor": Motor(supply="inverter"), "has_voltages": False}, "inverter_without_voltages"),
        ({"load_a": 3.4}, "load_too_low"),
        ({"frequency_range_hz": 0.5}, "supply_not_steady"),
        (
            {"slip": Slip(np.nan, np.nan, "none", reason("rated_speed_unknown"))},
            "rated_speed_unknown",
        ),
        ({"slip": replace(MEASURED, value=2e-4)}, "slip_too_small"),
        ({"slip": Slip(5e-4, 5e-4, "nameplate and load")}, "slip_possibly_too_small"),
        ({"slip": replace(MEASURED, value=0.005)}, "record_too_short_for_slip"),
        ({"slip": Slip(0.004, 0.002, "nameplate and load")}, "record_too_short_for_least_slip"),
        ({"current_range": 0.3}, "current_not_steady"),
    ],
)
def test_what_does_not_apply_has_a_code(changes: dict[str, Any], code: str) -> None:
    (why,) = abstention(observed(**changes))
    assert why.code == code


def test_what_applies_has_no_abstention() -> None:
    assert abstention(STEADY) == ()
    assert abstention(observed(motor=Motor(supply="inverter"))) == ()


def test_the_first_abstention_counts() -> None:
    (why,) = abstention(observed(load_a=1.0, frequency_range_hz=1.0, current_range=1.0))
    assert why.code == "load_too_low"
    assert why.values == {"load_a": 1.0, "needed_a": 3.5}


def test_a_speed_that_was_not_believed_is_a_doubt_of_every_answer() -> None:
    doubt = reason("speed_copied_from_nameplate", speed_rpm=1455.0)
    o = observed(slip=replace(ESTIMATED, reason=doubt))
    assert finding(o, None).doubts == (doubt,)
    assert abstention(replace(o, load_a=1.0))[1:] == (doubt,)


@pytest.mark.parametrize(
    ("pair", "state", "code"),
    [
        ({}, "warning", "rotor_asymmetry"),
        ({"level_dbc": -45.0}, "fault", "rotor_asymmetry"),
        ({**NO_LINE, "detectable_dbc": -53.9}, "unknown", "noise_hides_sidebands"),
        (NO_LINE, "normal", "no_sidebands"),
        ({"neighbour_hz": 2.4}, "unknown", "load_oscillation_hides_sidebands"),
        (
            {"neighbour_hz": 2.4, "lower_dbc": -58.0, "upper_dbc": -53.9},
            "unknown",
            "load_oscillation_hides_sidebands",
        ),
        (
            {"neighbour_hz": 2.4, "lower_dbc": -54.1, "upper_dbc": -60.0},
            "normal",
            "load_oscillation",
        ),
        ({**WEAK, "upper_bound_dbc": -53.0}, "unknown", "sidebands_in_noise"),
        (WEAK, "normal", "sidebands_of_sound_rotor_cage"),
        ({"voltage_ratio": 0.2}, "unknown", "sidebands_in_voltage"),
        ({"half_dbc": -58.0}, "unknown", "sidebands_are_harmonics"),
        ({"half_dbc": -69.0}, "warning", "rotor_asymmetry"),
        ({"distance_from_load": 1.0}, "unknown", "load_oscillation_or_broken_bars"),
        ({**NO_LINE, **ELSEWHERE}, "unknown", "line_at_another_slip"),
        ({**NO_LINE, **ELSEWHERE, "alternative_dbc": -54.1}, "normal", "no_sidebands"),
        ({**NO_LINE, **ELSEWHERE, "alternative_hz": 2.1}, "normal", "no_sidebands"),
        (ELSEWHERE, "warning", "rotor_asymmetry"),
    ],
)
def test_what_the_sidebands_say(pair: dict[str, float], state: str, code: str) -> None:
    result = finding(observed(pair), None)
    assert (result.state, result.why.code) == (state, code)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"has_voltages": True}, "rotor_asymmetry"),  # so quiet that they exclude the supply
        ({}, "line_at_another_slip"),
        ({"slip": replace(MEASURED, rounding=1e-3)}, "rotor_asymmetry"),
        (
            {"slip": replace(MEASURED, source="slot harmonics", rounding=1e-3)},
            "line_at_another_slip",
        ),
        ({"slip": ESTIMATED}, "rotor_asymmetry"),
        ({"place_shift": (-0.1, 0.5)}, "rotor_asymmetry"),
        ({"place_shift": (-0.5, 0.1)}, "line_at_another_slip"),
        # The line's own modulation of the current moves no slip.
        ({"current_range": 0.05}, "line_at_another_slip"),
    ],
)
def test_a_line_beside_twice_the_slip_may_be_the_supply_s(
    changes: dict[str, Any], code: str
) -> None:
    o = observed({"peak_hz": 2.06}, **{"has_voltages": False, "current_range": 0.0, **changes})
    assert finding(o, None).why.code == code


@pytest.mark.parametrize(
    ("peak_hz", "code"), [(2.06, "rotor_asymmetry"), (2.09, "line_at_another_slip")]
)
def test_noise_leaves_the_place_of_a_line_open_by_no_more_than_it_can(
    peak_hz: float, code: str
) -> None:
    o = observed({"peak_hz": peak_hz, "deviation_db": 2.0}, has_voltages=False)
    assert finding(o, None).why.code == code


@pytest.mark.parametrize(
    ("pair", "learnt"),
    [
        ({}, True),
        (WEAK, True),
        (NO_LINE, False),
        ({"distance_from_load": 1.0}, None),  # as a load makes it
        ({"neighbour_hz": 2.4, "lower_dbc": -54.1, "upper_dbc": -60.0}, False),
        ({"voltage_ratio": 0.2}, None),
        ({"half_dbc": -58.0}, None),
    ],
)
def test_a_baseline_learns_lines_of_a_rotor_cage_alone(
    pair: dict[str, Any], learnt: bool | None
) -> None:
    assert shows_cage(observed(pair)) is learnt


def test_a_short_record_shows_strong_sidebands_only() -> None:
    short, low_slip = {"bins": 7.9}, replace(MEASURED, value=0.0079)
    assert finding(observed(short, slip=low_slip), None).state == "warning"
    result = finding(observed({**short, **WEAK}, slip=low_slip), None)
    assert (result.state, result.why.code) == ("unknown", "record_too_short_for_slip")


def test_an_estimated_slip_gives_its_interval() -> None:
    result = finding(observed({**NO_LINE, **ELSEWHERE}, slip=ESTIMATED), None)
    assert result.why.code == "line_outside_estimated_slip"
    assert (result.why.values["low_hz"], result.why.values["high_hz"]) == (1.0, 3.0)


@pytest.mark.parametrize(
    ("changes", "doubted"),
    [
        ({}, False),
        ({"has_voltages": False}, True),
        ({"pair": replace(BROKEN, voltage_bound=0.2)}, True),  # noise of the voltages
        ({"has_voltages": False, "tracking": Tracking(0.017, 0.024, 2.1)}, False),
        ({"has_voltages": False, "tracking": Tracking(0.017, 0.024, 1.9)}, True),
    ],
)
def test_a_flicker_that_is_not_excluded_is_a_doubt(changes: dict[str, Any], doubted: bool) -> None:
    result = finding(replace(STEADY, **changes), None)
    assert result.why.code == "rotor_asymmetry"
    assert ("flicker_not_excluded" in [x.code for x in result.doubts]) == doubted
    assert (SUPPLY in result.causes) == doubted


def test_a_level_in_noise_is_a_doubt() -> None:
    result = finding(observed({"deviation_db": 1.1}), None)
    assert [x.code for x in result.doubts] == ["level_in_noise"]


@pytest.mark.parametrize(
    ("level_dbc", "learnt_dbc", "state", "code"),
    [
        (-48.0, -47.0, "normal", "sidebands_as_baseline"),
        (-48.0, -51.9, "normal", "sidebands_as_baseline"),
        (-48.0, -52.1, "warning", "rotor_asymmetry"),
        (-40.0, -41.0, "warning", "rotor_asymmetry_as_baseline"),
        (-40.0, -45.0, "fault", "rotor_asymmetry"),
    ],
)
def test_a_baseline_clears_what_has_not_risen(
    level_dbc: float, learnt_dbc: float, state: str, code: str
) -> None:
    result = finding(observed({"level_dbc": level_dbc}), Level(20, learnt_dbc, 0.5))
    assert (result.state, result.why.code) == (state, code)
    assert result.change_db == pytest.approx(level_dbc - learnt_dbc)


@pytest.mark.parametrize(
    ("over_fixed", "state", "code"),
    [
        (1.4, "unknown", "line_does_not_follow_slip"),
        (1.6, "warning", "rotor_asymmetry"),
    ],
)
def test_a_line_must_move_with_a_slip_that_moves(over_fixed: float, state: str, code: str) -> None:
    o = observed(current_range=0.3, tracking=Tracking(0.017, 0.024, over_fixed))
    assert abstention(o) == ()
    result = finding(o, None)
    assert (result.state, result.why.code) == (state, code)


def test_a_line_at_a_multiple_of_a_strong_load_oscillation_is_open() -> None:
    assert finding(observed(over_square=4.1), None).state == "warning"
    result = finding(observed(over_square=3.9), None)
    assert (result.state, result.why.code) == ("unknown", "load_multiple_or_broken_bars")


FLICKER = {"phase_ratio": -0.3 + 0.2j}
OF_FLICKER = {"is_as_of_flicker": True}
NOISY_VOLTAGES = {"voltage_bound": 0.3}
GUESSED = Slip(0.02, 0.001, "rotor speed sidebands", guessed_from_w=4e3)


def test_a_slip_from_the_rated_power_makes_no_fault() -> None:
    result = finding(observed({"level_dbc": -40.0}, slip=GUESSED), None)
    assert (result.state, result.why.code) == ("warning", "rotor_asymmetry")
    assert "slip_from_rated_power" in [x.code for x in result.doubts]


def test_an_interval_from_the_rated_power_makes_no_rotor_cage_sound() -> None:
    assert finding(observed(NO_LINE, slip=GUESSED), None).state == "normal"
    interval = replace(GUESSED, source="rated power and load")
    result = finding(observed(NO_LINE, slip=interval), None)
    assert (result.state, result.why.code) == ("unknown", "slip_from_rated_power")
    assert result.doubts == ()


NO_VOLTAGES = {"slip": ESTIMATED, "has_voltages": False}
ROTOR_LINES = Slip(0.02, 1e-3, "rotor speed sidebands")


@pytest.mark.parametrize(
    ("pair", "changes", "state", "code"),
    [
        (FLICKER, {"slip": ESTIMATED, "has_voltages": False}, "unknown", "flicker"),
        (FLICKER, {"slip": ROTOR_LINES, "has_voltages": False}, "unknown", "flicker"),
        (OF_FLICKER, {"slip": MEASURED, "has_voltages": False}, "unknown", "flicker"),
        (OF_FLICKER, {"slip": MEASURED}, "fault", "asymmetry"),
        (
            OF_FLICKER,
            {**NO_VOLTAGES, "tracking": Tracking(0.01, 0.03, 2.1)},
            "warning",
            "asymmetry",
        ),
        (FLICKER, {"slip": MEASURED, "has_voltages": False}, "fault", "asymmetry"),
        (FLICKER, {"slip": ESTIMATED}, "fault", "asymmetry"),
        ({**FLICKER, **NOISY_VOLTAGES}, {"slip": ESTIMATED}, "unknown", "flicker"),
        (NOISY_VOLTAGES, {"slip": ESTIMATED}, "warning", "asymmetry"),
        (FLICKER, {**NO_VOLTAGES, "tracking": Tracking(0.01, 0.03, 2.1)}, "warning", "asymmetry"),
        (FLICKER, {**NO_VOLTAGES, "tracking": Tracking(0.01, 0.03, 1.9)}, "unknown", "flicker"),
        ({}, {"slip": ESTIMATED, "has_voltages": False}, "warning", "asymmetry"),
        ({}, {"slip": ROTOR_LINES, "has_voltages": False}, "fault", "asymmetry"),
    ],
)
def test_an_estimated_slip_without_voltages_makes_no_fault(
    pair: dict[str, Any], changes: dict[str, Any], state: str, code: str
) -> None:
    codes = {"flicker": "supply_flicker_or_broken_bars", "asymmetry": "rotor_asymmetry"}
    result = finding(observed({"level_dbc": -40.0, **pair}, **changes), None)
    assert (result.state, result.why.code) == (state, codes[code])


@pytest.mark.parametrize(("level_dbc", "state"), [(-48.0, "warning"), (-42.0, "fault")])
def test_levels_of_noise_in_a_baseline_clear_no_line(level_dbc: float, state: str) -> None:
    result = finding(observed({"level_dbc": level_dbc}), Level(4, -70.9, 6.0))
    assert (result.state, result.why.code) == (state, "rotor_asymmetry")


def test_a_line_at_another_slip_counts_although_the_baseline_clears() -> None:
    result = finding(observed(ELSEWHERE), Level(20, -48.0, 0.5))
    assert (result.state, result.why.code) == ("unknown", "line_at_another_slip")
