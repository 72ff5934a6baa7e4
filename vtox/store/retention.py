"""What VTOX writes is kept for a time and up to a size; less where memory is short."""

from dataclasses import dataclass

import redis

from vtox import keys
from vtox.settings import Settings
from vtox.store.client import Client

# Stream -> the settings `<name>_hours` and `<name>_mb` that bound it.
BOUNDED = {
    keys.RESULTS: "results",
    keys.ASSESSMENTS: "assessments",
    keys.ALERTS: "alerts",
    keys.METRICS: "metrics",
    keys.DEAD_LETTERS: "dead_letters",
    keys.EVIDENCE: "evidence",
}
# The server estimates a stream's size from so many of its nodes.
SAMPLES = 20
MB = 1_000_000
# From this share of the memory limit on finished windows are kept for a shorter time.
SHORT_FROM = 0.8
# What VTOX writes, and the windows of open records, get at most this share of the limit each: with
# more the server could be full for good.
MOST = 0.5


@dataclass(frozen=True, slots=True)
class Memory:
    """The server's memory as it counts it against its limit; no limit is 0."""

    used_bytes: int = 0
    limit_bytes: int = 0

    @property
    def share(self) -> float:
        """Share of the limit in use, 0 without a limit."""
        return self.used_bytes / self.limit_bytes if self.limit_bytes else 0.0

    def at_most(self, wanted_bytes: float) -> float:
        """Return `wanted_bytes`, or what of it one part of the whole may take."""
        return min(wanted_bytes, MOST * self.limit_bytes) if self.limit_bytes else wanted_bytes


def memory(client: Client) -> Memory:
    """Return what the server tells of its memory; nothing where INFO is denied."""
    try:
        info = client.info("memory")
    except redis.exceptions.NoPermissionError:
        return Memory()
    used = info["used_memory"] - info.get("mem_not_counted_for_evict", 0)
    return Memory(used, info.get("maxmemory", 0))


def kept_s(settings: Settings, known: Memory) -> float:
    """Return how long finished windows stay: not at all when the memory is full."""
    left = (1 - known.share) / (1 - SHORT_FROM)
    return settings.retention_s * min(max(left, 0.0), 1.0)


def trim_outputs(client: Client, settings: Settings, known: Memory | None = None) -> int:
    """Delete the oldest entries beyond the bounds in time and size; return how many.

    Whole nodes of the server's tree go (about 100 small entries), so a little more than the bound
    may stay.
    """
    pipe = client.pipeline(transaction=False)
    pipe.time()
    for stream in BOUNDED:
        pipe.xlen(stream)
        pipe.memory_usage(stream, samples=SAMPLES)
    (seconds, _), *sizes = pipe.execute()
    together = MB * sum(getattr(settings, f"{name}_mb") for name in BOUNDED.values())
    scale = (known or Memory()).at_most(together) / together
    for i, (stream, name) in enumerate(BOUNDED.items()):
        entries, used = sizes[2 * i], sizes[2 * i + 1] or 0
        oldest_s = seconds - 3600 * getattr(settings, f"{name}_hours")
        pipe.xtrim(stream, minid=max(0, round(oldest_s * 1000)), approximate=True)
        allowed = scale * MB * getattr(settings, f"{name}_mb")
        if used > allowed:
            pipe.xtrim(stream, maxlen=int(entries * allowed / used), approximate=True)
    return sum(pipe.execute())
