"""Sentences of the reasons that any fault may give, and words for identifiers in values."""

from vtox.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {
    "no_current": Sentence("no current channel", "Send ia, ib and ic."),
    "missing_channel": Sentence("channels missing: {channels!w}", "Send what is missing."),
    "load_too_low": Sentence(
        "load of {load_a:.3g} A, at least {needed_a:.3g} A needed", "Measure at a higher load."
    ),
    "no_baseline": Sentence("no baseline", "Learn a baseline from healthy recordings."),
    "baseline_of_other_channels": Sentence(
        "the baseline was learnt before the channel map changed",
        "Nothing: another one is learnt from the stream; without a nameplate, learn one from "
        "recordings, or set the earlier map again.",
    ),
    "no_baseline_at_load": Sentence(
        "no baseline at this load, {load_a:.3g} A", "Let it learn at this load."
    ),
    "no_baseline_at_frequency": Sentence(
        "no baseline at this supply frequency, {f0_hz:.1f} Hz: learnt at {baseline_hz:.1f} Hz",
        "Let it learn at this frequency.",
    ),
    "current_not_steady": Sentence(
        "the current goes from {low_a:.3g} to {high_a:.3g} A within the record",
        "Measure at a steady load.",
    ),
    "inverter_without_voltages": Sentence(
        "inverter supply without voltage channels", "Add the three phase voltages."
    ),
    "too_few_samples": Sentence(
        "{channel}: {samples} samples, at least {needed_samples} needed",
        "Send longer windows without gaps.",
    ),
    "impossible_rate": Sentence(
        "a sampling rate of {fs_hz:g} Hz is impossible", "Correct fs_hz in the sender."
    ),
    "samples_missing": Sentence(
        "{channel}: {missing_samples} of {samples} samples are missing (not finite), "
        "the first at {first_s:.3f} s",
        "Check sensor, cable and converter.",
    ),
    "samples_repeat": Sentence(
        "{channel}: samples are missing, one value repeats for {repeat_s:g} s or more, "
        "first about {first_s:.2f} s into the record",
        "Check sensor, cable and converter; find where the logger drops samples.",
    ),
    "samples_stuck": Sentence(
        "{channel}: stuck samples, only {new_hz:.0f} new values per second at a claimed "
        "rate of {fs_hz:g} Hz",
        "Send at the rate the logger really has.",
    ),
    "samples_rest": Sentence(
        "{channel}: {share:.0%} of the record rests on one value",
        "Check sensor, cable and converter.",
    ),
    "samples_constant": Sentence(
        "{channel}: all samples are equal (stuck or not connected)",
        "Check sensor, cable and converter.",
    ),
    "impossible_values": Sentence(
        "{channel}: impossible values, up to {largest:.3g}",
        "Check scale and unit of the channel.",
    ),
    "clipped": Sentence(
        "{channel}: clipped, {share_high:.1%} of the samples at {high:.4g} and "
        "{share_low:.1%} at {low:.4g}",
        "Give the converter a larger range.",
    ),
    "converter_resolution": Sentence(
        "{channel}: an amplitude of {steps:.0f} steps of the converter, at least {needed_steps} "
        "needed, by {more_bits} more bits: what a fault changes is less than a step",
        "Use a converter with more bits, or a range that fits the current.",
    ),
    "converter_bit_stuck": Sentence(
        "{channel}: bit {bit} of the converter never changes, which leaves an amplitude of "
        "{steps:.0f} steps, at least {needed_steps} needed",
        "Replace the converter, or mend how its samples are read.",
    ),
    "rate_too_low": Sentence(
        "sampling rate of {fs_hz:g} Hz, at least {needed_hz:g} Hz needed",
        "Sample the currents at 400 Hz or more.",
    ),
    "record_too_short": Sentence(
        "record of {duration_s:.3g} s, at least {needed_s:g} s needed",
        "Send windows without gaps, so that they can be joined to a longer record.",
    ),
    "too_few_cycles": Sentence(
        "record of {duration_s:.3g} s holds {cycles:.1f} supply cycles, "
        "at least {needed_cycles} needed",
        "Send windows without gaps; if the record was whole, send longer ones.",
    ),
    "supply_not_found": Sentence(
        "no supply line found: the strongest line, {line_hz:.2f} Hz, holds {power_share:.0%} "
        "of the power",
        "Check that the channel is a phase current and that the motor runs.",
    ),
    "supply_off_nameplate": Sentence(
        "supply line at {f0_hz:.2f} Hz, but the nameplate says {supply_hz:g} Hz",
        "Correct the sampling rate or supply_hz of the nameplate.",
    ),
    "voltages_not_paired": Sentence(
        "voltages and currents are not of the same phases: "
        "power factor angle {power_factor_angle_deg:.0f} deg",
        "Check which voltage belongs to which current, and the direction of each clamp.",
    ),
    "voltages_not_paired_or_generating": Sentence(
        "voltages and currents are not of the same phases, or the machine generates: "
        "power factor angle {power_factor_angle_deg:.0f} deg",
        "Check which voltage belongs to which current; a machine that generates is not diagnosed "
        "with voltages.",
    ),
    "voltages_between_lines": Sentence(
        "voltages of {voltage_v:.0f} V are {phase_voltage_ratio:.2f} times the phase voltage at "
        "{rated_voltage_v:g} V rated: measured between lines, or another connection is rated",
        "Measure the phase voltages, or correct rated_voltage_v.",
    ),
    "voltages_of_no_supply": Sentence(
        "V2 is {unbalance_ratio:.0%} of V1, no supply is so unbalanced: a voltage is reversed, of "
        "another scale or not connected",
        "Check direction, scale and connection of va, vb and vc.",
    ),
    "supply_phase_jumps": Sentence(
        "the phase of the voltages jumps by {jump_deg:.3g} degrees within the record: samples are "
        "missing, repeated or out of order, or the supply was switched",
        "Send windows complete and in order.",
    ),
    "switched_within_record": Sentence(
        "the currents are off for {off_s:.1f} of {duration_s:.1f} s: the motor was switched on or "
        "off within the record",
        "Send windows while the motor runs.",
    ),
    "current_far_above_rated": Sentence(
        "a current of {load_a:.3g} A is far above the rated {rated_a:g} A: the motor is starting, "
        "scale or unit are wrong, or it has another nameplate",
        "Measure after the start; check the ratio of the clamps and rated_current_a.",
    ),
    "current_far_below_rated": Sentence(
        "a current of {load_a:.3g} A is far below what a motor of {rated_a:g} A draws without load",
        "Check that the motor runs, the ratio of the clamps and rated_current_a.",
    ),
    "voltage_off_nameplate": Sentence(
        "phase voltages of {voltage_v:.3g} V do not fit {rated_voltage_v:g} V rated",
        "Check ratio and unit of the voltages, and rated_voltage_v.",
    ),
    "channel_scale_differs": Sentence(
        "{channel} is {ratio:.3g} times as large as the next channel of its kind",
        "Check scale and unit of this channel.",
    ),
}

# Identifiers that stand in the values of reasons (channels, sources, defects) -> their words.
WORDS: dict[str, str] = {
    # Features of a baseline.
    "bearing.vibration_db": "vibration",
    "eccentricity.lower_dbc": "lower rotation sideband",
    "eccentricity.upper_dbc": "upper rotation sideband",
    "broken_bar.lower_dbc": "lower sideband at twice slip frequency",
    "broken_bar.upper_dbc": "upper sideband at twice slip frequency",
    # What a level is relative to, and one that has no line.
    "statistic": "decision statistic",
    "over_chance": "dB over chance",
    "over_limit": "dB over its limit",
    # Parts of a bearing.
    "BPFO": "outer race (BPFO)",
    "BPFI": "inner race (BPFI)",
    "BSF": "rolling element (BSF)",
    "FTF": "bearing cage (FTF)",
    # Sources of a shaft speed.
    "speed_sensor": "speed sensor",
    "current_slip": "slip of the currents",
    "nameplate": "nameplate",
    "refined_by_shaft_lines": "refined by shaft lines",
    "corrected_by_shaft_lines": "corrected by shaft lines",
    "tracked_by_shaft_line": "tracked by a shaft line",
    # What an inrush is a multiple of.
    "rated_current": "rated current",
    "final_current": "final current",
}
