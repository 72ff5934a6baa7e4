"""Alerts: every event, and what is open now."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import chain
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field

from api.auth import needs
from api.away import away_servers
from api.backend import Backend
from api.explanation import advice, reason
from api.paging import entries_of, newest_first, next_link
from api.query import MachineQuery, PageQuery, bad_cursor
from api.routes.system import OpenBackend, open_alert
from api.schemas.common import Page, rfc3339
from api.schemas.diagnoses import Alert, OpenAlert
from api.server import Server
from vtox import keys
from vtox.domain import Reason
from vtox.health.alerts import Alert as AlertEvent
from vtox.health.alerts import EventName
from vtox.history.queries import alerts_before
from vtox.store.entries import decode_alert
from vtox.store.open_alerts import OpenAlert as OpenAlertOf
from vtox.store.open_alerts import alert_sort_key
from vtox.store.outputs import entry_order, oldest_id

router = APIRouter(prefix="/api/v1", tags=["history"])
# No entry that the history has is later: it keeps ids of 63 bits.
LAST_ID = f"{(1 << 63) - 1}-{(1 << 63) - 1}"


class AlertsQuery(MachineQuery):
    """A page of the alerts."""

    event: EventName | None = Field(None, description="only events of this kind")
    about: Literal["machine", "system"] | None = Field(
        None, description="only alerts of machines, or only alarms of the system itself"
    )


@router.get("/alerts", dependencies=needs("read"), summary="Alerts")
def list_alerts(
    request: Request, backend: OpenBackend, query: Annotated[AlertsQuery, Query()]
) -> Page[Alert]:
    """Return the events of alerts, newest first; events with the same `id` are of one alert.

    What the stream no longer holds comes from the history.
    """
    filters = {"machine_id": query.machine_id, "event": query.event}
    required = {k: v for k, v in filters.items() if v is not None}

    def number_of(server: int) -> int | None:
        return server + 1 if backend.servers.several else None

    def pick(server: Server, stream_id: str, fields: dict[bytes, bytes]) -> Alert | None:
        event = decode_alert(fields)
        about = "machine" if event.machine_id else "system"
        if query.about not in (None, about):
            return None
        if any(getattr(event, k) != v for k, v in required.items()):
            return None
        return _event(stream_id, event, number_of(server.number))

    in_stream = entries_of(keys.ALERTS, pick)

    def events(server: Server, before: str) -> Iterator[tuple[str, Alert | None]]:
        yield from in_stream(server, before)
        oldest = oldest_id(server.client(), keys.ALERTS)
        yield from _older(backend, query, [i for i in (oldest, before) if i], server.number)

    def recorded(server: Server, before: str) -> Iterator[tuple[str, Alert | None]]:
        yield from _older(backend, query, [before] if before else [], server.number)

    found = newest_first(backend.servers, query, events, query.machine_id, recorded=recorded)
    return Page(
        data=found.items, next=next_link(request, found.cursor), away=away_servers(found.answers)
    )


def _older(
    backend: Backend, query: AlertsQuery, known: Sequence[str], server: int
) -> Iterator[tuple[str, Alert]]:
    """Yield the events that the stream of a server no longer holds, as far as a page has room."""
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
            server=server if backend.servers.several else None,
            limit=query.limit + 1,
        )
    number = server + 1 if backend.servers.several else None
    yield from ((stream_id, _event(stream_id, event, number)) for stream_id, event in found)


def _event(stream_id: str, event: AlertEvent, server: int | None) -> Alert:
    return Alert(
        **asdict(event) | {"reason": reason(event.reason, Reason(event.code, event.values))},
        stream_id=stream_id,
        time=rfc3339(event.t),
        what_to_do=advice(event.code),
        server=server,
    )


@router.get("/alerts/open", dependencies=needs("read"), summary="Open alerts")
def list_open_alerts(
    request: Request, backend: OpenBackend, query: Annotated[PageQuery, Query()]
) -> Page[OpenAlert]:
    """Return the alerts that are not cleared, latest first, with the reason of the last record.

    Those of alarms that are shelved, or whose machine is out of service, are left out: see
    `GET /api/v1/alarms/suspensions`.
    """
    answers = backend.servers.ask(_open_alerts)
    alerts = [(a, s.number) for s, own in answers.found for a in own]
    if backend.servers.several:
        alerts.sort(key=_open_order)
    try:
        after = alert_sort_key(query.cursor) if query.cursor else None
    except ValueError:
        raise bad_cursor(query.cursor, "the id of an alert") from None
    first = bisect_right(alerts, after, key=lambda pair: alert_sort_key(pair[0].id)) if after else 0
    end = first + query.limit
    cursor = alerts[end - 1][0].id if end < len(alerts) else ""
    wanted = alerts[first:end]

    def with_last_reasons(s: Server) -> list[tuple[OpenAlertOf, int]]:
        own = [a for a, number in wanted if number == s.number]
        return [(a, s.number) for a in s.open_alerts.with_last_reasons(s.client(), own)]

    shown = backend.servers.ask(with_last_reasons)
    several = backend.servers.several
    data = [
        open_alert(a, number + 1 if several else None)
        for a, number in sorted(chain.from_iterable(shown), key=_open_order)
    ]
    return Page(data=data, next=next_link(request, cursor), away=away_servers(answers, shown))


def _open_alerts(s: Server) -> list[OpenAlertOf]:
    """Return the open alerts of a server whose alarms are not suspended."""
    book, _ = s.alarms.read(s.client())
    suspended = {a.id for a in book.alarms.values() if a.suspensions}
    return [a for a in s.open_alerts.read(s.client()) if a.id not in suspended]


def _open_order(pair: tuple[OpenAlertOf, int]) -> tuple[int, str, int]:
    alert, number = pair
    return *alert_sort_key(alert.id), number
