"""Events of a machine: alerts, comments and repairs, as marks of its trends."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.http.errors import Problem
from api.http.query import TableQuery
from api.routes.history import DEFAULT_SPAN_S, T_END
from api.routes.machines import MachineId
from api.routes.system import OpenBackend
from api.schemas.common import Data
from api.schemas.machine_events import MachineEvents
from api.shapes.machine_events import machine_events
from api.state.auth import needs

router = APIRouter(prefix="/api/v1", tags=["history"])


class _EventsQuery(TableQuery):
    """The time span, and the largest number of events."""

    from_t: float | None = Field(
        None, ge=0, lt=T_END, description="s since 1970 (UTC); without it, a day before `to_t`"
    )
    to_t: float | None = Field(
        None, ge=0, lt=T_END, description="s since 1970 (UTC); without it, now"
    )
    limit: int = Field(200, ge=1, le=500, description="largest number of events")


@router.get(
    "/machines/{machine_id}/events", dependencies=needs("read"), summary="Events of a machine"
)
def list_machine_events(
    machine_id: MachineId, backend: OpenBackend, query: Annotated[_EventsQuery, Query()]
) -> Data[MachineEvents]:
    """Return events of alerts and actions of operators between two times, newest first.

    They come from the history, and from the streams if not recorded yet. A machine that is not
    known has none.
    """
    to_s = backend.now_s() if query.to_t is None else query.to_t
    from_s = max(to_s - DEFAULT_SPAN_S, 0.0) if query.from_t is None else query.from_t
    if from_s >= to_s:
        raise Problem("invalid", f"from_t: {from_s} is not before to_t {to_s}", field="from_t")
    events, complete = machine_events(backend, machine_id, from_s, to_s, query.limit)
    found = MachineEvents(
        machine_id=machine_id, from_t=from_s, to_t=to_s, complete=complete, events=events
    )
    return Data(data=found)
