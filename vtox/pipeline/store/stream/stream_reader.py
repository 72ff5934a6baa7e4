"""Reads a stream on from a position, and finds entries that were trimmed before they were read."""

from dataclasses import dataclass, replace

from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream import outputs
from vtox.pipeline.store.stream.outputs import Entry, Extent, entry_order

BEGIN = "0-0"


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where a stream was recorded.

    `entries_read` is how many entries the stream has had up to there, those included that were
    trimmed before the first recorder began; None before the first read.
    """

    stream: str
    entry_id: str = BEGIN
    entries_read: int | None = None


@dataclass(frozen=True, slots=True)
class Missed:
    """Entries that were trimmed unread: those after `after_id`, `before_id` at the latest.

    `entries` is how many, None if the stream does not say.
    """

    stream: str
    after_id: str
    before_id: str
    entries: int | None

    @property
    def after_s(self) -> float:
        """When the last entry before them arrived, s since 1970 by the server's clock."""
        return entry_order(self.after_id)[0] / 1000

    @property
    def before_s(self) -> float:
        """When the next one arrived."""
        return entry_order(self.before_id)[0] / 1000


@dataclass(frozen=True, slots=True)
class Batch:
    """The entries after `start`, and the position behind them; the `missed` entries lie between."""

    start: Position
    end: Position
    entries: list[Entry]
    missed: Missed | None
    # Whether these were all there were.
    complete: bool


def read(client: Client, start: Position, count: int) -> Batch:
    """Return up to `count` entries after a position."""
    found = outputs.extent_and_after(client, start.stream, start.entry_id, count=count)
    if found is None:
        return Batch(start, start, [], None, complete=True)
    extent, entries = found
    return batch(start, extent, entries, complete=len(entries) < count)


def batch(start: Position, extent: Extent, entries: list[Entry], *, complete: bool) -> Batch:
    """Return the entries read after `start` from a stream of that extent."""
    added, trimmed = extent.added, extent.added - extent.length
    # A server that lost its last second, or another one in its place, counts from less.
    read_before = trimmed if start.entries_read is None else min(start.entries_read, added)
    first = entries[0][0].decode() if entries else ""
    found = None
    if trimmed > read_before and start.entry_id != BEGIN:
        # If nothing is left, the trimmed entries end with the last entry that there ever was.
        before = first or extent.last_id
        found = Missed(start.stream, start.entry_id, before, trimmed - read_before)
    if found and not entries and entry_order(found.before_id) <= entry_order(start.entry_id):
        found = None
    entries_read = added if complete else max(read_before, trimmed) + len(entries)
    end_id = entries[-1][0].decode() if entries else start.entry_id
    if found and not entries:
        end_id = found.before_id
    end = replace(start, entry_id=end_id, entries_read=entries_read)
    return Batch(start, end, entries, found, complete)
