"""The fields of the alarm book: alarms, shelvings and machines out of service, field by field."""

from dataclasses import fields
from typing import Any

import structlog

from vtox.motor.alarms.book import Book
from vtox.motor.alarms.life import Alarm, Suspension
from vtox.motor.values import codec
from vtox.pipeline.store.stream.unreadable import Unreadable, read

log = structlog.get_logger()

POSITION, VERSION = b"#position", b"#version"
_SHELVED, _OUT = "#shelved|", "#out|"


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

    Only alarms changed in `after` since it was a copy are compared.
    """
    old: dict[str, Any] = {i: before.alarms[i] for i in after.changed if i in before.alarms}
    new: dict[str, Any] = {i: after.alarms[i] for i in after.changed if i in after.alarms}
    old |= _suspensions(before)
    new |= _suspensions(after)
    written = {n: _sparse(v) for n, v in new.items() if old.get(n) is not v}
    return written, [n for n in old if n not in new]


def _suspensions(book: Book) -> dict[str, Suspension]:
    shelved = {f"{_SHELVED}{m}|{f}": s for (m, f), s in book.shelved.items()}
    return shelved | {f"{_OUT}{m}": s for m, s in book.out_of_service.items()}


def _sparse(value: Alarm | Suspension) -> bytes:
    """Return the JSON of the fields that differ from the defaults: a third, for many alarms."""
    items = ((f, getattr(value, f.name)) for f in fields(value))
    table = {f.name: x for f, x in items if x != f.default and x not in ({}, ())}
    return codec.encode(table)


def _take_suspension(held: dict[Any, Suspension], key: Any, text: bytes | None) -> None:
    if text is None:
        held.pop(key, None)
    else:
        held[key] = codec.decode(Suspension, text)


def _known_alarm(text: bytes) -> Alarm | None:
    """Return a stored alarm, None for one that cannot be read: the others must not suffer."""
    alarm = read(codec.decode, Alarm, text)
    if isinstance(alarm, Unreadable):
        log.error("a stored alarm cannot be read", code=alarm.code, reason=alarm.reason)
        return None
    return alarm
