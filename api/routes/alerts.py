"""Alerts: every event, and the alerts open now."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field

from api.http.paging import entries_before, next_link, one_page, stream_cursor
from api.http.query import MachineQuery, PageQuery, bad_cursor
from api.routes.system import OpenBackend
from api.schemas.common import Page
from api.schemas.diagnoses import Alert, OpenAlert
from api.state.auth import needs
from api.state.backend import Backend
from vtox.motor.alarms.health.alert_values import Alert as AlertEvent
from vtox.motor.alarms.health.alert_values import EventName
from vtox.motor.values import codec
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.alarms.open_alerts import alert_sort_key
from vtox.pipeline.store.stream.outputs import entry_order, oldest_id
from vtox.reporting.history.queries import alerts_before

router = APIRouter(prefix="/api/v1", tags=["history"])
# No entry that the history has is later: it keeps ids of 63 bits.
LAST_ID = f"{(1 << 63) - 1}-{(1 << 63) - 1}"


class _AlertsQuery(MachineQuery):
    """A page of the alerts."""

    event: EventName | None = Field(None, description="only events of this kind")
    about: Literal["machine", "system"] | None = Field(
        None, description="only alerts of machines, or only alarms of the system itself"
    )


@router.get("/alerts", dependencies=needs("read"), summary="Alerts")
def list_alerts(
    request: Request, backend: OpenBackend, query: Annotated[_AlertsQuery, Query()]
) -> Page[Alert]:
    """Return the events of alerts, newest first; events with the same `id` are of one alert.

    Events that the stream no longer holds come from the history.
    """
    filters = {"machine_id": query.machine_id, "event": query.event}
    required = {k: v for k, v in filters.items() if v is not None}

    def pick(stream_id: str, fields: dict[bytes, bytes]) -> Alert | None:
        event = codec.decode_fields(AlertEvent, fields)
        about = "machine" if event.machine_id else "system"
        if query.about not in (None, about):
            return None
        if any(getattr(event, k) != v for k, v in required.items()):
            return None
        return _event(stream_id, event)

    client, before = backend.client(), stream_cursor(query)
    in_stream = entries_before(client, keys.ALERTS, before, pick)
    found = one_page(chain(in_stream, _older(backend, query, before)), query.limit)
    return Page(data=found.items, next=next_link(request, found.cursor))


def _older(backend: Backend, query: _AlertsQuery, before: str) -> Iterator[tuple[str, Alert]]:
    """Yield the events that the stream no longer holds, if a page has room."""
    oldest = oldest_id(backend.client(), keys.ALERTS)
    known = [i for i in (oldest, before) if i]
    before_id = min(known, key=entry_order, default=LAST_ID)
    if entry_order(before_id) > entry_order(LAST_ID):
        before_id = LAST_ID
    with backend.history() as db:
        if db is None:
            return
        found = alerts_before(
            db,
            before_id,
            machine_id=query.machine_id,
            event=query.event,
            about=query.about,
            limit=query.limit + 1,
        )
    yield from ((stream_id, _event(stream_id, event)) for stream_id, event in found)


def _event(stream_id: str, event: AlertEvent) -> Alert:
    return Alert.of(event, stream_id=stream_id)


@router.get("/alerts/open", dependencies=needs("read"), summary="Open alerts")
def list_open_alerts(
    request: Request, backend: OpenBackend, query: Annotated[PageQuery, Query()]
) -> Page[OpenAlert]:
    """Return the alerts that are not cleared, latest first, with the reason of the last record.

    Alerts of shelved alarms, and of machines out of service, are left out: see
    `GET /api/v1/alarms/suspensions`.
    """
    client, known = backend.client(), backend.server.open_alerts
    book, _ = backend.book()
    suspended = {a.id for a in book.alarms.values() if a.suspensions}
    alerts = [a for a in known.read(client) if a.id not in suspended]
    try:
        after = alert_sort_key(query.cursor) if query.cursor else None
    except ValueError:
        raise bad_cursor(query.cursor, "the id of an alert") from None
    first = bisect_right(alerts, after, key=lambda a: alert_sort_key(a.id)) if after else 0
    end = first + query.limit
    cursor = alerts[end - 1].id if end < len(alerts) else ""
    shown = known.with_last_reasons(client, alerts[first:end])
    return Page(data=list(map(OpenAlert.of, shown)), next=next_link(request, cursor))
