"""The features that a baseline stores, and how each moves with the load of a machine.

A name is that of the fault, a point, and the quantity with its unit as suffix. These rules decide
in `vtox.motor.diagnosis.learning.extension` which features may be learnt at a further load.
"""

from dataclasses import dataclass
from math import inf

VIBRATION = "bearing.vibration_db"
# Level of the best comb at the order of each part, 1 by chance; the bearing cage alone warns never.
COMBS = {"BPFO": "bearing.bpfo_db", "BPFI": "bearing.bpfi_db", "BSF": "bearing.bsf_db"}
ROTATION_SIDEBANDS = ("eccentricity.lower_dbc", "eccentricity.upper_dbc")
SUPPLY = "eccentricity.supply_hz"
SLIP_SIDEBANDS = "broken_bar.lower_dbc"
SLIP_LINE_SHARE = "broken_bar.line_share"
CAPACITANCE = "insulation.capacitance_f"
PHASE_CONDUCTANCE = "insulation.unequal_s"
PHASE_CAPACITANCE = "insulation.unequal_f"
# Records that must have been learnt: two that follow each other may be of one condition.
LEAST_RECORDS = 3
# Relative difference of supply frequency within which a baseline applies.
# docs/calibration/turn_short.md#supply
SAME_FREQUENCY = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """Rule by which one feature moves with the load."""

    name: str
    # Learnt for each load; else one value holds for all.
    depends_on_load: bool = True
    # A line that keeps its amperes when the load moves lies higher over a lower current.
    keeps_amperes: bool = False
    # Below this level, dBc or dB, it hides no fault and may rise with the load.
    harmless_below_dbc: float = -inf

    @property
    def is_level(self) -> bool:
        """Whether it is a level in dB, of which a rise is a sign of a fault."""
        return self.name.endswith(("_db", "_dbc"))

    @property
    def is_frequency(self) -> bool:
        """Whether it is the frequency at which the others were learnt."""
        return self.name.endswith("_hz")


FEATURES = {
    f.name: f
    for f in (
        Feature(name=VIBRATION),
        # A level that chance makes is no comb.
        *(Feature(name=name, harmless_below_dbc=0.0) for name in COMBS.values()),
        *(Feature(name=name, keeps_amperes=True) for name in ROTATION_SIDEBANDS),
        Feature(name=SUPPLY),
        # `RISE_DB` below the level at which broken bars are reported: a fault would have risen
        # above it.
        Feature(name=SLIP_SIDEBANDS, harmless_below_dbc=-58.0),
        Feature(name=SLIP_LINE_SHARE),
        Feature(name=CAPACITANCE, depends_on_load=False),
        Feature(name=PHASE_CONDUCTANCE),
        Feature(name=PHASE_CAPACITANCE, depends_on_load=False),
    )
}


def same_frequency(hz: float | None, other_hz: float | None) -> bool:
    """Return whether features learnt at one supply frequency apply at the other; None is any."""
    return not (hz and other_hz) or abs(hz / other_hz - 1) <= SAME_FREQUENCY


def feature(name: str) -> Feature:
    """Return the feature of that name; if another version's, one made from its unit."""
    return FEATURES.get(name) or Feature(name=name, depends_on_load=not name.endswith("_f"))
