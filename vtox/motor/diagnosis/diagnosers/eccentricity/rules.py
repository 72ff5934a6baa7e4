"""Rules that decide on eccentricity, in reading order: the first that holds.

`x` are columns (`EccentricityEvidence`); the values of a code are the columns of the same names.
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
from vtox.motor.diagnosis.diagnosers.eccentricity.evidence import (
    EccentricityEvidence,
    Preconditions,
)
from vtox.motor.diagnosis.dsp.modulation_spectrum import MIN_OVER_FLOOR_AT_PLACE

# Judgement: no standard gives a level (docs/calibration/eccentricity.md).
MAX_CURRENT_RANGE = 0.25
# Reactance over that of the rated load from which a line of the voltage drives the current's. The
# leakage of machines is above, supplies are below (docs/calibration/eccentricity.md#supply).
MIN_LEAKAGE = 0.07

# A line at the speed of rotation has two sidebands, within 10 dB of each other; an interharmonic of
# the supply has one (docs/calibration/eccentricity.md#false-warnings).
MAX_APART_DB = 15.0

SLIP: tuple[Rule[Preconditions], ...] = (stated("slip_doubts"),)
RISE = ("change_db", "level_dbc", "rotation_hz")

# Without these no level is compared, and nothing is learnt.
CONDITIONS: DecisionTable[Preconditions] = DecisionTable(
    stated("input_problems"),
    *doubted(
        SLIP,
        stated("slip_problems"),
        rule(
            "current_not_steady", lambda x: x.current_range > MAX_CURRENT_RANGE, "low_a", "high_a"
        ),
    ),
)

RISES: tuple[Rule[EccentricityEvidence], ...] = doubted(
    SLIP,
    stated("baseline_problems"),
    rule(
        "rotation_sidebands_steady",
        lambda x: x.change_db < x.limit_db,
        "change_db",
        state="normal",
    ),
    # A second harmonic of the supply may have made the rise.
    rule("two_pole_lines_merge", lambda x: x.merged, "change_db", "slip", "needed_s"),
    rule(
        "rotation_sidebands_in_noise",
        lambda x: x.over_floor < MIN_OVER_FLOOR_AT_PLACE,
        "floor_dbc",
        "baseline_dbc",
    ),
    rule(
        "line_beside_rotation_sidebands",
        lambda x: np.isfinite(x.neighbour_hz),
        ("line_hz", "neighbour_hz"),
        "rotation_hz",
    ),
    # A line of one side that moves the speed makes a weaker one on the other.
    rule("rotation_sidebands_in_voltage", lambda x: x.reactance >= MIN_LEAKAGE, *RISE),
    # Movements by rotor and load make both sidebands.
    rule("rotation_sideband_alone", lambda x: x.apart_db > MAX_APART_DB, *RISE, "apart_db"),
    # Never `fault`: unbalance, a coupling or a load that swings once a turn look the same.
    rule(
        "rotation_sidebands_risen",
        always,
        *RISE,
        state="warning",
        causes=("unbalance", "misalignment", "load_once_a_turn"),
    ),
)
RULES: DecisionTable[EccentricityEvidence] = DecisionTable(*CONDITIONS.rules, *RISES)
