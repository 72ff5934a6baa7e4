"""From the ids of stream entries to recordings: the other half of the claim check."""

from collections.abc import Iterable

import numpy as np

from vtox.domain import Record, Recording, Window
from vtox.store.client import Client
from vtox.wire import Limits, decode

# What the bridge let pass is not refused here, whatever the limits of this process.
_NO_LIMITS = Limits(max_bytes=1 << 62, max_samples=1 << 62)


def fetch(client: Client, raw: str, records: Iterable[Record]) -> list[Recording | None]:
    """Return the samples of each record, None where the stream has lost one of its windows."""
    records = list(records)
    pipe = client.pipeline(transaction=False)
    for record in records:
        for entry_id in record.ids.split():
            pipe.xrange(raw, entry_id, entry_id)
    replies = iter(pipe.execute())
    found: list[Recording | None] = []
    for record in records:
        entries = [next(replies) for _ in record.ids.split()]
        windows = [decode(e[0][1], _NO_LIMITS) for e in entries if e]
        found.append(_join(windows) if len(windows) == len(entries) else None)
    return found


def _join(windows: list[Window]) -> Recording:
    first = windows[0]
    speeds = [w.speed_rpm for w in windows if w.speed_rpm is not None]
    temperatures = [w.temperature_c for w in windows if w.temperature_c is not None]
    return Recording(
        channels={
            name: first.channels[name]
            if len(windows) == 1
            else np.concatenate([w.channels[name] for w in windows])
            for name in first.channels
        },
        fs_hz=first.fs_hz,
        speed_rpm=sum(speeds) / len(speeds) if speeds else None,
        temperature_c=sum(temperatures) / len(temperatures) if temperatures else None,
    )
