"""Combs of a bearing whose elements turn slower than kinematics say, as at light load.

Unloaded elements slide: their cage lags by some per cent. The outer race and the elements are then
struck less often, and the inner race more often, as the shaft overtakes the cage.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from vtox.motor.diagnosis.diagnosers.bearing.ambiguities import WIDE_SEARCH_PENALTY
from vtox.motor.diagnosis.diagnosers.bearing.severity import FAULT_CONFIDENCE
from vtox.motor.diagnosis.dsp.comb_plan import MASK_TOLERANCE

# Lag of the cage beyond `SLIPPAGE`, at most, to the error of a line: by more, the bearing or the
# speed is another.
MAX_LAG = 0.04


@dataclass(frozen=True, slots=True)
class LaggingElements:
    """The part whose comb was found, by how much its elements lag, and all parts that fit."""

    defect: str
    lag: float
    defects: tuple[str, ...]

    @property
    def penalty(self) -> float:
        """Factor on the confidence, which is that of no fault if two parts fit."""
        return WIDE_SEARCH_PENALTY if len(self.defects) == 1 else FAULT_CONFIDENCE


def lagging_elements(
    order: float, orders: Mapping[str, float], bearing_cage_order: float | None
) -> LaggingElements | None:
    """Return the part that a comb belongs to if the elements lag, None if none fits.

    Parameters
    ----------
    order : float
        Order of the comb found.
    orders : mapping of float
        Orders of the combs searched, by defect.
    bearing_cage_order : float or None
        By kinematics; without it the inner race is not recognised.
    """
    lags = {n: _lag(n, order / o, bearing_cage_order) for n, o in orders.items() if n != "FTF"}
    fitting = sorted(
        (lag, n)
        for n, lag in lags.items()
        if lag is not None and 0 < lag <= MAX_LAG + MASK_TOLERANCE
    )
    if not fitting:
        return None
    lag, defect = fitting[0]
    return LaggingElements(defect, lag, tuple(n for _, n in fitting))


def _lag(defect: str, ratio: float, bearing_cage_order: float | None) -> float | None:
    """Return the lag of the cage that moves an order by a ratio.

    Rates of the outer race and of the elements follow the cage, c; that of the inner race 1 - c.
    """
    if defect != "BPFI":
        return 1 - ratio
    if bearing_cage_order is None:
        return None
    return (ratio - 1) * (1 - bearing_cage_order) / bearing_cage_order
