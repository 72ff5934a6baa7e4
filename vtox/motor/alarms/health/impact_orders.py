"""Whether the impacts of two records may be of one damaged part: they come at the same shaft order.

The order of a bearing's part stays, but for slippage, at any speed. Another machine's speed
moves by itself, so that its impacts come now at one order of our shaft and now at another.
"""

from vtox.motor.values.domain import Answer, Diagnosis

# Relative difference of the orders of one part: slippage is 1 to 2 % (Randall & Antoni 2011,
# section 2), and most of it is there in every record.
ORDER_TOLERANCE = 0.015


def impact_orders(d: Diagnosis | Answer) -> tuple[float, ...]:
    """Return the shaft orders of all impacts that a diagnosis found, none of another fault."""
    return tuple(
        e["found_order"]
        for e in d.evidence
        if "found_order" in e and e["statistic"] >= e["threshold"]
    )


def share_an_order(before: tuple[float, ...], now: tuple[float, ...]) -> bool:
    """Return whether impacts of two records come at one order."""
    return any(abs(a - b) <= ORDER_TOLERANCE * b for a in before for b in now)
