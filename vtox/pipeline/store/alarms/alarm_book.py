"""The alarm book on the server: read, brought up to date with the alerts, changed by operators.

One hash holds it, with the position in `system_alerts` up to which its alarms follow the alerts.
A change that was made for another version of the book is refused. A process that keeps the
book reads only the changes that others have made since.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from threading import Lock
from typing import Any

import redis

from vtox.motor.alarms.book import Action, Book
from vtox.motor.alarms.health.alert_values import Alert, Verdict
from vtox.motor.alarms.life import Alarm
from vtox.motor.values import codec
from vtox.motor.values.codec import RawFields
from vtox.motor.values.operating_state import suppresses_alarms
from vtox.motor.values.plain_data import known_fields
from vtox.pipeline.configuration import keys
from vtox.pipeline.errors import TooBusy
from vtox.pipeline.store.alarms.alarm_actions import encode_action
from vtox.pipeline.store.alarms.open_alerts import OpenAlert, open_alerts
from vtox.pipeline.store.alarms.stored_alarms import POSITION, VERSION, changed_fields, take_field
from vtox.pipeline.store.server import scripts
from vtox.pipeline.store.server.client import Client, server_time_ms
from vtox.pipeline.store.stream import outputs
from vtox.pipeline.store.stream.unreadable import Unreadable, note_skipped, read_each

_ALERTS_AT_ONCE = 1000
# Other programs may write alerts too.
_ALARM_ID = re.compile(r"[^#|].{0,200}:\d{1,15}")
# Alerts and operators are few: two changes at once are rare, and a third one is refused never.
_TRIES = 50
# Numbered with each change: if it has another number, not all changes are numbered.
_NUMBERED = VERSION


_Source = tuple[Client, int, bytes | None]


@dataclass(slots=True)
class _BookState:
    """A book up to `position` in the alerts, with the entries that are no alerts."""

    book: Book = field(default_factory=Book)
    position: str = ""
    skipped: list[tuple[bytes, Unreadable]] = field(default_factory=list)


class KeptBook:
    """The book in one process: changes are read, the rest is kept. Safe between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        # As it is on the server, with the number of its last change.
        self._source: _Source | None = None
        self._version = 0
        self._stored = _BookState()
        # With the alerts that came since.
        self._followed = self._stored
        # The book `_followed` at the time of the last read.
        self._shown_of = self._shown = self._followed.book
        self._ends_ms: int | None = None

    def read(self, client: Client, *, keep: bool = True) -> tuple[Book, int]:
        """Return the book as it is now, with the time (ms, server clock).

        It is the same object until it changes. `keep` writes the changes that new alerts make.
        """
        with self._lock:
            pipe = client.pipeline(transaction=True)
            pipe.hget(keys.FLEET, "epoch")
            pipe.hget(keys.ALARM_BOOK, VERSION)
            pipe.xrevrange(keys.ALERTS, count=1)
            pipe.time()
            epoch, version, newest, (seconds, micros) = pipe.execute()
            now_ms = seconds * 1000 + micros // 1000
            stored = self._is_stored(_source(client, epoch), int(version or 0))
            if not (stored and self._has_followed(newest)):
                if keep:
                    self._change(client, lambda book, now_ms: None)
                else:
                    self._follow(client)
            ended = self._ends_ms is not None and now_ms >= self._ends_ms
            if ended or self._shown_of is not self._followed.book:
                self._shown_of = self._followed.book
                self._shown = self._shown_of.at(now_ms)
                self._ends_ms = self._shown.next_end_ms()
            return self._shown, now_ms

    def act(self, client: Client, actions: Callable[[Book, int], Iterable[Action]]) -> list[Action]:
        """Apply the operators' actions, all or nothing, and return those applied.

        `actions` is called with the book and the time (ms, server clock), again if another process
        has changed the book meanwhile. A request that was followed already does nothing.

        Raises `AlarmRefused`: one of them is not possible.
        """
        done: list[Action] = []

        def change(book: Book, now_ms: int) -> None:
            done[:] = [a for a in actions(book, now_ms) if book.act(a)]

        with self._lock:
            self._change(client, change, done)
        return done

    def change(self, client: Client, change: Callable[[Book, int], None]) -> Book:
        """Change the book, which `change` gets with the time (ms), and return it."""
        with self._lock:
            self._change(client, change)
            return self._followed.book

    def _is_stored(self, source: _Source, version: int) -> bool:
        return (source, version) == (self._source, self._version)

    def _has_followed(self, newest: Any) -> bool:
        position = self._followed.position
        last = newest[0][0].decode() if newest else "0-0"
        return position != "" and outputs.entry_order(last) <= outputs.entry_order(position)

    def _change(
        self,
        client: Client,
        change: Callable[[Book, int], None],
        actions: list[Action] | None = None,
    ) -> None:
        """Change the book and keep the changes; `actions` are written with it."""
        script = client.register_script(scripts.source("keep_alarms"))
        where = [keys.ALARM_BOOK, keys.ALARM_ACTIONS, keys.ALARM_CHANGES]
        for _ in range(_TRIES):
            self._follow(client)
            now = _BookState(self._followed.book.copy(), self._followed.position)
            change(now.book, server_time_ms(client))
            written, gone = changed_fields(self._stored.book, now.book)
            entries = [encode_action(a) for a in actions or []]
            moved = now.position != self._stored.position
            if not (written or gone or entries or moved):
                return
            args = [self._version, now.position]
            args += _counted(x for item in written.items() for x in item)
            args += _counted(gone)
            for entry in entries:
                args += _counted(entry)
            try:
                kept = script(keys=where, args=args)
            except redis.ResponseError:
                if actions is not None:
                    raise
                # A server that takes no writes is no reason to refuse a reader.
                now.skipped = self._followed.skipped
                self._followed = now
                return
            if kept:
                note_skipped(client, "alarm_book", keys.ALERTS, self._followed.skipped)
                now.book.changed.clear()
                self._version, self._stored, self._followed = int(kept), now, now
                return
        raise TooBusy("others change alarms all the time", remedy="try again")

    def _follow(self, client: Client) -> None:
        """Read the changes of others, and the alerts that came since."""
        self._load(client)
        now = self._followed
        following = _BookState(now.book.copy(), now.position, list(now.skipped))
        _follow_alerts(client, following)
        if following.position != now.position:
            self._followed = following

    def _load(self, client: Client) -> None:
        """Read the changes of others, or all of the book if they are not known."""
        while True:
            pipe = client.pipeline(transaction=True)
            pipe.hget(keys.FLEET, "epoch")
            pipe.hget(keys.ALARM_BOOK, VERSION)
            pipe.zscore(keys.ALARM_CHANGES, _NUMBERED)
            pipe.zrange(keys.ALARM_CHANGES, 0, 0, withscores=True)
            pipe.zrange(keys.ALARM_CHANGES, f"({self._version}", "+inf", byscore=True)
            epoch, version, numbered, oldest, changed = pipe.execute()
            source, number = _source(client, epoch), int(version or 0)
            if self._is_stored(source, number):
                return
            begun = self._source == source and self._version < number == numbered
            if not (begun and oldest[0][1] <= self._version + 1):
                self._source = source
                self._take(Book(), client.hgetall(keys.ALARM_BOOK))
                return
            names = [VERSION, POSITION, *(n for n in changed if n != _NUMBERED)]
            found = dict(zip(names, client.hmget(keys.ALARM_BOOK, names), strict=True))
            # Otherwise it has changed between the two reads.
            if found[VERSION] == version:
                self._take(self._stored.book.copy(), found)
                return

    def _take(self, book: Book, found: dict[bytes, bytes | None]) -> None:
        self._version = int(found.pop(VERSION, None) or 0)
        position = (found.pop(POSITION, None) or b"").decode()
        for name, text in found.items():
            take_field(book, name.decode("utf-8", "replace"), text)
        book.changed.clear()
        self._stored = self._followed = _BookState(book, position)


def advance(client: Client, *, forget: bool = False) -> Book:
    """Bring the book up to date with the alerts, and return it.

    `forget` drops alarms that ended long ago.
    """
    return KeptBook().change(
        client, lambda book, now_ms: book.forget_finished(now_ms) if forget else None
    )


def act(client: Client, actions: Callable[[Book, int], Iterable[Action]]) -> list[Action]:
    """Apply the operators' actions, as `KeptBook.act`."""
    return KeptBook().act(client, actions)


def forget_machines(client: Client, machine_ids: Sequence[str]) -> None:
    """Forget the alarms of machines that are no more."""

    def forget(book: Book, _: int) -> None:
        for machine_id in machine_ids:
            book.forget_machine(machine_id)

    KeptBook().change(client, forget)


def _source(client: Client, epoch: bytes | None) -> _Source:
    """Return the source of a kept book: behind another connection may be another server."""
    return client, client.connections.lost, epoch


def _counted(texts: Iterable[Any]) -> list[Any]:
    listed = list(texts)
    return [len(listed), *listed]


def _follow_alerts(client: Client, now: _BookState) -> None:
    """Change a book by the alerts after its position."""
    if not now.position:
        # The first time: the open alerts, and no alarm that ended before.
        now.position = outputs.newest_id(client, keys.ALERTS)
        for opened in open_alerts(client):
            now.book.put(_alarm_of(opened))
            last = opened.latest or opened
            if suppresses_alarms(last.code):
                suppression = _suppression_of(opened, last)
                now.book.note_alert(suppression, server_time_ms(client))
    while entries := client.xrange(keys.ALERTS, f"({now.position}", "+", count=_ALERTS_AT_ONCE):
        now.position = entries[-1][0].decode()
        now.skipped += read_each(entries, partial(_note_alert, now.book))[1]


def _note_alert(book: Book, entry_id: bytes, fields: RawFields) -> None:
    alert = codec.decode_fields(Alert, fields)
    if _ALARM_ID.fullmatch(alert.id):
        book.note_alert(alert, outputs.entry_order(entry_id.decode())[0])


def _alarm_of(alert: OpenAlert) -> Alarm:
    ms = round(1000 * alert.t)
    return Alarm(**known_fields(Alarm, _shallow(alert)), raised_ms=ms, since_ms=ms)


def _suppression_of(alert: OpenAlert, last: OpenAlert | Verdict) -> Alert:
    said = {n: getattr(last, n) for n in ("code", "reason", "values", "doubts")}
    return Alert(**known_fields(Alert, _shallow(alert)) | said, event="suppressed")


def _shallow(alert: OpenAlert) -> dict[str, Any]:
    """Return the fields of an alert; `asdict` would make tables of its doubts."""
    return {f.name: getattr(alert, f.name) for f in fields(alert)}
