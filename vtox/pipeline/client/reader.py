"""Reads the answers of VTOX: results, alerts and dead letters as values, from a position on."""

import json
import logging
import random
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import redis

from vtox.motor.alarms.health.alert_values import Alert
from vtox.motor.values import codec
from vtox.motor.values.codec import RawFields
from vtox.pipeline.client.address import server_of_settings
from vtox.pipeline.client.delivery import MAX_PAUSE_S, PAUSE_S, raise_if_refused
from vtox.pipeline.client.publisher import PATIENCE_S, Publisher
from vtox.pipeline.configuration import keys
from vtox.pipeline.errors import ServerUnavailable, SettingsError
from vtox.pipeline.store.server.client import MAX_BLOCK_MS, Client, connect
from vtox.pipeline.store.stream import outputs, stream_reader
from vtox.pipeline.store.stream.deadletters import DeadLetter, decode
from vtox.pipeline.store.stream.entries import Result, decode_result
from vtox.pipeline.store.stream.stream_reader import Batch, Missed, Position
from vtox.pipeline.store.stream.unreadable import Unreadable, read

# Not structlog, which takes longer to load than all else here: programs of others import this.
log = logging.getLogger(__name__)
T = TypeVar("T", Result, Alert, DeadLetter)
R = TypeVar("R")

READ_COUNT = 500
# Each dead letter may carry megabytes.
READ_LETTERS = 20
REFUSALS_QUIET_S = 1.0
# Below the time-out of the socket: redis-py repeats a read that outlasts it.
BLOCK_MS = MAX_BLOCK_MS // 2
# A reader that is killed reads again the items of this time.
SAVE_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """A value with the id of its entry, to read on from there; `t` is when it was written.

    The time is by the server's clock, s since 1970.
    """

    id: str
    value: T

    @property
    def t(self) -> float:
        """When the entry was written."""
        return outputs.entry_order(self.id)[0] / 1000


class Reader:
    """Iterators over the streams that VTOX writes.

    Each goes on without end, or ends when nothing came for `quiet_s`. It begins after the entry
    `after` (`0-0`: with the oldest that is kept), or else at the position in `positions`, or else
    with the next new entry. An item counts as read when the next one is asked for. A reader that is
    killed therefore gets its last items again: recognise them by their `id`.

    Parameters
    ----------
    server
        URL of the server (a user who may read, `reader`), or a client of it.
    positions
        A file that keeps how far each stream was read.
    patience_s
        How long to look for a server that does not answer.
    """

    def __init__(
        self,
        server: str | Client | None = None,
        *,
        name: str = "reader",
        positions: Path | str | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        server = server_of_settings() if server is None else server
        self._client: Client = connect(server, name) if isinstance(server, str) else server
        self._owns_client = isinstance(server, str)
        self._file = Path(positions) if positions else None
        self._positions = _load(self._file)
        self._saved_t = time.monotonic()
        self.patience_s = patience_s
        # Entries that were trimmed before they were read, newest last.
        self.missed: list[Missed] = []

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._owns_client:
            self._client.close()

    def results(
        self,
        machines: Collection[str] = (),
        *,
        after: str | None = None,
        quiet_s: float | None = None,
    ) -> Iterator[Item[Result]]:
        """Yield diagnoses, of some machines or of all."""

        def item(entry_id: str, fields: RawFields) -> Item[Result]:
            return Item(entry_id, decode_result(fields))

        return self._items(keys.RESULTS, item, machines, after, quiet_s)

    def alerts(
        self,
        machines: Collection[str] = (),
        *,
        after: str | None = None,
        quiet_s: float | None = None,
    ) -> Iterator[Item[Alert]]:
        """Yield the events of alarms: raised, cleared and so on. The system's have no machine."""

        def item(entry_id: str, fields: RawFields) -> Item[Alert]:
            return Item(entry_id, codec.decode_fields(Alert, fields))

        return self._items(keys.ALERTS, item, machines, after, quiet_s)

    def dead_letters(
        self,
        machines: Collection[str] = (),
        *,
        after: str | None = None,
        quiet_s: float | None = None,
    ) -> Iterator[Item[DeadLetter]]:
        """Yield the entries that could not be diagnosed, each with its reason."""

        def item(entry_id: str, fields: RawFields) -> Item[DeadLetter]:
            return Item(entry_id, decode(entry_id, fields))

        return self._items(keys.DEAD_LETTERS, item, machines, after, quiet_s)

    def refusals(
        self, publisher: Publisher, *, quiet_s: float = REFUSALS_QUIET_S
    ) -> Iterator[Item[DeadLetter]]:
        """Yield the dead letters of windows that a publisher has sent and the bridge refused.

        Covers its last `KEPT_IDS` windows, once each, until no letter came for `quiet_s`; called
        again it goes on. A letter of many windows is yielded if the publisher has sent the first or
        the last of them.
        """
        ids = publisher.accepted_ids
        if not ids:
            return
        first_ms = min(outputs.entry_order(entry_id)[0] for _, entry_id in ids)
        after = None if keys.DEAD_LETTERS in self._positions else f"{first_ms}-0"
        machines = {a.machine_id for a in ids.values()}
        # A letter that many senders share names no machine.
        for item in self.dead_letters({*machines, ""}, after=after, quiet_s=quiet_s):
            letter = item.value
            ends = (letter.stream_id, letter.last_stream_id)
            if any((letter.stream, i) in ids for i in ends):
                yield item

    def _items(
        self,
        stream: str,
        item: Callable[[str, RawFields], Item[T]],
        machines: Collection[str],
        after: str | None,
        quiet_s: float | None,
    ) -> Iterator[Item[T]]:
        wanted = {m.encode() for m in machines}
        position = self._first_position(stream, after)
        heard_t = time.monotonic()
        try:
            while quiet_s is None or time.monotonic() - heard_t < quiet_s:
                batch = self._read(position)
                if batch.missed:
                    self.missed.append(batch.missed)
                for i, (entry_id, fields) in enumerate(batch.entries):
                    if not wanted or fields.get(b"machine_id") in wanted:
                        heard_t = time.monotonic()
                        found = read(item, entry_id.decode(), fields)
                        if isinstance(found, Unreadable):
                            said = {"stream": stream, "entry": entry_id.decode()}
                            said |= {"code": found.code, "reason": found.reason}
                            log.warning("an entry is passed over", extra=said)
                        else:
                            yield found
                    self._note(_position_at(batch, i))
                position = batch.end
                self._note(position)
        finally:
            self._save()

    def newest_id(self, stream: str = keys.RESULTS) -> str:
        """Return the id of the newest entry of a stream, to read on from there."""
        return self._patiently(lambda: outputs.newest_id(self._client, stream))

    def _first_position(self, stream: str, after: str | None) -> Position:
        if after is not None:
            return Position(stream, after)
        return self._positions.get(stream) or Position(stream, self.newest_id(stream))

    def _read(self, start: Position) -> Batch:
        """Return the entries after a position, at once or as soon as there are any."""
        count = READ_LETTERS if start.stream == keys.DEAD_LETTERS else READ_COUNT

        def look() -> Batch:
            batch = stream_reader.read(self._client, start, count)
            if not batch.entries:
                outputs.wait_for(
                    self._client, start.stream, batch.end.entry_id, count=1, block_ms=BLOCK_MS
                )
            return batch

        return self._patiently(look)

    def _patiently(self, look: Callable[[], R]) -> R:
        """Return the result of a read; retry while the server is away."""
        deadline, pause_s = time.monotonic() + self.patience_s, PAUSE_S
        while True:
            try:
                return look()
            except (redis.ConnectionError, redis.TimeoutError) as error:
                raise_if_refused(error)
                if time.monotonic() > deadline:
                    what = f"the server did not answer for {self.patience_s:.0f} s: {error}"
                    raise ServerUnavailable(what) from error
            time.sleep(pause_s * random.uniform(0.5, 1.0))
            pause_s = min(2 * pause_s, MAX_PAUSE_S)

    def _note(self, position: Position) -> None:
        if self._positions.get(position.stream) == position:
            return
        self._positions[position.stream] = position
        if time.monotonic() - self._saved_t > SAVE_EVERY_S:
            self._save()

    def _save(self) -> None:
        self._saved_t = time.monotonic()
        if self._file is None:
            return
        kept = {s: [p.entry_id, p.entries_read] for s, p in self._positions.items()}
        draft = self._file.with_name(f"{self._file.name}.new")
        draft.write_text(json.dumps(kept))
        draft.replace(self._file)


def _position_at(batch: Batch, i: int) -> Position:
    """Return the position behind entry `i` of a batch."""
    left = len(batch.entries) - 1 - i
    read = batch.end.entries_read
    entry_id = batch.entries[i][0].decode()
    return Position(batch.end.stream, entry_id, None if read is None else read - left)


def _load(file: Path | None) -> dict[str, Position]:
    """Return the positions of a file, none if there is none yet."""
    if file is None or not file.exists():
        return {}
    try:
        kept = json.loads(file.read_text())
        return {stream: Position(stream, str(i), read) for stream, (i, read) in kept.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise SettingsError(
            f"{file}: holds no positions ({error})", remedy="give another file, or delete it"
        ) from error
