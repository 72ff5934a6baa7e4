"""Bounds in time and size of VTOX's own streams; tighter ones when the server's memory is short."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

import redis

from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.ledger.heartbeats import RecorderHeartbeat, read
from vtox.pipeline.store.ledger.retention_clock import retention_time
from vtox.pipeline.store.server.client import Client

# Stream -> the row of `VTOX_KEEP` that bounds it.
BOUNDED = {
    keys.RESULTS: "results",
    keys.ASSESSMENTS: "assessments",
    keys.ALERTS: "alerts",
    keys.ALARM_ACTIONS: "alarm_actions",
    keys.AUDIT: "audit",
    keys.METRICS: "metrics",
    keys.DEAD_LETTERS: "dead_letters",
    keys.EVIDENCE: "evidence",
    # Entries leave it as soon as the recorder has stored them.
    keys.SCALARS: "metrics",
}
# The server estimates a stream's size from this many of its nodes.
_SIZE_SAMPLES = 20
MB = 1_000_000
# Between these shares of the memory limit finished windows are kept for a shorter time, and not at
# all above. The rest is for windows that wait, and no alarm is due to the others.
SHORTER_FROM_SHARE, NOT_FROM_SHARE = 0.65, 0.75
# From this share on, at which the alarm of memory is due, the retention is shortened at once.
# Below, it gets at most one second shorter each second.
SHORTEN_NOW_SHARE = 0.8
# The windows of open records, and VTOX's own streams, get at most these shares of the limit. With
# more the server could be full for good.
OPEN_RECORDS_SHARE, OUTPUTS_SHARE = 0.6, 0.4
# Entries that the recorder has not read are kept up to this many times the bounds of all outputs.
# They never exceed the outputs' share of the limit: with the embedded server's 2 GB the share is
# the lower one.
UNREAD_TIMES = 10


@dataclass(frozen=True, slots=True)
class ServerMemory:
    """The server's memory as it counts it against its limit; no limit is 0."""

    used_bytes: int = 0
    limit_bytes: int = 0

    @property
    def share(self) -> float:
        """Share of the limit in use, 0 without a limit."""
        return self.used_bytes / self.limit_bytes if self.limit_bytes else 0.0

    def at_most(self, wanted_bytes: float, share: float) -> float:
        """Return `wanted_bytes`, or a share of the limit if that is less."""
        return min(wanted_bytes, share * self.limit_bytes) if self.limit_bytes else wanted_bytes


def server_memory(client: Client) -> ServerMemory:
    """Return the memory of the server; zeros if INFO is denied."""
    try:
        info = client.info("memory")
    except redis.exceptions.NoPermissionError:
        return ServerMemory()
    used = info["used_memory"] - info.get("mem_not_counted_for_evict", 0)
    return ServerMemory(used, info.get("maxmemory", 0))


def effective_retention_s(settings: Settings, memory: ServerMemory) -> float:
    """Return how long finished windows are kept: less if the memory is short."""
    left = (NOT_FROM_SHARE - memory.share) / (NOT_FROM_SHARE - SHORTER_FROM_SHARE)
    return settings.keep.windows.s * min(max(left, 0.0), 1.0)


def shortened_retention_s(
    settings: Settings, memory: ServerMemory, kept_s: float, passed_s: float
) -> float:
    """Return how long finished windows are kept now; `passed_s` ago those of `kept_s` were left.

    Deletion lowers the share. A fleet that fills 4 % of the limit a second makes the retention 20 s
    shorter in one second. All of that would be deleted at once, although 2 s of it make room.
    """
    wanted_s = effective_retention_s(settings, memory)
    if memory.share >= SHORTEN_NOW_SHARE:
        return wanted_s
    return max(wanted_s, kept_s - passed_s)


def open_records_limit(settings: Settings, memory: ServerMemory) -> int:
    """Return how many bytes the windows of open records may take."""
    return int(memory.at_most(settings.open_record_bytes, OPEN_RECORDS_SHARE))


def trim_outputs(client: Client, settings: Settings, memory: ServerMemory | None = None) -> int:
    """Delete the oldest entries beyond the bounds in time and size; return how many.

    The bounds in time are of the time that the monitor keeps
    (`vtox.pipeline.store.ledger.retention_clock`). Beyond its bound in size a stream keeps the
    entries that the recorder has not read, as long as all outputs fit in their share of the memory.
    Whole nodes of the server's tree go (about 100 small entries), so a little more than the bound
    may stay. If MEMORY USAGE is denied, the bounds in size do not hold; `vtox doctor` says so.
    """
    now_t = retention_time(client)
    pipe = client.pipeline(transaction=False)
    for stream in BOUNDED:
        pipe.xlen(stream)
        pipe.memory_usage(stream, samples=_SIZE_SAMPLES)
    pipe.hgetall(keys.RECORDER)
    *sizes, recorder = pipe.execute(raise_on_error=False)
    used = dict(zip(BOUNDED, map(_or_zero, sizes[1::2]), strict=True))
    entries = dict(zip(BOUNDED, map(_or_zero, sizes[::2]), strict=True))
    beat = read(RecorderHeartbeat, recorder) if isinstance(recorder, dict) else None
    recorded = beat.recorded if beat else {}
    bounds = _size_bounds(settings, memory or ServerMemory(), used, recorded)
    for stream, name in BOUNDED.items():
        if now_t is not None:
            oldest_s = now_t - getattr(settings.keep, name).s
            pipe.xtrim(stream, minid=max(0, round(oldest_s * 1000)), approximate=True)
        length = entries[stream]
        own, with_unread = (
            int(length * min(bound / max(used[stream], 1), 1.0)) for bound in bounds[stream]
        )
        if own < length and stream in recorded:
            excess = length - own
            pipe.xtrim(stream, minid=recorded[stream], limit=excess, approximate=True)
        if with_unread < length:
            pipe.xtrim(stream, maxlen=with_unread, approximate=True)
    return sum(pipe.execute())


def _size_bounds(
    settings: Settings,
    memory: ServerMemory,
    used_bytes: Mapping[str, int],
    recorded: Container[str],
) -> dict[str, tuple[float, float]]:
    """Return stream -> the bytes it may take, without and with entries not yet recorded.

    Both are equal if the stream is not `recorded`. The streams that hold unread entries share the
    rest of the outputs' share, in proportion to their excess over their own bounds.
    """
    own = {s: getattr(settings.keep, name).nbytes for s, name in BOUNDED.items()}
    total = sum(own.values())
    scale = memory.at_most(total, OUTPUTS_SHARE) / total
    own = {s: scale * bound for s, bound in own.items()}
    over = {s: max(used_bytes[s] - own[s], 0.0) if s in recorded else 0.0 for s in own}
    room = memory.at_most(UNREAD_TIMES * total, OUTPUTS_SHARE)
    room -= sum(min(used_bytes[s], own[s]) for s in own)
    share = min(1.0, room / sum(over.values())) if any(over.values()) else 0.0
    return {s: (own[s], own[s] + share * over[s]) for s in own}


def sizes_are_measured(client: Client) -> bool:
    """Return whether the server says the size of a stream; its users may be denied that."""
    try:
        client.memory_usage(keys.RESULTS)
    except redis.exceptions.NoPermissionError:
        return False
    return True


def _or_zero(reply: Any) -> int:
    """Return a size; 0 for a stream that does not exist, or a size that the server denies."""
    if isinstance(reply, Exception) and not isinstance(reply, redis.exceptions.NoPermissionError):
        raise reply
    return reply if isinstance(reply, int) else 0
