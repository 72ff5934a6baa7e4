"""Sentences of machines that start, run down or stand still within a record."""

from vtox.sentences.sentence import Sentence

_STEADY = "Nothing is wrong with the record: diagnose one of the steady state."

SENTENCES: dict[str, Sentence] = {
    "motor_starts": Sentence(
        "the motor starts {on_s:.2f} s into the record and takes {duration_s:.3g} s, until its "
        "current stays at {final_a:.3g} A; inrush {inrush_a:.3g} A rms, "
        "{inrush_ratio:.2g} times the {base!w}, with a peak of {peak_a:.3g} A",
        _STEADY,
    ),
    "motor_start_unfinished": Sentence(
        "the motor starts {on_s:.2f} s into the record and has not finished at its end; inrush "
        "{inrush_a:.3g} A rms, with a peak of {peak_a:.3g} A",
        "Record until the start is over, and diagnose a record of the steady state.",
    ),
    "motor_start_under_way": Sentence(
        "the record begins while the motor starts; it has finished {end_s:.2f} s into the record, "
        "at {final_a:.3g} A",
        "Record from before the start, and diagnose a record of the steady state.",
    ),
    "motor_start_throughout": Sentence(
        "the motor starts throughout the record, with up to {starting_a:.3g} A",
        "Record from before the start until it is over; measure again if it never is.",
    ),
    "motor_runs_down": Sentence(
        "the motor is switched off or slowed down within the record, {end_s:.2f} s after its "
        "beginning",
        _STEADY,
    ),
    "motor_stands_still": Sentence(
        "currents of {current_a:.2g} A at most, of {rated_a:g} A rated: the motor stands still, or "
        "the clamps are not around its conductors",
        "Diagnose a record of the running machine; if it runs, check the clamps.",
    ),
    "inrush_clipped": Sentence(
        "the converter clips the inrush, of which the figures are the least that it was",
        "Give the converter a larger range.",
    ),
    "starting_current": Sentence(
        "starting current {starting_a:.3g} A rms, once the offset of the inrush has decayed", ""
    ),
    "supply_dips_at_start": Sentence("the supply dips by {dip_ratio:.1%} while it starts", ""),
    "start_before_record": Sentence(
        "duration and inrush are not known: the motor was on before the record begins",
        "Record from before the start.",
    ),
    "start_end_not_seen": Sentence(
        "duration and final current are not known: the start does not end within the record",
        "Record until the start is over.",
    ),
    "start_without_voltages": Sentence(
        "the dip of the supply is not known: three voltages are needed",
        "Add the three phase voltages.",
    ),
    "voltage_before_start_not_seen": Sentence(
        "the dip of the supply is not known: the voltage before the start was not recorded",
        "Measure the voltages before the switch, and record from before the start.",
    ),
}
