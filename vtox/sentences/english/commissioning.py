"""Sentences of what is wrong with the wiring or the nameplate of a machine."""

from vtox.sentences.sentence import Sentence

_CONSENT = "correct the wiring, or set the proposed channel map."

SENTENCES: dict[str, Sentence] = {
    "channels_swapped": Sentence(
        "the channels {channels!w} are exchanged, or the voltages of these phases are",
        f"Look which clamp is on which phase, then {_CONSENT}",
    ),
    "channels_turned": Sentence(
        "the currents are turned by a phase against the voltages: phases a, b and c are sent as "
        "{channels!w}",
        f"Look which clamp is on which phase, then {_CONSENT}",
    ),
    "channel_reversed": Sentence(
        "the channel {channel} is reversed",
        f"Look at the arrow on the clamp and at its two wires, then {_CONSENT}",
    ),
    "channel_ratio_differs": Sentence(
        "the channel {channel} is {ratio:.3g} times what the other two of its kind leave for it",
        f"Look at ratio, turns and unit of this channel, then {_CONSENT}",
    ),
    "channels_carry_one_signal": Sentence(
        "the channels {channels!w} carry the same signal",
        "Move one of them to the phase that is missing.",
    ),
    "channel_not_connected": Sentence(
        "the channel {channel} shows nothing of the supply while the other two do",
        "Close the clamp, or connect the channel.",
    ),
    "phase_orders_differ": Sentence(
        "currents and voltages follow each other in opposite orders, and which of them are "
        "exchanged cannot be told at this load",
        "Look which channel is on which phase, or look again at another load.",
    ),
    "voltages_of_another_supply": Sentence(
        "the angle between voltages and currents does not stay (coherence {coherence_ratio:.0%}): "
        "the voltages are of another supply",
        "Measure the voltages at the terminals of this machine.",
    ),
    "pole_pairs_off_rated_speed": Sentence(
        "{rated_speed_rpm:g} rpm is not the rated speed of a motor with {pole_pairs} pole pairs at "
        "{supply_hz:g} Hz",
        "Correct pole_pairs (half the number of poles) or rated_speed_rpm on the nameplate.",
    ),
}
