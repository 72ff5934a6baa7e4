"""Sentences of why a baseline is not extended by a further load."""

from vtox.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {
    "level_rises": Sentence(
        "{feature!w} is {rise_db:.1f} dB above its level at {baseline_load_a:.3g} A, at most "
        "{limit_db:.1f} dB go with the load",
        "Look for the fault; if the machine is healthy, learn from recordings at all loads.",
    ),
    "asymmetry_differs": Sentence(
        "negative-sequence current {difference_ratio:.1%} of I1 from what the baseline expects at "
        "{load_a:.3g} A",
        "Check winding, clamps and supply; if the machine is healthy, learn from recordings at all "
        "loads.",
    ),
    "supply_frequency_differs": Sentence(
        "another speed: supply of {f0_hz:.1f} Hz, learnt at {baseline_hz:.1f} Hz",
        "Learn at the frequency at which the machine runs most.",
    ),
}
