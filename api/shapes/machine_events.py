"""Events of a machine between two times: from the history, and newer ones from the streams."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from sqlalchemy import Connection

from api.http.explanation import reason
from api.schemas.machine_events import MachineEvent
from api.shapes.alarm_shapes import alarm_time
from api.state.backend import Backend
from vtox.motor.alarms.book import Action
from vtox.motor.alarms.health.alert_values import Alert
from vtox.motor.values import codec
from vtox.motor.values.codec import RawFields
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.alarms.alarm_actions import decode_action
from vtox.pipeline.store.stream import outputs
from vtox.pipeline.store.stream.stream_reader import BEGIN
from vtox.pipeline.store.stream.unreadable import read_or_none
from vtox.reporting.history.alarm_queries import actions_of_machine, last_recorded
from vtox.reporting.history.errors import HistoryUnavailable
from vtox.reporting.history.queries import alerts_before

T = TypeVar("T")
_LAST_ID = f"{(1 << 53) - 1}-0"


def machine_events(
    backend: Backend, machine_id: str, from_s: float, to_s: float, limit: int
) -> tuple[list[MachineEvent], bool]:
    """Return the events, newest first, at most `limit`, and whether that is all."""
    span = from_s, to_s
    alerts: dict[str, Alert] = {}
    actions: dict[str, Action] = {}
    ends = {keys.ALERTS: BEGIN, keys.ALARM_ACTIONS: BEGIN}
    with suppress(HistoryUnavailable), backend.history() as db:
        if db is not None:
            # Read the ends first: events recorded meanwhile then come twice, and none is missing.
            ends = {stream: last_recorded(db, stream) for stream in ends}
            alerts, actions = _recorded(db, machine_id, span, limit + 1)
    alerts |= _newer(backend, keys.ALERTS, ends, machine_id, _alert)
    actions |= _newer(backend, keys.ALARM_ACTIONS, ends, machine_id, decode_action)
    found = [*map(_of_alert, alerts.values()), *map(_of_action, actions.values())]
    inside = [e for e in found if e.t is not None and from_s <= e.t < to_s]
    inside.sort(key=lambda e: -(e.t or 0.0))
    return inside[:limit], len(inside) <= limit


def _recorded(
    db: Connection, machine_id: str, span: tuple[float, float], limit: int
) -> tuple[dict[str, Alert], dict[str, Action]]:
    alerts = alerts_before(db, _LAST_ID, machine_id=machine_id, between_s=span, limit=limit)
    return dict(alerts), dict(actions_of_machine(db, machine_id, *span, limit))


def _newer(
    backend: Backend,
    stream: str,
    ends: dict[str, str],
    machine_id: str,
    decoded: Callable[[RawFields], T | None],
) -> dict[str, T]:
    """Return the entries of a machine that are not recorded yet, by id."""
    entries, _ = outputs.after(backend.client(), stream, ends[stream])
    of_machine = ((i, f) for i, f in entries if f.get(b"machine_id") == machine_id.encode())
    known = ((i.decode(), read_or_none(decoded, fields)) for i, fields in of_machine)
    return {i: item for i, item in known if item is not None}


def _alert(fields: RawFields) -> Alert:
    return codec.decode_fields(Alert, fields)


def _of_alert(a: Alert) -> MachineEvent:
    own = {"event": a.event or "raised", "text": reason(a), "alarm_id": a.id}
    return MachineEvent.of(a, kind="alert", by="", outcome=None, work_order=None, **own)


def _of_action(a: Action) -> MachineEvent:
    time = {"t": a.ms / 1000, "time": alarm_time(a.ms)}
    return MachineEvent.of(a, kind="action", event=a.name, level="", code="", **time)
