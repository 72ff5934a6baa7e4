"""Sends windows into the raw stream until the server has each of them, which counts once.

It is between the owner of samples (the simulator, replays, MQTT, programs of others) and the
stream.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from vtox.motor.values.domain import Window
from vtox.pipeline.client.address import server_of_settings
from vtox.pipeline.client.delivery import Accepted as Accepted
from vtox.pipeline.client.delivery import Delivery, Entry, EntryFields, Hindrance, Terms
from vtox.pipeline.client.numbers import SequenceNumbers, new_run
from vtox.pipeline.client.spool import MAX_AGE_S, MAX_BYTES, Spool
from vtox.pipeline.client.store_and_forward import StoreAndForward
from vtox.pipeline.errors import ServerFull
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.windows.wire import Dtype, Limits, encode, entry_header

# One transaction carries about this much: larger ones fall out of the cache (docs/adr/0003).
BATCH_BYTES = 2 << 20
# How long a batch is repeated while no server accepts it.
PATIENCE_S = 120.0
# Windows a second of a spool: a box of two cores takes some hundred.
CATCH_UP_PER_S = 50.0
NUMBERS_FILE = "numbers.sqlite"
# Ids of windows that were accepted, to recognise dead letters: about 100 bytes each.
KEPT_IDS = 50_000


class Publisher:
    """Sends windows in batches, each again and again until the server has it.

    Use one for each thread. Windows left in doubt by a time-out are sent again unchanged, and count
    once.

    Parameters
    ----------
    server
        URL of the server (a user who may add windows, `ingest`), or a client of it. The time-out
        is 5 s; `?socket_timeout=30` in the URL sets another, for links on which a window takes
        longer. None: the server of this host's settings.
    numbers
        The file that keeps the sequence numbers over restarts (`numbers` of this folder).
        Without it every publisher is a separate run, which begins at 0; windows sent again by
        the next one are then diagnosed twice.
    batch_s
        How long `send` may collect windows before it sends them in one transaction. 0: at once.
    when_full
        The action while the server refuses windows, for want of memory or disk: `wait`, or `raise`
        `ServerFull`.
    ahead_bytes
        With this many bytes of windows unfinished in the stream it waits too. None: no limit. The
        user must be allowed to look (`XINFO`).
    patience_s
        How long to look for a server that does not answer.
    keep_s
        Windows acknowledged in the last seconds before the connection was lost are sent again, as
        the server may have lost them: a replica that becomes the primary, or one killed between two
        syncs. Windows that it has count once. Longer than a fail-over; needs the URL, not a client.
    replicas
        So many replicas must have a window before it counts as acknowledged (`WAIT`).
    spool
        The folder that keeps windows while the line is down, also over a restart of this process,
        with their numbers. `send` and `flush` then return without them and try again 5 s later;
        only a connection that times out delays them. One publisher at a time uses a folder.
    spool_bytes, spool_age_s
        The bounds of the folder; beyond them the oldest windows are dropped, and counted.
    catch_up_per_s
        So many of the windows that wait are sent a second, beyond the new ones.
    """

    def __init__(
        self,
        server: str | Client | None = None,
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
        spool: Path | str | None = None,
        spool_bytes: int = MAX_BYTES,
        spool_age_s: float = MAX_AGE_S,
        catch_up_per_s: float = CATCH_UP_PER_S,
        limits: Limits | None = None,
        dtype: Dtype = "i2",
    ) -> None:
        terms = Terms(
            batch_bytes=batch_bytes,
            ahead_bytes=ahead_bytes,
            patience_s=patience_s,
            keep_s=keep_s,
            replicas=replicas,
        )
        server = server_of_settings() if server is None else server
        self._owns_client = isinstance(server, str)
        self._client = _client(server, name, careful=bool(keep_s or replicas))
        self._delivery: Delivery | StoreAndForward
        self._delivery = Delivery(self._client, terms, renews=self._owns_client)
        if spool:
            folder = Spool(Path(spool), max_bytes=spool_bytes, max_age_s=spool_age_s)
            self._delivery = StoreAndForward(
                self._delivery, folder, per_s=catch_up_per_s, batch_bytes=batch_bytes
            )
        self._numbers: SequenceNumbers | None = None
        if numbers or spool:
            file = Path(numbers or Path(str(spool)) / NUMBERS_FILE)
            self._numbers = SequenceNumbers(file, lends=bool(spool), replaces=not numbers)
        self.run = self._numbers.run if self._numbers else new_run()
        self.batch_s, self.batch_bytes = batch_s, batch_bytes
        self.limits = limits or Limits()
        self.dtype = dtype
        self._raises_when_full = when_full == "raise"
        self._next: dict[str, int] = {}
        self._collected: list[Entry] = []
        self._collected_bytes = 0
        self._since = 0.0
        self.accepted_ids: OrderedDict[tuple[str, str], Accepted] = OrderedDict()

    def __enter__(self) -> "Publisher":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self.close()

    def close(self) -> None:
        """Close connections and file; collected windows that were not flushed are not sent."""
        if self._numbers:
            self._numbers.close()
        if isinstance(self._delivery, StoreAndForward):
            self._delivery.close()
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
        scalars: Mapping[str, tuple[float, str]] | None = None,
    ) -> list[Accepted]:
        """Send a window with the next number of its machine; return all that the server has now.

        Without `batch_s` that is this one. `channels` are arrays in A, V and m/s^2, sent as 16 bits
        with their own scale. If `scale` has units per count, they are integers as the converter
        gave them. `t0` is the start of the window, s since 1970 UTC: a window of the same machine
        and `t0` is taken for the same one. `scalars` are name -> value and unit of the quantities
        measured with the samples: `{"oil_pressure": (2.1, "bar")}`.

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
            scalars=scalars or {},
        )
        fields = encode(window, self.dtype, scale)
        del fields["seq"]
        self.collect_entry(fields)
        return self.flush() if self._is_due() else self.take_accepted()

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

        `name` then distinguishes it from others of its machine, in place of its start. With a file
        of numbers, an entry with a known name gets its earlier number and start again.

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
        """Keep a refused entry (`wire.REFUSED` says why); the bridge makes it a dead letter."""
        self._keep(fields | {"seq": ""}, "")

    def name_of(self, machine_id: str, beginning: str) -> str | None:
        """Return the last name of a machine that begins so, None if the file has none."""
        return self._numbers.last_name(machine_id, beginning) if self._numbers else None

    def flush(self) -> list[Accepted]:
        """Send the collected windows; return those accepted since the last call.

        Raises
        ------
        ServerFull
            The server refuses windows, and `when_full` is `raise`. They are kept for the next time.
        ServerUnavailable
            It did not answer for `patience_s`, or refuses this user. They are kept too.
        """
        for hindrance in self.deliver():
            if self._raises_when_full and hindrance == "full":
                raise ServerFull(self._delivery.windows)
        return self.take_accepted()

    def deliver(self) -> Iterator[Hindrance]:
        """Send the collected windows, and yield before each pause the reason for it."""
        self._number()
        self._delivery.add(self._collected)
        self._collected.clear()
        self._collected_bytes = 0
        yield from self._delivery.deliver()

    @property
    def waiting(self) -> int:
        """The number of windows that the server does not have yet."""
        return len(self._collected) + self._delivery.windows

    @property
    def unsaved(self) -> int:
        """The number of windows lost if this process ends: with a spool, those not on disk."""
        kept = self._delivery
        waiting = kept.unsaved if isinstance(kept, StoreAndForward) else kept.windows
        return len(self._collected) + waiting

    @property
    def dropped(self) -> int:
        """The number of windows of the spool that went unsent: no room, too old, or damaged."""
        return self._delivery.dropped

    def take_accepted(self) -> list[Accepted]:
        """Return the windows accepted since the last call."""
        accepted, repeated = self._delivery.take_accepted()
        for a in (*repeated, *accepted):
            self.accepted_ids[a.stream, a.entry_id] = a
        while len(self.accepted_ids) > KEPT_IDS:
            self.accepted_ids.popitem(last=False)
        return accepted

    def _keep(self, fields: EntryFields, name: str) -> None:
        size = sum(len(x) for x in fields.values())
        if not self._collected:
            self._since = time.monotonic()
        self._collected.append(Entry(str(fields.get("machine_id", "")), name, fields, size))
        self._collected_bytes += size

    def _is_due(self) -> bool:
        aged = time.monotonic() - self._since >= self.batch_s
        return aged or self._collected_bytes >= self.batch_bytes

    def _number(self) -> None:
        """Give numbers to the windows that have none, on file before any of them is sent."""
        new = [e for e in self._collected if "seq" not in e.fields]
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


def _client(server: str | Client, name: str, *, careful: bool) -> Client:
    if not isinstance(server, str):
        return server
    return connect(server, name, retries=0 if careful else 1, report_loss=careful)


def _name_and_start(entry: Entry) -> tuple[str, float]:
    t0 = float(entry.fields["t0"])
    return entry.name or f"{round(t0 * 1e6)}", t0
