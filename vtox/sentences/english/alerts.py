"""Sentences of alerts that are no diagnosis: cleared ones, and the flags of a machine."""

from vtox.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {
    "nothing_found": Sentence(
        "nothing found in {records} records in a row",
        "Nothing: the alarm has ended; look at its waveforms in the evidence if it comes back.",
    ),
    "nothing_found_in_slots": Sentence(
        "nothing found in {slots} slots of {slot_s:g} s in a row",
        "Nothing: the alarm has ended; look at its waveforms in the evidence if it comes back.",
    ),
    "below_sensitivity": Sentence(
        "in {slots} records or slots in a row nothing was found with severity {severity:.0%} and "
        "confidence {confidence:.0%}, which is what alerts on this machine",
        "Look at the diagnoses: a fault below the sensitivity of the machine raises no alarm.",
    ),
    "machine_retired": Sentence(
        "machine retired",
        "Nothing: whoever retired the machine has ended its alarms; it is new if it sends again.",
    ),
    "machine_forgotten": Sentence(
        "nothing came of the machine for long, and it has no nameplate",
        "Nothing, if it is gone; it is new if it sends again. Register it to keep it.",
    ),
    "machine_silent": Sentence(
        "no window arrives",
        "Check the sender, its sensors' supply and its network; retire a machine that is gone.",
    ),
    "silence_duration": Sentence(
        "none had come for {silence_s:.0f} s when the alarm was raised",
        "Check the sender, its sensors' supply and its network; retire a machine that is gone.",
    ),
    "sender_departed": Sentence(
        "its sender has left the broker",
        "Check the sender, its sensors' supply and its network; retire a machine that is gone.",
    ),
    "windows_arrive": Sentence("windows arrive again", "Nothing: the machine sends again."),
    "clock_off": Sentence(
        "the clock of the sender is wrong",
        "Let the sender keep time by NTP and send t0 in seconds since 1970, UTC.",
    ),
    "clock_offset": Sentence(
        "t0 is {offset_s:+.0f} s from the time of arrival",
        "Let the sender keep time by NTP and send t0 in seconds since 1970, UTC.",
    ),
    "clock_right": Sentence(
        "the clock of the sender is right again", "Nothing: the times of the results are right."
    ),
    "no_machine_of_site_sends": Sentence(
        "no machine of this site sends: all {machines} are silent",
        "Look first at what they share: power, gateway and network of the site, then at the "
        "senders. What was found before is not watched until they send again.",
    ),
    "machines_of_site_silent": Sentence(
        "{machines} of the {of_machines} machines of this site fell silent, {silent} still are",
        "Look first at what they share: power, gateway and network of the site, then at the "
        "senders.",
    ),
    "machines_of_supply_move_together": Sentence(
        "{machines} of the {of_machines} machines of {supply} raised this alarm within "
        "{within_s:g} s",
        "Look first at what they share: the voltages of the supply (a lost phase, unbalance, a "
        "disturbance), power and network of the senders; then at each machine. One with a fault of "
        "its own can be ungrouped.",
    ),
}
