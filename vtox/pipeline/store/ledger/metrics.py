"""The source of the monitor's measurements: the counters of the commit scripts, then and now."""

import json
from dataclasses import dataclass, field

import msgspec

from vtox.motor.values import codec
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.counts import read_counts
from vtox.pipeline.store.stream.entries import Metrics, entry_of, number

# Entries that lie within the average of the throughput, at one a second and at more.
_RECENT = 64
# The monitor's figures are stale when they are older than this many of its intervals.
STALE_INTERVALS = 3
# A machine that sent a window within this time sends.
SENDING_S = 60.0


@dataclass(frozen=True, slots=True)
class Counts:
    """The counters at the server's time `t`; `latency` is "<family>:<bucket>" -> records.

    `busy_s` is "<queue>:<worker>" -> time spent in tasks since the worker started, s, and
    "<thread>:<process>" -> CPU time of a thread; `machines` how many sent in the last minute.
    """

    t: float
    windows_in: int
    windows_done: int
    latency: dict[str, int]
    in_flight: int = 0
    busy_s: dict[str, float] = field(default_factory=dict)
    machines: int | None = None


def read(client: Client) -> tuple[Counts, Counts | None, list[Metrics]]:
    """Return the counters now, those of the last measurement, and recent metrics, newest first."""
    pipe = client.pipeline(transaction=True)
    pipe.time()
    pipe.hgetall(keys.COUNTERS)
    pipe.hgetall(keys.LATENCY)
    pipe.hgetall(keys.MONITOR)
    pipe.xrevrange(keys.METRICS, count=_RECENT)
    pipe.smembers(keys.WORKERS)
    (seconds, micros), stored, latency, last, recent, names = pipe.execute()
    counters = read_counts(stored)
    t = seconds + micros / 1e6
    now = Counts(
        t=t,
        windows_in=counters.get("windows_in", 0),
        windows_done=counters.get("windows_done", 0),
        latency=read_counts(latency),
        in_flight=sum(v for k, v in counters.items() if k.startswith("in_flight_windows:")),
        busy_s={
            f"{q}:{w.name}": w.busy_s
            for w in heartbeats.workers(client, list(names))
            for q in w.queues
        },
        machines=client.zcount(keys.MACHINES, t - SENDING_S, "+inf"),
    )
    return now, _last(last), [codec.decode_fields(Metrics, fields) for _, fields in recent]


def write(client: Client, entry: Metrics | None, counts: Counts) -> None:
    """Add an entry, if there is one, and keep the counters for the next measurement."""
    kept = {
        "t": repr(counts.t),
        "windows_in": counts.windows_in,
        "windows_done": counts.windows_done,
        "latency": json.dumps(counts.latency),
        "busy_s": json.dumps(counts.busy_s),
    }
    with client.pipeline(transaction=True) as pipe:
        if entry:
            texts = iter(entry_of(entry))
            pipe.xadd(keys.METRICS, dict(zip(texts, texts, strict=True)))
        pipe.hset(keys.MONITOR, mapping=kept)
        pipe.execute()


def _last(fields: dict[bytes, bytes]) -> Counts | None:
    """Return the counts of the last measurement; None if there was none, or they are damaged."""
    try:
        latency = codec.decode(dict[str, int], fields[b"latency"])
        busy_s = codec.decode(dict[str, float], fields.get(b"busy_s", b"{}"))
        return Counts(
            t=number(fields[b"t"]) or 0.0,
            windows_in=int(fields[b"windows_in"]),
            windows_done=int(fields[b"windows_done"]),
            latency=latency,
            busy_s=busy_s,
        )
    except (KeyError, ValueError, msgspec.MsgspecError):
        return None
