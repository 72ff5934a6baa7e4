"""Sends windows into the raw stream until the server has each of them, which counts once.

It stands between whoever has samples (the simulator, replays, MQTT, programs of others) and the
stream.
"""

import random
import time
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import redis

from vtox import keys
from vtox.client.in_doubt import InDoubt
from vtox.client.numbers import SequenceNumbers, new_run
from vtox.domain import Window
from vtox.errors import ServerFull, ServerUnavailable, SettingsError
from vtox.server_urls import split_urls
from vtox.store import streams
from vtox.store.client import Client, connect
from vtox.store.partition_table import Addresses, served
from vtox.wire import Dtype, Limits, encode, entry_header

# One transaction carries about this much: larger ones fall out of the cache (docs/PERFORMANCE.md).
BATCH_BYTES = 2 << 20
# How long a batch is repeated while no server accepts it.
PATIENCE_S = 120.0
PAUSE_S, MAX_PAUSE_S = 0.05, 1.0
# Ids of windows that were accepted, to recognise dead letters: about 100 bytes each.
KEPT_IDS = 50_000

# Why a sender waits: the server has no memory or disk for a window, it does not answer, the workers
# are as far behind as they may be, or too few replicas have what was sent.
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
class _Entry:
    """A window to be sent; without a `seq` in its fields before it is numbered."""

    machine_id: str
    name: str
    fields: EntryFields
    nbytes: int
    # How long ago it was acknowledged, s, where it goes again after a lost connection.
    age_s: float | None = None
    # The stream that it was added to.
    stream: str = keys.RAW


class Publisher:
    """Sends windows in batches, each again and again until the server has it.

    Use one for each thread. What a time-out leaves in doubt is sent again unchanged, and counts
    once.

    Parameters
    ----------
    server
        URL of the server (a user who may add windows, `ingest`), or a client of it. The time-out
        is 5 s; `?socket_timeout=30` in the URL sets another, for links on which a window takes
        longer.
    numbers
        The file that keeps the sequence numbers over restarts (`vtox.client.numbers`). Without it
        every publisher is a run of its own, which begins at 0; what is sent again by the next one
        is then diagnosed twice.
    batch_s
        How long `send` may collect windows before it sends them in one transaction. 0: at once.
    when_full
        What to do while the server refuses windows, for want of memory or disk: `wait`, or `raise`
        `ServerFull`.
    ahead_bytes
        With this many bytes of windows unfinished in the stream it waits too. None: no limit. The
        user must be allowed to look (`XINFO`).
    patience_s
        How long to look for a server that does not answer.
    keep_s
        What was acknowledged in the last seconds before the connection was lost is sent again, as
        the server may have lost it: a replica that becomes the primary, or one killed between two
        syncs. Windows that it has count once. Longer than a fail-over; needs the URL, not a client.
    replicas
        So many replicas must have a window before it counts as acknowledged (`WAIT`).
    """

    def __init__(
        self,
        server: str | Client,
        *,
        name: str = "publisher",
        numbers: Path | str | None = None,
        batch_s: float = 0.0,
        batch_bytes: int = BATCH_BYTES,
        when_full: Literal["wait", "raise"] = "wait",
        ahead_bytes: int | None = None,
        patience_s: float = PATIENCE_S,
        keep_s: float = 0.0,
        replicas: int = 0,
        limits: Limits | None = None,
        dtype: Dtype = "i2",
    ) -> None:
        if isinstance(server, str) and len(split_urls(server)) > 1:
            raise SettingsError(
                "a publisher sends to one server",
                remedy="one publisher for each server with its machines, or all to one server: "
                "the bridge hands over what belongs to another (docs/SENDING.md)",
            )
        self._owns_client = isinstance(server, str)
        careful = bool(keep_s or replicas)
        self._client: Client = (
            connect(server, name, retries=0 if careful else 1, report_loss=careful)
            if isinstance(server, str)
            else server
        )
        self._in_doubt: InDoubt[_Entry] = InDoubt(replicas, keep_s)
        self._numbers = SequenceNumbers(Path(numbers)) if numbers else None
        self.run = self._numbers.run if self._numbers else new_run()
        self.batch_s, self.batch_bytes = batch_s, batch_bytes
        self.when_full = when_full
        self.ahead_bytes = ahead_bytes
        self.patience_s = patience_s
        self.limits = limits or Limits()
        self.dtype = dtype
        self._next: dict[str, int] = {}
        self._waiting: deque[_Entry] = deque()
        self._waiting_bytes = 0
        self._since = 0.0
        self._room_bytes = batch_bytes
        self._accepted: list[Accepted] = []
        self.accepted_ids: OrderedDict[tuple[str, str], Accepted] = OrderedDict()
        self._addresses = Addresses(self._client)

    def __enter__(self) -> "Publisher":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self.close()

    def close(self) -> None:
        """Close connection and file; what was collected and not flushed is not sent."""
        if self._numbers:
            self._numbers.close()
        if self._owns_client:
            self._client.close()

    def send(
        self,
        machine_id: str,
        channels: Mapping[str, Any],
        *,
        t0: float,
        fs_hz: float,
        scale: Mapping[str, float] | None = None,
        speed_rpm: float | None = None,
        temperature_c: float | None = None,
        vehicle_id: str | None = None,
    ) -> list[Accepted]:
        """Send a window with the next number of its machine; return those that the server has now.

        Without `batch_s` that is this one. `channels` are arrays in A, V and m/s^2, sent as 16
        bits of their own scale; or, where `scale` has units per count, integers as the converter
        gave them. `t0` is the start of the window, s since 1970 UTC: a window of the same machine
        and `t0` is taken for the same one.

        Raises
        ------
        WireError
            The bridge would refuse this window; nothing of it is sent.
        ServerFull, ServerUnavailable
            As `flush`; the window is kept and goes with the next one.
        """
        window = Window(
            channels=channels,
            fs_hz=fs_hz,
            speed_rpm=speed_rpm,
            temperature_c=temperature_c,
            machine_id=machine_id,
            seq=0,
            t0=t0,
            vehicle_id=vehicle_id,
        )
        fields = encode(window, self.dtype, scale)
        del fields["seq"]
        self.collect_entry(fields)
        return self.flush() if self._is_due() else self._take_accepted()

    def publish(self, windows: Iterable[Window]) -> list[Accepted]:
        """Send windows that have a `seq` already, and return when the server has all of them.

        Raises
        ------
        WireError, ServerFull, ServerUnavailable
            As `send`.
        """
        for window in windows:
            self.collect(window)
        return self.flush()

    def collect(self, window: Window) -> None:
        """Keep a window that has a `seq` for the next `flush`."""
        self.collect_entry(encode(window, self.dtype))

    def collect_entry(self, fields: EntryFields, *, name: str = "") -> None:
        """Keep the fields of an entry for the next `flush`; without `seq` it gets the next number.

        `name` then tells it from others of its machine, in place of its start: with a file of
        numbers an entry whose name is known gets the number and the start that it had.

        Raises
        ------
        WireError
            The bridge would refuse it; it is not kept.
        """
        entry_header({"seq": "0"} | fields, self.limits)
        if "seq" not in fields:
            fields["run"] = self.run
        self._keep(fields, name)

    def collect_refusal(self, fields: EntryFields) -> None:
        """Keep what is no window (`vtox.wire.REFUSED` says why); the bridge makes a dead letter."""
        self._keep(fields | {"seq": ""}, "")

    def name_of(self, machine_id: str, beginning: str) -> str | None:
        """Return the last name of a machine that begins so, None where the file has none."""
        return self._numbers.last_name(machine_id, beginning) if self._numbers else None

    def flush(self) -> list[Accepted]:
        """Send what is collected; return what was accepted since this was last said.

        Raises
        ------
        ServerFull
            The server refuses windows, and `when_full` is `raise`. They are kept for the next time.
        ServerUnavailable
            It did not answer for `patience_s`, or refuses this user. They are kept too.
        """
        for hindrance in self.deliver():
            if hindrance == "full" and self.when_full == "raise":
                raise ServerFull(len(self._waiting))
        return self._take_accepted()

    def deliver(self) -> Iterator[Hindrance]:
        """Send what is collected, and yield before each pause what it waits for."""
        self._number()
        deadline = time.monotonic() + self.patience_s
        pause_s = PAUSE_S
        look = bool(self._in_doubt)
        while self._waiting or self._in_doubt.unconfirmed or look:
            batch = self._next_batch()
            try:
                hindrance = self._advance(batch)
                look = False
            except (redis.ConnectionError, redis.TimeoutError) as error:
                raise_if_refused(error)
                self._shrink(error, batch)
                self._take_back()
                if time.monotonic() > deadline:
                    raise ServerUnavailable(
                        f"the server accepted no window for {self.patience_s:.0f} s: {error}"
                    ) from error
                hindrance = "away"
            if hindrance != "away":
                deadline = time.monotonic() + self.patience_s
            if hindrance is None:
                pause_s = PAUSE_S
                continue
            yield hindrance
            # At random: a thousand senders must not come back at the same moment.
            time.sleep(pause_s * random.uniform(0.5, 1.0))
            pause_s = min(2 * pause_s, MAX_PAUSE_S)

    def _advance(self, batch: list[_Entry]) -> Hindrance | None:
        """Ask the replicas, or send a batch, or at least see whether the server is there."""
        if self._in_doubt.unconfirmed:
            return self._confirm()
        if not batch:
            self._client.connections.look(self._client)
            return None
        return "behind" if self._is_ahead(batch) else self._add(batch)

    def _keep(self, fields: EntryFields, name: str) -> None:
        size = sum(len(x) for x in fields.values())
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting.append(_Entry(str(fields.get("machine_id", "")), name, fields, size))
        self._waiting_bytes += size

    def _is_due(self) -> bool:
        aged = time.monotonic() - self._since >= self.batch_s
        return aged or self._waiting_bytes >= self.batch_bytes

    def _number(self) -> None:
        """Give numbers to the windows that have none, on file before any of them is sent."""
        new = [e for e in self._waiting if "seq" not in e.fields]
        windows = [(e.machine_id, *_name_and_start(e)) for e in new]
        if self._numbers:
            numbered = self._numbers.assign(windows) if windows else []
        else:
            numbered = [(self._count_up(m), t0) for m, _, t0 in windows]
        for entry, (seq, t0) in zip(new, numbered, strict=True):
            entry.fields |= {"seq": str(seq), "t0": repr(t0)}

    def _count_up(self, machine_id: str) -> int:
        seq = self._next.get(machine_id, 0)
        self._next[machine_id] = seq + 1
        return seq

    def _next_batch(self) -> list[_Entry]:
        """Return the next windows, at least one, of about `_room_bytes`."""
        batch: list[_Entry] = []
        size = 0
        for entry in self._waiting:
            if batch and size + entry.nbytes > self._room_bytes:
                break
            batch.append(entry)
            size += entry.nbytes
        return batch

    def _add(self, batch: list[_Entry]) -> Hindrance | None:
        try:
            raws = self._addresses.raws(e.machine_id for e in batch)
            ids = streams.add_windows(self._client, [e.fields for e in batch], raws)
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
            self._waiting_bytes -= entry.nbytes
            entry.stream = raw
            self._in_doubt.unconfirmed.append((entry, entry_id, entry.age_s or 0.0))
        self._room_bytes = min(2 * self._room_bytes, self.batch_bytes)
        return self._confirm()

    def _confirm(self) -> Hindrance | None:
        """Take what was added for acknowledged, once the replicas have it."""
        confirmed = self._in_doubt.confirm(self._client)
        for entry, entry_id in confirmed:
            self._note(entry, entry_id)
        return None if confirmed else "unreplicated"

    def _take_back(self) -> None:
        """Send what may be lost again, before anything else: a machine's windows stay in order."""
        if not self._owns_client:
            return
        acknowledged, lost = self._in_doubt.take_all()
        for entry, age_s in acknowledged:
            entry.age_s = age_s
        again = [entry for entry, _ in acknowledged] + lost
        self._waiting.extendleft(reversed(again))
        self._waiting_bytes += sum(e.nbytes for e in again)
        self._client.connections.restart(self._client)

    def _note(self, entry: _Entry, entry_id: str) -> None:
        run = str(entry.fields.get("run", ""))
        seq = entry.fields["seq"]
        accepted = Accepted(entry.machine_id, run, int(seq) if seq else -1, entry_id, entry.stream)
        if entry.age_s is None:
            self._accepted.append(accepted)
        self.accepted_ids[entry.stream, entry_id] = accepted
        while len(self.accepted_ids) > KEPT_IDS:
            self.accepted_ids.popitem(last=False)

    def _take_accepted(self) -> list[Accepted]:
        accepted, self._accepted = self._accepted, []
        return accepted

    def _is_ahead(self, batch: list[_Entry]) -> bool:
        """Whether the unfinished windows, as large as these, are more than may be."""
        if self.ahead_bytes is None:
            return False
        try:
            unfinished = streams.backlog(self._client, [p.raw for p in served(self._client)])
        except redis.exceptions.NoPermissionError as error:
            raise SettingsError(
                f"ahead_bytes: this user may not look how far the workers are ({error})",
                remedy="leave it out, or use a user who may",
            ) from error
        return unfinished * sum(e.nbytes for e in batch) / len(batch) > self.ahead_bytes

    def _shrink(self, error: Exception, batch: list[_Entry]) -> None:
        """Send less at once over a link on which the time-out was too short for a batch."""
        if isinstance(error, redis.TimeoutError) and len(batch) > 1:
            self._room_bytes = max(sum(e.nbytes for e in batch) // 2, 1)


def _name_and_start(entry: _Entry) -> tuple[str, float]:
    t0 = float(entry.fields["t0"])
    return entry.name or f"{round(t0 * 1e6)}", t0


def raise_if_refused(error: Exception) -> None:
    """Raise where trying again is in vain: a wrong user or password."""
    if isinstance(error, redis.AuthenticationError | redis.exceptions.AuthorizationError):
        raise ServerUnavailable(
            f"the server refuses this user: {error}", remedy="check user and password in its URL"
        ) from error
