"""The windows on their way to the server: in their order, again and again until it has each.

Between the publisher, which numbers them, and the stream.
"""

import random
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import redis

from vtox.pipeline.client.in_doubt import InDoubt
from vtox.pipeline.configuration import keys
from vtox.pipeline.errors import ServerUnavailable, SettingsError
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.partition_table import Addresses, served
from vtox.pipeline.store.stream import window_log

PAUSE_S, MAX_PAUSE_S = 0.05, 1.0

# Reasons why a sender waits. The server has no memory or disk for a window, or it does not answer.
# The workers have reached the limit of their backlog, or too few replicas have the windows.
Hindrance = Literal["full", "away", "behind", "unreplicated"]
EntryFields = dict[str, str | bytes]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A window that the server has: `entry_id` is the id of its entry in `stream`.

    `seq` is -1 of a refusal (`collect_refusal`).
    """

    machine_id: str
    run: str
    seq: int
    entry_id: str
    stream: str = keys.RAW


@dataclass(slots=True)
class Entry:
    """A window to be sent; without a `seq` in its fields before it is numbered."""

    machine_id: str
    name: str
    fields: EntryFields
    nbytes: int
    # Its age since the acknowledgement, s, if it goes again after a lost connection.
    age_s: float | None = None
    # The stream that it was added to.
    stream: str = keys.RAW


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a publisher delivers (its parameters)."""

    batch_bytes: int
    ahead_bytes: int | None
    patience_s: float
    keep_s: float
    replicas: int


class Delivery:
    """The windows that the server shall have, and the ones it has; none is dropped."""

    dropped = 0

    def __init__(self, client: Client, terms: Terms, *, renews: bool = True) -> None:
        self.client = client
        # Whether its connections are its own, to be made again.
        self._renews = renews
        self._terms = terms
        self._waiting: deque[Entry] = deque()
        self._room_bytes = terms.batch_bytes
        self._in_doubt: InDoubt[Entry] = InDoubt(terms.replicas, terms.keep_s)
        self._addresses = Addresses(client)
        self._look = False
        self._deadline = 0.0
        # The windows that the server has now, new and resent.
        self._accepted: list[Accepted] = []
        self._repeated: list[Accepted] = []

    @property
    def windows(self) -> int:
        """The number of windows that wait."""
        return len(self._waiting)

    def add(self, entries: Sequence[Entry]) -> None:
        """Add windows, numbered, for the next delivery."""
        self._waiting += entries

    def take_accepted(self) -> tuple[list[Accepted], list[Accepted]]:
        """Return the windows acknowledged since the last call, new and resent."""
        found = self._accepted, self._repeated
        self._accepted, self._repeated = [], []
        return found

    def deliver(self) -> Iterator[Hindrance]:
        """Send all that waits, and see whether the server may have lost something.

        Yields before each pause the reason for it; a caller that stops there leaves the rest
        waiting.

        Raises
        ------
        ServerUnavailable
            The server is away for too long, or refuses this user. The windows are kept.
        """
        self._look = bool(self._in_doubt)
        self._deadline = time.monotonic() + self._terms.patience_s
        pause_s = PAUSE_S
        while self._waiting or self._in_doubt.unconfirmed or self._look:
            hindrance = self._attempt()
            if hindrance is None:
                pause_s = PAUSE_S
                continue
            yield hindrance
            # At random: a thousand senders must not come back at the same moment.
            time.sleep(pause_s * random.uniform(0.5, 1.0))
            pause_s = min(2 * pause_s, MAX_PAUSE_S)

    def _attempt(self) -> Hindrance | None:
        """Send a batch; return why it does not go."""
        batch = self._next_batch()
        try:
            hindrance = self._advance(batch)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            self._meet_loss(error, batch)
            return "away"
        self._look = False
        self._deadline = time.monotonic() + self._terms.patience_s
        return hindrance

    def _meet_loss(self, error: redis.RedisError, batch: list[Entry]) -> None:
        raise_if_refused(error)
        self._shrink(error, batch)
        self._take_back()
        if time.monotonic() > self._deadline:
            self._deadline = time.monotonic() + self._terms.patience_s
            raise ServerUnavailable(
                f"the server accepted no window for {self._terms.patience_s:.0f} s: {error}"
            ) from error

    def _next_batch(self) -> list[Entry]:
        """Return the next windows, at least one, of about `_room_bytes`."""
        batch: list[Entry] = []
        size = 0
        for entry in self._waiting:
            if batch and size + entry.nbytes > self._room_bytes:
                break
            batch.append(entry)
            size += entry.nbytes
        return batch

    def _advance(self, batch: list[Entry]) -> Hindrance | None:
        """Ask the replicas, or send a batch, or at least see whether the server is there."""
        if self._in_doubt.unconfirmed:
            return self._confirm()
        if not batch:
            self.client.connections.look(self.client)
            return None
        return "behind" if self._is_ahead(batch) else self._add(batch)

    def _is_ahead(self, batch: list[Entry]) -> bool:
        """Whether the unfinished windows, as large as these, are more than may be."""
        if self._terms.ahead_bytes is None:
            return False
        try:
            unfinished = window_log.backlog(self.client, [p.raw for p in served(self.client)])
        except redis.exceptions.NoPermissionError as error:
            raise SettingsError(
                f"ahead_bytes: this user may not look how far the workers are ({error})",
                remedy="leave it out, or use a user who may",
            ) from error
        return unfinished * sum(e.nbytes for e in batch) / len(batch) > self._terms.ahead_bytes

    def _add(self, batch: list[Entry]) -> Hindrance | None:
        try:
            raws = self._addresses.raws(e.machine_id for e in batch)
            ids = window_log.add_windows(self.client, [e.fields for e in batch], raws)
        except redis.OutOfMemoryError:
            return "full"
        except redis.exceptions.NoPermissionError as error:
            raise ServerUnavailable(
                f"the server refuses windows of this user: {error}",
                remedy="deploy/redis/users.acl has the rights of `ingest`",
            ) from error
        except redis.ResponseError as error:
            if str(error).startswith("MISCONF"):
                return "full"
            if str(error).startswith("NOREPLICAS"):
                return "unreplicated"
            raise
        for entry, entry_id, raw in zip(batch, ids, raws, strict=True):
            self._waiting.popleft()
            entry.stream = raw
            self._in_doubt.unconfirmed.append((entry, entry_id, entry.age_s or 0.0))
        self._room_bytes = min(2 * self._room_bytes, self._terms.batch_bytes)
        return self._confirm()

    def _confirm(self) -> Hindrance | None:
        """Count the added windows as acknowledged once the replicas have them."""
        confirmed = self._in_doubt.confirm(self.client)
        for entry, entry_id in confirmed:
            self._note(entry, entry_id)
        return None if confirmed else "unreplicated"

    def _note(self, entry: Entry, entry_id: str) -> None:
        seq = entry.fields["seq"]
        accepted = Accepted(
            entry.machine_id,
            str(entry.fields.get("run", "")),
            int(seq) if seq else -1,
            entry_id,
            entry.stream,
        )
        (self._accepted if entry.age_s is None else self._repeated).append(accepted)

    def _take_back(self) -> None:
        """Resend windows that may be lost, before all others: a machine's windows stay in order."""
        if not self._renews:
            return
        acknowledged, lost = self._in_doubt.take_all()
        for entry, age_s in acknowledged:
            entry.age_s = age_s
        again = [entry for entry, _ in acknowledged] + lost
        self._waiting.extendleft(reversed(again))
        self.client.connections.restart(self.client)

    def _shrink(self, error: Exception, batch: list[Entry]) -> None:
        """Send less at once over a link on which the time-out was too short for a batch."""
        if isinstance(error, redis.TimeoutError) and len(batch) > 1:
            self._room_bytes = max(sum(e.nbytes for e in batch) // 2, 1)


def raise_if_refused(error: Exception) -> None:
    """Raise if a retry is useless: a wrong user or password."""
    if isinstance(error, redis.AuthenticationError | redis.exceptions.AuthorizationError):
        raise ServerUnavailable(
            f"the server refuses this user: {error}", remedy="check user and password in its URL"
        ) from error
