"""Sentences of the reasons of `turn_short`."""

from vtox.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {
    "asymmetry_within_limit": Sentence(
        "negative-sequence current {corrected_ratio:.1%} of I1 beyond that of a healthy machine, "
        "within the limit of {limit_ratio:.1%} ({basis!w})",
        "",
    ),
    "turn_short_found": Sentence(
        "turn short in phase {phase}: negative-sequence current {excess_ratio:.1%} of I1 beyond "
        "that of a healthy machine ({basis!w})",
        "Test the winding of that phase (resistance, surge test); stop the machine at a fault.",
    ),
    "asymmetry_found": Sentence(
        "asymmetry in phase {phase} (turn short, supply or joint): negative-sequence current "
        "{excess_ratio:.1%} of I1 beyond that of a healthy machine ({basis!w})",
        "Compare the neighbours on the same supply, measure the joints; voltages would decide.",
    ),
    "joint_not_excluded": Sentence(
        "a high-resistance joint in phase {phase} would look the same",
        "Check the terminals of that phase by thermography before the winding is opened.",
    ),
    "part_of_record": Sentence(
        "in {record_share:.0%} of the record, between {start_s:.2f} and {end_s:.2f} s",
        "Compare these times with the load and with what switches on the same supply.",
    ),
    "clamp_changed": Sentence(
        "the three currents no longer add up to zero: the clamp of phase {phase} reads "
        "{gain_change_ratio:+.1%}, or current flows to earth",
        "Check that clamp, then the insulation to earth.",
    ),
    "clamp_of_two_not_excluded": Sentence(
        "the third current is computed from two: the gain of one clamp, {gain_change_ratio:.1%} "
        "off, would change the currents in the same way",
        "Measure all three currents; look at the two clamps.",
    ),
    "currents_do_not_sum_to_zero": Sentence(
        "the three currents do not add up to zero: |I0|/I1 of {zero_sequence_ratio:.0%}, a clamp "
        "is missing or on another circuit",
        "Look at clamps and fuses at once.",
    ),
    "phase_open": Sentence(
        "|I2|/I1 of {negative_sequence_ratio:.0%}: a phase is open, or a clamp is on another "
        "circuit",
        "Look at clamps and fuses at once.",
    ),
    "asymmetry_not_steady": Sentence(
        "the negative-sequence current moves within the record: its limit of {limit_ratio:.0%} of "
        "I1 cannot exclude a developing short",
        "Measure at a steady load.",
    ),
    "voltage_unbalance_too_large": Sentence(
        "voltage unbalance of {unbalance_ratio:.1%} is too large to correct for, at most "
        "{limit_ratio:.1%} allowed",
        "Mend the supply.",
    ),
    "baseline_of_earlier_version": Sentence(
        "the baseline is of an earlier version and stores no supply frequency",
        "Learn the baseline again.",
    ),
    "phases_renamed": Sentence(
        "the voltages fit the currents when turned by {turned_deg:g} degrees, by {learnt_deg:g} "
        "when the baseline was learnt: channels were exchanged since",
        "Put clamps and voltage leads back as they were, or learn the baseline again.",
    ),
    "current_scale_changed": Sentence(
        "the reactive current at this voltage is {susceptance_ratio:.2f} times that of the "
        "baseline, more than a load changes: a ratio of clamps or of voltages is another",
        "Check the ratios of the clamps and of the voltages; learn the baseline again if they are "
        "right now.",
    ),
    "baseline_needs_voltages": Sentence(
        "the baseline was learnt with voltages, which are missing here",
        "Send the voltages, or learn a baseline from currents alone.",
    ),
    "supply_and_clamps_not_excluded": Sentence(
        "|I2|/I1 of {ratio:.1%} alone does not decide, supply and clamps may cause up to "
        "{limit_ratio:.0%}",
        "Learn a baseline; add voltages.",
    ),
    "rated_current_unknown": Sentence(
        "the load is not known without the rated current",
        "Complete the nameplate: rated_current_a, or rated_power_w and rated_voltage_v.",
    ),
    "supply_not_excluded": Sentence(
        "the baseline cannot exclude a developing short: the supply alone may cause up to "
        "{limit_ratio:.0%} of I1",
        "Add voltages: the supply moves, or the load is light.",
    ),
    "baseline_too_uncertain": Sentence(
        "the baseline cannot exclude a developing short: its limit is {limit_ratio:.0%} of I1",
        "Learn the baseline again at a steady load, from longer records.",
    ),
}
