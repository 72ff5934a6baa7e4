"""The waveforms behind new warnings and faults, kept beyond the raw stream."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np

from vtox import keys
from vtox.domain import Array, Window
from vtox.errors import InputError
from vtox.store import outputs
from vtox.store.client import Client
from vtox.wire import UNLIMITED, decode

_READ_AT_ONCE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Waveform:
    """The windows of one record that is kept, oldest first."""

    record: str
    # The id of its oldest entry in the stream: older waveforms come before it.
    first_id: str
    windows: list[Window] = field(default_factory=list)

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

    def npz(self) -> bytes:
        """Return an `.npz` for `vtox.files.recordings`: channels in units, rate, mean speed."""
        first = self.windows[0]
        speeds = [w.speed_rpm for w in self.windows if w.speed_rpm is not None]
        found: dict[str, Array] = {
            name: np.concatenate([w.channels[name] for w in self.windows])
            for name in first.channels
        }
        found["fs_hz"] = np.array(first.fs_hz)
        if speeds:
            found["speed_rpm"] = np.array(sum(speeds) / len(speeds))
        file = BytesIO()
        np.savez_compressed(file, allow_pickle=False, **found)
        return file.getvalue()


def newest_first(client: Client, machine_id: str = "", before: str = "") -> Iterator[Waveform]:
    """Yield the waveforms kept, of one machine or of all, reading a few entries at a time.

    With `before`, the `first_id` of one of them, only those that are older.
    """
    record, first_id, windows = "", "", list[Window]()
    entries = outputs.newest_first(client, keys.EVIDENCE, before, read_at_once=_READ_AT_ONCE)
    for entry_id, fields in entries:
        if machine_id not in ("", fields[b"machine_id"].decode()):
            continue
        name = fields[b"record"].decode()
        if name != record and windows:
            yield Waveform(record=record, first_id=first_id, windows=windows[::-1])
            windows = []
        record, first_id = name, entry_id.decode()
        windows.append(decode(fields, UNLIMITED))
    if windows:
        yield Waveform(record=record, first_id=first_id, windows=windows[::-1])


def get(client: Client, record: str) -> Waveform:
    """Return the waveform of one record.

    Raises
    ------
    InputError
        It is not kept (any more).
    """
    machine_id = record.split("|")[1] if record.count("|") == 2 else ""
    for found in newest_first(client, machine_id):
        if found.record == record:
            return found
    raise InputError(
        f"no waveform of {record!r} is kept: `vtox evidence list` shows those that are"
    )
