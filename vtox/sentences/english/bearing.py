"""Sentences of the reasons of `bearing`."""

from vtox.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {
    # Not searched.
    "no_vibration_channel": Sentence(
        "no vibration channel: currents neither show nor exclude bearing damage, as its lines "
        "there are weaker than those of the load",
        "Mount an accelerometer at the bearing and send its samples as vibration.",
    ),
    "no_bearing_geometry": Sentence(
        "the nameplate has no bearing orders or geometry",
        "Give bearing.orders, or the geometry of the bearing, on the nameplate.",
    ),
    "no_speed": Sentence(
        "shaft speed unknown: not measured, and not bounded by the nameplate",
        "Send speed_rpm or the currents, or give the rated speed on the nameplate.",
    ),
    "no_speed_on_inverter": Sentence(
        "shaft speed unknown: not measured, and the nameplate does not bound it on an inverter",
        "Send speed_rpm or the currents.",
    ),
    "speed_too_uncertain": Sentence(
        "shaft speed of {speed_rpm:.0f} rpm is uncertain by {tolerance:.1%} ({speed_source!w}), "
        "{largest_tolerance:.0%} or less needed",
        "Send speed_rpm or the currents, or correct the rated speed on the nameplate.",
    ),
    "shaft_at_rest": Sentence(
        "the shaft is at rest: {speed_rpm:g} rpm",
        "Record while the motor runs; check the speed sensor if it does.",
    ),
    "too_few_turns": Sentence(
        "record of {duration_s:.3g} s holds {turns:.0f} shaft turns at {speed_rpm:.0f} rpm, at "
        "least {needed_turns} needed",
        "Send windows without gaps; if the record was whole, send longer ones.",
    ),
    "vibration_rate_too_low": Sentence(
        "vibration sampled at {fs_hz:g} Hz, at least {needed_hz:.0f} Hz needed for a defect "
        "frequency of {highest_hz:.0f} Hz",
        "Sample the vibration at the rate that the reason gives, or faster.",
    ),
    "shaft_speed_changes": Sentence(
        "the shaft speed changes within the record, from {first_rpm:.0f} to {last_rpm:.0f} rpm",
        "Record at a steady speed.",
    ),
    # Searched, undecided.
    "lines_at_masked_orders": Sentence(
        "lines lie where those of the {defects!w} would, and where shaft or supply may have "
        "theirs, at {speed_rpm:.0f} rpm ({speed_source!w})",
        "Send longer windows, so that the lines separate; if the supply's are in the way, "
        "record at another speed.",
    ),
    "shaft_or_bearing": Sentence(
        "lines fit damage of the {defects!w} at {speed_rpm:.0f} rpm ({speed_source!w}), or "
        "{impacts_per_turn!w} impacts a turn, of blades or a coupling, at "
        "{shaft_lines_rpm:.0f} rpm (shaft lines)",
        "Measure the speed of the very record; a set point or the rated speed is not enough.",
    ),
    "unassigned_impacts": Sentence(
        "periodic impacts {order:.3f} times a turn ({repetition_hz:.1f} Hz at {speed_rpm:.0f} "
        "rpm), modulation {modulation_db:z.0f} dB, match no defect order given: another part "
        "(gear, belt, driven machine), or a damaged bearing of other orders or speed",
        "Check the bearing on the nameplate and the speed; inspect gears, belts and neighbours.",
    ),
    "aperiodic_impacts": Sentence(
        "impacts without a steady repetition rate: the envelope at {band_low_hz:.0f} to "
        "{band_high_hz:.0f} Hz of {channel} varies irregularly by {modulation:.0%} of its mean, "
        "as with a damaged bearing at a changing speed, cavitation or sparks",
        "Record at a steady speed; look for cavitation, and for sparks of an inverter.",
    ),
    "weak_bearing_cage_lines": Sentence(
        "weak lines at the bearing cage frequency ({repetition_hz:.1f} Hz, modulation "
        "{modulation_db:z.0f} dB, {ratio:.1f} times the threshold) and at no other defect order: "
        "the bearing cage, a slower shaft, gear or belt at {order:.3f} times the speed, or a "
        "sound bearing",
        "Watch whether the lines grow; find out whether a shaft, gear or belt turns so fast.",
    ),
    "weak_defect_lines": Sentence(
        "weak lines at the order of the {defect!w} ({repetition_hz:.1f} Hz, modulation "
        "{modulation_db:z.0f} dB at {band_low_hz:.0f} to {band_high_hz:.0f} Hz, "
        "{ratio:.1f} times the threshold): sound elements make "
        "such lines as they pass the load zone, most where the shaft is out of balance or line",
        "Watch whether the lines grow; balance and align the shaft.",
    ),
    "supply_or_bearing": Sentence(
        "lines at multiples of a supply frequency of {supply_hz:.2f} Hz exceed those of the "
        "{defect!w} ({repetition_hz:.1f} Hz, {ratio:.1f} times the threshold) at {band_low_hz:.0f} "
        "to {band_high_hz:.0f} Hz of {channel}: pulses or pull of the supply, modulated by the "
        "shaft, have such lines too",
        "Check cable, earth and mounting of the accelerometer; record at another speed.",
    ),
    "smeared_defect_lines": Sentence(
        "power is spread by {smear:.0%} about order {order:.3f} of the {defect!w} and its "
        "multiples at {speed_rpm:.0f} rpm ({speed_source!w}), modulation {modulation_db:z.0f} dB, "
        "as damage does whose speed moves within the record: one reading does not show that it "
        "is steady",
        "Record at a steady speed; where it moves, a line of the shaft must be clear to follow it.",
    ),
    "slower_shaft_or_bearing_cage": Sentence(
        "lines at the bearing cage frequency ({repetition_hz:.2f} Hz, modulation "
        "{modulation_db:z.0f} dB, {ratio:.1f} times the threshold) and at no order of a race or an "
        "element: a shaft, gear, chain or belt that turns at {order:.3f} times the speed, or the "
        "bearing cage",
        "Find out whether a shaft, gear, chain or belt turns at that speed; where none does, "
        "inspect rolling elements and bearing cage.",
    ),
    "another_machine_or_bearing": Sentence(
        "a comb of envelope lines near the order of the {defect!w} ({repetition_hz:.1f} Hz, "
        "modulation {modulation_db:z.0f} dB, {ratio:.1f} times the threshold), without what damage "
        "of that part shows: the sidebands of its load, or just its order where another shaft is "
        "louder: impacts of another bearing, gear or machine that come about as often, or of a "
        "part whose load turns with it",
        "Look for other bearings, gears and machines that repeat so often; record at another "
        "speed, or with an accelerometer nearer to the bearing.",
    ),
    "looseness_or_bearing": Sentence(
        "lines at half shaft orders, of looseness or a rub, and those of the {defect!w} at order "
        "{order:.3f} are among them",
        "Look at feet, seats and covers; record at another speed, so that the lines separate.",
    ),
    # Normal.
    "no_defect_comb": Sentence(
        "no comb of lines at the defect orders at {speed_rpm:.0f} rpm ({speed_source!w}): the "
        "highest, of the {defect!w}, reaches {ratio:.2f} of its threshold",
        "",
    ),
    # Found.
    "bearing_defect": Sentence(
        "{defect!w}: a comb of envelope lines at {repetition_hz:.1f} Hz in "
        "{band_low_hz:.0f} to {band_high_hz:.0f} Hz of {channel} is {ratio:.1f} times its "
        "threshold, modulation {modulation_db:z.0f} dB, at {speed_rpm:.0f} rpm ({speed_source!w})",
        "Inspect the bearing; rely on which part it is only where the confidence is 0.5 or more.",
    ),
    "element_or_bearing_cage": Sentence(
        "rolling element or bearing cage: a comb of envelope lines at the bearing cage frequency, "
        "{repetition_hz:.1f} Hz, in {band_low_hz:.0f} to {band_high_hz:.0f} Hz of {channel} is "
        "{ratio:.1f} times its threshold, modulation {modulation_db:z.0f} dB, at {speed_rpm:.0f} "
        "rpm ({speed_source!w})",
        "Inspect rolling elements and bearing cage.",
    ),
    # Doubts.
    "no_impacts": Sentence(
        "nothing periodic apart from the shaft exceeds the threshold",
        "Give the bearing on the nameplate, so that its defect orders can be searched.",
    ),
    "weak_unassigned_impacts": Sentence(
        "weak periodic impacts {order:.3f} times a turn ({repetition_hz:.1f} Hz at "
        "{speed_rpm:.0f} rpm), modulation {modulation_db:z.0f} dB, match no defect order given",
        "Watch whether they grow.",
    ),
    "impacts_near_shaft_order": Sentence(
        "periodic impacts {order:.3f} times a turn ({repetition_hz:.1f} Hz at {speed_rpm:.0f} "
        "rpm), modulation {modulation_db:z.0f} dB, may be the shaft's",
        "Measure the speed; look at fan, coupling and feet.",
    ),
    "unbalance_lines": Sentence(
        "shaft lines of {velocity_mm_s:.1f} mm/s rms in {channel}, {once_mm_s:.1f} of it once a "
        "turn, as unbalance or a bent shaft makes",
        "Check balance and run-out of rotor, fan and coupling.",
    ),
    "misalignment_lines": Sentence(
        "shaft lines of {velocity_mm_s:.1f} mm/s rms in {channel}, {once_mm_s:.1f} of it once a "
        "turn and strong at higher multiples (most at {order:g}), as misalignment, a coupling or "
        "blades make",
        "Check alignment, coupling and fan.",
    ),
    "looseness_lines": Sentence(
        "shaft lines of {velocity_mm_s:.1f} mm/s rms in {channel}, {once_mm_s:.1f} of it once a "
        "turn, and lines at half orders, as looseness or a rub makes",
        "Look at feet, seats and covers.",
    ),
    "other_defect_comb": Sentence(
        "the comb of the {defect!w} is found too, {ratio:.1f} times its threshold",
        "Inspect that part too.",
    ),
    "orders_masked": Sentence(
        "lines of the {defects!w} may hide behind those of the shaft or the supply",
        "Send longer windows, so that the lines separate; if the supply's are in the way, "
        "record at another speed.",
    ),
    "blades_or_coupling": Sentence(
        "{impacts_per_turn} impacts a turn, of blades or a coupling, fit too",
        "Look at fan and coupling; record at another speed, or measure the speed.",
    ),
    "speed_uncertain": Sentence(
        "the speed is uncertain by {tolerance:.1%}, so that the search is wide",
        "Send speed_rpm or the currents.",
    ),
    "supply_frequency_unknown": Sentence(
        "twice the supply frequency, which is unknown, may lie at the order of the {defect!w} too",
        "Send a current, from which the supply frequency is measured.",
    ),
    "bearing_cage_not_searched": Sentence(
        "the bearing cage is not searched in less than {needed_turns} shaft turns",
        "Send windows without gaps; if the record was whole, send longer ones.",
    ),
    "elements_lag": Sentence(
        "the rolling elements turn {lag:.1%} slower than kinematics say, as at light load; that "
        "fits: {defects!w}",
        "Record under load, or check the speed and the bearing on the nameplate.",
    ),
    "element_sidebands": Sentence(
        "sidebands of a rolling element lie around lines of the shaft that mask its own",
        "Send longer windows, so that the lines separate.",
    ),
}
