"""Work orders of other systems that an alarm led to. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from vtox.motor.errors import AlarmRefused

# An alarm leads to an inspection, a repair, a check afterwards; more are of a program gone wrong.
WORK_ORDERS_AT_MOST = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrder:
    """A work order of another system that an alarm led to."""

    system: str
    reference: str
    """its name in that system"""
    url: str = ""
    """address of the work order; empty: unknown"""


def add_work_order(orders: Sequence[WorkOrder], order: WorkOrder) -> tuple[WorkOrder, ...]:
    """Return the orders with one more, which replaces the one of the same system and reference.

    Raises `AlarmRefused`: there are `WORK_ORDERS_AT_MOST` others.
    """
    name = order.system, order.reference
    others = tuple(o for o in orders if (o.system, o.reference) != name)
    if len(others) >= WORK_ORDERS_AT_MOST:
        raise AlarmRefused(
            "too_many_work_orders", f"an alarm has {WORK_ORDERS_AT_MOST} work orders at most"
        )
    return (*others, order)
