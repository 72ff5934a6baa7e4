"""Fetches the windows of records from the raw stream and joins them into recordings."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from itertools import groupby

import numpy as np

from vtox.motor.values.arrays import Float32
from vtox.motor.values.domain import (
    CHANNEL_UNITS,
    CURRENTS,
    LINE_VOLTAGES,
    VOLTAGES,
    Record,
    Recording,
)
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream import window_log
from vtox.pipeline.store.stream.shared_windows import SharedReader
from vtox.pipeline.windows.wire import Fields, decode_channels, number

# Gives room for the samples of some channels of a record.
_Room = Callable[[Sequence[str], int], list[Float32]]
_ELECTRICAL = (*CURRENTS, *VOLTAGES, *LINE_VOLTAGES)


def fetch(
    client: Client,
    raw: str,
    records: Collection[Record],
    wanted: Sequence[Collection[str]] | None = None,
) -> list[Recording | None]:
    """Return the recording of each record, None if the stream no longer has all its windows.

    Windows that are not in the memory that this host shares with the bridge come from the stream.
    Nothing is checked again: the bridge dispatches only windows that `decode_header` accepted.
    `wanted` are the channels of each record that will be read, all of them if not given.
    """
    channels = [frozenset(c) for c in wanted or [CHANNEL_UNITS] * len(records)]
    rooms = _rooms(records, channels)
    recordings: list[Recording | None] = []
    partly: list[tuple[int, Record, list[Fields | None]]] = []
    with SharedReader() as shared:
        for k, record in enumerate(records):
            found = shared.windows(record)
            recordings.append(_joined_if_whole(found, channels[k], rooms[k]))
            if recordings[k] is None:
                partly.append((k, record, found))
    fetched = window_log.fetch(
        client,
        raw,
        (
            (r.ids.split()[i], r.bytes // r.windows)
            for _, r, found in partly
            for i in _missing(found)
        ),
    )
    for k, _, found in partly:
        for i in _missing(found):
            found[i] = next(fetched)
        recordings[k] = _joined_if_whole(found, channels[k], rooms[k])
    return recordings


def entries_of(client: Client, raw: str, record: Record) -> list[Fields] | None:
    """Return the windows of a record as they were sent, None if some have left the stream."""
    size = record.bytes // record.windows
    found = list(window_log.fetch(client, raw, ((i, size) for i in record.ids.split())))
    return [fields for fields in found if fields] if all(found) else None


def joined_windows(
    windows: Sequence[Fields], wanted: Collection[str] = CHANNEL_UNITS, room: _Room | None = None
) -> Recording:
    """Return the windows of a record joined, at their mean speed and temperature."""
    fs_hz = number(windows[0], "fs_hz")
    assert fs_hz is not None
    return Recording(
        channels=decode_channels(*windows, wanted=wanted, room=room),
        fs_hz=float(fs_hz),
        speed_rpm=_mean(windows, "speed_rpm"),
        temperature_c=_mean(windows, "temperature_c"),
    )


def _joined_if_whole(
    windows: Sequence[Fields | None], wanted: Collection[str], room: _Room
) -> Recording | None:
    there = [w for w in windows if w is not None]
    return joined_windows(there, wanted, room) if len(there) == len(windows) else None


def _rooms(records: Collection[Record], channels: Sequence[frozenset[str]]) -> list[_Room]:
    """Return for each record where to decode it: next to the others of its size.

    The diagnosers take such samples as one array; others they have to copy (`arrays.stacked`).
    """
    sizes = [(r.bytes, r.windows, c) for r, c in zip(records, channels, strict=True)]
    shared = {size: _batch_room(count) for size, count in Counter(sizes).items()}
    return [shared[size] for size in sizes]


def _batch_room(records: int) -> _Room:
    """Return room for this many records: the electrical channels of all, and the others of all."""
    left: dict[bool, Float32] = {}

    def room(names: Sequence[str], samples: int) -> list[Float32]:
        found: list[Float32] = []
        for electrical, members in groupby(names, _ELECTRICAL.__contains__):
            shape = (len(list(members)), samples)
            if electrical not in left:
                left[electrical] = np.empty((records, *shape), np.float32)
            # One of equal bytes may have other channels.
            if left[electrical].shape[1:] == shape:
                own, left[electrical] = left[electrical][0], left[electrical][1:]
            else:
                own = np.empty(shape, np.float32)
            found.extend(own)
        return found

    return room


def _missing(windows: Sequence[Fields | None]) -> list[int]:
    return [i for i, w in enumerate(windows) if w is None]


def _mean(windows: Sequence[Fields], name: str) -> float | None:
    values = [x for w in windows if (x := number(w, name)) is not None]
    return sum(values) / len(values) if values else None
