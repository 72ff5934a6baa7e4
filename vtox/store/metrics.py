"""What the monitor measures from: the counters of the commit scripts, then and now."""

import json
from dataclasses import dataclass

from vtox import keys
from vtox.store.client import Client
from vtox.store.entries import Metrics, decode_metrics, encode_metrics, number

# Entries that lie within the average of the throughput, at one a second and at more.
_RECENT = 64


@dataclass(frozen=True, slots=True)
class Counts:
    """The counters at the server's time `t`; `latency` is "<family>:<bucket>" -> records."""

    t: float
    windows_in: int
    windows_done: int
    latency: dict[str, int]
    in_flight: int = 0


def read(client: Client) -> tuple[Counts, Counts | None, list[Metrics]]:
    """Return the counters now, those of the last measurement, and recent metrics, newest first."""
    pipe = client.pipeline(transaction=True)
    pipe.time()
    pipe.hgetall(keys.COUNTERS)
    pipe.hgetall(keys.LATENCY)
    pipe.hgetall(keys.MONITOR)
    pipe.xrevrange(keys.METRICS, count=_RECENT)
    (seconds, micros), counters, latency, last, recent = pipe.execute()
    now = Counts(
        t=seconds + micros / 1e6,
        windows_in=int(counters.get(b"windows_in", 0)),
        windows_done=int(counters.get(b"windows_done", 0)),
        latency={k.decode(): int(v) for k, v in latency.items()},
        in_flight=sum(int(v) for k, v in counters.items() if k.startswith(b"in_flight_windows:")),
    )
    return now, _last(last), [decode_metrics(i, fields) for i, fields in recent]


def write(client: Client, entry: Metrics | None, counts: Counts) -> None:
    """Add an entry, where there is one, and keep the counters for the next measurement."""
    kept = {
        "t": repr(counts.t),
        "windows_in": counts.windows_in,
        "windows_done": counts.windows_done,
        "latency": json.dumps(counts.latency),
    }
    with client.pipeline(transaction=True) as pipe:
        if entry:
            texts = iter(encode_metrics(entry))
            pipe.xadd(keys.METRICS, dict(zip(texts, texts, strict=True)))
        pipe.hset(keys.MONITOR, mapping=kept)
        pipe.execute()


def _last(fields: dict[bytes, bytes]) -> Counts | None:
    if not fields:
        return None
    return Counts(
        t=number(fields[b"t"]) or 0.0,
        windows_in=int(fields[b"windows_in"]),
        windows_done=int(fields[b"windows_done"]),
        latency=json.loads(fields[b"latency"]),
    )
