"""The condition that would make a diagnosis possible, by the code of its abstention."""

from collections.abc import Mapping
from typing import Literal

Unlock = Literal[
    "channel",  # one more measured quantity
    "nameplate",  # a rated value, the bearing
    "baseline",  # learnt from healthy records, or learnt again
    "load",  # more of it
    "speed",  # a measured one, or a running shaft
    "record",  # longer, without gaps
    "rate",  # faster sampling
    "steadiness",  # of load, speed or supply within a record
    "wiring",  # sensors, clamps, scales, the converter
    "noise",  # less of it
    "distinction",  # the finding has several causes: another load, speed or test shows which
    "windows",  # the machine must send
]

_CODES: Mapping[Unlock, tuple[str, ...]] = {
    "channel": (
        "clamp_of_two_not_excluded",
        "inverter_without_voltages",
        "missing_channel",
        "no_current",
        "no_vibration_channel",
        "supply_and_clamps_not_excluded",
        "supply_not_excluded",
        "voltages_to_earth_needed",
    ),
    "nameplate": (
        "class_without_efficiency",
        "current_far_above_rated",
        "current_far_below_rated",
        "interval_too_wide",
        "inverter_needs_resistance",
        "load_contradicts_nameplate",
        "losses_contradict_efficiency",
        "no_bearing_geometry",
        "pole_pairs_unknown",
        "power_factor_of_no_motor",
        "rated_current_unknown",
        "rated_efficiency_unknown",
        "rated_power_unknown",
        "rated_speed_implausible",
        "rated_speed_unknown",
        "rated_supply_or_poles_unknown",
        "rated_supply_unknown",
        "rated_voltage_unknown",
        "supply_off_nameplate",
        "voltage_off_nameplate",
        "voltages_between_lines",
    ),
    "baseline": (
        "baseline_needs_voltages",
        "baseline_of_other_channels",
        "baseline_too_scattered",
        "baseline_too_uncertain",
        "few_periods_learnt",
        "no_baseline",
        "no_baseline_at_frequency",
        "no_baseline_at_load",
    ),
    "load": (
        "load_too_low",
        "load_too_low_to_estimate",
        "slip_possibly_too_small",
        "slip_too_small",
    ),
    "speed": (
        "no_speed",
        "shaft_at_rest",
        "slip_sources_disagree",
        "speed_copied_from_nameplate",
        "speed_implausible",
        "speed_too_uncertain",
    ),
    "record": (
        "record_too_short",
        "record_too_short_for_least_slip",
        "record_too_short_for_slip",
        "supply_phase_jumps",
        "too_few_cycles",
        "too_few_samples",
        "too_few_turns",
        "two_pole_lines_merge",
    ),
    "rate": ("rate_too_low", "vibration_rate_too_low"),
    "steadiness": (
        "asymmetry_not_steady",
        "current_not_steady",
        "drive_frequency_outside",
        "motor_runs_down",
        "motor_stands_still",
        "motor_start_throughout",
        "motor_start_under_way",
        "motor_start_unfinished",
        "motor_starts",
        "shaft_speed_changes",
        "supply_not_steady",
        "switched_within_record",
    ),
    "wiring": (
        "channel_reversed",
        "channel_scale_differs",
        "clamp_changed",
        "clipped",
        "converter_bit_stuck",
        "converter_resolution",
        "current_scale_changed",
        "currents_do_not_sum_to_zero",
        "impossible_rate",
        "impossible_values",
        "leakage_as_large_as_phase_current",
        "leakage_implausible",
        "leakage_larger_than_earth_fault",
        "leakage_reversed",
        "line_voltages_do_not_sum_to_zero",
        "phase_open",
        "phase_orders_differ",
        "phases_renamed",
        "samples_constant",
        "samples_copied",
        "samples_lost_regularly",
        "samples_missing",
        "samples_repeat",
        "samples_rest",
        "samples_stuck",
        "signal_repeats",
        "supply_not_found",
        "voltage_unbalance_too_large",
        "voltages_not_paired",
        "voltages_not_paired_or_generating",
        "voltages_of_no_supply",
    ),
    "noise": (
        "leakage_too_noisy",
        "noise_hides_sidebands",
        "rotation_sidebands_in_noise",
        "sidebands_in_noise",
    ),
    "distinction": (
        "aperiodic_impacts",
        "here_or_a_neighbour",
        "line_at_another_slip",
        "line_beside_rotation_sidebands",
        "line_outside_estimated_slip",
        "lines_at_masked_orders",
        "load_oscillation_hides_sidebands",
        "load_oscillation_or_broken_bars",
        "looseness_or_bearing",
        "neighbour_or_bearing",
        "no_phase_leaks",
        "rotation_sideband_alone",
        "rotation_sidebands_in_voltage",
        "shaft_or_bearing",
        "sideband_alone",
        "sidebands_are_harmonics",
        "sidebands_in_voltage",
        "slower_shaft_or_bearing_cage",
        "supply_flicker_or_broken_bars",
        "unassigned_impacts",
        "weak_defect_lines",
    ),
    "windows": ("machine_silent", "no_diagnosis_yet"),
}
_UNLOCKS: Mapping[str, Unlock] = {code: u for u, codes in _CODES.items() for code in codes}
CODES = frozenset(_UNLOCKS)


def unlock(code: str) -> Unlock:
    """Return the condition that makes a diagnosis possible that abstained with a code.

    For a code of another version: something that distinguishes causes.
    """
    return _UNLOCKS.get(code, "distinction")
