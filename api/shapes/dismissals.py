"""Alarms that people closed as false, as the API shows them."""

from api.schemas.common import rfc3339
from api.schemas.machines import Dismissal
from vtox.motor.alarms.health import dismissals
from vtox.pipeline.store.machines.dismissals import DISMISSALS
from vtox.pipeline.store.machines.machine_settings import present_setting
from vtox.pipeline.store.server.client import Client, server_time


def dismissals_of(client: Client, machine_id: str) -> list[Dismissal]:
    """Return the present dismissals of a machine, the oldest first."""
    present = present_setting(client, machine_id, DISMISSALS)
    return [_dismissal(d) for d in present.at(server_time(client))] if present.alarms else []


def _dismissal(d: dismissals.Dismissal) -> Dismissal:
    level_db, severity = d.raised_from
    return Dismissal.of(
        d,
        closed=rfc3339(d.t),
        raised_from_db=level_db,
        raised_from_severity=severity,
    )
