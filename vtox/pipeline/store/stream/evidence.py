"""The waveforms behind new warnings and faults, kept beyond the raw stream."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import dropwhile, groupby, takewhile
from typing import Any

import numpy as np

from vtox.motor.errors import InputError
from vtox.motor.values.domain import Array, Recording, Window
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream import outputs
from vtox.pipeline.store.stream.unreadable import read_or_none
from vtox.pipeline.windows.wire import UNLIMITED, Fields, decode

_READ_AT_ONCE = 20
_ENTRY_ID = re.compile(r"\d{1,20}-\d{1,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waveform:
    """The windows of one record that is kept, oldest first."""

    record: str
    # The id of its oldest entry in the stream: older waveforms come before it.
    first_id: str
    windows: list[Window] = field(default_factory=list)
    # The same as they were sent.
    entries: list[Fields] = field(default_factory=list)

    @property
    def machine_id(self) -> str:
        """The machine it comes from."""
        return self.windows[0].machine_id

    @property
    def family(self) -> str:
        """The fault family whose record it is."""
        return self.record.partition("|")[0]

    @property
    def file_name(self) -> str:
        """A name for its file."""
        return f"{self.machine_id}-{self.family}-{self.t_start:.0f}.npz".replace(":", "_")

    @property
    def t_start(self) -> float:
        """Start of the signal, s since 1970 (UTC)."""
        return self.windows[0].t0

    @property
    def duration_s(self) -> float:
        """Length of the signal, s."""
        return sum(w.duration_s for w in self.windows)

    def summary(self) -> dict[str, Any]:
        """Return the waveform without its samples."""
        return {
            "record": self.record,
            "machine_id": self.machine_id,
            "family": self.family,
            "t_start": self.t_start,
            "duration_s": round(self.duration_s, 3),
            "fs_hz": self.windows[0].fs_hz,
            "channels": list(self.windows[0].channels),
        }

    def recording(self) -> Recording:
        """Return the windows joined, at their mean speed and temperature."""
        first = self.windows[0]
        return Recording(
            {n: np.concatenate([w.channels[n] for w in self.windows]) for n in first.channels},
            first.fs_hz,
            speed_rpm=_mean(w.speed_rpm for w in self.windows),
            temperature_c=_mean(w.temperature_c for w in self.windows),
        )

    def npz(self) -> bytes:
        """Return an `.npz` for `vtox.read`: channels in units, rate, mean speed."""
        whole = self.recording()
        found: dict[str, Array] = dict(whole.channels)
        found["fs_hz"] = np.array(whole.fs_hz)
        if whole.speed_rpm is not None:
            found["speed_rpm"] = np.array(whole.speed_rpm)
        file = BytesIO()
        np.savez_compressed(file, allow_pickle=False, **found)
        return file.getvalue()


def newest_first(client: Client, machine_id: str = "", before: str = "") -> Iterator[Waveform]:
    """Yield the waveforms kept, of one machine or of all, reading a few entries at a time.

    With `before`, the `first_id` of one of them, only the older ones.
    """
    entries = outputs.newest_first(client, keys.EVIDENCE, before, read_at_once=_READ_AT_ONCE)
    own = (e for e in entries if not machine_id or e[1].get(b"machine_id") == machine_id.encode())
    for name, of_record in groupby(own, key=lambda e: e[1].get(b"record", b"")):
        windows = list(of_record)[::-1]
        record = name.decode("utf-8", "replace")
        first_id, fields = windows[0][0].decode(), list[Fields](f for _, f in windows)
        if waveform := read_or_none(_waveform, record, first_id, fields):
            yield waveform


def get(client: Client, record: str) -> Waveform:
    """Return the waveform of one record.

    Raises `InputError`: it is not kept (any more).
    """
    family, machine_id, first_id = record.split("|") if record.count("|") == 2 else ("", "", "")
    if family and _ENTRY_ID.fullmatch(first_id):
        # It was stored after its first window came, all windows at once.
        stored = outputs.oldest_first(client, keys.EVIDENCE, first_id, read_at_once=_READ_AT_ONCE)
        from_there = dropwhile(lambda entry: entry[1].get(b"record") != record.encode(), stored)
        own = takewhile(lambda entry: entry[1].get(b"record") == record.encode(), from_there)
        if entries := list(own):
            return _waveform(record, entries[0][0].decode(), [fields for _, fields in entries])
    # The clock of the server may have been set back since.
    for found in newest_first(client, machine_id):
        if found.record == record:
            return found
    raise InputError(
        f"no waveform of {record!r} is kept: GET /api/v1/machines/ID/evidence lists those that are"
    )


def _waveform(record: str, first_id: str, entries: list[Fields]) -> Waveform:
    windows = [decode(fields, UNLIMITED) for fields in entries]
    return Waveform(record=record, first_id=first_id, windows=windows, entries=entries)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [x for x in values if x is not None]
    return sum(known) / len(known) if known else None
