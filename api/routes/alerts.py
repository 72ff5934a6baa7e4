"""Alerts: every event, and what is open now."""

from bisect import bisect_right
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request

from api.auth import needs
from api.paging import newest_first, next_link, text
from api.query import OfMachine, Part, bad_cursor
from api.routes.system import Opened
from api.schemas import Alert, OpenAlert, Page, number, rfc3339
from vtox import keys
from vtox.store import machines

router = APIRouter(prefix="/api/v1", tags=["history"])


class OfAlerts(OfMachine):
    """A part of the alerts."""

    event: Literal["raised", "escalated", "cleared"] | None = None


@router.get("/alerts", dependencies=needs("read"), summary="Alerts")
def list_alerts(
    request: Request, backend: Opened, part: Annotated[OfAlerts, Query()]
) -> Page[Alert]:
    """One entry for each time an alert was raised, escalated or cleared; `id` is the episode's."""
    wanted = {"machine_id": part.machine_id, "event": part.event}

    def pick(stream_id: str, fields: dict[bytes, bytes]) -> Alert | None:
        f = text(fields)
        if any(v is not None and f.get(k) != v for k, v in wanted.items()):
            return None
        t = number(f.get("t"))
        return Alert(**(f | {"stream_id": stream_id, "t": t, "time": rfc3339(t)}))

    found, more = newest_first(backend.client(), keys.ALERTS, part, pick)
    return Page(data=found, next=next_link(request, more))


@router.get("/alerts/open", dependencies=needs("read"), summary="Open alerts")
def list_open_alerts(
    request: Request, backend: Opened, part: Annotated[Part, Query()]
) -> Page[OpenAlert]:
    """Show what is wrong now, the latest first: raised and not cleared, with the last reason."""
    found = machines.open_alerts(backend.client())
    places = [machines.place(a["id"]) for a in found]
    try:
        first = bisect_right(places, machines.place(part.cursor)) if part.cursor else 0
    except ValueError:
        raise bad_cursor(part.cursor, "the id of an alert") from None
    end = first + part.limit
    more = found[end - 1]["id"] if end < len(found) else ""
    data = [OpenAlert(**a, time=rfc3339(a["t"])) for a in found[first:end]]
    return Page(data=data, next=next_link(request, more))
