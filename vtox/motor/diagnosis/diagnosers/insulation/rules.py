"""Rules that decide on the insulation, in reading order: the first that holds.

`x` are columns (`InsulationEvidence`); the values of a code are the columns of the same names.
"""

import numpy as np

from vtox.motor.diagnosis.diagnosers.decision import (
    DecisionTable,
    Rule,
    always,
    doubted,
    rule,
    stated,
)
from vtox.motor.diagnosis.diagnosers.insulation.evidence import FAULT_OHM, InsulationEvidence

UNCERTAIN: tuple[Rule[InsulationEvidence], ...] = (
    rule("temperature_unknown", lambda x: np.isnan(x.temperature_c)),
    rule("equal_loss_not_excluded", lambda x: ~x.whole),
)
CHANGE = ("capacitance_nanofarad", "change_nanofarad")

RULES: DecisionTable[InsulationEvidence] = DecisionTable(
    stated("input_problems"),
    *doubted(
        UNCERTAIN,
        rule(
            "phase_leaks",
            lambda x: x.leaks & x.phase_leaks,
            "resistance_megohm",
            "phase",
            "limit_megohm",
            fault=lambda x: x.severe,
        ),
        stated("step_problems"),
        rule(
            "winding_leaks",
            lambda x: x.leaks,
            "resistance_megohm",
            "limit_megohm",
            fault=lambda x: x.severe,
        ),
        rule(
            "phase_capacitance_changed",
            lambda x: x.changed & x.phase_changed,
            *CHANGE,
            "phase",
            state="warning",
        ),
        rule("winding_capacitance_changed", lambda x: x.changed, *CHANGE, state="warning"),
        rule(
            "leakage_too_noisy",
            lambda x: x.most_s > 1 / FAULT_OHM,
            "possible_megohm",
            needed_megohm=FAULT_OHM / 1e6,
        ),
        # A winding wet all over would not show.
        rule("no_phase_leaks", lambda x: ~x.whole, "possible_microsiemens"),
        rule(
            "insulation_sound", always, "resistance_megohm", "capacitance_nanofarad", state="normal"
        ),
    ),
)
