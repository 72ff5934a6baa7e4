"""Rules that decide a turn short, in reading order: the first that holds gives code and state.

`x` are columns (`TurnShortEvidence`); the values of a code are the columns of the same names.
"""

from vtox.motor.diagnosis.diagnosers.decision import (
    DecisionTable,
    Rule,
    always,
    doubted,
    rule,
    stated,
)
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_excess import DECISIVE_LIMIT
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_model import LEAST_PERIODS
from vtox.motor.diagnosis.diagnosers.turn_short.conditions import Conditions
from vtox.motor.diagnosis.diagnosers.turn_short.evidence import TurnShortEvidence
from vtox.motor.values.arrays import Bool

# Largest |I0|/|I1| of three clamps on one motor.
ZERO_SEQUENCE_LIMIT = 0.3
# Largest |I2|/|I1| with all phases closed: docs/calibration/turn_short.md#open-phases.
OPEN_RATIO = 0.9
# Largest |I1| of a record over its least.
UNSTEADY_RATIO = 2.0
# Largest V2/V1 that can be corrected for: docs/calibration/turn_short.md#supply.
UNBALANCE_LIMIT = 0.023


def unbalanced(x: Conditions) -> Bool:
    """Return the records whose V2 is larger than a supply's that can be corrected for."""
    return x.voltages & (x.unbalance_ratio > UNBALANCE_LIMIT)


# Without these no asymmetry is examined, and nothing is learnt.
CONDITIONS: DecisionTable[Conditions] = DecisionTable(
    stated("input_problems"),
    rule("missing_channel", lambda x: ~x.three_currents, ("channels", "missing")),
    rule("record_too_short", lambda x: ~x.frames, "duration_s", "needed_s"),
    rule(
        "currents_do_not_sum_to_zero",
        lambda x: x.zero_sequence_ratio > ZERO_SEQUENCE_LIMIT,
        "zero_sequence_ratio",
    ),
    rule("phase_open", lambda x: x.negative_sequence_ratio > OPEN_RATIO, "negative_sequence_ratio"),
    rule(
        "current_not_steady",
        lambda x: ~((x.low_a > 0) & (x.high_a <= UNSTEADY_RATIO * x.low_a)),
        "low_a",
        "high_a",
    ),
    rule("load_too_low", lambda x: x.load_a < x.needed_a, "load_a", "needed_a"),
    stated("voltage_problems", lambda x: x.inverter),
    rule(
        "voltage_unbalance_too_large",
        lambda x: unbalanced(x) & ~x.inverter,
        "unbalance_ratio",
        limit_ratio=UNBALANCE_LIMIT,
    ),
)

UNUSED_VOLTAGES: tuple[Rule[Conditions], ...] = (stated("voltage_problems"),)
PART: Rule[TurnShortEvidence] = rule(
    "part_of_record", lambda x: x.in_part, "record_share", "start_s", "end_s"
)
# Without voltages the code itself leaves joints open.
JOINT: Rule[TurnShortEvidence] = rule(
    "joint_not_excluded", lambda x: x.by_voltage & (x.joint != ""), ("phase", "joint")
)
FOUND = ("phase", "excess_ratio", "basis")

RULES: DecisionTable[TurnShortEvidence] = DecisionTable(
    *CONDITIONS.rules,
    # The asymmetry of a drive is unknown before it was learnt.
    stated("baseline_problems", lambda x: x.inverter & ~x.voltages),
    # Vector control answers a short with V2; before a baseline it may be one voltage channel's.
    rule(
        "voltage_unbalance_too_large",
        lambda x: x.inverter & unbalanced(x) & ~x.learnt,
        "unbalance_ratio",
        limit_ratio=UNBALANCE_LIMIT,
    ),
    *doubted(
        UNUSED_VOLTAGES,
        # Another wiring or scale than the baseline's explains an excess. So does the gain of one
        # clamp, against the quiet part of the record, the baseline or, without one, a sound motor.
        rule(
            "phases_renamed",
            lambda x: (x.over | x.undecided) & x.renamed,
            "turned_deg",
            "learnt_deg",
        ),
        rule("current_scale_changed", lambda x: x.over & x.rescaled, "susceptance_ratio"),
        rule(
            "clamp_changed",
            lambda x: x.over & x.one_clamp,
            "phase",
            "gain_change_ratio",
            doubts=(PART,),
        ),
        rule(
            "clamp_of_two_not_excluded",
            lambda x: x.over & x.one_of_two_clamps,
            "gain_change_ratio",
            doubts=(PART,),
        ),
        rule(
            "turn_short_found",
            lambda x: x.over & x.by_voltage,
            *FOUND,
            fault=lambda x: x.severe,
            doubts=(JOINT, PART),
        ),
        rule(
            "asymmetry_found",
            lambda x: x.over,
            *FOUND,
            state="warning",
            doubts=(
                rule(
                    "few_periods_learnt",
                    lambda x: x.learnt & x.supply_may_move & (x.periods < LEAST_PERIODS),
                    "periods",
                    needed=LEAST_PERIODS,
                ),
                JOINT,
                PART,
            ),
        ),
    ),
    # The limit is too high to say `normal`.
    stated("voltage_problems", lambda x: x.undecided),
    rule(
        "asymmetry_not_steady",
        lambda x: x.undecided & (x.steady_limit <= DECISIVE_LIMIT),
        "limit_ratio",
    ),
    stated(
        "baseline_problems",
        lambda x: x.undecided,
        doubts=(
            rule("supply_and_clamps_not_excluded", always, ("ratio", "raw_ratio"), "limit_ratio"),
            rule("rated_current_unknown", lambda x: x.unrated),
        ),
    ),
    rule("supply_not_excluded", lambda x: x.undecided & x.limited_by_supply, "limit_ratio"),
    rule("baseline_too_uncertain", lambda x: x.undecided, "limit_ratio"),
    rule(
        "asymmetry_within_limit",
        always,
        "corrected_ratio",
        "limit_ratio",
        "basis",
        state="normal",
        doubts=(
            *UNUSED_VOLTAGES,
            # A drive that controls the currents answers an asymmetry with its voltage.
            rule("inverter_without_voltages", lambda x: x.inverter & ~x.voltages),
        ),
    ),
)
