"""Delivery by way of a spool: while the line is down no sender waits, and later it is caught up.

Between the publisher, which numbers windows, and the delivery, which sends a batch of them.
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence

from vtox.pipeline.client.delivery import Accepted, Delivery, Entry, Hindrance
from vtox.pipeline.client.numbers import KEPT
from vtox.pipeline.client.spool import Spool

# The pause after a try that failed.
RETRY_S = 5.0
# The most that a full disk leaves in memory.
MEMORY_BYTES = 64 << 20


class StoreAndForward:
    """Takes the place of a `Delivery`: windows go through a folder, in their order.

    Parameters
    ----------
    per_s
        So many windows a second are sent in addition to the new ones.
    """

    def __init__(self, delivery: Delivery, spool: Spool, *, per_s: float, batch_bytes: int) -> None:
        self._delivery, self._spool = delivery, spool
        self._per_s, self._batch_bytes = per_s, batch_bytes
        self._in_flight: list[int] = []
        # Windows for which the disk had no room.
        self._in_memory: list[Entry] = []
        self._dropped = 0
        self._allowed = 1.0
        self._earned_at = self._next_try = time.monotonic()

    @property
    def windows(self) -> int:
        """The number of windows that wait."""
        in_flight = self._delivery.windows - len(self._in_flight)
        return len(self._in_memory) + self._spool.windows + in_flight

    @property
    def unsaved(self) -> int:
        """The number of windows that neither the disk nor the server has."""
        return len(self._in_memory)

    @property
    def dropped(self) -> int:
        """The number of windows that went unsent, for want of room, by their age, or by damage."""
        return self._dropped + self._spool.dropped + self._spool.unreadable

    def add(self, entries: Sequence[Entry]) -> None:
        """Keep windows, numbered: on disk, and while that is full in memory, the latest."""
        self._in_memory += entries
        self._allowed += len(entries)
        try:
            self._spool.add(self._in_memory)
            self._in_memory.clear()
        except sqlite3.Error:
            size = sum(e.nbytes for e in self._in_memory)
            while size > MEMORY_BYTES:
                size -= self._in_memory.pop(0).nbytes
                self._dropped += 1

    def take_accepted(self) -> tuple[list[Accepted], list[Accepted]]:
        """Return the windows acknowledged since the last call, new and resent."""
        return self._delivery.take_accepted()

    def deliver(self) -> Iterator[Hindrance]:
        """Send the oldest windows, a batch at a time; end after the first hindrance, yielded.

        Raises
        ------
        ServerUnavailable
            The server refuses this user. The windows are kept.
        """
        while self._may_send() and (self._delivery.windows or self._next_batch()):
            for hindrance in self._delivery.deliver():
                self._next_try = time.monotonic() + RETRY_S
                yield hindrance
                return
            self._spool.remove(self._in_flight)
            self._in_flight = []

    def close(self) -> None:
        """Close the folder; its next publisher sends the windows in it."""
        self._spool.remove([] if self._delivery.windows else self._in_flight)
        self._spool.close()

    def _may_send(self) -> bool:
        now = time.monotonic()
        earned = self._per_s * (now - self._earned_at)
        self._allowed = min(self._allowed + earned, max(1.0, self._per_s) + KEPT)
        self._earned_at = now
        return now >= self._next_try and (self._allowed >= 1 or self._delivery.windows > 0)

    def _next_batch(self) -> bool:
        """Take the oldest windows of the folder, then those in memory; whether there are any.

        Takes no more than the bridge remembers of a machine: windows that are sent again then count
        once.
        """
        try:
            batch = self._spool.first(min(int(self._allowed), KEPT), self._batch_bytes)
        except sqlite3.Error:  # damaged, and no room yet for a copy of the rows left
            batch = []
        self._in_flight = [row_id for row_id, _ in batch]
        entries = [entry for _, entry in batch]
        if not batch:
            entries, self._in_memory = self._in_memory[:KEPT], self._in_memory[KEPT:]
        self._allowed -= len(entries)
        self._delivery.add(entries)
        return bool(entries)
