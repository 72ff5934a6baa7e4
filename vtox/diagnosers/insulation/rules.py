"""What decides on the insulation, in reading order: the first rule that holds.

`x` are columns (`Evidence`); the values of a code are the columns of the same names.
"""

import numpy as np

from vtox.diagnosers.decision import Rule, Table, always, rule, stated
from vtox.diagnosers.insulation.evidence import Evidence

# Least resistance to earth at 40 C of random-wound machines below 1 kV (IEEE 43-2013): `warning`.
MINIMUM_OHM = 5e6
# A fifth of it is what one phase of a wet or burnt winding shows: `fault`.
FAULT_OHM = 1e6

UNCERTAIN: tuple[Rule[Evidence], ...] = (
    rule("temperature_unknown", lambda x: np.isnan(x.temperature_c)),
    rule("equal_loss_not_excluded", lambda x: ~x.whole),
)
CHANGE = ("capacitance_nanofarad", "change_nanofarad")

RULES: Table[Evidence] = Table(
    stated("input_problems"),
    rule(
        "phase_leaks",
        lambda x: (x.least_s > 1 / FAULT_OHM) & x.phase_leaks,
        "resistance_megohm",
        "phase",
        limit_megohm=FAULT_OHM / 1e6,
        state="fault",
        doubts=UNCERTAIN,
    ),
    rule(
        "winding_leaks",
        lambda x: x.least_s > 1 / FAULT_OHM,
        "resistance_megohm",
        limit_megohm=FAULT_OHM / 1e6,
        state="fault",
        doubts=UNCERTAIN,
    ),
    rule(
        "phase_leaks",
        lambda x: (x.least_s > 1 / MINIMUM_OHM) & x.phase_leaks,
        "resistance_megohm",
        "phase",
        limit_megohm=MINIMUM_OHM / 1e6,
        state="warning",
        doubts=UNCERTAIN,
    ),
    rule(
        "winding_leaks",
        lambda x: x.least_s > 1 / MINIMUM_OHM,
        "resistance_megohm",
        limit_megohm=MINIMUM_OHM / 1e6,
        state="warning",
        doubts=UNCERTAIN,
    ),
    rule(
        "phase_capacitance_changed",
        lambda x: (np.abs(x.change_f) > x.bound_f) & x.phase_changed,
        *CHANGE,
        "phase",
        state="warning",
        doubts=UNCERTAIN,
    ),
    rule(
        "winding_capacitance_changed",
        lambda x: np.abs(x.change_f) > x.bound_f,
        *CHANGE,
        state="warning",
        doubts=UNCERTAIN,
    ),
    rule(
        "leakage_too_noisy",
        lambda x: x.most_s > 1 / FAULT_OHM,
        "possible_megohm",
        needed_megohm=FAULT_OHM / 1e6,
        doubts=UNCERTAIN,
    ),
    # A winding wet all over would not show.
    rule("no_phase_leaks", lambda x: ~x.whole, "possible_microsiemens", doubts=UNCERTAIN),
    rule(
        "insulation_sound",
        always,
        "resistance_megohm",
        "capacitance_nanofarad",
        state="normal",
        doubts=UNCERTAIN,
    ),
)
