"""The time by which retention deletes: real time, not that of a clock wrong for a while.

The server's clock dates every entry. Were it years ahead for a minute, deletion by it would leave
nothing of the history. So this time goes on with the monotonic clock of the process that keeps it.
It follows the server's clock at once only by minutes. A larger difference, of a clock that steps or
a system that was off, is believed once it has lasted a day in which the clocks of the hosts agreed.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import redis
import structlog

from vtox.pipeline.configuration import keys
from vtox.pipeline.store.ledger.heartbeats import live_workers
from vtox.pipeline.store.server.client import Client, own_clock_offset_s, server_time
from vtox.pipeline.store.stream.entries import number
from vtox.pipeline.store.stream.outputs import entry_order

log = structlog.get_logger()

# Restarts and corrections by NTP are shorter; the shortest retention by default is a day.
FOLLOWED_S = 600.0
CLOCK_TRUST_AFTER_S = 86_400.0


@dataclass(frozen=True, slots=True)
class KeptTime:
    """The stored form of this time, next to the data deleted by it.

    `t` is the time, s since 1970. While the server's clock differs, `ahead_s` is by how much at
    least (s, positive if it is ahead), and `lasted_s` for how long of real time.
    """

    t: float
    ahead_s: float = 0.0
    lasted_s: float = 0.0


def next_time(kept: KeptTime, server_t: float, passed_s: float, *, agree: bool) -> KeptTime:
    """Return the time after `passed_s` of real time, when the server's clock shows `server_t`.

    `agree`: the clocks of the hosts do. The difference that is believed is the least one of a whole
    day: clocks that step again, and systems that are off each night, add nothing to it.
    """
    t = kept.t + passed_s
    ahead_s = server_t - t
    if abs(ahead_s) <= FOLLOWED_S:
        return KeptTime(server_t)
    if not agree:
        return KeptTime(t)
    if kept.ahead_s * ahead_s <= 0:
        return KeptTime(t, ahead_s)
    least_s, lasted_s = min(ahead_s, kept.ahead_s, key=abs), kept.lasted_s + passed_s
    if lasted_s < CLOCK_TRUST_AFTER_S:
        return KeptTime(t, least_s, lasted_s)
    return KeptTime(t + least_s)


def first_time(newest_ids: Iterable[str], server_t: float) -> KeptTime:
    """Return the time if none is kept: of the newest of the entries there are, else now."""
    newest_ms = max((entry_order(i)[0] for i in newest_ids), default=0)
    return KeptTime(min(newest_ms / 1000, server_t) if newest_ms else server_t)


class RetentionClock:
    """Takes the time that is kept on; holds when this process did so last."""

    def __init__(self, client: Client, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.client = client
        self.monotonic = monotonic
        self._looked: float | None = None

    def advance_clock(self, kept: KeptTime) -> KeptTime:
        """Return the time as it is now; the time passed before the first call is not known."""
        now, agree = self.monotonic(), _clocks_agree(self.client)
        passed_s = 0.0 if self._looked is None else now - self._looked
        self._looked = now
        found = next_time(kept, server_time(self.client), passed_s, agree=agree)
        if bool(found.ahead_s) != bool(kept.ahead_s):
            log.info(
                "retention goes by real time until the server's clock is believed"
                if found.ahead_s
                else "retention goes by the server's clock again",
                server_ahead_s=round(found.ahead_s or kept.ahead_s),
            )
        return found


def _clocks_agree(client: Client) -> bool:
    """Return whether this host and those of the workers have the server's time, to minutes."""
    offsets = (own_clock_offset_s(client), *(w.clock_offset_s for w in live_workers(client)))
    return all(abs(s) <= FOLLOWED_S for s in offsets if s is not None)


def keep_time(clock: RetentionClock, streams: Iterable[str]) -> None:
    """Take the time on that is kept on the server for its streams and machines."""
    client = clock.client
    fields = client.hgetall(keys.RETENTION_CLOCK)
    names = ("t", "ahead_s", "lasted_s")
    values = [number(fields.get(n.encode())) for n in names]
    kept = KeptTime(*(v or 0.0 for v in values)) if values[0] else None
    if kept is None:
        kept = first_time(_newest_ids(client, streams), server_time(client))
    found = clock.advance_clock(kept)
    client.hset(keys.RETENTION_CLOCK, mapping={n: f"{getattr(found, n):.3f}" for n in names})


def retention_time(client: Client) -> float | None:
    """Return up to when all that was to be deleted by now may be; None while it is not kept.

    It is never later than the server's clock.
    """
    t = number(client.hget(keys.RETENTION_CLOCK, "t"))
    return None if t is None else min(t, server_time(client))


def _newest_ids(client: Client, streams: Iterable[str]) -> list[str]:
    """Return the id of the last entry that each stream has ever had, if any."""
    pipe = client.pipeline(transaction=False)
    for stream in streams:
        pipe.xinfo_stream(stream)
    found: list[Any] = pipe.execute(raise_on_error=False)
    return [
        s["last-generated-id"].decode() for s in found if not isinstance(s, redis.ResponseError)
    ]
