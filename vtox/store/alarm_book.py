"""The alarm book on the server: read, brought up to date with the alerts, changed by operators.

One hash holds it, with the position in `system_alerts` up to which its alarms are what the alerts
make of them, and a version by which a change is refused that was thought out for another one.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from functools import lru_cache, partial
from threading import Lock
from typing import Any

import orjson
import redis
import structlog

from vtox import keys
from vtox.alarms.book import Action, Book
from vtox.alarms.life import SUSPENSIONS, Alarm, Suspension
from vtox.alarms.work_orders import WorkOrder
from vtox.errors import TooBusy
from vtox.health.alerts import Alert
from vtox.operating_state import suppresses_alarms
from vtox.plain_data import known_fields
from vtox.store import outputs, scripts
from vtox.store.alarm_actions import encode_action
from vtox.store.client import Client, server_time_ms
from vtox.store.entries import RawFields, decode_alert, loads, reasons_from_table
from vtox.store.open_alerts import OpenAlert, open_alerts
from vtox.store.unreadable import Unreadable, note_skipped, read, read_each

log = structlog.get_logger()

_POSITION, _VERSION = b"#position", b"#version"
_SHELVED, _OUT = "#shelved|", "#out|"
_ALERTS_AT_ONCE = 1000
# Other programs may write alerts too.
_ALARM_ID = re.compile(r"[^#|].{0,200}:\d{1,15}")
# Alerts and operators are few: two changes at once are rare, and a third one is refused never.
_TRIES = 50
_DECODED = 8192

_Stored = dict[bytes, bytes]


class BookReader:
    """Reads the book, and decodes it only when it has changed: else it is the same object."""

    def __init__(self) -> None:
        self._state: tuple[bytes, bytes] | None = None
        self._last = self._present = Book()
        self._ends_ms: int | None = None
        self._lock = Lock()

    def read(self, client: Client) -> tuple[Book, int]:
        """Return the book as it is now, with the time (ms, server clock)."""
        pipe = client.pipeline(transaction=True)
        pipe.hget(keys.ALARM_BOOK, _VERSION)
        pipe.xrevrange(keys.ALERTS, count=1)
        pipe.time()
        version, newest, (seconds, micros) = pipe.execute()
        now_ms = seconds * 1000 + micros // 1000
        state = version or b"", newest[0][0] if newest else b""
        # Requests read at once: what another one has kept meanwhile may be older than its own.
        with self._lock:
            if self._state != state:
                # The version that this makes is found at the next read.
                self._last, self._state = advance(client), state
                self._show(now_ms)
            elif self._ends_ms is not None and now_ms >= self._ends_ms:
                self._show(now_ms)
            return self._present, now_ms

    @property
    def last(self) -> Book:
        """The book as it was read last."""
        return self._present

    def _show(self, now_ms: int) -> None:
        self._present = self._last.at(now_ms)
        self._ends_ms = self._present.next_end_ms()


def advance(client: Client, *, forget: bool = False) -> Book:
    """Bring the book up to date with the alerts, and return it.

    `forget` drops what ended long ago.
    """
    return _change(client, lambda book, now_ms: book.forget_finished(now_ms) if forget else None)


def present_book(client: Client) -> tuple[Book, int]:
    """Return the book as it is now, with the time (ms, server clock), for who may not keep it."""
    stored = client.hgetall(keys.ALARM_BOOK)
    book = _decode(stored)
    _follow_alerts(client, book, stored.get(_POSITION, b"").decode())
    now_ms = server_time_ms(client)
    return book.at(now_ms), now_ms


def act(client: Client, actions: Callable[[Book, int], Iterable[Action]]) -> list[Action]:
    """Do what operators want, all or nothing, and return what was done.

    `actions` is called with the book and the time (ms, server clock), again where somebody else
    has changed the book meanwhile. A request that was followed already does nothing.

    Raises
    ------
    AlarmRefused
        One of them is not possible.
    """
    done: list[Action] = []

    def change(book: Book, now_ms: int) -> None:
        done[:] = [a for a in actions(book, now_ms) if book.act(a)]

    _change(client, change, done)
    return done


def forget_machines(client: Client, machine_ids: Sequence[str]) -> None:
    """Forget the alarms of machines that are no more."""

    def forget(book: Book, _: int) -> None:
        for machine_id in machine_ids:
            book.forget_machine(machine_id)

    _change(client, forget)


def _change(
    client: Client, change: Callable[[Book, int], None], actions: list[Action] | None = None
) -> Book:
    """Change the book and keep it, unless nothing has changed; `actions` are written with it."""
    script = client.register_script(scripts.source("keep_alarms"))
    where = [keys.ALARM_BOOK, keys.ALARM_ACTIONS]
    for _ in range(_TRIES):
        stored = client.hgetall(keys.ALARM_BOOK)
        book = _decode(stored)
        before = _values(book)
        position, skipped = _follow_alerts(client, book, stored.get(_POSITION, b"").decode())
        change(book, server_time_ms(client))
        args = _difference(stored, before, book, position, actions or [])
        if args is None:
            return book
        try:
            if script(keys=where, args=args):
                note_skipped(client, "alarm_book", keys.ALERTS, skipped)
                return book
        except redis.ResponseError:
            if actions is not None:
                raise
            # A server that takes no writes is no reason to refuse a reader.
            return book
    raise TooBusy("others change alarms all the time", remedy="try again")


def _follow_alerts(
    client: Client, book: Book, position: str
) -> tuple[str, list[tuple[bytes, Unreadable]]]:
    """Change the book by the alerts after a position; return the new one, and what is no alert."""
    skipped: list[tuple[bytes, Unreadable]] = []
    if not position:
        # The first time: what is open, and no alarm that ended before.
        position = outputs.newest_id(client, keys.ALERTS)
        for opened in open_alerts(client):
            book.put(_alarm_of(opened))
            if suppresses_alarms(opened.code):
                book.note_alert(_suppression_of(opened), server_time_ms(client))
    while entries := client.xrange(keys.ALERTS, f"({position}", "+", count=_ALERTS_AT_ONCE):
        position = entries[-1][0].decode()
        skipped += read_each(entries, partial(_note_alert, book))[1]
    return position, skipped


def _note_alert(book: Book, entry_id: bytes, fields: RawFields) -> None:
    alert = decode_alert(fields)
    if _ALARM_ID.fullmatch(alert.id):
        book.note_alert(alert, outputs.entry_order(entry_id.decode())[0])


def _alarm_of(alert: OpenAlert) -> Alarm:
    ms = round(1000 * alert.t)
    return Alarm(**known_fields(Alarm, _shallow(alert)), raised_ms=ms, since_ms=ms)


def _suppression_of(alert: OpenAlert) -> Alert:
    return Alert(**_shallow(alert), event="suppressed")


def _shallow(alert: OpenAlert) -> dict[str, Any]:
    """Return the fields of an alert; `asdict` would make tables of its doubts."""
    return {f.name: getattr(alert, f.name) for f in fields(alert)}


def _difference(
    stored: _Stored,
    before: Mapping[str, Alarm | Suspension],
    book: Book,
    position: str,
    actions: Sequence[Action],
) -> list[Any] | None:
    """Return the arguments of the script that keeps what has changed, None where nothing has."""
    after = _values(book)
    changed = {n: orjson.dumps(_table(v)) for n, v in after.items() if before.get(n) is not v}
    if stored.get(_POSITION) != position.encode():
        changed["#position"] = position.encode()
    gone = [n for n in before if n not in after]
    entries = [encode_action(a) for a in actions]
    if not (changed or gone or entries):
        return None
    args: list[Any] = [stored.get(_VERSION, b"0"), len(changed)]
    args += [text for pair in changed.items() for text in pair]
    args += [len(gone), *gone]
    for entry in entries:
        args += [len(entry), *entry]
    return args


def _values(book: Book) -> dict[str, Alarm | Suspension]:
    """Return the fields of the hash that hold a book, by name."""
    shelved = {f"{_SHELVED}{m}|{f}": s for (m, f), s in book.shelved.items()}
    out = {f"{_OUT}{m}": s for m, s in book.out_of_service.items()}
    return {**book.alarms, **shelved, **out}


def _table(value: Alarm | Suspension) -> dict[str, Any]:
    """Return what differs from the defaults."""
    defaults = {f.name: f.default for f in fields(value)}
    return {n: v for n, v in asdict(value).items() if v != defaults[n] and v not in ({}, ())}


def _decode(stored: _Stored) -> Book:
    book = Book()
    for name, text in stored.items():
        if name in (_POSITION, _VERSION):
            continue
        field = name.decode()
        if field.startswith(_SHELVED):
            machine_id, _, fault = field.removeprefix(_SHELVED).rpartition("|")
            book.shelved[machine_id, fault] = _suspension(loads(text))
        elif field.startswith(_OUT):
            book.out_of_service[field.removeprefix(_OUT)] = _suspension(loads(text))
        elif alarm := _known_alarm(text):
            book.put(alarm)
    return book


# Most are as they were when the book was read last.
@lru_cache(maxsize=_DECODED)
def _known_alarm(text: bytes) -> Alarm | None:
    """Return a stored alarm, None for one that cannot be read: the others must not suffer."""
    alarm = read(_alarm, text)
    if isinstance(alarm, Unreadable):
        log.error("a stored alarm cannot be read", code=alarm.code, reason=alarm.reason)
        return None
    return alarm


def _alarm(text: bytes) -> Alarm:
    """Return a stored alarm; fields of a later version are ignored."""
    table = loads(text)
    alarm = Alarm(**known_fields(Alarm, table))
    held = table.get("suspensions", {})
    suspensions = {n: _suspension(held[n]) for n in SUSPENSIONS if n in held}
    orders = tuple(WorkOrder(**known_fields(WorkOrder, o)) for o in table.get("work_orders", ()))
    requests = tuple(table.get("requests", ()))
    return replace(
        alarm,
        suspensions=suspensions,
        work_orders=orders,
        requests=requests,
        doubts=reasons_from_table(table.get("doubts")),
    )


def _suspension(table: Mapping[str, Any]) -> Suspension:
    doubts = reasons_from_table(table.get("doubts"))
    return Suspension(**known_fields(Suspension, table) | {"doubts": doubts})
