"""Fetches the windows of records from the raw stream and joins them into recordings."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from vtox.domain import Record, Recording
from vtox.store.client import Client
from vtox.store.shared_windows import SharedReader
from vtox.wire import Fields, decode_channels, number

# The server ends a client that has more than 256 MB of replies waiting (`server_config.py`).
FETCH_BYTES = 64 << 20


def fetch(client: Client, raw: str, records: Iterable[Record]) -> list[Recording | None]:
    """Return the recording of each record, None where the stream no longer has all its windows.

    They come from the memory that this host shares with the bridge as far as they are there.
    Nothing is checked again: the bridge dispatches only what `decode_header` accepted.
    """
    records = list(records)
    with SharedReader() as shared:
        found = [joined_windows(w) if (w := shared.windows(r)) else None for r in records]
    elsewhere = [k for k, recording in enumerate(found) if recording is None]
    replies = _entries(client, raw, [records[k] for k in elsewhere])
    for k in elsewhere:
        entries = [next(replies) for _ in records[k].ids.split()]
        found[k] = joined_windows([e[0][1] for e in entries]) if all(entries) else None
    return found


def entries_of(client: Client, raw: str, record: Record) -> list[Fields] | None:
    """Return the windows of a record as they were sent, None where some have left the stream."""
    entries = list(_entries(client, raw, [record]))
    return [e[0][1] for e in entries] if all(entries) else None


def joined_windows(windows: Sequence[Fields]) -> Recording:
    """Return the windows of a record joined, at their mean speed and temperature."""
    fs_hz = number(windows[0], "fs_hz")
    assert fs_hz is not None
    return Recording(
        channels=decode_channels(*windows),
        fs_hz=float(fs_hz),
        speed_rpm=_mean(windows, "speed_rpm"),
        temperature_c=_mean(windows, "temperature_c"),
    )


def _entries(client: Client, raw: str, records: Iterable[Record]) -> Iterator[Any]:
    """Yield the reply for each entry of the records, fetching some megabytes at a time."""
    pipe = client.pipeline(transaction=False)
    size = 0
    for record in records:
        for entry_id in record.ids.split():
            pipe.xrange(raw, entry_id, entry_id)
            size += record.bytes // record.windows
            if size > FETCH_BYTES:
                yield from pipe.execute()
                size = 0
    yield from pipe.execute()


def _mean(windows: Sequence[Fields], name: str) -> float | None:
    values = [x for w in windows if (x := number(w, name)) is not None]
    return sum(values) / len(values) if values else None
