"""Deletes the history of one machine."""

from sqlalchemy import Engine, delete, select

from vtox.motor.values.scalars import PREFIX
from vtox.reporting.history.schema import (
    alarm_actions,
    alerts,
    baselines,
    deliveries,
    energy_days,
    energy_quarters,
    hours,
    minutes,
    profiles,
    records,
    series,
    start_parts,
)


def delete_machine(engine: Engine, machine_id: str) -> int:
    """Delete all that was recorded of a machine; return how many rows.

    The numbers of its quantities stay taken, but for scalars, whose names a sender makes up.
    """
    with engine.begin() as db:
        numbers = select(series.c.id).where(series.c.machine_id == machine_id)
        ids = db.execute(numbers).scalars().all()
        n = 0
        for table in (records, minutes, hours, energy_quarters, energy_days, start_parts):
            n += db.execute(delete(table).where(table.c.series_id.in_(ids))).rowcount
        own = series.c.machine_id == machine_id
        db.execute(delete(series).where(own, series.c.quantity.startswith(PREFIX)))
        for other in (alerts, alarm_actions, baselines, profiles):
            n += db.execute(delete(other).where(other.c.machine_id == machine_id)).rowcount
        # A waiting message says that the machine is gone; a sent one has its data.
        settled = deliveries.c.state.in_(("delivered", "dead", "dropped"))
        of_machine = deliveries.c.machine_id == machine_id
        n += db.execute(delete(deliveries).where(of_machine, settled)).rowcount
    return n
