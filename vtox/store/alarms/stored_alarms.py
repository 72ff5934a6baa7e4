"""The codec of the alarm book: alarms, shelvings and machines out of service, field by field."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import orjson
import structlog

from vtox.alarms.book import Book
from vtox.alarms.life import SUSPENSIONS, Alarm, Suspension
from vtox.alarms.work_orders import WorkOrder
from vtox.store.stream.reason_tables import reasons_from_table
from vtox.store.stream.unreadable import Unreadable, read
from vtox.values.codec import loads
from vtox.values.plain_data import known_fields

log = structlog.get_logger()

POSITION, VERSION = b"#position", b"#version"
_SHELVED, _OUT = "#shelved|", "#out|"
_DEFAULTS = {kind: {f.name: f.default for f in fields(kind)} for kind in (Alarm, Suspension)}


def take_field(book: Book, name: str, text: bytes | None) -> None:
    """Bring a field of the hash into the book, None for one that is gone."""
    if name.startswith(_SHELVED):
        machine_id, _, fault = name.removeprefix(_SHELVED).rpartition("|")
        _take_suspension(book.shelved, (machine_id, fault), text)
    elif name.startswith(_OUT):
        _take_suspension(book.out_of_service, name.removeprefix(_OUT), text)
    elif text is not None and (alarm := _known_alarm(text)):
        book.put(alarm)
    elif name in book.alarms:
        book.drop(name)


def changed_fields(before: Book, after: Book) -> tuple[dict[str, bytes], list[str]]:
    """Return the fields that one book has and the other one has not, and the names of those gone.

    Of alarms, only those that `after` has changed since it was a copy are compared.
    """
    old: dict[str, Any] = {i: before.alarms[i] for i in after.changed if i in before.alarms}
    new: dict[str, Any] = {i: after.alarms[i] for i in after.changed if i in after.alarms}
    old |= _suspensions(before)
    new |= _suspensions(after)
    written = {n: _encode(v) for n, v in new.items() if old.get(n) is not v}
    return written, [n for n in old if n not in new]


def _suspensions(book: Book) -> dict[str, Suspension]:
    shelved = {f"{_SHELVED}{m}|{f}": s for (m, f), s in book.shelved.items()}
    return shelved | {f"{_OUT}{m}": s for m, s in book.out_of_service.items()}


def _encode(value: Alarm | Suspension) -> bytes:
    """Return what differs from the defaults, as JSON."""
    defaults = _DEFAULTS[type(value)]
    table = {n: v for n, d in defaults.items() if (v := getattr(value, n)) != d}
    return orjson.dumps({n: v for n, v in table.items() if v not in ({}, ())}, default=dict)


def _take_suspension(held: dict[Any, Suspension], key: Any, text: bytes | None) -> None:
    if text is None:
        held.pop(key, None)
    else:
        held[key] = _suspension(loads(text))


def _known_alarm(text: bytes) -> Alarm | None:
    """Return a stored alarm, None for one that cannot be read: the others must not suffer."""
    alarm = read(decode_alarm, text)
    if isinstance(alarm, Unreadable):
        log.error("a stored alarm cannot be read", code=alarm.code, reason=alarm.reason)
        return None
    return alarm


def decode_alarm(text: bytes) -> Alarm:
    """Return a stored alarm; fields of a later version are ignored."""
    table = loads(text)
    alarm = Alarm(**known_fields(Alarm, table))
    held = table.get("suspensions", {})
    suspensions = {n: _suspension(held[n]) for n in SUSPENSIONS if n in held}
    orders = tuple(WorkOrder(**known_fields(WorkOrder, o)) for o in table.get("work_orders", ()))
    return replace(
        alarm,
        suspensions=suspensions,
        work_orders=orders,
        requests=tuple(table.get("requests", ())),
        doubts=reasons_from_table(table.get("doubts")),
    )


def _suspension(table: Mapping[str, Any]) -> Suspension:
    doubts = reasons_from_table(table.get("doubts"))
    return Suspension(**known_fields(Suspension, table) | {"doubts": doubts})
