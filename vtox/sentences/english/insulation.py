"""Sentences of the reasons of `insulation`."""

from vtox.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {
    "insulation_sound": Sentence(
        "{resistance_megohm:.3g} Mohm to earth or more ({capacitance_nanofarad:.3g} nF)", ""
    ),
    "winding_leaks": Sentence(
        "{resistance_megohm:.2g} Mohm to earth, below {limit_megohm:g} Mohm",
        "Test the insulation with DC at a standstill; dry or clean the winding.",
    ),
    "phase_leaks": Sentence(
        "{resistance_megohm:.2g} Mohm to earth in phase {phase}, below {limit_megohm:g} Mohm",
        "Test the insulation of that phase with DC at a standstill; dry or clean the winding.",
    ),
    "winding_capacitance_changed": Sentence(
        "capacitance to earth of {capacitance_nanofarad:.3g} nF, {change_nanofarad:+.2g} nF from "
        "the baseline",
        "Moisture raises it, layers that part lower it: test at a standstill.",
    ),
    "phase_capacitance_changed": Sentence(
        "capacitance to earth of {capacitance_nanofarad:.3g} nF, {change_nanofarad:+.2g} nF from "
        "the baseline in phase {phase}",
        "Moisture raises it, layers that part lower it: test that phase at a standstill.",
    ),
    "leakage_too_noisy": Sentence(
        "noise cannot exclude a resistance to earth of {possible_megohm:.2g} Mohm, at least "
        "{needed_megohm:g} Mohm must be certain",
        "Fit a better transformer or range; check its neighbours for interference.",
    ),
    "no_phase_leaks": Sentence(
        "no phase leaks {possible_microsiemens:.2g} uS more than the others",
        "The voltages have no zero sequence: test with DC at a standstill now and then.",
    ),
    "leakage_as_large_as_phase_current": Sentence(
        "leakage of {leakage_a:.3g} A beside a load of {load_a:.3g} A: that of a phase current",
        "Lay all three phases through one transformer; check scale and unit of leakage.",
    ),
    "leakage_larger_than_earth_fault": Sentence(
        "leakage of {leakage_a:.3g} A beside a load of {load_a:.3g} A, while the voltages to earth "
        "are balanced: a winding carries that only until it burns",
        "Check scale and unit of leakage; if they are right, stop the motor: an earth fault.",
    ),
    "leakage_implausible": Sentence(
        "{capacitance_nanofarad:.3g} nF to earth, which no winding with its cable has",
        "Check scale and unit of leakage and voltages.",
    ),
    "leakage_reversed": Sentence(
        "capacitance to earth of {capacitance_nanofarad:.3g} nF: the leakage transformer or the "
        "voltages are reversed",
        "Turn one of them about.",
    ),
    "voltages_to_earth_needed": Sentence(
        "the leakage current needs va, vb and vc to earth", "Measure the voltages to earth."
    ),
    "temperature_unknown": Sentence(
        "temperature unknown, the resistance is not corrected to 40 C",
        "Send temperature_c: a warm winding looks worse than it is at 40 C.",
    ),
    "equal_loss_not_excluded": Sentence(
        "equal loss in all three phases would not show",
        "The voltages have no zero sequence: test with DC at a standstill now and then.",
    ),
}
