"""The rules of broken bars one by one: their conditions and their order."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.unit.motor.diagnosis.diagnosers.columns import columns, outcome
from vtox.motor.diagnosis.diagnosers.broken_bar.evidence import BrokenBarEvidence, too_short_reason
from vtox.motor.diagnosis.diagnosers.broken_bar.rules import CAGE, RULES, STEADY
from vtox.motor.diagnosis.diagnosers.broken_bar.sidebands import off_bins_allowed
from vtox.motor.diagnosis.diagnosers.current.slip_prior import Slip
from vtox.motor.values.domain import reason

MEASURED = Slip(0.02, 1e-3, "speed sensor")
ESTIMATED = Slip(0.02, 0.01, "nameplate and load")
BROKEN = {
    "hz": 2.0,
    "peak_hz": 2.0,
    "over_floor": 200.0,
    "over_floor_limit": 18.0,
    "bins": 20.0,
    "lower_dbc": -48.0,
    "upper_dbc": -55.0,
    "level_dbc": -48.0,
    "deviation_db": 0.1,
    "upper_bound_dbc": -47.7,
    "statistic": 5.0,
    "detectable_dbc": -70.0,
    "floor_dbc": -85.0,
    "distance_from_load": 50.0,
    "voltage_ratio": 0.0,
    "voltage_bound": 0.02,
    "shift_low": 0.0,
    "shift_high": 0.0,
}
STEADY_LOAD = {
    "f0_hz": 50.0,
    "bin_hz": 0.1,
    "load_a": 8.0,
    "needed_a": 3.5,
    "low_a": 7.9,
    "high_a": 8.1,
    "frequency_range_hz": 0.01,
    "voltages": True,
}
NO_LINE = {"over_floor": 5.0, "statistic": 0.2}
WEAK = {"statistic": 0.5, "level_dbc": -58.0, "upper_bound_dbc": -57.0}
ELSEWHERE = {"alternative_hz": 3.5, "alternative_dbc": -46.0}
NO_VOLTAGES = {"slip": ESTIMATED, "voltages": False}
TRACKED = {"tracked": True, "lowest_slip": 0.017, "highest_slip": 0.024, "over_fixed": 2.1}
LOAD_LINE = {"neighbour_hz": 2.4, "lower_dbc": -54.1, "upper_dbc": -60.0}
STARTS = (reason("motor_starts"),)
OF_FLICKER = {"is_as_of_flicker": True}
ALONE = {"apart_db": 20.0, "off_swing_deg": 60.0, "voltages": False}
NOISY_VOLTAGES = {"voltage_bound": 0.3}
GUESSED = Slip(0.02, 0.001, "rotor speed sidebands", guessed_from_w=4e3)
ROTOR_LINES = Slip(0.02, 1e-3, "rotor speed sidebands")


def of_slip(slip: Slip) -> dict[str, Any]:
    """Return the columns that a slip gives to a record of 10 s at 50 Hz."""
    largest = slip.value if slip.is_measured else slip.high
    guessed = slip.source == "rated power and load"
    return {
        "slip": slip.value,
        "slip_low": slip.low,
        "slip_high": slip.high,
        "slip_source": slip.source,
        "measured": slip.is_measured,
        "guessed": slip.is_guessed,
        "slip_problems": () if slip.is_known or not slip.reason else (slip.reason,),
        "slip_doubts": slip.doubts,
        "slip_guess": (slip.doubts[-1], *slip.doubts[:-1]) if guessed else (),
        "too_short": (too_short_reason(slip, 50.0, 10.0),) if slip.is_known else (),
        "hopeless": largest * 100 < 0.8,
        "distance_hz": 100 * slip.value,
        "off_bins_allowed": float(off_bins_allowed([slip], np.array([50.0]), 0.1)[0]),
    }


def observed(slip: Slip = MEASURED, **given: Any) -> BrokenBarEvidence:
    """Return the columns of one record: broken bars at a steady load, but for the given columns."""
    return columns(BrokenBarEvidence, **BROKEN | STEADY_LOAD | of_slip(slip) | given)


def outcome_of(**given: Any) -> tuple[str, str]:
    decided, (why, *_) = outcome(RULES, observed(**given))
    return decided.state, why.code


def doubts_of(**given: Any) -> list[str]:
    _, (_, *doubts) = outcome(RULES, observed(**given))
    return [d.code for d in doubts]


@pytest.mark.parametrize(
    ("given", "code"),
    [
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
        ({"spreads": True}, "current_not_steady"),
    ],
)
def test_what_does_not_apply_has_a_code(given: dict[str, Any], code: str) -> None:
    assert outcome_of(**given) == ("unknown", code)
    assert STEADY.decide(observed(**given), 1)[0] >= 0


@pytest.mark.parametrize("given", [{}, {"inverter": True}, {"spreads": True, **TRACKED}])
def test_what_applies_has_no_abstention(given: dict[str, Any]) -> None:
    assert STEADY.decide(observed(**given), 1)[0] == -1


def test_the_first_abstention_counts() -> None:
    _, (why,) = outcome(RULES, observed(load_a=1.0, frequency_range_hz=1.0, spreads=True))
    assert why.code == "load_too_low"
    assert why.values == {"load_a": 1.0, "needed_a": 3.5}


@pytest.mark.parametrize("given", [{}, {"load_a": 1.0}, NO_LINE])
def test_a_speed_not_believed_is_a_doubt_of_every_answer(given: dict[str, Any]) -> None:
    slip = replace(ESTIMATED, reason=reason("speed_copied_from_nameplate", speed_rpm=1455.0))
    assert "speed_copied_from_nameplate" in doubts_of(slip=slip, **given)


@pytest.mark.parametrize(
    ("given", "state", "code"),
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
        (LOAD_LINE, "normal", "load_oscillation"),
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
        ({**TRACKED, "over_fixed": 1.4}, "unknown", "line_does_not_follow_slip"),
        ({**TRACKED, "over_fixed": 1.6}, "warning", "rotor_asymmetry"),
        (
            {"start_level_db": -39.0, "input_problems": STARTS},
            "warning",
            "rotor_asymmetry_in_start",
        ),
        ({"start_level_db": -41.0, "input_problems": STARTS}, "unknown", "motor_starts"),
    ],
)
def test_what_the_sidebands_say(given: dict[str, Any], state: str, code: str) -> None:
    assert outcome_of(**given) == (state, code)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"voltages": True}, "rotor_asymmetry"),  # so quiet that they exclude the supply
        ({}, "line_at_another_slip"),
        ({"slip": replace(MEASURED, rounding=1e-3)}, "rotor_asymmetry"),
        (
            {"slip": replace(MEASURED, source="slot harmonics", rounding=1e-3)},
            "line_at_another_slip",
        ),
        ({"slip": ESTIMATED}, "rotor_asymmetry"),
        ({"shift_low": -0.1, "shift_high": 0.5}, "rotor_asymmetry"),
        ({"shift_low": -0.5, "shift_high": 0.1}, "line_at_another_slip"),
        ({"deviation_db": 2.0}, "rotor_asymmetry"),
        ({"deviation_db": 2.0, "peak_hz": 2.09}, "line_at_another_slip"),
    ],
)
def test_a_line_beside_twice_the_slip_may_be_the_supply_s(given: dict[str, Any], code: str) -> None:
    assert outcome_of(**{"peak_hz": 2.06, "voltages": False, **given})[1] == code


@pytest.mark.parametrize(
    ("given", "state", "code"),
    [
        ({}, "warning", "rotor_asymmetry"),
        (WEAK, "normal", "sidebands_of_sound_rotor_cage"),
        (NO_LINE, "normal", "no_sidebands"),
        ({**NO_LINE, **ELSEWHERE}, "normal", "no_sidebands"),
        ({"distance_from_load": 1.0}, "unknown", "load_oscillation_or_broken_bars"),
        (LOAD_LINE, "normal", "load_oscillation"),
        ({"baseline_dbc": -48.0, "change_db": 0.0}, "normal", "sidebands_as_baseline"),
    ],
)
def test_a_baseline_learns_what_the_cage_shows(
    given: dict[str, Any], state: str, code: str
) -> None:
    decided, (why, *_) = outcome(CAGE, observed(**given))
    assert (decided.state, why.code) == (state, code)


@pytest.mark.parametrize(
    ("given", "state", "code"),
    [
        (NO_LINE, "unknown", "inverter_without_voltages"),
        (WEAK, "unknown", "inverter_without_voltages"),
        (LOAD_LINE, "unknown", "inverter_without_voltages"),
        ({"level_dbc": -40.0}, "warning", "rotor_asymmetry"),
        ({"level_dbc": -40.0, "voltages": True}, "fault", "rotor_asymmetry"),
    ],
)
def test_behind_a_drive_currents_alone_find_bars_and_clear_none(
    given: dict[str, Any], state: str, code: str
) -> None:
    drive = {"inverter": True, "voltages": False, **given}
    assert outcome_of(**drive) == (state, code)
    doubted = state == "warning" and not given.get("voltages")
    assert ("inverter_without_voltages" in doubts_of(**drive)) == doubted


def test_a_short_record_shows_strong_sidebands_only() -> None:
    short = {"bins": 7.9, "slip": replace(MEASURED, value=0.0081), "off_bins_allowed": np.nan}
    assert outcome_of(**short)[0] == "warning"
    assert outcome_of(**short, **WEAK) == ("unknown", "record_too_short_for_slip")


def test_an_estimated_slip_gives_its_interval() -> None:
    _, (why, *_) = outcome(RULES, observed(ESTIMATED, **NO_LINE, **ELSEWHERE))
    assert why.code == "line_outside_estimated_slip"
    assert (why.values["low_hz"], why.values["high_hz"]) == (1.0, 3.0)


@pytest.mark.parametrize(
    ("given", "doubted"),
    [
        ({}, False),
        ({"voltages": False}, True),
        ({"voltage_bound": 0.2}, True),  # noise of the voltages
        ({"voltages": False, **TRACKED, "over_fixed": 2.1}, False),
        ({"voltages": False, **TRACKED, "over_fixed": 1.9}, True),
    ],
)
def test_a_flicker_that_is_not_excluded_is_a_doubt(given: dict[str, Any], doubted: bool) -> None:
    assert outcome_of(**given)[1] == "rotor_asymmetry"
    assert ("flicker_not_excluded" in doubts_of(**given)) == doubted


def test_a_level_in_noise_is_a_doubt() -> None:
    assert doubts_of(deviation_db=1.1) == ["level_in_noise"]


@pytest.mark.parametrize(
    ("level_dbc", "learnt_dbc", "state", "code"),
    [
        (-48.0, -47.0, "normal", "sidebands_as_baseline"),
        (-48.0, -51.9, "normal", "sidebands_as_baseline"),
        (-48.0, -52.1, "warning", "rotor_asymmetry"),
        (-40.0, -41.0, "warning", "rotor_asymmetry_as_baseline"),
        (-40.0, -45.0, "fault", "rotor_asymmetry"),
        (-48.0, -70.9, "warning", "rotor_asymmetry"),  # levels of noise clear no line
    ],
)
def test_a_baseline_clears_what_has_not_risen(
    level_dbc: float, learnt_dbc: float, state: str, code: str
) -> None:
    learnt = {"baseline_dbc": learnt_dbc, "change_db": level_dbc - learnt_dbc}
    assert outcome_of(level_dbc=level_dbc, **learnt) == (state, code)


def test_a_line_at_another_slip_counts_although_the_baseline_clears() -> None:
    learnt = {"baseline_dbc": -48.0, "change_db": 0.0}
    assert outcome_of(**ELSEWHERE, **learnt) == ("unknown", "line_at_another_slip")


def test_a_slip_from_the_rated_power_makes_no_fault() -> None:
    assert outcome_of(level_dbc=-40.0, slip=GUESSED) == ("warning", "rotor_asymmetry")
    assert "slip_from_rated_power" in doubts_of(level_dbc=-40.0, slip=GUESSED)


def test_an_interval_from_the_rated_power_makes_no_rotor_cage_sound() -> None:
    assert outcome_of(slip=GUESSED, **NO_LINE)[0] == "normal"
    interval = replace(GUESSED, source="rated power and load")
    assert outcome_of(slip=interval, **NO_LINE) == ("unknown", "slip_from_rated_power")
    assert doubts_of(slip=interval, **NO_LINE) == []


@pytest.mark.parametrize(
    ("given", "state", "code"),
    [
        ({**OF_FLICKER, "voltages": False}, "unknown", "flicker"),
        (OF_FLICKER, "fault", "asymmetry"),
        ({**OF_FLICKER, **NO_VOLTAGES, **TRACKED, "over_fixed": 2.1}, "warning", "asymmetry"),
        ({**OF_FLICKER, **NO_VOLTAGES, **TRACKED, "over_fixed": 1.9}, "unknown", "flicker"),
        ({**OF_FLICKER, **NOISY_VOLTAGES}, "unknown", "flicker"),
        ({**NOISY_VOLTAGES, "slip": ESTIMATED}, "warning", "asymmetry"),
        (NO_VOLTAGES, "warning", "asymmetry"),
        ({"slip": ROTOR_LINES, "voltages": False}, "warning", "asymmetry"),
        ({"slip": ROTOR_LINES}, "fault", "asymmetry"),
        ({"voltages": False}, "fault", "asymmetry"),
    ],
)
def test_an_estimated_slip_without_voltages_makes_no_fault(
    given: dict[str, Any], state: str, code: str
) -> None:
    codes = {"flicker": "supply_flicker_or_broken_bars", "asymmetry": "rotor_asymmetry"}
    assert outcome_of(**{"level_dbc": -40.0, **given}) == (state, codes[code])


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "sideband_alone"),
        ({"apart_db": 8.0}, "rotor_asymmetry"),
        ({"off_swing_deg": 20.0}, "rotor_asymmetry"),
        ({"off_swing_deg": np.nan}, "rotor_asymmetry"),
        ({"voltages": True}, "rotor_asymmetry"),
        (TRACKED, "rotor_asymmetry"),
        ({"answered": True}, "rotor_asymmetry"),
    ],
)
def test_a_sideband_that_no_swing_made_is_of_the_supply(given: dict[str, Any], code: str) -> None:
    assert outcome_of(**{**ALONE, **given})[1] == code
