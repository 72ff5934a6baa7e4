"""Alerts: every event, and what is open now."""

from bisect import bisect_right
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field

from api.auth import needs
from api.paging import newest_first, next_link
from api.query import MachineQuery, PageQuery, bad_cursor
from api.routes.system import OpenBackend, open_alert
from api.schemas.common import Page, rfc3339
from api.schemas.diagnoses import Alert, OpenAlert
from vtox import keys
from vtox.sentences.rendering import advice
from vtox.store.entries import decode_alert
from vtox.store.open_alerts import alert_sort_key, open_alerts

router = APIRouter(prefix="/api/v1", tags=["history"])


class AlertsQuery(MachineQuery):
    """A page of the alerts."""

    event: Literal["raised", "escalated", "cleared"] | None = Field(
        None, description="only events of this kind"
    )
    about: Literal["machine", "system"] | None = Field(
        None, description="only alerts of machines, or only alarms of the system itself"
    )


@router.get("/alerts", dependencies=needs("read"), summary="Alerts")
def list_alerts(
    request: Request, backend: OpenBackend, query: Annotated[AlertsQuery, Query()]
) -> Page[Alert]:
    """Return the events of alerts, newest first; events with the same `id` are of one alert."""
    filters = {"machine_id": query.machine_id, "event": query.event}
    required = {k: v for k, v in filters.items() if v is not None}

    def pick(stream_id: str, fields: dict[bytes, bytes]) -> Alert | None:
        a = asdict(decode_alert(fields))
        about = "machine" if a["machine_id"] else "system"
        if query.about not in (None, about) or any(a[k] != v for k, v in required.items()):
            return None
        what_to_do = advice(a["code"])
        return Alert(**a, stream_id=stream_id, time=rfc3339(a["t"]), what_to_do=what_to_do)

    items, cursor = newest_first(backend.client(), keys.ALERTS, query, pick)
    return Page(data=items, next=next_link(request, cursor))


@router.get("/alerts/open", dependencies=needs("read"), summary="Open alerts")
def list_open_alerts(
    request: Request, backend: OpenBackend, query: Annotated[PageQuery, Query()]
) -> Page[OpenAlert]:
    """Return the alerts that are not cleared, latest first, with the reason of the last record."""
    alerts = open_alerts(backend.client())
    order = [alert_sort_key(a.id) for a in alerts]
    try:
        first = bisect_right(order, alert_sort_key(query.cursor)) if query.cursor else 0
    except ValueError:
        raise bad_cursor(query.cursor, "the id of an alert") from None
    end = first + query.limit
    cursor = alerts[end - 1].id if end < len(alerts) else ""
    return Page(data=[open_alert(a) for a in alerts[first:end]], next=next_link(request, cursor))
