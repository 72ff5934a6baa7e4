"""Rules that decide on a bearing, in reading order: the first that holds gives code and state.

`x` are columns (`BearingEvidence`); the values of a code are the columns of the same names.
"""

import numpy as np

from vtox.motor.diagnosis.diagnosers.bearing.evidence import BearingEvidence
from vtox.motor.diagnosis.diagnosers.bearing.search_setup import SLIPPAGE
from vtox.motor.diagnosis.diagnosers.bearing.severity import FAULT_CONFIDENCE, FAULT_MODULATION
from vtox.motor.diagnosis.diagnosers.decision import DecisionTable, Rule, always, rule, stated
from vtox.motor.values.arrays import Bool


def _severe(x: BearingEvidence) -> Bool:
    """Return whether a comb is a `fault`.

    Lines of the bearing cage alone are shared with belts and slow shafts: never one. Beyond
    slippage from its order interference passes as a comb, and it needs sidebands too.
    """
    sure = (x.confidence >= FAULT_CONFIDENCE) & (x.modulation >= FAULT_MODULATION)
    beyond = (np.abs(x.deviation) > SLIPPAGE) | np.isfinite(x.lag)
    named = ~np.isin(x.defect, "FTF") & ~x.element_as_likely
    return sure & named & ~(beyond & ~x.modulated)


def _no_impacts(x: BearingEvidence) -> Bool:
    """Return whether no impacts are found at any order."""
    return np.array([not why for why in x.impacts])


def _no_masked(x: BearingEvidence) -> Bool:
    """Return whether no damage hides at masked orders, if only the bearing cage is found."""
    return np.array([not why for why in x.masked])


SPEED = ("speed_rpm", "speed_source")
COMB = (
    "defect",
    "order",
    "repetition_hz",
    "ratio",
    "modulation_db",
    "channel",
    "band_low_hz",
    "band_high_hz",
    *SPEED,
)
NEIGHBOUR = ("neighbour_order", "multiple", *COMB)
OTHERS: tuple[Rule[BearingEvidence], ...] = (stated("other_combs"), stated("ambiguities"))

RULES: DecisionTable[BearingEvidence] = DecisionTable(
    stated("input_problems"),
    # Lines that are the bearing's at one speed and the shaft's at another.
    stated("ambiguity"),
    rule(
        "impacts_of_unknown_part",
        lambda x: ~x.known_bearing & x.strong,
        *COMB[1:],
        state="warning",
    ),
    rule(
        "no_bearing_geometry",
        lambda x: ~x.known_bearing,
        doubts=(stated("impacts"), rule("no_impacts", _no_impacts)),
    ),
    # No comb of the bearing is found: other impacts, lines that a moving speed smeared, or none.
    stated("unassigned", lambda x: x.strong),
    stated("aperiodic", lambda x: ~x.detected),
    stated("smeared"),
    rule(
        "no_defect_comb",
        lambda x: ~x.detected,
        "defect",
        "ratio",
        *SPEED,
        state="normal",
        doubts=(stated("unassigned"), stated("shaft"), stated("ambiguities")),
    ),
    rule(
        "cage_lines_of_neighbour",
        lambda x: x.cage_alone & np.isfinite(x.neighbour_order) & _no_masked(x),
        *NEIGHBOUR,
        state="normal",
        doubts=(stated("ambiguities"),),
    ),
    # A comb is found: whether something else than damage makes it.
    rule("supply_or_bearing", lambda x: x.supply_hz > 0, *COMB, "supply_hz", doubts=OTHERS),
    rule(
        "neighbour_or_bearing",
        lambda x: np.isfinite(x.neighbour_order) & ~x.cage_alone,
        *NEIGHBOUR,
        doubts=OTHERS,
    ),
    rule(
        "element_or_bearing_cage",
        lambda x: x.cage_alone & x.element_sidebands,
        *COMB,
        state="warning",
        doubts=(*OTHERS, rule("element_sidebands", always)),
    ),
    # Damage of another part may hide where lines cannot be distinguished: that is to be settled
    # first.
    stated(
        "masked",
        lambda x: x.cage_alone,
        doubts=(rule("slower_shaft_or_bearing_cage", always, *COMB), *OTHERS),
    ),
    rule(
        "slower_shaft_or_bearing_cage",
        lambda x: x.cage_alone,
        *COMB,
        doubts=(stated("aperiodic"), *OTHERS),
    ),
    rule(
        "looseness_or_bearing",
        lambda x: x.half_orders & (x.confidence < FAULT_CONFIDENCE),
        *COMB,
        doubts=OTHERS,
    ),
    rule("weak_defect_lines", lambda x: x.weak | x.unsure, *COMB, doubts=OTHERS),
    rule(
        "here_or_a_neighbour",
        lambda x: x.foreign & ~((x.defect == "BSF") & x.with_cage),
        *COMB,
        doubts=OTHERS,
    ),
    rule(
        "bearing_defect",
        always,
        *COMB,
        fault=_severe,
        doubts=(
            *OTHERS,
            rule("element_as_likely", lambda x: x.element_as_likely, "modulation_db"),
            rule("elements_lag", lambda x: np.isfinite(x.lag), "lag", ("defects", "lagging")),
        ),
    ),
)
