"""Sentences of the reasons why the slip is not known, or not by the speed that was sent."""

from vtox.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {
    "pole_pairs_unknown": Sentence(
        "slip unknown: neither the nameplate nor a speed gives the number of pole pairs",
        "Give pole_pairs and rated_speed_rpm on the nameplate, or send speed_rpm.",
    ),
    "rated_speed_unknown": Sentence(
        "slip unknown: no measured speed, and no rated speed on the nameplate",
        "Send speed_rpm, or give rated_speed_rpm on the nameplate.",
    ),
    "slip_from_rated_power": Sentence(
        "no measured speed and no rated speed on the nameplate: the slip is one that motors of "
        "{rated_power_w:.0f} W can have at this load",
        "Send speed_rpm, or give rated_speed_rpm or rotor_bars on the nameplate.",
    ),
    "rated_supply_unknown": Sentence(
        "slip unknown: no measured speed, and the nameplate does not say at which supply "
        "frequency {rated_speed_rpm:g} rpm is the rated speed",
        "Send speed_rpm, or give supply_hz on the nameplate.",
    ),
    "rated_speed_implausible": Sentence(
        "slip unknown: no measured speed, and a rated speed of {rated_speed_rpm:g} rpm is not "
        "that of a loaded motor with {pole_pairs} pole pairs at {supply_hz:g} Hz",
        "Correct rated_speed_rpm, pole_pairs or supply_hz on the nameplate, or send speed_rpm.",
    ),
    "slip_sources_disagree": Sentence(
        "slip unknown: {slip:.2%} ({slip_source!w}), but {other_low:.2%} to {other_high:.2%} "
        "({other_source!w})",
        "Measure the speed on the shaft; correct speed_rpm, or rotor_bars, rated_speed_rpm and "
        "rated_current_a on the nameplate.",
    ),
    "speed_implausible": Sentence(
        "a speed of {speed_rpm:g} rpm does not fit a supply of {f0_hz:.2f} Hz and {pole_pairs} "
        "pole pairs",
        "Check the speed sensor, and pole_pairs on the nameplate.",
    ),
    "speed_copied_from_nameplate": Sentence(
        "a speed of {speed_rpm:g} rpm is the rated speed of the nameplate, not one measured at "
        "this load",
        "Send the measured speed; without one send none.",
    ),
}
